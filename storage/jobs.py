"""Lists of runs and items under any filter: pages by key, counts, and what can be done to all of them at once."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import ItemStatus, SyncItem
from bot.model.jobs import Cancelled, Cursor, ItemFilter, JobFilter, Sort
from bot.model.review import BlacklistState
from bot.model.run import ACTIVE_STATUSES, Run, RunKind, RunStatus
from storage import retrying
from storage.database import Repository, reads, writes
from storage.items import AGAIN, item_of
from storage.job_lists import EFFECT, Either, cancellable_runs, has_twin, listed_of, page, retriable, waiting
from storage.runs import run_of
from storage.schema import ITEM_HAS_ERROR, blacklist, mappings, runs, sync_items
from storage.stopping import BY_A_PERSON, cancel_waiting, look_again, of_run

EXPORTED = 1000  # rows of one page of an export
# Items that are retried or cancelled in one transaction, and runs that are cancelled in one.
TOGETHER, RUNS_TOGETHER = 500, 50


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
        rows = await page(connection, listed_of(guild_id, wanted), limit, after, before)
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
        rows = await page(connection, listed_of(guild_id, wanted), limit, after, before)
        return [item_of(row) for row in rows]

    @reads
    async def count(
        self, connection: AsyncConnection, guild_id: int, wanted: Either, *, before: Cursor | None = None
    ) -> int:
        """How many match; with ``before`` only those in front of that row, in the filter's order."""
        listed = listed_of(guild_id, wanted)
        statement = select(func.count()).select_from(listed.table).where(*listed.conditions)
        if before is not None:
            statement = statement.where(or_(*listed.in_front_of(before)))
        return int((await connection.execute(statement)).scalar_one())

    @reads
    async def active(self, connection: AsyncConnection, guild_id: int, wanted: Either) -> bool:
        """Whether something that matches is still at work: a run under way, an item that is open."""
        listed = listed_of(guild_id, wanted)
        statement = select(listed.table.c.id).where(*listed.conditions, listed.is_active).limit(1)
        return (await connection.execute(statement)).scalar() is not None

    @reads
    async def tally_of_run(
        self, connection: AsyncConnection, guild_id: int, run_id: int, limit: int
    ) -> tuple[dict[ItemStatus, int], list[tuple[str, int]]]:
        """The run's items by status (statuses without any: 0), and its items' errors, the most frequent first."""
        mine = (sync_items.c.guild_id == guild_id, of_run(run_id))
        number = func.count().label("number")
        rows = await connection.execute(select(sync_items.c.status, number).where(*mine).group_by(sync_items.c.status))
        counts = dict.fromkeys(ItemStatus, 0) | {row.status: row.number for row in rows}
        said = select(sync_items.c.last_error, number).where(
            *mine, ITEM_HAS_ERROR, sync_items.c.status.not_in(_WITHOUT_ERROR)
        )
        errors = said.group_by(sync_items.c.last_error).order_by(number.desc(), sync_items.c.last_error).limit(limit)
        return counts, [(row.last_error, row.number) for row in await connection.execute(errors)]

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
        statement = select(func.count()).select_from(sync_items).where(*retriable(guild_id, wanted), ~has_twin())
        return int((await connection.execute(statement)).scalar_one())

    @writes
    async def retry_some(
        self, connection: AsyncConnection, guild_id: int, wanted: Either, after_id: int | None = None
    ) -> Retried:
        """Puts the next chunk of what failed and matches back into the queue, newest first, its attempts forgotten.

        Only failed items, unless the filter names other states that can be retried. What is in the queue already, and
        older copies of the same effect, stay as they are. An item that waits for review is looked for anew. What
        nobody asks for any more is cancelled; see ``retrying.wanted``.
        """
        await self.db.one_at_a_time(connection, "items.retry")
        effect = [sync_items.c[name] for name in EFFECT]
        some = select(sync_items.c.id, *effect).where(*retriable(guild_id, wanted))
        if after_id is not None:
            some = some.where(sync_items.c.id < after_id)
        rows = (await connection.execute(some.order_by(sync_items.c.id.desc()).limit(TOGETHER))).all()
        newest: dict[tuple[Any, ...], int] = {}
        for row in rows:
            newest.setdefault(tuple(row[1:]), row.id)
        free = select(sync_items.c.id).where(sync_items.c.id.in_(newest.values()), ~has_twin())
        chosen = await retrying.wanted(connection, (await connection.execute(free)).scalars().all())
        again = update(sync_items).where(sync_items.c.id.in_(chosen), ~has_twin())
        ids = list((await connection.execute(again.values(**AGAIN).returning(sync_items.c.id))).scalars())
        await self._look_anew(connection, ids)
        return Retried(len(ids), rows[-1].id if len(rows) == TOGETHER else None)

    @reads
    async def count_cancellable(self, connection: AsyncConnection, guild_id: int, wanted: Either) -> tuple[int, int]:
        """How many runs and waiting items ``cancel_some`` would end."""
        items = select(func.count()).select_from(sync_items).where(*waiting(guild_id, wanted))
        queued = int((await connection.execute(items)).scalar_one())
        if isinstance(wanted, ItemFilter):
            return 0, queued
        statement = select(func.count()).select_from(runs).where(*cancellable_runs(guild_id, wanted))
        return int((await connection.execute(statement)).scalar_one()), queued

    @writes
    async def cancel_some(
        self, connection: AsyncConnection, guild_id: int, wanted: Either, actor_id: int, after_id: int | None = None
    ) -> Stopped:
        """Cancels the next chunk of what matches, newest first; see ``cancel_run``. Of items only waiting ones."""
        if isinstance(wanted, ItemFilter):
            return await self._cancel_items(connection, guild_id, wanted, after_id)
        some = select(runs.c.id).where(*cancellable_runs(guild_id, wanted))
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
        some = select(sync_items.c.id, sync_items.c.mapping_id).where(*waiting(guild_id, wanted))
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


_WITHOUT_ERROR = (ItemStatus.DONE, ItemStatus.CANCELLED)
_AT_WORK = (ItemStatus.RUNNING, ItemStatus.UNKNOWN)
