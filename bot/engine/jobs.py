"""Jobs as people see them: lists of runs and items, one in full, and retry and cancel of one or of all that match."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.clock import Clock
from bot.engine.job_rows import item_row, run_row, seconds_of
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.item import ItemStatus, SyncItem
from bot.model.jobs import Cancelled, Cursor, ItemFilter, JobFilter
from bot.model.logline import LogLine
from bot.model.run import Run, RunKind, RunStatus
from storage import Storage
from storage.jobs import item_cursor, run_cursor

log = logging.getLogger(__name__)

SMALLEST_PAGE, USUAL_PAGE, LARGEST_PAGE = 10, 10, 100
# What the page of one run shows of its items and of its log; the rest is a press away.
ITEMS_SHOWN, LINES_SHOWN, ERRORS_SHOWN = 10, 10, 10

UNKNOWN = "There is no such run in this server, or its time was over. `/jobs list` shows what there is."
NOTHING_TO_RETRY = (
    "There is nothing to retry: nothing that matches has failed, or somebody was faster and it is in the queue already."
)
NOTHING_TO_CANCEL = (
    "There is nothing to cancel: nothing that matches waits or is under way, or somebody was faster. "
    "What was done stays."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A page of a list. ``first``: the place of its first row, from 1 on (0: no rows); ``total``: all that match.

    ``active``: something that matches is at work, so that the page will change by itself. ``names`` are of mappings,
    ``bases`` of base playlists, by their ids.
    """

    rows: Sequence[Run] | Sequence[SyncItem]
    names: Mapping[int, str]
    bases: Mapping[int, str]
    first: int
    total: int
    active: bool

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetails:
    """One run in full. ``items`` counts those that it asked for or last took up, by status; ``failed`` shows some.

    ``errors``: the different errors of its items, the most frequent first, with their number. ``lines`` newest first.
    """

    run: Run
    mapping_name: str
    base_name: str  # of a routing run
    seconds: float | None
    items: Mapping[ItemStatus, int]
    errors: Sequence[tuple[str, int]]
    lines: Sequence[LogLine]
    can_retry: int
    can_cancel: bool


class Waiting(NamedTuple):
    """What a cancellation of all that matches would end."""

    runs: int
    items: int


class Jobs:
    """All of one guild; actors are Discord user ids. Nothing of another guild is found here."""

    def __init__(
        self, storage: Storage, clock: Clock, *, wake: Callable[[], None], stop: Callable[[], Awaitable[None]]
    ) -> None:
        """``stop`` ends the bursts that were cancelled between two of their turns."""
        self._storage = storage
        self._jobs = storage.jobs
        self._clock = clock
        self._wake = wake
        self._stop = stop

    async def page(
        self,
        guild_id: int,
        wanted: JobFilter | ItemFilter,
        *,
        size: int = USUAL_PAGE,
        after: Cursor | None = None,
        before: Cursor | None = None,
    ) -> JobPage:
        """The page behind ``after``, or that up to ``before``; where less than a page is left there, the first one."""
        size = min(max(size, 1), LARGEST_PAGE)
        rows = await self._rows(guild_id, wanted, size, after, before)
        if before is not None and len(rows) < size:
            rows = await self._rows(guild_id, wanted, size, None, None)
        in_front = await self._jobs.count(guild_id, wanted, before=cursor_of(rows[0], wanted)) if rows else -1
        return JobPage(
            rows=rows,
            names=await self._jobs.names(guild_id),
            bases=await self._bases(guild_id),
            first=in_front + 1,
            total=await self._jobs.count(guild_id, wanted),
            active=await self._jobs.active(guild_id, wanted),
        )

    async def _rows(
        self,
        guild_id: int,
        wanted: JobFilter | ItemFilter,
        size: int,
        after: Cursor | None,
        before: Cursor | None,
    ) -> Sequence[Run] | Sequence[SyncItem]:
        if isinstance(wanted, JobFilter):
            return await self._jobs.runs(guild_id, wanted, limit=size, after=after, before=before)
        return await self._jobs.items(guild_id, wanted, limit=size, after=after, before=before)

    async def count(self, guild_id: int, wanted: JobFilter | ItemFilter) -> int:
        """How many runs or items match."""
        return await self._jobs.count(guild_id, wanted)

    async def get(self, guild_id: int, run_id: int) -> Run:
        """The run. Raises UserMistake where this guild has none of that id."""
        run = await self._storage.runs.get(run_id, guild_id)
        if run is None:
            raise UserMistake(UNKNOWN)
        return run

    async def show(self, guild_id: int, run_id: int) -> JobDetails:
        """Everything about one run. Raises UserMistake where this guild has none of that id."""
        run = await self.get(guild_id, run_id)
        counts, errors = await self._jobs.tally_of_run(guild_id, run_id, ERRORS_SHOWN)
        names, bases = await self._jobs.names(guild_id), await self._bases(guild_id)
        return JobDetails(
            run=run,
            mapping_name=names.get(run.mapping_id, ""),
            base_name=bases.get(run.base_playlist_id or 0, ""),
            seconds=seconds_of(run, self._clock.now()),
            items=counts,
            errors=errors,
            lines=await self._storage.logs.query(guild_id, run_id=run_id, limit=LINES_SHOWN),
            can_retry=await self._jobs.count_retriable(guild_id, _failed_of(run)),
            can_cancel=_may_stop(run) or bool(counts[ItemStatus.PENDING]),
        )

    async def retry_run(self, guild_id: int, run_id: int, actor_id: int) -> int:
        """Puts the run's failed items (of a cancelled run the cancelled ones too) back into the queue; how many.

        Raises UserMistake where there is nothing to retry.
        """
        run = await self.get(guild_id, run_id)
        items = await self._retried(guild_id, _failed_of(run))
        self._log(Event.JOBS_RETRIED, guild_id, actor_id, items=items, run=run_id, mapping_id=run.mapping_id or None)
        return items

    async def count_retriable(self, guild_id: int, wanted: JobFilter | ItemFilter) -> int:
        """How many items ``retry_all`` would put back."""
        return await self._jobs.count_retriable(guild_id, wanted)

    async def retry_all(self, guild_id: int, wanted: JobFilter | ItemFilter, actor_id: int) -> int:
        """Puts all failed items that match (of runs: that these runs asked for or took up) back into the queue.

        States other than failed are retried only where the filter names them. Raises UserMistake for nothing.
        """
        items = await self._retried(guild_id, wanted)
        self._log(Event.JOBS_RETRIED, guild_id, actor_id, items=items, filter=wanted.to_json())
        return items

    async def _retried(self, guild_id: int, wanted: JobFilter | ItemFilter) -> int:
        items, after = 0, None
        while True:
            done = await self._jobs.retry_some(guild_id, wanted, after)
            items, after = items + done.items, done.last_id
            if after is None:
                break
        if not items:
            raise UserMistake(NOTHING_TO_RETRY)
        self._wake()
        return items

    async def cancel(self, guild_id: int, run_id: int, actor_id: int) -> Cancelled:
        """Takes what the run has waiting out of the queue; one under way stops at its next safe point.

        What is done stays done, and what is being sent is seen through. Raises UserMistake for nothing to cancel.
        """
        run = await self.get(guild_id, run_id)
        done = await self._jobs.cancel_run(guild_id, run_id, actor_id)
        if done is None or not (done.asked or done.items):
            raise UserMistake(_why_not(run, already=done is not None and done.already))
        self._log(
            Event.JOB_CANCELLED, guild_id, actor_id, run=run_id, items=done.items, mapping_id=run.mapping_id or None
        )
        await self._stopped()
        return done

    async def count_cancellable(self, guild_id: int, wanted: JobFilter | ItemFilter) -> Waiting:
        """What ``cancel_all`` would end."""
        return Waiting(*await self._jobs.count_cancellable(guild_id, wanted))

    async def cancel_all(self, guild_id: int, wanted: JobFilter | ItemFilter, actor_id: int) -> Waiting:
        """Cancels all runs that match, or all waiting items that match; see ``cancel``."""
        runs, items, after = 0, 0, None
        while True:
            done = await self._jobs.cancel_some(guild_id, wanted, actor_id, after)
            runs, items, after = runs + done.runs, items + done.items, done.last_id
            if after is None:
                break
        if not runs and not items:
            raise UserMistake(NOTHING_TO_CANCEL)
        self._log(Event.JOBS_CANCELLED, guild_id, actor_id, runs=runs, items=items, filter=wanted.to_json())
        await self._stopped()
        return Waiting(runs, items)

    async def _stopped(self) -> None:
        await self._stop()
        self._wake()

    async def export(self, guild_id: int, wanted: JobFilter | ItemFilter) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """All that matches, in the filter's order, as rows of ``RUN_COLUMNS`` or ``ITEM_COLUMNS``."""
        names = await self._jobs.names(guild_id)
        if isinstance(wanted, JobFilter):
            now, bases = self._clock.now(), await self._bases(guild_id)
            async for runs in self._jobs.run_pages(guild_id, wanted):
                yield [run_row(run, names, bases, now) for run in runs]
        else:
            async for items in self._jobs.item_pages(guild_id, wanted):
                yield [item_row(item, names) for item in items]

    async def _bases(self, guild_id: int) -> dict[int, str]:
        """The names of the guild's base playlists by id."""
        return {base.id: base.name for base in await self._storage.routers.bases_of_guild(guild_id)}

    def _log(self, event: Event, guild_id: int, actor_id: int, **fields: Any) -> None:
        log.info(event, extra={"guild_id": guild_id, "actor_id": actor_id, **fields})


def cursor_of(row: Run | SyncItem, wanted: JobFilter | ItemFilter) -> Cursor:
    """The row's place in the list."""
    if isinstance(row, Run):
        assert isinstance(wanted, JobFilter)
        return run_cursor(row, wanted)
    assert isinstance(wanted, ItemFilter)
    return item_cursor(row, wanted)


def _failed_of(run: Run) -> ItemFilter:
    cancelled = (ItemStatus.CANCELLED,) if run.cancelled_by is not None else ()
    return ItemFilter(run_id=run.id, statuses=(ItemStatus.ERROR, *cancelled))


def _may_stop(run: Run) -> bool:
    return run.status in (RunStatus.QUEUED, RunStatus.IN_PROGRESS) and run.cancelled_by is None


def _why_not(run: Run, *, already: bool) -> str:
    if already:
        return (
            f"Run {run.id} was cancelled before and stops as soon as what it is sending is settled; nothing more to do."
        )
    if run.status is RunStatus.CANCELLED:
        return f"Run {run.id} is cancelled already, and nothing of it waits; nothing was changed."
    words = "has ended" if run.kind is RunKind.EXECUTION else "has ended and nothing of it waits in the queue"
    return f"Run {run.id} {words}, so there is nothing to cancel. What it did stays; `/undo` takes it back."
