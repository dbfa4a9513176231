"""Filters of lists: those that people named, and those that stand behind the buttons of a message."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Repository, reads, writes
from storage.schema import saved_filters


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFilter:
    """``subject``: the list it belongs to (jobs, items, errors, logs, activity, review). ``name`` '': never named.

    ``filter`` is JSON with the version ``v``; only its list knows its fields.
    """

    id: int
    guild_id: int
    subject: str
    name: str
    filter: dict[str, Any]
    created_by: int
    used_at: datetime


class Filters(Repository):
    @writes
    async def keep(
        self, connection: AsyncConnection, guild_id: int, subject: str, filter_: Mapping[str, Any], actor_id: int
    ) -> int:
        """The id of a row with just this filter, for a custom id; the same filter is kept once."""
        digest = _digest(filter_)
        same = (
            select(saved_filters.c.id)
            .where(
                saved_filters.c.guild_id == guild_id,
                saved_filters.c.subject == subject,
                saved_filters.c.digest == digest,
                saved_filters.c.name_key == "",
            )
            .order_by(saved_filters.c.id)
            .limit(1)
        )
        await self.db.one_at_a_time(connection, f"filter {guild_id} {digest}")
        known = (await connection.execute(same)).scalar()
        if known is not None:
            await connection.execute(
                update(saved_filters).where(saved_filters.c.id == known).values(used_at=self.db.now())
            )
            return int(known)
        statement = saved_filters.insert().values(**self._values(guild_id, subject, "", filter_, actor_id, digest))
        return int((await connection.execute(statement.returning(saved_filters.c.id))).scalar_one())

    @writes
    async def name(
        self,
        connection: AsyncConnection,
        guild_id: int,
        subject: str,
        name: str,
        filter_: Mapping[str, Any],
        actor_id: int,
    ) -> SavedFilter:
        """Keeps the filter under ``name``, whatever its case; an earlier one of that name is replaced."""
        statement = delete(saved_filters).where(*_named(guild_id, subject, name))
        await connection.execute(statement)
        values = self._values(guild_id, subject, name, filter_, actor_id, _digest(filter_))
        kept = await connection.execute(saved_filters.insert().values(**values).returning(*_COLUMNS))
        return _filter(kept.one())

    @reads
    async def get(self, connection: AsyncConnection, filter_id: int, guild_id: int, subject: str) -> SavedFilter | None:
        """The filter; None when it is unknown, forgotten, or another guild's or list's."""
        statement = select(*_COLUMNS).where(
            saved_filters.c.id == filter_id, saved_filters.c.guild_id == guild_id, saved_filters.c.subject == subject
        )
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _filter(row)

    @reads
    async def find(self, connection: AsyncConnection, guild_id: int, subject: str, name: str) -> SavedFilter | None:
        """The filter that people named so."""
        row = (await connection.execute(select(*_COLUMNS).where(*_named(guild_id, subject, name)))).one_or_none()
        return None if row is None else _filter(row)

    @reads
    async def named(self, connection: AsyncConnection, guild_id: int, subject: str) -> list[SavedFilter]:
        """The guild's named filters of the list, by name."""
        statement = select(*_COLUMNS).where(
            saved_filters.c.guild_id == guild_id, saved_filters.c.subject == subject, saved_filters.c.name_key != ""
        )
        return [_filter(row) for row in await connection.execute(statement.order_by(saved_filters.c.name_key))]

    @writes
    async def forget(self, connection: AsyncConnection, guild_id: int, subject: str, name: str) -> bool:
        """Deletes a named filter; False when there is none of that name."""
        return bool((await connection.execute(delete(saved_filters).where(*_named(guild_id, subject, name)))).rowcount)

    @writes
    async def delete_older(self, connection: AsyncConnection, before: datetime, batch: int = 1000) -> int:
        """Drops unnamed filters that nobody used since ``before``; how many."""
        old = (
            select(saved_filters.c.id)
            .where(saved_filters.c.name_key == "", saved_filters.c.used_at < before)
            .order_by(saved_filters.c.id)
            .limit(batch)
        )
        return (await connection.execute(delete(saved_filters).where(saved_filters.c.id.in_(old)))).rowcount

    def _values(
        self, guild_id: int, subject: str, name: str, filter_: Mapping[str, Any], actor_id: int, digest: str
    ) -> dict[str, Any]:
        return {
            "guild_id": guild_id,
            "subject": subject,
            "name": name,
            "name_key": name.casefold(),
            "filter": dict(filter_),
            "digest": digest,
            "created_by": actor_id,
            "used_at": self.db.now(),
        }


_COLUMNS = [column for column in saved_filters.c if column.name not in ("name_key", "digest")]


def _named(guild_id: int, subject: str, name: str) -> tuple[Any, ...]:
    key = name.casefold()
    return (
        saved_filters.c.guild_id == guild_id,
        saved_filters.c.subject == subject,
        saved_filters.c.name_key == key,
        saved_filters.c.name_key != "",
    )


def _digest(filter_: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(filter_, sort_keys=True, default=str).encode()).hexdigest()


def _filter(row: Row[Any]) -> SavedFilter:
    return SavedFilter(**row._mapping)
