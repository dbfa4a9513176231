"""The queue: items enqueued once, claimed by one worker at a time, and settled only by who holds the lease."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Integer, Row, Select, and_, delete, exists, func, or_, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.errors import NotFound
from bot.model.item import ItemStatus, NewItem, SyncItem
from bot.model.music import Service
from bot.model.plan import LinkChange
from bot.model.reasons import Cause, reason_of
from bot.model.run import Trigger
from storage import links as link_table
from storage import retrying
from storage.database import Repository, chunks, reads, writes
from storage.queue_pauses import one_at_a_time, rests
from storage.schema import (
    ITEM_IS_HELD,
    ITEM_IS_NOT_DONE,
    ITEM_IS_OPEN,
    ITEM_IS_PENDING,
    mappings,
    runs,
    snapshots,
    sync_items,
)
from storage.stopping import any_stopped, pending_again, stopped

SETTLE = timedelta(seconds=60)  # the setting SETTLE_SECONDS has the same default

_FREED = {"lease_token": "", "lease_until": None}
_UNSENT = {**_FREED, "intent_at": None, "copies_before": None}
_RETRIABLE = (ItemStatus.ERROR, ItemStatus.SKIPPED, ItemStatus.BLACKLISTED, ItemStatus.CANCELLED)
_FINISHED = (*_RETRIABLE, ItemStatus.DONE)
# A failed item that is tried anew: what it failed of before is in the log, and no reason any more.
AGAIN = {
    **_UNSENT,
    "status": ItemStatus.PENDING,
    "attempts": 0,
    "not_before": None,
    "completed_at": None,
    "reason": "",
}


class DueGroup(NamedTuple):
    """The due items of one mapping towards one service. ``oldest``: since when the first of them is due."""

    mapping_id: int
    service: Service
    oldest: datetime
    people_first: bool  # a person asked for at least one of them


class Items(Repository):
    @writes
    async def enqueue(
        self,
        connection: AsyncConnection,
        mapping_id: int,
        run_id: int,
        new: Sequence[NewItem],
        links: Sequence[LinkChange] = (),
        cancels: Sequence[int] = (),
        not_before: datetime | None = None,
    ) -> int:
        """Puts items into the queue and changes the merge base, all or nothing; how many items are new.

        What is already open for the same track is left out: the partial unique index decides, not a look before.
        ``cancels``: pending items that give way to the new ones. ``not_before``: until when the new ones wait.
        """
        guild_id = await _guild_of(connection, mapping_id)
        if cancels:
            ended = {**_UNSENT, "status": ItemStatus.CANCELLED, "completed_at": self.db.now()}
            waiting = (ITEM_IS_PENDING, sync_items.c.mapping_id == mapping_id)
            for ids in chunks(cancels):
                await connection.execute(update(sync_items).where(*waiting, sync_items.c.id.in_(ids)).values(**ended))
        queued = 0
        for part in chunks(new):
            wait = {"not_before": not_before}
            values = [_values(item, mapping_id, run_id, guild_id, self.db.now()) | wait for item in part]
            statement = self.db.insert(sync_items).on_conflict_do_nothing().returning(sync_items.c.id)
            queued += len((await connection.execute(statement, values)).all())
        await link_table.apply(self.db, connection, mapping_id, links)
        return queued

    @writes
    async def claim_due(
        self,
        connection: AsyncConnection,
        now: datetime,
        lease_until: datetime,
        token: str,
        *,
        limit: int,
        mapping_id: int,
        service: Service,
        run_id: int | None = None,
    ) -> list[SyncItem]:
        """Due items of one mapping towards one service, now ``running`` under ``token``, in the order of the queue.

        Ids are handed out in the plan's order, so that positions are right when earlier items are done. ``run_id``
        points the items to the run that works on them. What a pause covers is left where it is.
        """
        due = (
            select(sync_items.c.id)
            .where(
                ITEM_IS_PENDING,
                sync_items.c.mapping_id == mapping_id,
                sync_items.c.service == service,
                _is_due(now),
                ~rests(),
            )
            .order_by(sync_items.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        held = {"status": ItemStatus.RUNNING, "lease_token": token, "lease_until": lease_until}
        if run_id is not None:
            held["run_id"] = run_id
        statement = update(sync_items).where(sync_items.c.id.in_(due)).values(**held).returning(*ITEM_COLUMNS)
        return _in_order(await connection.execute(statement))

    @reads
    async def due_groups(self, connection: AsyncConnection, now: datetime) -> list[DueGroup]:
        """Where pending work is due now, people's requests first, then the longest waiting.

        What a pause covers is not due, nor is the work of a mapping that is stopped.
        """
        by_person = func.max((runs.c.trigger == Trigger.COMMAND).cast(Integer))
        since = func.min(func.coalesce(sync_items.c.not_before, sync_items.c.created_at))
        # Grouped first: a look for pauses at each item would take most of the time.
        due = (
            select(*_GROUP, _OF_GUILD, since.label("oldest"), by_person.label("asked"))
            .join(runs, runs.c.id == sync_items.c.run_id)
            .where(_IS_PENDING, _is_due(now))
            .group_by(*_GROUP)
            .subquery()
        )
        statement = (
            select(due).join(mappings, mappings.c.id == due.c.mapping_id).where(mappings.c.enabled, ~rests(due.c))
        )
        groups = [
            DueGroup(row.mapping_id, row.service, row.oldest, bool(row.asked))
            for row in await connection.execute(statement)
        ]
        return sorted(groups, key=lambda group: (not group.people_first, group.oldest, group.mapping_id))

    @writes
    async def write_intent(
        self,
        connection: AsyncConnection,
        ids: Sequence[int],
        token: str,
        intent_at: datetime,
        copies_before: int | Mapping[int, int] = 0,
    ) -> bool:
        """Says durably, before the one attempt, that these items are about to be sent.

        ``copies_before``: how many copies the playlist holds, for all of them or by item id. False, and nothing
        written, when the lease of one of them is lost, a pause covers it or its run was cancelled: then nothing may be
        sent.
        """
        await one_at_a_time(self.db, connection)
        held = (
            select(sync_items.c.id)
            .where(sync_items.c.id.in_(ids), sync_items.c.lease_token == token, ITEM_IS_HELD, ~rests(), ~stopped())
            .with_for_update()
        )
        if set((await connection.execute(held)).scalars()) != set(ids):
            return False
        for item_id in ids:
            copies = copies_before if isinstance(copies_before, int) else copies_before.get(item_id, 0)
            values = {"intent_at": intent_at, "copies_before": copies}
            await connection.execute(update(sync_items).where(sync_items.c.id == item_id).values(**values))
        return True

    @writes
    async def settle_done(
        self,
        connection: AsyncConnection,
        item_id: int,
        token: str,
        *,
        now: datetime,
        link: LinkChange | None = None,
        payload: Mapping[str, Any] | None = None,
        status: ItemStatus = ItemStatus.DONE,
        wrote: bool = True,
    ) -> bool:
        """The item is done, and the merge base knows it, in one transaction. False when the lease is lost.

        ``wrote`` False: the effect was there already, so that nothing of it is ours; its intent is forgotten.
        """
        ended = {"status": status, "completed_at": now, "not_before": None}
        values: dict[str, Any] = {**_FREED, **ended, **_because("")}
        if not wrote:
            values |= {"intent_at": None, "copies_before": None}
        if payload is not None:
            values["payload"] = dict(payload)
        statement = update(sync_items).where(*_held_by(item_id, token)).values(**values)
        mapping_id = (await connection.execute(statement.returning(sync_items.c.mapping_id))).scalar()
        if mapping_id is None:
            return False
        if link is not None:
            await link_table.apply(self.db, connection, mapping_id, [link])
        return True

    @writes
    async def settle(
        self,
        connection: AsyncConnection,
        item_id: int,
        token: str,
        status: ItemStatus,
        *,
        now: datetime,
        last_error: str = "",
        not_before: datetime | None = None,
        payload: Mapping[str, Any] | None = None,
        attempts: int = 1,
    ) -> bool:
        """Gives the item up in ``status`` and frees it; ``attempts`` is added. False when the lease is lost.

        The intent stays only where it must be read back (``unknown``). What would wait again (``pending``) is cancelled
        where people cancelled its run.
        """
        values: dict[str, Any] = {
            **(_FREED if status is ItemStatus.UNKNOWN else _UNSENT),
            "status": status,
            "not_before": not_before,
            **_because(last_error),
            "attempts": sync_items.c.attempts + attempts,
            "completed_at": now if status in _FINISHED else None,
        }
        if status is ItemStatus.PENDING:
            values |= pending_again(now)
        if payload is not None:
            values["payload"] = dict(payload)
        statement = update(sync_items).where(*_held_by(item_id, token)).values(**values)
        return bool((await connection.execute(statement)).rowcount)

    @reads
    async def any_stopped(self, connection: AsyncConnection, ids: Sequence[int]) -> bool:
        """Whether people cancelled the run that works on one of these items."""
        return await any_stopped(connection, ids)

    @writes
    async def keep_payload(
        self, connection: AsyncConnection, item_id: int, token: str, payload: Mapping[str, Any]
    ) -> bool:
        """Stores what was found for an item while it is being worked on. False when the lease is lost."""
        statement = update(sync_items).where(*_held_by(item_id, token)).values(payload=dict(payload))
        return bool((await connection.execute(statement)).rowcount)

    @writes
    async def to_unknown(
        self,
        connection: AsyncConnection,
        ids: Sequence[int],
        token: str,
        *,
        not_before: datetime,
        last_error: str = "",
    ) -> int:
        """The one attempt had no trustworthy answer: to be read back from ``not_before`` on; how many are so now."""
        values = {
            **_FREED,
            "status": ItemStatus.UNKNOWN,
            "not_before": not_before,
            "last_error": last_error,
            "reason": Cause.UNKNOWN_OUTCOME.value,
            "attempts": sync_items.c.attempts + 1,
        }
        statement = update(sync_items).where(sync_items.c.id.in_(ids), sync_items.c.lease_token == token, ITEM_IS_HELD)
        return (await connection.execute(statement.values(**values))).rowcount

    @reads
    async def unknown_with_intent(self, connection: AsyncConnection, now: datetime | None = None) -> list[SyncItem]:
        """Unknown items that may be read back at ``now`` (None: all of them), in the order of the queue."""
        statement = _select().where(ITEM_IS_HELD, sync_items.c.status == ItemStatus.UNKNOWN)
        if now is not None:
            statement = statement.where(_is_due(now))
        return _in_order(await connection.execute(statement))

    @writes
    async def claim_unknown(
        self,
        connection: AsyncConnection,
        now: datetime,
        lease_until: datetime,
        token: str,
        *,
        mapping_id: int,
        service: Service,
        limit: int = 100,
    ) -> list[SyncItem]:
        """Unknown items to read back, now under ``token`` and still ``unknown``; nobody else gets them meanwhile."""
        free = or_(sync_items.c.lease_token == "", sync_items.c.lease_until <= now)
        due = (
            select(sync_items.c.id)
            .where(
                ITEM_IS_HELD,
                sync_items.c.status == ItemStatus.UNKNOWN,
                sync_items.c.mapping_id == mapping_id,
                sync_items.c.service == service,
                _is_due(now),
                free,
            )
            .order_by(sync_items.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        held = {"lease_token": token, "lease_until": lease_until}
        statement = update(sync_items).where(sync_items.c.id.in_(due)).values(**held).returning(*ITEM_COLUMNS)
        return _in_order(await connection.execute(statement))

    @writes
    async def extend(self, connection: AsyncConnection, token: str, lease_until: datetime) -> int:
        """Prolongs the lease of every item that ``token`` holds; how many."""
        statement = update(sync_items).where(sync_items.c.lease_token == token, ITEM_IS_HELD)
        return (await connection.execute(statement.values(lease_until=lease_until))).rowcount

    @writes
    async def release(self, connection: AsyncConnection, token: str, *, settle: timedelta = SETTLE) -> int:
        """Lets go of what ``token`` holds: unsent items are pending again, sent ones unknown; how many."""
        return await self._let_go(connection, sync_items.c.lease_token == token, settle)

    @writes
    async def recover_leases(
        self, connection: AsyncConnection, now: datetime, *, settle: timedelta = SETTLE, everything: bool = False
    ) -> int:
        """Takes items back from dead workers: unsent ones are pending again, sent ones unknown; how many.

        ``everything``: at the start of the only process every lease is a dead one's.
        """
        dead = sync_items.c.lease_token != "" if everything else sync_items.c.lease_until <= now
        return await self._let_go(connection, dead, settle)

    @reads
    async def get(self, connection: AsyncConnection, item_id: int, guild_id: int | None = None) -> SyncItem | None:
        """The item, None when it is unknown or belongs to another guild than ``guild_id``."""
        statement = _select().where(sync_items.c.id == item_id)
        if guild_id is not None:
            statement = statement.where(sync_items.c.guild_id == guild_id)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else item_of(row)

    @reads
    async def of_run(self, connection: AsyncConnection, run_id: int, limit: int = 10_000) -> list[SyncItem]:
        """Items that the run enqueued or last worked on, in the order of the queue."""
        statement = _select().where(sync_items.c.run_id == run_id).order_by(sync_items.c.id).limit(limit)
        return _in_order(await connection.execute(statement))

    @reads
    async def open_of_mapping(self, connection: AsyncConnection, mapping_id: int) -> list[SyncItem]:
        """The mapping's pending, running and unknown items, in the order of the queue."""
        statement = _select().where(ITEM_IS_OPEN, sync_items.c.mapping_id == mapping_id)
        return _in_order(await connection.execute(statement))

    @reads
    async def count_open(self, connection: AsyncConnection, mapping_id: int) -> int:
        """How many pending, running and unknown items the mapping has."""
        statement = select(func.count()).where(ITEM_IS_OPEN, sync_items.c.mapping_id == mapping_id)
        return int((await connection.execute(statement.select_from(sync_items))).scalar_one())

    @reads
    async def oldest_open(self, connection: AsyncConnection, mapping_id: int) -> SyncItem | None:
        """The first of them in the order of the queue."""
        statement = _select().where(ITEM_IS_OPEN, sync_items.c.mapping_id == mapping_id)
        row = (await connection.execute(statement.order_by(sync_items.c.id).limit(1))).one_or_none()
        return None if row is None else item_of(row)

    @reads
    async def list_of_guild(
        self,
        connection: AsyncConnection,
        guild_id: int,
        statuses: Sequence[ItemStatus] = tuple(ItemStatus),
        *,
        limit: int = 25,
        before_id: int | None = None,
        mapping_id: int | None = None,
    ) -> list[SyncItem]:
        """A page of the guild's items in these statuses, newest first; ``before_id``: those older than it."""
        # One short walk down the index for each status beats sorting all of them.
        pages = [_page(guild_id, status, limit, before_id, mapping_id).subquery() for status in statuses]
        together = union_all(*(select(page.c.id) for page in pages)).subquery()
        newest = select(together.c.id).order_by(together.c.id.desc()).limit(limit)
        rows = await connection.execute(_select().where(sync_items.c.id.in_(newest)))
        return _in_order(rows)[::-1]

    @reads
    async def counts(self, connection: AsyncConnection, guild_id: int | None = None) -> dict[ItemStatus, int]:
        """How many items stand in each status (statuses without any: 0), in one guild or in all."""
        return await counts(connection, guild_id)

    @reads
    async def counts_of_run(self, connection: AsyncConnection, run_id: int) -> dict[ItemStatus, int]:
        """How many items of the run stand in each status (statuses without any: 0)."""
        statement = select(sync_items.c.status, func.count().label("total")).where(sync_items.c.run_id == run_id)
        return _counted((await connection.execute(statement.group_by(sync_items.c.status))).all())

    @writes
    async def retry(self, connection: AsyncConnection, item_id: int, guild_id: int | None = None) -> bool:
        """Puts a failed, skipped, blacklisted or cancelled item back into the queue, its attempts forgotten.

        False when it is not in such a state, belongs to another guild or a removed mapping, the same effect is in the
        queue already, or nobody asks for it any more; see ``retrying.wanted``.
        """
        twin = sync_items.alias("twin")
        same = (twin.c[name] == sync_items.c[name] for name in EFFECT)
        waiting = exists().where(twin.c.id != sync_items.c.id, twin.c.status.in_(_OPEN), *same)
        await self.db.one_at_a_time(connection, "items.retry")
        mine = [sync_items.c.id == item_id, sync_items.c.status.in_(_RETRIABLE), ~waiting, retrying.mapping_is_there()]
        if guild_id is not None:
            mine.append(sync_items.c.guild_id == guild_id)
        ids = (await connection.execute(select(sync_items.c.id).where(*mine))).scalars().all()
        again = update(sync_items).where(*mine, sync_items.c.id.in_(await retrying.wanted(connection, ids)))
        return bool((await connection.execute(again.values(**AGAIN))).rowcount)

    @writes
    async def cancel_open(
        self, connection: AsyncConnection, mapping_id: int, ids: Sequence[int] | None = None, reason: str = ""
    ) -> int:
        """Cancels pending items of the mapping (None: all of them); what is being written or read back goes on."""
        statement = update(sync_items).where(ITEM_IS_PENDING, sync_items.c.mapping_id == mapping_id)
        if ids is not None:
            statement = statement.where(sync_items.c.id.in_(ids))
        values = {**_UNSENT, "status": ItemStatus.CANCELLED, "completed_at": self.db.now(), **_because(reason)}
        return (await connection.execute(statement.values(**values))).rowcount

    @writes
    async def postpone(
        self,
        connection: AsyncConnection,
        until: datetime,
        *,
        mapping_id: int | None = None,
        service: Service | None = None,
        last_error: str = "",
    ) -> int:
        """Makes pending items wait until ``until`` at least (quota, login, a silent service); how many."""
        sooner = or_(sync_items.c.not_before.is_(None), sync_items.c.not_before < until)
        statement = update(sync_items).where(ITEM_IS_PENDING, sooner)
        if mapping_id is not None:
            statement = statement.where(sync_items.c.mapping_id == mapping_id)
        if service is not None:
            statement = statement.where(sync_items.c.service == service)
        return (await connection.execute(statement.values(not_before=until, **_because(last_error)))).rowcount

    @writes
    async def wake(
        self, connection: AsyncConnection, *, mapping_id: int | None = None, service: Service | None = None
    ) -> int:
        """Makes waiting pending items due at once (a login is back), for nothing holds them any more; how many."""
        statement = update(sync_items).where(ITEM_IS_PENDING, sync_items.c.not_before.is_not(None))
        if mapping_id is not None:
            statement = statement.where(sync_items.c.mapping_id == mapping_id)
        if service is not None:
            statement = statement.where(sync_items.c.service == service)
        return (await connection.execute(statement.values(not_before=None, reason=""))).rowcount

    @reads
    async def next_due_at(self, connection: AsyncConnection, after: datetime | None = None) -> datetime | None:
        """When the next item may be worked on or read back (a past moment: now); None for an idle queue.

        ``after``: the first such moment later than this one. Pending work that rests (see ``due_groups``) is not due.
        """
        since = func.coalesce(sync_items.c.not_before, sync_items.c.created_at)
        groups = select(*_GROUP, _OF_GUILD, func.min(since).label("at")).where(ITEM_IS_PENDING)
        unknown = select(func.min(since)).where(ITEM_IS_HELD, sync_items.c.status == ItemStatus.UNKNOWN)
        if after is not None:
            groups, unknown = groups.where(since > after), unknown.where(since > after)
        due = groups.group_by(*_GROUP).subquery()
        works = exists().where(mappings.c.id == due.c.mapping_id, mappings.c.enabled)
        pending = select(func.min(due.c.at)).where(works, ~rests(due.c))
        moments = [(await connection.execute(statement)).scalar() for statement in (pending, unknown)]
        return min((moment for moment in moments if moment is not None), default=None)

    @writes
    async def delete_finished(self, connection: AsyncConnection, before: datetime, batch: int = 1000) -> int:
        """Drops items that ended before ``before``; what an undo can start from stays with its snapshot. How many."""
        done = sync_items.c.status == ItemStatus.DONE
        needed = and_(done, exists().where(snapshots.c.run_id == sync_items.c.origin_run_id))
        old = (
            select(sync_items.c.id)
            .where(sync_items.c.status.in_(_FINISHED), sync_items.c.completed_at < before, ~needed)
            .order_by(sync_items.c.id)
            .limit(batch)
        )
        return (await connection.execute(delete(sync_items).where(sync_items.c.id.in_(old)))).rowcount

    async def _let_go(self, connection: AsyncConnection, which: Any, settle: timedelta) -> int:
        held = select(sync_items.c.id, sync_items.c.intent_at).where(ITEM_IS_HELD, which).with_for_update()
        rows = (await connection.execute(held)).all()
        unsent = [row.id for row in rows if row.intent_at is None]
        again = {**_UNSENT, **pending_again(self.db.now())}
        await connection.execute(update(sync_items).where(sync_items.c.id.in_(unsent)).values(**again))
        for row in rows:
            if row.intent_at is None:
                continue
            # The service may still need the settle time before it shows what was sent.
            sent = {**_FREED, "status": ItemStatus.UNKNOWN, "not_before": row.intent_at + settle}
            await connection.execute(update(sync_items).where(sync_items.c.id == row.id).values(**sent))
        return len(rows)


async def counts(connection: AsyncConnection, guild_id: int | None) -> dict[ItemStatus, int]:
    """``Items.counts`` inside somebody else's transaction."""
    # What is done grows for ever: it is the rest of a plain count, which is far cheaper than grouping it.
    total = select(func.count()).select_from(sync_items)
    others = select(sync_items.c.status, func.count().label("total")).where(ITEM_IS_NOT_DONE)
    if guild_id is not None:
        total = total.where(sync_items.c.guild_id == guild_id)
        others = others.where(sync_items.c.guild_id == guild_id)
    # Grouped as the partial index stands, so that nothing is sorted.
    rows = await connection.execute(others.group_by(sync_items.c.guild_id, sync_items.c.status))
    found = _counted(rows.all())
    found[ItemStatus.DONE] = int((await connection.execute(total)).scalar_one()) - sum(found.values())
    return found


EFFECT = ("mapping_id", "service", "action", "source_track_id", "occurrence")
_OPEN = (ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.UNKNOWN)
# The condition of the index of pending items, told apart from the other tables of a join.
_IS_PENDING = text("sync_items.status = 'pending'")
_GROUP = (sync_items.c.mapping_id, sync_items.c.service)  # as the index of pending items stands
_OF_GUILD = func.min(sync_items.c.guild_id).label("guild_id")  # a mapping has but one
ITEM_COLUMNS = [column for column in sync_items.c if column.name != "guild_id"]


def _counted(rows: Sequence[Row[Any]]) -> dict[ItemStatus, int]:
    found = dict.fromkeys(ItemStatus, 0)
    for row in rows:
        found[row.status] += row.total
    return found


def _page(guild_id: int, status: ItemStatus, limit: int, before_id: int | None, mapping_id: int | None) -> Select[Any]:
    statement = select(sync_items.c.id).where(sync_items.c.guild_id == guild_id, sync_items.c.status == status)
    if before_id is not None:
        statement = statement.where(sync_items.c.id < before_id)
    if mapping_id is not None:
        statement = statement.where(sync_items.c.mapping_id == mapping_id)
    return statement.order_by(sync_items.c.id.desc()).limit(limit)


def _select() -> Select[Any]:
    return select(*ITEM_COLUMNS)


def _because(last_error: str) -> dict[str, str]:
    """The error in full, and without what is particular to the item, by which failures are grouped."""
    return {"last_error": last_error, "reason": reason_of(last_error)}


def _is_due(now: datetime) -> Any:
    return or_(sync_items.c.not_before.is_(None), sync_items.c.not_before <= now)


def _held_by(item_id: int, token: str) -> tuple[Any, ...]:
    return (sync_items.c.id == item_id, sync_items.c.lease_token == token, ITEM_IS_HELD)


async def _guild_of(connection: AsyncConnection, mapping_id: int) -> int:
    statement = select(mappings.c.guild_id).where(mappings.c.id == mapping_id, mappings.c.removed_at.is_(None))
    guild_id = (await connection.execute(statement)).scalar()
    if guild_id is None:
        raise NotFound("The mapping was removed meanwhile.")
    return int(guild_id)


def _values(item: NewItem, mapping_id: int, run_id: int, guild_id: int, now: datetime) -> dict[str, Any]:
    return {
        "mapping_id": mapping_id,
        "run_id": run_id,
        "origin_run_id": run_id,
        "guild_id": guild_id,
        "service": item.service,
        "action": item.action,
        "source_track_id": item.source_track_id,
        "occurrence": item.occurrence,
        "source_track_title": item.source_track_title,
        "source_service": item.source_service,
        "destination_service": item.service,
        "payload": dict(item.payload),
        "position": item.position,
        "status": ItemStatus.PENDING,
        "attempts": 0,
        "lease_token": "",
        "last_error": "",
        "created_at": now,
    }


def _in_order(rows: Any) -> list[SyncItem]:
    return sorted((item_of(row) for row in rows), key=lambda item: item.id)


def item_of(row: Row[Any]) -> SyncItem:
    """The item that a row of ``ITEM_COLUMNS`` tells of."""
    return SyncItem(**row._mapping)
