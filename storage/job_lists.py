"""Filters of runs and items as SQL: what matches, in which order, and from a row on in either direction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Select, and_, exists, or_, select, text, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import ItemStatus
from bot.model.jobs import Cursor, ItemFilter, JobFilter, Sort
from bot.model.review import BlacklistState
from bot.model.run import ACTIVE_STATUSES, RunKind, RunStatus
from storage.items import ITEM_COLUMNS
from storage.retrying import mapping_is_there
from storage.schema import ITEM_HAS_ERROR, ITEM_IS_OPEN, RUN_IS_ACTIVE, blacklist, runs, sync_items
from storage.stopping import of_run

RETRIABLE = (ItemStatus.ERROR, ItemStatus.SKIPPED, ItemStatus.BLACKLISTED, ItemStatus.CANCELLED)
EFFECT = ("mapping_id", "service", "action", "source_track_id", "occurrence")

Either = JobFilter | ItemFilter


class Listed(NamedTuple):
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


async def page(
    connection: AsyncConnection, listed: Listed, limit: int, after: Cursor | None, before: Cursor | None
) -> list[Any]:
    """So many rows from behind ``after`` on, or those up to ``before``, in the order of the list."""
    backwards = before is not None
    rows: list[Any] = []
    for part in listed.walk(before if backwards else after, down=listed.ascending is backwards):
        rows += (await connection.execute(part.limit(limit - len(rows)))).all()
        if len(rows) == limit:
            break
    return rows[::-1] if backwards else rows


def listed_of(guild_id: int, wanted: Either) -> Listed:
    """The list that the filter asks for."""
    return _runs(guild_id, wanted) if isinstance(wanted, JobFilter) else _items(guild_id, wanted)


def _runs(guild_id: int, wanted: JobFilter) -> Listed:
    moment = {Sort.STARTED: runs.c.started_at, Sort.COMPLETED: runs.c.completed_at}.get(wanted.sort)
    return Listed(runs, list(runs.c), _of_runs(guild_id, wanted), moment, wanted.ascending, RUN_IS_ACTIVE)


def _items(guild_id: int, wanted: ItemFilter) -> Listed:
    moment = sync_items.c.completed_at if wanted.sort is Sort.COMPLETED else None
    return Listed(sync_items, ITEM_COLUMNS, _of_items(guild_id, wanted), moment, wanted.ascending, ITEM_IS_OPEN)


def _of_runs(guild_id: int, wanted: JobFilter) -> list[Any]:
    found: list[Any] = [
        runs.c.guild_id == guild_id,
        *_one_of(runs.c.status, wanted.statuses),
        *_one_of(runs.c.kind, wanted.kinds),
    ]
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


def _says(column: Any, words: str) -> Any:
    return column.icontains(words, autoescape=True)


def retriable(guild_id: int, wanted: Either) -> list[Any]:
    """Conditions of the items that a retry of all that matches puts back; see ``Jobs.retry_some``.

    What people dismissed in a review is no failure, and nothing is left to do for a mapping that was removed.
    """
    if isinstance(wanted, ItemFilter):
        named = tuple(status for status in wanted.statuses if status in RETRIABLE)
        if wanted.statuses and not named:
            return [sync_items.c.id.is_(None)]  # nothing of these can be retried
        dismissed = [~_is_dismissed()] * (ItemStatus.BLACKLISTED in named)
        found = _of_items(guild_id, replace(wanted, statuses=named or (ItemStatus.ERROR,)))
        return [*found, mapping_is_there(), *dismissed]
    statuses = [ItemStatus.ERROR] + [ItemStatus.CANCELLED] * (RunStatus.CANCELLED in wanted.statuses)
    here = [sync_items.c.guild_id == guild_id, *_one_of(sync_items.c.status, statuses), mapping_is_there()]
    return [*here, _of_these(guild_id, wanted)]


def _is_dismissed() -> ColumnElement[bool]:
    return exists().where(
        blacklist.c.mapping_id == sync_items.c.mapping_id,
        blacklist.c.service == sync_items.c.source_service,
        blacklist.c.track_id == sync_items.c.source_track_id,
        blacklist.c.state == BlacklistState.DISMISSED,
    )


def _of_these(guild_id: int, wanted: JobFilter) -> ColumnElement[bool]:
    """Items that one of the runs asked for or last took up."""
    these = _these(guild_id, wanted)
    ids = select(these.c.id)
    return or_(sync_items.c.run_id.in_(ids), sync_items.c.origin_run_id.in_(ids))


def _these(guild_id: int, wanted: JobFilter) -> CTE:
    """The runs that match, looked for once however often they are asked about."""
    found = select(runs.c.id, runs.c.mapping_id, runs.c.status, runs.c.kind).where(*_of_runs(guild_id, wanted))
    return found.cte("these")


def waiting(guild_id: int, wanted: Either) -> list[Any]:
    """Conditions of the waiting items that a cancellation of all that matches ends."""
    pending = [sync_items.c.guild_id == guild_id, sync_items.c.status == ItemStatus.PENDING]
    if isinstance(wanted, ItemFilter):
        return [*pending, *_of_items(guild_id, wanted)]
    these = _these(guild_id, wanted)
    ids = select(these.c.id)
    at_work = select(these.c.mapping_id).where(RUN_IS_ACTIVE, these.c.kind == RunKind.EXECUTION)
    return [
        *pending,
        or_(sync_items.c.run_id.in_(ids), sync_items.c.origin_run_id.in_(ids), sync_items.c.mapping_id.in_(at_work)),
    ]


def cancellable_runs(guild_id: int, wanted: JobFilter) -> list[Any]:
    """Conditions of the runs that are under way and not asked to stop, or have something waiting."""
    pending = [sync_items.c.guild_id == guild_id, sync_items.c.status == ItemStatus.PENDING]
    asked = select(sync_items.c.origin_run_id).where(*pending, sync_items.c.origin_run_id.is_not(None))
    queued = runs.c.id.in_(union(select(sync_items.c.run_id).where(*pending), asked))
    return [
        *_of_runs(guild_id, wanted),
        or_(and_(runs.c.status.in_(ACTIVE_STATUSES), runs.c.cancelled_by.is_(None)), queued),
    ]


def has_twin() -> ColumnElement[bool]:
    """Whether the same effect is in the queue already."""
    twin = sync_items.alias("twin")
    same = (twin.c[name] == sync_items.c[name] for name in EFFECT)
    return exists().where(twin.c.id != sync_items.c.id, _TWIN_IS_OPEN, *same)


# The condition of the index of open items, told apart from the other copy of the table.
_TWIN_IS_OPEN = text("twin.status IN ('pending', 'running', 'unknown')")
