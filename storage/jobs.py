"""Lists of runs and items under any filter: pages by key, counts, and what can be done to all of them at once."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import ItemStatus, SyncItem
from bot.model.jobs import Cancelled, Cursor, ItemFilter, JobFilter, Sort
from bot.model.review import BlacklistState
from bot.model.run import ACTIVE_STATUSES, Run, RunKind, RunStatus
from storage.database import Repository, reads, writes
from storage.items import ITEM_COLUMNS, item_of
from storage.runs import run_of
from storage.schema import ITEM_HAS_ERROR, RUN_IS_ACTIVE, blacklist, mappings, runs, sync_items
from storage.stopping import BY_A_PERSON, cancel_waiting, look_again, of_run

EXPORTED = 1000  # rows of one page of an export
# Items that are retried or cancelled in one transaction, and runs that are cancelled in one.
TOGETHER, RUNS_TOGETHER = 500, 50

RETRIABLE = (ItemStatus.ERROR, ItemStatus.SKIPPED, ItemStatus.BLACKLISTED, ItemStatus.CANCELLED)
_OPEN = (ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.UNKNOWN)
_EFFECT = ("mapping_id", "service", "action", "source_track_id", "occurrence")

Either = JobFilter | ItemFilter


class Retried(NamedTuple):
    """What a chunk of a retry did. ``last_id``: go on after it; None: that was all."""

    items: int
    last_id: int | None


class Stopped(NamedTuple):
    """What a chunk of a cancellation did; ``last_id`` as in ``Retried``."""

    runs: int
    items: int
    last_id: int | None


class Jobs(Repository):
    """All of one guild. Pages are in the filter's order; ``after``: from behind that row on, ``before``: up to it."""

    @reads
    async def runs(
        self,
        connection: AsyncConnection,
        guild_id: int,
        wanted: JobFilter,
        *,
        limit: int = 10,
        after: Cursor | None = None,
        before: Cursor | None = None,
    ) -> list[Run]:
        """A page of the guild's runs."""
        rows = await _page(connection, _runs(guild_id, wanted), limit, after, before)
        return [run_of(row) for row in rows]

    @reads
    async def items(
        self,
        connection: AsyncConnection,
        guild_id: int,
        wanted: ItemFilter,
        *,
        limit: int = 10,
        after: Cursor | None = None,
        before: Cursor | None = None,
    ) -> list[SyncItem]:
        """A page of the guild's items."""
        rows = await _page(connection, _items(guild_id, wanted), limit, after, before)
        return [item_of(row) for row in rows]

    @reads
    async def count(
        self, connection: AsyncConnection, guild_id: int, wanted: Either, *, before: Cursor | None = None
    ) -> int:
        """How many match; with ``before`` only those in front of that row, in the filter's order."""
        listed = _listed(guild_id, wanted)
        statement = select(func.count()).select_from(listed.table).where(*listed.conditions)
        if before is not None:
            statement = statement.where(or_(*listed.in_front_of(before)))
        return int((await connection.execute(statement)).scalar_one())

    @reads
    async def active(self, connection: AsyncConnection, guild_id: int, wanted: Either) -> bool:
        """Whether something that matches is still at work: a run under way, an item that is open."""
        listed = _listed(guild_id, wanted)
        statement = select(listed.table.c.id).where(*listed.conditions, listed.is_active).limit(1)
        return (await connection.execute(statement)).scalar() is not None

    @reads
    async def names(self, connection: AsyncConnection, guild_id: int) -> dict[int, str]:
        """The names of the guild's mappings by id, of those too that were removed."""
        statement = select(mappings.c.id, mappings.c.name).where(mappings.c.guild_id == guild_id)
        return {row.id: row.name for row in await connection.execute(statement)}

    async def run_pages(self, guild_id: int, wanted: JobFilter, size: int = EXPORTED) -> AsyncIterator[list[Run]]:
        """Every run that matches, in pages, each from a short transaction of its own."""
        after: Cursor | None = None
        while page := await self.runs(guild_id, wanted, limit=size, after=after):
            yield page
            after = run_cursor(page[-1], wanted)

    async def item_pages(
        self, guild_id: int, wanted: ItemFilter, size: int = EXPORTED
    ) -> AsyncIterator[list[SyncItem]]:
        """Every item that matches, in pages, each from a short transaction of its own."""
        after: Cursor | None = None
        while page := await self.items(guild_id, wanted, limit=size, after=after):
            yield page
            after = item_cursor(page[-1], wanted)

    @reads
    async def count_retriable(self, connection: AsyncConnection, guild_id: int, wanted: Either) -> int:
        """How many items ``retry_some`` would put back into the queue."""
        statement = select(func.count()).select_from(sync_items).where(*_retriable(guild_id, wanted), ~_has_twin())
        return int((await connection.execute(statement)).scalar_one())

    @writes
    async def retry_some(
        self, connection: AsyncConnection, guild_id: int, wanted: Either, after_id: int | None = None
    ) -> Retried:
        """Puts the next chunk of what failed and matches back into the queue, newest first, its attempts forgotten.

        Only failed items, unless the filter names other states that can be retried. What is in the queue already, and
        older copies of the same effect, stay as they are. An item that waits for review is looked for anew.
        """
        await self.db.one_at_a_time(connection, "items.retry")
        effect = [sync_items.c[name] for name in _EFFECT]
        some = select(sync_items.c.id, *effect).where(*_retriable(guild_id, wanted))
        if after_id is not None:
            some = some.where(sync_items.c.id < after_id)
        rows = (await connection.execute(some.order_by(sync_items.c.id.desc()).limit(TOGETHER))).all()
        newest: dict[tuple[Any, ...], int] = {}
        for row in rows:
            newest.setdefault(tuple(row[1:]), row.id)
        again = update(sync_items).where(sync_items.c.id.in_(newest.values()), ~_has_twin())
        ids = list((await connection.execute(again.values(**_AGAIN).returning(sync_items.c.id))).scalars())
        await self._look_anew(connection, ids)
        return Retried(len(ids), rows[-1].id if len(rows) == TOGETHER else None)

    @reads
    async def count_cancellable(self, connection: AsyncConnection, guild_id: int, wanted: Either) -> tuple[int, int]:
        """How many runs and waiting items ``cancel_some`` would end."""
        items = select(func.count()).select_from(sync_items).where(*_waiting(guild_id, wanted))
        waiting = int((await connection.execute(items)).scalar_one())
        if isinstance(wanted, ItemFilter):
            return 0, waiting
        statement = select(func.count()).select_from(runs).where(*_cancellable_runs(guild_id, wanted))
        return int((await connection.execute(statement)).scalar_one()), waiting

    @writes
    async def cancel_some(
        self, connection: AsyncConnection, guild_id: int, wanted: Either, actor_id: int, after_id: int | None = None
    ) -> Stopped:
        """Cancels the next chunk of what matches, newest first; see ``cancel_run``. Of items only waiting ones."""
        if isinstance(wanted, ItemFilter):
            return await self._cancel_items(connection, guild_id, wanted, after_id)
        some = select(runs.c.id).where(*_cancellable_runs(guild_id, wanted))
        if after_id is not None:
            some = some.where(runs.c.id < after_id)
        ids = list((await connection.execute(some.order_by(runs.c.id.desc()).limit(RUNS_TOGETHER))).scalars())
        done = [await self._cancel(connection, guild_id, run_id, actor_id) for run_id in ids]
        ended = [each for each in done if each is not None and (each.asked or each.items)]
        return Stopped(len(ended), sum(each.items for each in ended), ids[-1] if len(ids) == RUNS_TOGETHER else None)

    @writes
    async def cancel_run(
        self, connection: AsyncConnection, guild_id: int, run_id: int, actor_id: int
    ) -> Cancelled | None:
        """Takes the run's waiting items out of the queue, and asks it to stop where it is under way; None: unknown.

        A burst works on all that its mapping has waiting, so that all of that goes with it. What is being sent, or must
        be read back, is left to who does it, and is not sent again. The next analysis plans what was cancelled anew.
        """
        return await self._cancel(connection, guild_id, run_id, actor_id)

    async def _cancel(self, connection: AsyncConnection, guild_id: int, run_id: int, actor_id: int) -> Cancelled | None:
        now, here = self.db.now(), (runs.c.id == run_id, runs.c.guild_id == guild_id)
        row = (await connection.execute(select(*runs.c).where(*here).with_for_update())).one_or_none()
        if row is None:
            return None
        active, already = row.status in ACTIVE_STATUSES, row.cancelled_by is not None
        which = of_run(run_id)
        if active and row.kind is RunKind.EXECUTION:
            which = or_(which, sync_items.c.mapping_id == row.mapping_id)
            # Whatever of them comes back unsent must find that its run was cancelled.
            sent = update(sync_items).where(
                sync_items.c.mapping_id == row.mapping_id, sync_items.c.status.in_(_AT_WORK)
            )
            await connection.execute(sent.values(run_id=run_id))
        items = await cancel_waiting(connection, now, sync_items.c.guild_id == guild_id, which)
        asked = active and not already
        if asked or items:
            values: dict[str, Any] = {"cancelled_by": actor_id}
            if row.status is RunStatus.QUEUED:  # nobody works on it who could end it
                values |= {"status": RunStatus.CANCELLED, "completed_at": now, "error": BY_A_PERSON}
            await connection.execute(update(runs).where(*here).values(**values))
            await look_again(connection, [row.mapping_id or 0])
        return Cancelled(asked=asked, already=active and already, items=items)

    async def _cancel_items(
        self, connection: AsyncConnection, guild_id: int, wanted: ItemFilter, after_id: int | None
    ) -> Stopped:
        some = select(sync_items.c.id, sync_items.c.mapping_id).where(*_waiting(guild_id, wanted))
        if after_id is not None:
            some = some.where(sync_items.c.id < after_id)
        rows = (await connection.execute(some.order_by(sync_items.c.id.desc()).limit(TOGETHER))).all()
        items = await cancel_waiting(connection, self.db.now(), sync_items.c.id.in_([row.id for row in rows]))
        await look_again(connection, list({row.mapping_id for row in rows}))
        return Stopped(0, items, rows[-1].id if len(rows) == TOGETHER else None)

    async def _look_anew(self, connection: AsyncConnection, item_ids: Sequence[int]) -> None:
        values = {"next_look_at": self.db.now(), "state": BlacklistState.OPEN}
        unsettled = (blacklist.c.item_id.in_(item_ids), blacklist.c.state != BlacklistState.RESOLVED)
        await connection.execute(update(blacklist).where(*unsettled).values(**values))


def run_cursor(run: Run, wanted: JobFilter) -> Cursor:
    """The run's place in the list."""
    values = {Sort.STARTED: run.started_at, Sort.COMPLETED: run.completed_at}
    return Cursor(value=values.get(wanted.sort), id=run.id)


def item_cursor(item: SyncItem, wanted: ItemFilter) -> Cursor:
    """The item's place in the list."""
    return Cursor(value=item.completed_at if wanted.sort is Sort.COMPLETED else None, id=item.id)


_AT_WORK = (ItemStatus.RUNNING, ItemStatus.UNKNOWN)
_AGAIN: dict[str, Any] = {
    "status": ItemStatus.PENDING,
    "attempts": 0,
    "not_before": None,
    "completed_at": None,
    "lease_token": "",
    "lease_until": None,
    "intent_at": None,
    "copies_before": None,
}


class _Listed(NamedTuple):
    """A list as SQL. ``moment``: the column that it is sorted by before the id; None: ids are in order of creation."""

    table: Any
    columns: Sequence[Any]
    conditions: Sequence[Any]
    moment: Any
    ascending: bool
    is_active: Any

    def walk(self, cursor: Cursor | None, *, down: bool) -> list[Select[Any]]:
        """The queries that follow each other from the cursor on, each along one index.

        Rows without a moment are the latest of all; each engine would put them somewhere else.
        """
        table, moment = self.table, self.moment
        rows = select(*self.columns).where(*self.conditions)
        ids = rows.order_by(table.c.id.desc() if down else table.c.id)
        if moment is None:
            return [ids if cursor is None else ids.where(_beyond(table.c.id, cursor.id, down=down))]
        dated = rows.where(moment.is_not(None)).order_by(
            *((moment.desc(), table.c.id.desc()) if down else (moment, table.c.id))
        )
        open_ = ids.where(moment.is_(None))
        if cursor is None:
            return [open_, dated] if down else [dated, open_]
        if cursor.value is None:
            open_ = open_.where(_beyond(table.c.id, cursor.id, down=down))
            return [open_, dated] if down else [open_]
        dated = dated.where(self._beyond_dated(cursor, down=down))
        return [dated] if down else [dated, open_]

    def in_front_of(self, cursor: Cursor) -> list[Any]:
        """Conditions of which one holds for each row that stands in front of the cursor."""
        down = self.ascending  # in front of it is what a walk backwards meets
        moment, table = self.moment, self.table
        if moment is None:
            return [_beyond(table.c.id, cursor.id, down=down)]
        if cursor.value is None:
            same = and_(moment.is_(None), _beyond(table.c.id, cursor.id, down=down))
            return [same, moment.is_not(None)] if down else [same]
        dated = self._beyond_dated(cursor, down=down)
        return [dated] if down else [dated, moment.is_(None)]

    def _beyond_dated(self, cursor: Cursor, *, down: bool) -> Any:
        return _beyond(tuple_(self.moment, self.table.c.id), tuple_(cursor.value, cursor.id), down=down)


def _beyond(here: Any, there: Any, *, down: bool) -> Any:
    return here < there if down else here > there


async def _page(
    connection: AsyncConnection, listed: _Listed, limit: int, after: Cursor | None, before: Cursor | None
) -> list[Any]:
    backwards = before is not None
    rows: list[Any] = []
    for part in listed.walk(before if backwards else after, down=listed.ascending is backwards):
        rows += (await connection.execute(part.limit(limit - len(rows)))).all()
        if len(rows) == limit:
            break
    return rows[::-1] if backwards else rows


def _listed(guild_id: int, wanted: Either) -> _Listed:
    return _runs(guild_id, wanted) if isinstance(wanted, JobFilter) else _items(guild_id, wanted)


def _runs(guild_id: int, wanted: JobFilter) -> _Listed:
    moment = {Sort.STARTED: runs.c.started_at, Sort.COMPLETED: runs.c.completed_at}.get(wanted.sort)
    return _Listed(runs, list(runs.c), _of_runs(guild_id, wanted), moment, wanted.ascending, RUN_IS_ACTIVE)


def _items(guild_id: int, wanted: ItemFilter) -> _Listed:
    moment = sync_items.c.completed_at if wanted.sort is Sort.COMPLETED else None
    is_active = sync_items.c.status.in_(_OPEN)
    return _Listed(sync_items, ITEM_COLUMNS, _of_items(guild_id, wanted), moment, wanted.ascending, is_active)


def _of_runs(guild_id: int, wanted: JobFilter) -> list[Any]:
    found = [runs.c.guild_id == guild_id, *_one_of(runs.c.status, wanted.statuses), *_one_of(runs.c.kind, wanted.kinds)]
    found += [*_is(runs.c.mapping_id, wanted.mapping_id), *_is(runs.c.id, wanted.id)]
    found += [*_asked(wanted), *_created(runs, wanted)]
    if wanted.text:
        said = [sync_items.c.guild_id == guild_id, ITEM_HAS_ERROR, _says(sync_items.c.last_error, wanted.text)]
        failed = union(select(sync_items.c.run_id).where(*said), select(sync_items.c.origin_run_id).where(*said))
        found.append(or_(_says(runs.c.error, wanted.text), runs.c.id.in_(failed)))
    return found


def _of_items(guild_id: int, wanted: ItemFilter) -> list[Any]:
    found = [sync_items.c.guild_id == guild_id, *_one_of(sync_items.c.status, wanted.statuses)]
    found += [*_one_of(sync_items.c.action, wanted.actions), *_is(sync_items.c.mapping_id, wanted.mapping_id)]
    found += [*_is(sync_items.c.id, wanted.id), *_is(sync_items.c.reason, wanted.reason), *_created(sync_items, wanted)]
    if wanted.run_id is not None:
        found.append(of_run(wanted.run_id))
    asked = _asked(wanted)
    if asked:
        found.append(sync_items.c.run_id.in_(select(runs.c.id).where(runs.c.guild_id == guild_id, *asked)))
    if wanted.text:
        found += [ITEM_HAS_ERROR, _says(sync_items.c.last_error, wanted.text)]
    return found


def _asked(wanted: Either) -> list[Any]:
    return [*_one_of(runs.c.trigger, wanted.triggers), *_is(runs.c.actor, wanted.actor_id)]


def _created(table: Any, wanted: Either) -> list[Any]:
    since = [table.c.created_at >= wanted.since] if wanted.since is not None else []
    return since + ([table.c.created_at < wanted.until] if wanted.until is not None else [])


def _is(column: Any, value: Any) -> list[Any]:
    return [] if value is None else [column == value]


def _one_of(column: Any, values: Sequence[Any]) -> list[Any]:
    if len(values) == 1:
        return [column == values[0]]
    return [column.in_(values)] if values else []


def _says(column: Any, words: str) -> ColumnElement[bool]:
    return column.icontains(words, autoescape=True)


def _retriable(guild_id: int, wanted: Either) -> list[Any]:
    if isinstance(wanted, ItemFilter):
        named = tuple(status for status in wanted.statuses if status in RETRIABLE)
        if wanted.statuses and not named:
            return [sync_items.c.id.is_(None)]  # nothing of these can be retried
        return _of_items(guild_id, replace(wanted, statuses=named or (ItemStatus.ERROR,)))
    statuses = [ItemStatus.ERROR] + [ItemStatus.CANCELLED] * (RunStatus.CANCELLED in wanted.statuses)
    return [sync_items.c.guild_id == guild_id, *_one_of(sync_items.c.status, statuses), _of_these(guild_id, wanted)]


def _of_these(guild_id: int, wanted: JobFilter) -> ColumnElement[bool]:
    """Items that one of the runs asked for or last took up."""
    these = select(runs.c.id).where(*_of_runs(guild_id, wanted))
    return or_(sync_items.c.run_id.in_(these), sync_items.c.origin_run_id.in_(these))


def _waiting(guild_id: int, wanted: Either) -> list[Any]:
    pending = [sync_items.c.guild_id == guild_id, sync_items.c.status == ItemStatus.PENDING]
    if isinstance(wanted, ItemFilter):
        return [*pending, *_of_items(guild_id, wanted)]
    bursts = [*_of_runs(guild_id, wanted), RUN_IS_ACTIVE, runs.c.kind == RunKind.EXECUTION]
    at_work = sync_items.c.mapping_id.in_(select(runs.c.mapping_id).where(*bursts))
    return [*pending, or_(_of_these(guild_id, wanted), at_work)]


def _cancellable_runs(guild_id: int, wanted: JobFilter) -> list[Any]:
    pending = [sync_items.c.guild_id == guild_id, sync_items.c.status == ItemStatus.PENDING]
    asked = select(sync_items.c.origin_run_id).where(*pending, sync_items.c.origin_run_id.is_not(None))
    waiting = runs.c.id.in_(union(select(sync_items.c.run_id).where(*pending), asked))
    return [
        *_of_runs(guild_id, wanted),
        or_(and_(runs.c.status.in_(ACTIVE_STATUSES), runs.c.cancelled_by.is_(None)), waiting),
    ]


def _has_twin() -> ColumnElement[bool]:
    """Whether the same effect is in the queue already."""
    twin = sync_items.alias("twin")
    same = (twin.c[name] == sync_items.c[name] for name in _EFFECT)
    return exists().where(twin.c.id != sync_items.c.id, twin.c.status.in_(_OPEN), *same)
