"""The numbers of the queue: what waits, works and has ended, by mapping and service, and how much an hour got done."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, and_, exists, func, literal, select, type_coerce, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.music import Service
from bot.model.queue import Delay, HourCount, Lane, OpenWork, Standing
from bot.model.review import BlacklistReason, BlacklistState
from storage.database import Repository, reads, writes
from storage.items import ITEM_COLUMNS, item_of
from storage.schema import ITEM_IS_DELAYED, ITEM_IS_OPEN, blacklist, mappings, sync_items

_HOUR = timedelta(hours=1)
_ITEM = sync_items.c


class Queue(Repository):
    @reads
    async def lanes(self, connection: AsyncConnection, guild_id: int, now: datetime) -> list[Lane]:
        """The work of each mapping towards each service, ended items included, by mapping id."""
        counted = (
            select(_ITEM.mapping_id, _ITEM.service, _ITEM.status, func.count().label("total"))
            .where(_ITEM.guild_id == guild_id)
            .group_by(_ITEM.mapping_id, _ITEM.service, _ITEM.status)
        )
        waiting = (
            select(_ITEM.mapping_id, _ITEM.service, func.count().label("total"), func.max(_ITEM.not_before).label("at"))
            .where(*_delayed(guild_id, now))
            .group_by(_ITEM.mapping_id, _ITEM.service)
        )
        counts: dict[tuple[int, Service], dict[ItemStatus, int]] = defaultdict(dict)
        for row in await connection.execute(counted):
            counts[row.mapping_id, row.service][row.status] = row.total
        delays = {(row.mapping_id, row.service): row for row in await connection.execute(waiting)}
        return [
            Lane(
                mapping_id=mapping_id,
                service=service,
                counts=numbers,
                delayed=delays[mapping_id, service].total if (mapping_id, service) in delays else 0,
                until=delays[mapping_id, service].at if (mapping_id, service) in delays else None,
            )
            for (mapping_id, service), numbers in sorted(counts.items())
        ]

    @reads
    async def delays(self, connection: AsyncConnection, guild_id: int, now: datetime, limit: int = 10) -> list[Delay]:
        """Why pending items wait for a moment to come, and for which: the reasons with most items first."""
        total = func.count().label("total")
        statement = (
            select(
                _ITEM.service,
                _ITEM.reason,
                total,
                func.min(_ITEM.not_before).label("first"),
                func.max(_ITEM.not_before).label("last"),
            )
            .where(*_delayed(guild_id, now))
            .group_by(_ITEM.service, _ITEM.reason)
            .order_by(total.desc(), _ITEM.service, _ITEM.reason)
            .limit(limit)
        )
        return [
            Delay(service=row.service, reason=row.reason, items=row.total, first=row.first, last=row.last)
            for row in await connection.execute(statement)
        ]

    @reads
    async def hours(
        self, connection: AsyncConnection, guild_id: int, now: datetime, count: int = 24
    ) -> list[HourCount]:
        """What ended in each of the last ``count`` hours of the clock, the one under way last."""
        under_way = now.replace(minute=0, second=0, microsecond=0)
        starts = [under_way - _HOUR * back for back in reversed(range(count))]
        # One short walk down the index for each hour: the engines have no common word for "the hour of".
        each = [
            select(literal(index).label("hour"), _ITEM.status, func.count().label("total"))
            .where(_ITEM.guild_id == guild_id, _ITEM.completed_at >= start, _ITEM.completed_at < start + _HOUR)
            .group_by(_ITEM.status)
            for index, start in enumerate(starts)
        ]
        found: dict[int, dict[ItemStatus, int]] = defaultdict(dict)
        for row in await connection.execute(union_all(*each)):
            found[row.hour][row.status] = row.total
        return [
            HourCount(
                start=start, done=found[index].get(ItemStatus.DONE, 0), failed=found[index].get(ItemStatus.ERROR, 0)
            )
            for index, start in enumerate(starts)
        ]

    @reads
    async def open_work(self, connection: AsyncConnection) -> list[OpenWork]:
        """What is open in every guild, for the services are shared: the work of one waits for that of the others.

        Work of mappings that are stopped is left out; it waits for nobody and nobody waits for it.
        """
        known = type_coerce(_ITEM.payload, JSON)["track_id"].as_string()
        search = and_(_ITEM.action == Action.ADD_TRACK, func.coalesce(known, "") == "").label("search")
        each = select(_ITEM.mapping_id, _ITEM.service, _ITEM.action, search).where(ITEM_IS_OPEN).subquery()
        counted = select(each, func.count().label("items")).group_by(*each.c).subquery()
        statement = (
            select(counted, mappings.c.guild_id)
            .join(mappings, mappings.c.id == counted.c.mapping_id)
            .where(mappings.c.enabled, mappings.c.removed_at.is_(None))
        )
        return [
            OpenWork(
                guild_id=row.guild_id,
                mapping_id=row.mapping_id,
                service=row.service,
                action=row.action,
                search=bool(row.search),
                items=row.items,
            )
            for row in await connection.execute(statement)
        ]

    @reads
    async def of_runs(self, connection: AsyncConnection, run_ids: Sequence[int]) -> tuple[list[Standing], int]:
        """How the items stand that these runs last worked on, and of how many of them a person should choose."""
        wrote, total = _ITEM.intent_at.is_not(None).label("wrote"), func.count().label("items")
        mine = _ITEM.run_id.in_(run_ids)
        counted = select(_ITEM.status, _ITEM.action, wrote, total).where(mine)
        rows = await connection.execute(counted.group_by(_ITEM.status, _ITEM.action, wrote))
        standing = [Standing(row.status, row.action, bool(row.wrote), row.items) for row in rows]
        asked = exists().where(
            blacklist.c.mapping_id == _ITEM.mapping_id,
            blacklist.c.service == _ITEM.source_service,
            blacklist.c.track_id == _ITEM.source_track_id,
            blacklist.c.state != BlacklistState.RESOLVED,
            blacklist.c.reason == BlacklistReason.LOW_CONFIDENCE,
        )
        review = select(func.count()).where(mine, _ITEM.status == ItemStatus.BLACKLISTED, asked)
        return standing, int((await connection.execute(review)).scalar_one())

    @reads
    async def problems(self, connection: AsyncConnection, run_ids: Sequence[int]) -> list[SyncItem]:
        """The items of these runs that failed or found no counterpart, in the order of the queue."""
        mine = (_ITEM.run_id.in_(run_ids), _ITEM.status.in_((ItemStatus.BLACKLISTED, ItemStatus.ERROR)))
        rows = await connection.execute(select(*ITEM_COLUMNS).where(*mine).order_by(_ITEM.id))
        return [item_of(row) for row in rows]

    @reads
    async def waits(self, connection: AsyncConnection, mapping_id: int) -> tuple[int, datetime | None]:
        """How many items of the mapping are open, and the first moment that one of them waits for."""
        statement = select(func.count().label("items"), func.min(_ITEM.not_before).label("first"))
        row = (await connection.execute(statement.where(ITEM_IS_OPEN, _ITEM.mapping_id == mapping_id))).one()
        return int(row.items), row.first

    @reads
    async def failed(
        self, connection: AsyncConnection, guild_id: int, until: datetime, mapping_id: int | None = None
    ) -> int:
        """How many items have failed for good, until ``until``."""
        statement = select(func.count()).where(*_failed(guild_id, until, mapping_id))
        return int((await connection.execute(statement)).scalar_one())

    @writes
    async def clear_failed(
        self, connection: AsyncConnection, guild_id: int, until: datetime, mapping_id: int | None = None
    ) -> int:
        """Failed items become cancelled ones, their errors kept, and their mappings are looked at anew; how many.

        Both in one transaction: what a playlist still wants must be offered again by the next analysis, whether the
        playlist has changed since or not.
        """
        cleared = (
            update(sync_items)
            .where(*_failed(guild_id, until, mapping_id))
            .values(status=ItemStatus.CANCELLED)
            .returning(_ITEM.mapping_id)
        )
        ids = list((await connection.execute(cleared)).scalars())
        anew = update(mappings).where(mappings.c.id.in_(set(ids)), mappings.c.guild_id == guild_id)
        await connection.execute(anew.values(last_analysed_at=None))
        return len(ids)


def _delayed(guild_id: int, now: datetime) -> tuple[Any, ...]:
    return (ITEM_IS_DELAYED, _ITEM.guild_id == guild_id, _ITEM.not_before > now)


def _failed(guild_id: int, until: datetime, mapping_id: int | None) -> list[Any]:
    conditions: list[Any] = [
        _ITEM.guild_id == guild_id,
        _ITEM.status == ItemStatus.ERROR,
        _ITEM.completed_at <= until,
    ]
    if mapping_id is not None:
        conditions.append(_ITEM.mapping_id == mapping_id)
    return conditions
