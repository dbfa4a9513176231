"""The lists of what waits for a person: one card after the other, how many, and whole mappings in pages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.review import BlacklistRow, ReviewFilter
from storage.blacklist import row_of
from storage.database import Repository, reads
from storage.schema import BLACKLIST_IS_OPEN, blacklist, mappings

PAGE = 200


class ReviewList(Repository):
    """Open rows of a guild's mappings, without those of removed ones, oldest first. Answered from one narrow index."""

    @reads
    async def after(
        self, connection: AsyncConnection, guild_id: int, filter_: ReviewFilter, row_id: int = 0
    ) -> BlacklistRow | None:
        """The first row of the list whose id is larger than ``row_id``; None: there is none."""
        return await _row(connection, _extreme(func.min, guild_id, filter_, blacklist.c.id > row_id))

    @reads
    async def before(
        self, connection: AsyncConnection, guild_id: int, filter_: ReviewFilter, row_id: int
    ) -> BlacklistRow | None:
        """The last row of the list whose id is smaller than ``row_id``; None: there is none."""
        return await _row(connection, _extreme(func.max, guild_id, filter_, blacklist.c.id < row_id))

    @reads
    async def count(
        self, connection: AsyncConnection, guild_id: int, filter_: ReviewFilter, *, through: int = 0
    ) -> int:
        """How many rows the list has; ``through``: up to this id, which is that row's place counted from 1."""
        conditions = _conditions(filter_)
        if through:
            conditions.append(blacklist.c.id <= through)
        statement = (
            select(func.count())
            .select_from(blacklist.join(mappings, mappings.c.id == blacklist.c.mapping_id))
            .where(*_here(guild_id, filter_), *conditions)
        )
        return int((await connection.execute(statement)).scalar_one())

    @reads
    async def last_id(self, connection: AsyncConnection, guild_id: int, filter_: ReviewFilter) -> int:
        """The largest id of the list, 0 where it is empty."""
        return int((await connection.execute(_extreme(func.max, guild_id, filter_))).scalar() or 0)

    @reads
    async def part(
        self, connection: AsyncConnection, guild_id: int, filter_: ReviewFilter, offset: int, limit: int
    ) -> list[BlacklistRow]:
        """``limit`` rows from place ``offset`` on (from 0), in the order of ``page``."""
        found: list[BlacklistRow] = []
        for mapping_id in await _mappings(connection, guild_id, filter_):
            of_mapping = [blacklist.c.mapping_id == mapping_id, *_conditions(filter_)]
            here = int((await connection.execute(select(func.count()).where(*of_mapping))).scalar_one())
            if offset >= here:
                offset -= here
                continue
            statement = select(blacklist).where(*of_mapping).order_by(blacklist.c.id)
            rows = await connection.execute(statement.offset(offset).limit(limit - len(found)))
            found += [row_of(row) for row in rows]
            offset = 0
            if len(found) == limit:
                break
        return found

    @reads
    async def page(
        self,
        connection: AsyncConnection,
        guild_id: int,
        filter_: ReviewFilter,
        after: tuple[int, int] = (0, 0),
        limit: int = PAGE,
    ) -> list[BlacklistRow]:
        """Rows by mapping and id, beginning behind ``after`` (mapping id, row id), from as many mappings as it takes.

        A mapping's rows stand together in the index, so that no page sorts all that wait.
        """
        last_mapping, last_row = after
        found: list[BlacklistRow] = []
        for mapping_id in await _mappings(connection, guild_id, filter_, since=last_mapping):
            statement = (
                select(blacklist)
                .where(blacklist.c.mapping_id == mapping_id, *_conditions(filter_))
                .where(blacklist.c.id > (last_row if mapping_id == last_mapping else 0))
                .order_by(blacklist.c.id)
                .limit(limit - len(found))
            )
            found += [row_of(row) for row in await connection.execute(statement)]
            if len(found) == limit:
                break
        return found


async def _mappings(
    connection: AsyncConnection, guild_id: int, filter_: ReviewFilter, *, since: int = 0
) -> Sequence[int]:
    """Those that have a row of the list: where few fit, no mapping is read through in vain."""
    fits = exists().where(blacklist.c.mapping_id == mappings.c.id, *_conditions(filter_)).correlate(mappings)
    statement = select(mappings.c.id).where(*_here(guild_id, filter_), mappings.c.id >= since, fits)
    return (await connection.execute(statement.order_by(mappings.c.id))).scalars().all()


async def _row(connection: AsyncConnection, one_id: Select[Any]) -> BlacklistRow | None:
    statement = select(blacklist).where(blacklist.c.id == one_id.scalar_subquery())
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else row_of(row)


def _extreme(which: Any, guild_id: int, filter_: ReviewFilter, *further: ColumnElement[bool]) -> Select[Any]:
    """The smallest or largest id of the list: of each mapping from its place in the index, then of these."""
    of_mapping = (
        select(which(blacklist.c.id))
        .where(blacklist.c.mapping_id == mappings.c.id, *_conditions(filter_), *further)
        .correlate(mappings)
        .scalar_subquery()
    )
    return select(which(of_mapping)).where(*_here(guild_id, filter_))


def _here(guild_id: int, filter_: ReviewFilter) -> list[ColumnElement[bool]]:
    conditions = [mappings.c.guild_id == guild_id, mappings.c.removed_at.is_(None)]
    if filter_.mapping_id:
        conditions.append(mappings.c.id == filter_.mapping_id)
    return conditions


def _conditions(filter_: ReviewFilter) -> list[Any]:
    conditions: list[Any] = [BLACKLIST_IS_OPEN]
    if filter_.reason is not None:
        conditions.append(blacklist.c.reason == filter_.reason)
    if filter_.minimum is not None:
        conditions.append(blacklist.c.best_score >= filter_.minimum)
    if filter_.up_to:
        conditions.append(blacklist.c.id <= filter_.up_to)
    return conditions
