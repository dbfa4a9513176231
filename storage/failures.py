"""Failures: counted by reason, listed for exports, and put back into the queue in bulk."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, literal, null, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.account import AccountStatus
from bot.model.failure import Failure, FailureFilter, FailureKind, FailureTally, Hold
from bot.model.item import OPEN_STATUSES, ItemStatus
from bot.model.mapping import Direction
from bot.model.music import Service
from storage import retrying
from storage.database import Repository, reads, writes
from storage.items import AGAIN, EFFECT
from storage.schema import (
    BLACKLIST_IS_OPEN,
    ITEM_IS_NOT_DONE,
    RUN_HAS_FAILED,
    accounts,
    blacklist,
    mappings,
    playlists,
    runs,
    sync_items,
)

_HELD_BACK = (ItemStatus.PENDING, ItemStatus.UNKNOWN)


class Failures(Repository):
    """``since``: from then on, aware. Filters' ``reason`` and ``mapping_id`` narrow, None lets all pass."""

    @reads
    async def items(self, connection: AsyncConnection, wanted: FailureFilter, since: datetime) -> list[FailureTally]:
        """Items that failed for good."""
        # Along ix_sync_items_reason, which holds every column that is asked for.
        of = (sync_items.c.reason, sync_items.c.mapping_id, sync_items.c.service)
        statement = select(*of, *_times(sync_items.c.completed_at), func.max(sync_items.c.id).label("example_id"))
        statement = statement.where(*_failed_items(wanted, since)).group_by(*of)
        return [_tally(FailureKind.ITEM, row) for row in await connection.execute(statement)]

    @reads
    async def runs(self, connection: AsyncConnection, wanted: FailureFilter, since: datetime) -> list[FailureTally]:
        """Runs that failed."""
        of = (runs.c.reason, func.coalesce(runs.c.mapping_id, 0).label("mapping_id"))  # 0: a run of the router
        statement = select(*of, *_times(runs.c.completed_at), func.max(runs.c.id).label("example_id"))
        statement = statement.where(*_failed_runs(wanted, since)).group_by(*of)
        return [_tally(FailureKind.RUN, row) for row in await connection.execute(statement)]

    @reads
    async def reviews(self, connection: AsyncConnection, wanted: FailureFilter, since: datetime) -> list[FailureTally]:
        """Tracks that wait for a person's decision."""
        of = (blacklist.c.reason, blacklist.c.mapping_id, blacklist.c.service)
        statement = select(*of, *_times(blacklist.c.created_at), func.max(blacklist.c.id).label("example_id"))
        statement = statement.join_from(blacklist, mappings).where(*_open_reviews(wanted, since)).group_by(*of)
        return [_tally(FailureKind.REVIEW, row, sought=True) for row in await connection.execute(statement)]

    @reads
    async def waits(self, connection: AsyncConnection, wanted: FailureFilter, now: datetime) -> list[FailureTally]:
        """Items in the queue: those that wait for a moment, by their reason, and those in their turn under ''."""
        waiting = or_(sync_items.c.not_before > now, sync_items.c.status == ItemStatus.UNKNOWN)
        of = (sync_items.c.reason, sync_items.c.mapping_id, sync_items.c.service, waiting.label("waiting"))
        statement = select(
            *of,
            func.count().label("count"),
            func.max(sync_items.c.not_before).label("until"),
            func.max(sync_items.c.id).label("example_id"),
        )
        statement = statement.where(*_held_back(wanted)).group_by(*of)
        return [_wait(row) for row in await connection.execute(statement)]

    @reads
    async def holds(self, connection: AsyncConnection, guild_id: int) -> dict[int, Hold]:
        """The guild's mappings of which nothing, or nothing towards some service, is worked on; by id."""
        lacking = union_all(*(_without_login(guild_id, *side) for side in _WRITTEN)).subquery()
        logins: dict[int, set[Service]] = {}
        for row in await connection.execute(select(lacking.c.mapping_id, lacking.c.service)):
            logins.setdefault(row.mapping_id, set()).add(row.service)
        statement = select(mappings.c.id, mappings.c.enabled, mappings.c.pause_reason).where(
            mappings.c.guild_id == guild_id, mappings.c.removed_at.is_(None)
        )
        holds = [
            Hold(
                mapping_id=row.id,
                paused=not row.enabled,
                pause_reason=row.pause_reason,
                logins=frozenset(logins.get(row.id, ())),
            )
            for row in await connection.execute(statement)
        ]
        return {hold.mapping_id: hold for hold in holds if hold.paused or hold.logins}

    @reads
    async def page(
        self,
        connection: AsyncConnection,
        kind: FailureKind,
        wanted: FailureFilter,
        since: datetime,
        *,
        after_id: int = 0,
        limit: int = 1000,
    ) -> list[Failure]:
        """The failures of one kind themselves, by id; of waits all that is in the queue (``wanted.reason`` aside)."""
        statement = _PAGES[kind](wanted, since).limit(limit)
        table = {FailureKind.RUN: runs, FailureKind.REVIEW: blacklist}.get(kind, sync_items)
        rows = await connection.execute(statement.where(table.c.id > after_id).order_by(table.c.id))
        return [_failure(kind, row) for row in rows]

    @writes
    async def retry_items(
        self,
        connection: AsyncConnection,
        wanted: FailureFilter,
        since: datetime,
        *,
        after_id: int = 0,
        limit: int = 500,
    ) -> tuple[int, int | None]:
        """Puts failed items of the group back into the queue: how many, and after which id to go on (None: the end).

        What is in the queue already stays out; of several failures of one effect the newest is taken. What nobody asks
        for any more is cancelled; see ``retrying.wanted``.
        """
        await self.db.one_at_a_time(connection, "items.retry")
        statement = select(sync_items.c.id).where(*_failed_items(wanted, since), sync_items.c.id > after_id)
        ids = list((await connection.execute(statement.order_by(sync_items.c.id).limit(limit))).scalars())
        if not ids:
            return 0, None
        newer = _TWIN.c.id > sync_items.c.id
        surpassed = exists().where(newer, _TWIN.c.status == ItemStatus.ERROR, *_SAME_EFFECT)
        free = [sync_items.c.id.in_(ids), ~_QUEUED, ~surpassed, retrying.mapping_is_there()]
        found = (await connection.execute(select(sync_items.c.id).where(*free))).scalars().all()
        chosen = await retrying.wanted(connection, found)
        change = update(sync_items).where(*free, sync_items.c.id.in_(chosen)).values(**AGAIN)
        changed = (await connection.execute(change)).rowcount
        return changed, ids[-1] if len(ids) == limit else None

    @writes
    async def look_again(
        self,
        connection: AsyncConnection,
        wanted: FailureFilter,
        since: datetime,
        *,
        after_id: int = 0,
        limit: int = 500,
    ) -> tuple[int, int | None]:
        """Has counterparts searched anew for tracks that wait for a person; the answer is that of ``retry_items``.

        Their items are queued again; where those are gone, the mapping's next analysis looks though nothing changed.
        """
        await self.db.one_at_a_time(connection, "items.retry")
        rows = select(blacklist.c.id, blacklist.c.item_id, blacklist.c.mapping_id).join_from(blacklist, mappings)
        rows = rows.where(*_open_reviews(wanted, since), blacklist.c.id > after_id)
        found = (await connection.execute(rows.order_by(blacklist.c.id).limit(limit))).all()
        if not found:
            return 0, None
        ids = [row.id for row in found]
        await connection.execute(update(blacklist).where(blacklist.c.id.in_(ids)).values(next_look_at=self.db.now()))
        items = [row.item_id for row in found if row.item_id is not None]
        waits = [sync_items.c.id.in_(items), sync_items.c.status == ItemStatus.BLACKLISTED, ~_QUEUED]
        still = (await connection.execute(select(sync_items.c.id).where(*waits))).scalars().all()
        change = update(sync_items).where(*waits, sync_items.c.id.in_(await retrying.wanted(connection, still)))
        queued = set((await connection.execute(change.values(**AGAIN).returning(sync_items.c.id))).scalars())
        others = {row.mapping_id for row in found if row.item_id not in queued}
        await connection.execute(update(mappings).where(mappings.c.id.in_(others)).values(last_analysed_at=None))
        return len(ids), ids[-1] if len(ids) == limit else None

    @reads
    async def failed_mappings(self, connection: AsyncConnection, wanted: FailureFilter, since: datetime) -> list[int]:
        """The working mappings whose runs failed so."""
        statement = select(runs.c.mapping_id).distinct().join_from(runs, mappings)
        statement = statement.where(*_failed_runs(wanted, since), mappings.c.enabled, mappings.c.removed_at.is_(None))
        return sorted((await connection.execute(statement)).scalars())


_TWIN = sync_items.alias("twin")
_SAME_EFFECT = [_TWIN.c[name] == sync_items.c[name] for name in EFFECT]
_QUEUED = exists().where(_TWIN.c.status.in_(OPEN_STATUSES), *_SAME_EFFECT)

# The playlists that a mapping writes to, by its direction.
_WRITTEN = (
    (mappings.c.left_playlist_id, Direction.LEFT_TO_RIGHT),
    (mappings.c.right_playlist_id, Direction.RIGHT_TO_LEFT),
)


def _without_login(guild_id: int, playlist_id: Any, never_written: Direction) -> Select[Any]:
    return (
        select(mappings.c.id.label("mapping_id"), playlists.c.service)
        .join(playlists, playlists.c.id == playlist_id)
        .join(accounts, accounts.c.id == playlists.c.account_id)
        .where(
            mappings.c.guild_id == guild_id,
            mappings.c.removed_at.is_(None),
            mappings.c.direction != never_written,
            accounts.c.status != AccountStatus.CONNECTED,
        )
    )


def _times(column: Any) -> tuple[Any, ...]:
    return (func.count().label("count"), func.min(column).label("first_seen"), func.max(column).label("last_seen"))


def _narrowed(table: Any, wanted: FailureFilter) -> list[Any]:
    conditions = []
    if wanted.reason is not None:
        conditions.append(table.c.reason == wanted.reason)
    if wanted.mapping_id is not None:
        conditions.append(table.c.mapping_id == wanted.mapping_id)
    return conditions


def _failed_items(wanted: FailureFilter, since: datetime) -> list[Any]:
    return [
        ITEM_IS_NOT_DONE,
        sync_items.c.guild_id == wanted.guild_id,
        sync_items.c.status == ItemStatus.ERROR,
        sync_items.c.completed_at >= since,
        *_narrowed(sync_items, wanted),
    ]


def _failed_runs(wanted: FailureFilter, since: datetime) -> list[Any]:
    here = [RUN_HAS_FAILED, runs.c.guild_id == wanted.guild_id, runs.c.completed_at >= since]
    return [*here, *_narrowed(runs, wanted)]


def _open_reviews(wanted: FailureFilter, since: datetime) -> list[Any]:
    return [
        BLACKLIST_IS_OPEN,
        mappings.c.guild_id == wanted.guild_id,
        mappings.c.removed_at.is_(None),
        blacklist.c.created_at >= since,
        *_narrowed(blacklist, wanted),
    ]


def _held_back(wanted: FailureFilter) -> list[Any]:
    """Of the queue only the mapping narrows: what an item waits for is more than its own reason."""
    here = [ITEM_IS_NOT_DONE, sync_items.c.guild_id == wanted.guild_id, sync_items.c.status.in_(_HELD_BACK)]
    return here if wanted.mapping_id is None else [*here, sync_items.c.mapping_id == wanted.mapping_id]


def _items_page(wanted: FailureFilter, since: datetime) -> Select[Any]:
    return _ITEM.where(*_failed_items(wanted, since))


def _waits_page(wanted: FailureFilter, _since: datetime) -> Select[Any]:
    return _ITEM.where(*_held_back(wanted))


def _runs_page(wanted: FailureFilter, since: datetime) -> Select[Any]:
    return _RUN.where(*_failed_runs(wanted, since))


def _reviews_page(wanted: FailureFilter, since: datetime) -> Select[Any]:
    return _REVIEW.where(*_open_reviews(wanted, since))


_ITEM = select(
    sync_items.c.id,
    sync_items.c.reason,
    sync_items.c.mapping_id,
    sync_items.c.run_id,
    sync_items.c.service,
    sync_items.c.action,
    sync_items.c.source_track_title.label("title"),
    sync_items.c.attempts,
    sync_items.c.last_error.label("error"),
    func.coalesce(sync_items.c.completed_at, sync_items.c.created_at).label("at"),
    sync_items.c.not_before.label("until"),
)
_RUN = select(
    runs.c.id,
    runs.c.reason,
    func.coalesce(runs.c.mapping_id, 0).label("mapping_id"),
    runs.c.id.label("run_id"),
    null().label("service"),
    runs.c.kind.label("action"),
    literal("").label("title"),
    literal(0).label("attempts"),
    runs.c.error,
    runs.c.completed_at.label("at"),
    null().label("until"),
)
_REVIEW = select(
    blacklist.c.id,
    blacklist.c.reason,
    blacklist.c.mapping_id,
    null().label("run_id"),
    blacklist.c.service,
    literal("add_track").label("action"),
    blacklist.c.title,
    blacklist.c.looks.label("attempts"),
    blacklist.c.explanation.label("error"),
    blacklist.c.created_at.label("at"),
    blacklist.c.next_look_at.label("until"),
).join_from(blacklist, mappings)
_PAGES: dict[FailureKind, Callable[[FailureFilter, datetime], Select[Any]]] = {
    FailureKind.ITEM: _items_page,
    FailureKind.RUN: _runs_page,
    FailureKind.REVIEW: _reviews_page,
    FailureKind.WAIT: _waits_page,
}


def _tally(kind: FailureKind, row: Any, *, sought: bool = False) -> FailureTally:
    """``sought``: the row names the source's service, and what failed was to find a counterpart on the other one."""
    service = row._mapping.get("service")
    return FailureTally(
        kind=kind,
        reason=str(row.reason),
        mapping_id=row.mapping_id,
        service=service.other if sought and service is not None else service,
        count=row._mapping["count"],
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        example_id=row.example_id,
    )


def _wait(row: Row[Any]) -> FailureTally:
    return FailureTally(
        kind=FailureKind.WAIT,
        reason=row.reason if row.waiting else "",
        mapping_id=row.mapping_id,
        service=row.service,
        count=row._mapping["count"],
        first_seen=None,
        last_seen=None,
        until=row.until if row.waiting else None,
        example_id=row.example_id,
    )


def _failure(kind: FailureKind, row: Row[Any]) -> Failure:
    values = dict(row._mapping)
    if kind is FailureKind.REVIEW:
        values["service"] = values["service"].other
    return Failure(kind=kind, **values | {"reason": str(values["reason"]), "action": str(values["action"])})
