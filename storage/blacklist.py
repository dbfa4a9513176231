"""Tracks without a counterpart: what was tried, what a person decided, when to look again."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.matching import Candidate
from bot.model.music import Track
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState, unambiguous
from storage.database import Repository, chunks, reads, writes
from storage.schema import BLACKLIST_IS_OPEN, blacklist, mappings

LOOK_AGAIN = (timedelta(days=1), timedelta(days=7), timedelta(days=30))  # after the first, second, every later look

_CANDIDATES = TypeAdapter(tuple[Candidate, ...])


class Blacklist(Repository):
    @writes
    async def put(
        self,
        connection: AsyncConnection,
        mapping_id: int,
        track: Track,
        reason: BlacklistReason,
        explanation: str,
        candidates: Sequence[Candidate],
        item_id: int | None,
        now: datetime,
    ) -> BlacklistRow:
        """The row of this source track, open, with the outcome of one more look.

        The next automatic look is 1, 7, then every 30 days away. A dismissed row stays dismissed and is not looked at
        again, nor is one that a person said is not on that service.
        """
        before = await self._of_track(connection, mapping_id, track)
        looks = before.looks + 1 if before is not None and before.state is not BlacklistState.RESOLVED else 1
        dismissed = before is not None and before.state is BlacklistState.DISMISSED
        settled = dismissed or reason is BlacklistReason.REJECTED_BY_USER
        values = {
            "title": track.title,
            "artists": {"names": list(track.artists)},
            "reason": reason,
            "explanation": explanation,
            **_offered(candidates),
            "state": BlacklistState.DISMISSED if dismissed else BlacklistState.OPEN,
            "next_look_at": None if settled else now + LOOK_AGAIN[min(looks, 3) - 1],
            "looks": looks,
            "item_id": item_id,
        }
        key = {"mapping_id": mapping_id, "service": track.service, "track_id": track.external_id}
        statement = self.db.insert(blacklist).values(**key, **values, skip_count=0, created_at=now)
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=values)
        return row_of((await connection.execute(statement.returning(*blacklist.c))).one())

    @writes
    async def offer(
        self,
        connection: AsyncConnection,
        row_id: int,
        candidates: Sequence[Candidate],
        reason: BlacklistReason,
        explanation: str,
    ) -> BlacklistRow | None:
        """Other candidates (best first) for an open row, with what follows from them; None: it is not open any more."""
        statement = update(blacklist).where(blacklist.c.id == row_id, blacklist.c.state == BlacklistState.OPEN)
        values = {**_offered(candidates), "reason": reason, "explanation": explanation}
        row = (await connection.execute(statement.values(**values).returning(*blacklist.c))).one_or_none()
        return None if row is None else row_of(row)

    @reads
    async def open_of_mapping(self, connection: AsyncConnection, mapping_id: int) -> list[BlacklistRow]:
        """Rows of the mapping that keep their track out: open and dismissed ones."""
        statement = select(blacklist).where(
            blacklist.c.mapping_id == mapping_id, blacklist.c.state != BlacklistState.RESOLVED
        )
        return [row_of(row) for row in await connection.execute(statement.order_by(blacklist.c.id))]

    @reads
    async def of_guild(
        self,
        connection: AsyncConnection,
        guild_id: int,
        state: BlacklistState = BlacklistState.OPEN,
        offset: int = 0,
        limit: int = 25,
    ) -> list[BlacklistRow]:
        """A page of the guild's rows in ``state``, oldest first, without those of removed mappings."""
        statement = (
            select(blacklist)
            .join(mappings, mappings.c.id == blacklist.c.mapping_id)
            .where(mappings.c.guild_id == guild_id, mappings.c.removed_at.is_(None), blacklist.c.state == state)
            .order_by(blacklist.c.id)
            .offset(offset)
            .limit(limit)
        )
        return [row_of(row) for row in await connection.execute(statement)]

    @reads
    async def count_of_guild(
        self, connection: AsyncConnection, guild_id: int, state: BlacklistState = BlacklistState.OPEN
    ) -> int:
        """How many rows ``of_guild`` has in all."""
        statement = (
            select(func.count())
            .select_from(blacklist)
            .join(mappings, mappings.c.id == blacklist.c.mapping_id)
            .where(mappings.c.guild_id == guild_id, mappings.c.removed_at.is_(None), blacklist.c.state == state)
        )
        return int((await connection.execute(statement)).scalar_one())

    @reads
    async def get(self, connection: AsyncConnection, row_id: int, guild_id: int | None = None) -> BlacklistRow | None:
        """The row, None when it is unknown or belongs to another guild than ``guild_id``."""
        statement = select(blacklist).where(blacklist.c.id == row_id)
        if guild_id is not None:
            here = select(mappings.c.id).where(mappings.c.guild_id == guild_id)
            statement = statement.where(blacklist.c.mapping_id.in_(here))
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else row_of(row)

    @reads
    async def of_item(self, connection: AsyncConnection, item_id: int) -> BlacklistRow | None:
        """The row that tells why this item was blacklisted."""
        statement = select(blacklist).where(blacklist.c.item_id == item_id).order_by(blacklist.c.id.desc()).limit(1)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else row_of(row)

    @writes
    async def passed_over(
        self, connection: AsyncConnection, mapping_id: int, track_ids: Iterable[str], now: datetime
    ) -> None:
        """Counts that an analysis left these source tracks out."""
        for part in chunks(sorted(set(track_ids))):
            statement = update(blacklist).where(
                blacklist.c.mapping_id == mapping_id,
                blacklist.c.track_id.in_(part),
                blacklist.c.state != BlacklistState.RESOLVED,
            )
            counted = {"skip_count": blacklist.c.skip_count + 1, "last_skipped_at": now}
            await connection.execute(statement.values(**counted))

    @reads
    async def due_looks(self, connection: AsyncConnection, now: datetime, limit: int = 500) -> list[BlacklistRow]:
        """Open rows whose next automatic look is due, longest due first."""
        statement = (
            select(blacklist)
            .where(BLACKLIST_IS_OPEN, blacklist.c.next_look_at <= now)
            .order_by(blacklist.c.next_look_at)
            .limit(limit)
        )
        return [row_of(row) for row in await connection.execute(statement)]

    @writes
    async def look_now(self, connection: AsyncConnection, row_id: int, now: datetime) -> bool:
        """Makes an open or dismissed row due for a look at once, and open; False when it was resolved."""
        statement = update(blacklist).where(blacklist.c.id == row_id, blacklist.c.state != BlacklistState.RESOLVED)
        values = {"next_look_at": now, "state": BlacklistState.OPEN}
        return bool((await connection.execute(statement.values(**values))).rowcount)

    @writes
    async def dismiss(self, connection: AsyncConnection, row_id: int) -> bool:
        """A person does not want to see it again; False when it was not open any more."""
        statement = update(blacklist).where(blacklist.c.id == row_id, blacklist.c.state == BlacklistState.OPEN)
        values = {"state": BlacklistState.DISMISSED, "next_look_at": None}
        return bool((await connection.execute(statement.values(**values))).rowcount)

    @writes
    async def resolve_track(self, connection: AsyncConnection, mapping_id: int, track: Track) -> bool:
        """The source track has its counterpart now; False when no row kept it out."""
        statement = update(blacklist).where(
            blacklist.c.mapping_id == mapping_id,
            blacklist.c.service == track.service,
            blacklist.c.track_id == track.external_id,
            blacklist.c.state != BlacklistState.RESOLVED,
        )
        resolved = {"state": BlacklistState.RESOLVED, "next_look_at": None}
        return bool((await connection.execute(statement.values(**resolved))).rowcount)

    async def _of_track(self, connection: AsyncConnection, mapping_id: int, track: Track) -> BlacklistRow | None:
        statement = select(blacklist).where(
            blacklist.c.mapping_id == mapping_id,
            blacklist.c.service == track.service,
            blacklist.c.track_id == track.external_id,
        )
        row = (await connection.execute(statement.with_for_update())).one_or_none()
        return None if row is None else row_of(row)


def _offered(candidates: Sequence[Candidate]) -> dict[str, Any]:
    certain = unambiguous(candidates)
    return {
        "candidates": {"candidates": _CANDIDATES.dump_python(tuple(candidates), mode="json")},
        "best_score": None if certain is None else certain.score.total,
    }


def row_of(row: Row[Any]) -> BlacklistRow:
    """The fact that a whole row of the table holds."""
    fields = {name: value for name, value in row._mapping.items() if name != "best_score"}
    fields["artists"] = tuple(row.artists["names"])
    fields["candidates"] = _CANDIDATES.validate_python(row.candidates["candidates"])
    return BlacklistRow(**fields)
