"""Remembered answers: which track of the other service is this one, and who said so."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.music import Service
from bot.model.review import DecidedBy, MatchRow
from storage import tracks
from storage.database import Database, Repository, chunks, reads, writes
from storage.schema import matches
from storage.schema import tracks as catalogue

EVERYBODY = 0  # the guild_id of answers that hold for all


class Matches(Repository):
    @reads
    async def find(
        self,
        connection: AsyncConnection,
        source_service: Service,
        ids: Iterable[str],
        guild_id: int,
        destination_service: Service | None = None,
    ) -> dict[str, MatchRow]:
        """What is remembered of these source tracks, by id: the guild's person first, then automatic answers.

        ``destination_service`` is the other service unless it is given.
        """
        found: dict[str, MatchRow] = {}
        for part in chunks(sorted(set(ids))):
            statement = (
                _select()
                .where(
                    matches.c.source_service == source_service,
                    matches.c.source_id.in_(part),
                    matches.c.destination_service == (destination_service or source_service.other),
                    matches.c.guild_id.in_((EVERYBODY, guild_id)),
                )
                # The best answer last, so that it stays in the dict.
                .order_by(case((matches.c.decided_by == DecidedBy.PERSON, 1), else_=0), matches.c.guild_id != EVERYBODY)
            )
            found.update((row.source_id, _match(row)) for row in await connection.execute(statement))
        return found

    @writes
    async def remember(self, connection: AsyncConnection, match: MatchRow) -> bool:
        """Keeps an answer; False when a person's answer stands there and this one is automatic."""
        return await keep(self.db, connection, match)

    @writes
    async def forget(
        self,
        connection: AsyncConnection,
        source_service: Service,
        source_id: str,
        destination_service: Service,
        guild_id: int = EVERYBODY,
    ) -> None:
        """Drops one remembered answer, a person's too."""
        key = (source_service, source_id, destination_service, guild_id)
        question = and_(*(matches.c[name] == value for name, value in zip(_QUESTION, key, strict=True)))
        await connection.execute(delete(matches).where(question))

    @reads
    async def stale(
        self, connection: AsyncConnection, destination: Service, before: datetime, limit: int = 500
    ) -> list[MatchRow]:
        """Automatic answers on a service from before ``before``, oldest first: to be looked at again or dropped."""
        statement = (
            _select()
            .where(
                matches.c.decided_at < before,
                matches.c.destination_service == destination,
                matches.c.decided_by != DecidedBy.PERSON,
            )
            .order_by(matches.c.decided_at)
            .limit(limit)
        )
        return [_match(row) for row in await connection.execute(statement)]


async def keep(db: Database, connection: AsyncConnection, match: MatchRow) -> bool:
    """``Matches.remember`` as a part of another change."""
    if match.track is not None:
        await tracks.remember(db, connection, [match.track])
    values = _values(match)
    statement = db.insert(matches).values(**values)
    changed = {name: values[name] for name in values if name not in _QUESTION}
    may = matches.c.decided_by != DecidedBy.PERSON
    statement = statement.on_conflict_do_update(
        index_elements=_QUESTION, set_=changed, where=None if match.decided_by is DecidedBy.PERSON else may
    )
    return (await connection.execute(statement.returning(matches.c.id))).first() is not None


_NAMES = [column.name for column in matches.c if column.name != "id"]
_QUESTION = ["source_service", "source_id", "destination_service", "guild_id"]


def _select() -> Select[Any]:
    """Matches with their destination track where the catalogue has it."""
    columns = (column.label(f"track__{column.name}") for column in catalogue.c)
    same = and_(
        catalogue.c.service == matches.c.destination_service, catalogue.c.external_id == matches.c.destination_id
    )
    return select(*matches.c, *columns).outerjoin(catalogue, same)


def _values(match: MatchRow) -> dict[str, Any]:
    return {
        "source_service": match.source_service,
        "source_id": match.source_id,
        "destination_service": match.destination_service,
        "destination_id": match.destination_id,
        "guild_id": match.guild_id,
        "score": match.score,
        "parts": dict(match.parts),
        "found_by": match.found_by,
        "decided_by": match.decided_by,
        "decided_by_user": match.decided_by_user,
        "explanation": match.explanation,
        "decided_at": match.decided_at,
    }


def _match(row: Row[Any]) -> MatchRow:
    fields = {name: row._mapping[name] for name in _NAMES}
    return MatchRow(**fields, track=tracks.track(row, "track__") if row.track__external_id is not None else None)
