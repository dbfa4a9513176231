"""The numbers that people look at: mappings, queue, quota and the latest runs."""

import functools
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.engine.fresh import Fresh
from bot.engine.quota import Quota
from bot.model.queue import QueuePause
from bot.model.quota import Bucket, BucketState
from bot.model.run import Run, RunKind, RunStatus
from storage import Storage

FRESH_SECONDS = 1.0  # DESIGN.md section 6: computed at most once a second however many ask

_STATUS = {
    RunStatus.QUEUED: "running",
    RunStatus.IN_PROGRESS: "running",
    RunStatus.COMPLETED: "success",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentRun:
    """``status`` is success, failed, cancelled or running; ``message`` counts things and names nothing."""

    run_id: int
    timestamp: datetime
    job_type: str
    status: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """``running`` counts running and unknown items, ``skipped`` skipped and blacklisted ones."""

    at: datetime
    mappings_total: int
    pending: int
    running: int
    errors: int
    skipped: int
    done: int
    recent_runs: tuple[RecentRun, ...]
    buckets: dict[Bucket, BucketState]
    pauses: tuple[QueuePause, ...] = ()  # what rests of one guild's queue


class Stats:
    def __init__(self, storage: Storage, quota: Quota, clock: Clock) -> None:
        self._storage = storage
        self._quota = quota
        self._clock = clock
        self._fresh: dict[int | None, Fresh[Dashboard]] = {}

    async def dashboard(self, guild_id: int | None = None) -> Dashboard:
        """One guild's numbers, or everybody's; at most a second old. The buckets are those of the whole program."""
        if guild_id not in self._fresh:
            count = functools.partial(self._count, guild_id)
            self._fresh[guild_id] = Fresh(count, self._clock, seconds=FRESH_SECONDS)
        return await self._fresh[guild_id].get()

    async def _count(self, guild_id: int | None) -> Dashboard:
        numbers = await self._storage.stats.dashboard(guild_id)
        pauses = await self._storage.queue_pauses.of_guild(guild_id) if guild_id is not None else ()
        return Dashboard(
            at=self._clock.now(),
            mappings_total=numbers.mappings_total,
            pending=numbers.pending,
            running=numbers.running,
            errors=numbers.errors,
            skipped=numbers.skipped,
            done=numbers.done,
            recent_runs=tuple(recent_run(run) for run in numbers.recent_runs),
            buckets=await self._quota.states(),
            pauses=tuple(pauses),
        )


def recent_run(run: Run) -> RecentRun:
    """The run as anybody may see it: no names, no reasons that could hold one."""
    return RecentRun(
        run_id=run.id,
        timestamp=run.completed_at or run.started_at or run.created_at,
        job_type=run.kind.value,
        status=_STATUS[run.status],
        message=_message(run),
    )


def _message(run: Run) -> str:
    counts = run.counts
    if run.kind is RunKind.ANALYSIS:
        return f"{counts.tracks_processed} tracks compared"
    if run.kind is RunKind.ROUTING:  # its other counts are of its plans, which the runs of its children carry out
        failed = f", {counts.failed} child playlists failed" if counts.failed else ""
        return f"{counts.tracks_processed} tracks routed{failed}"
    said = [
        f"{number} {word}"
        for number, word in (
            (counts.adds, "added"),
            (counts.removals, "removed"),
            (counts.skipped, "skipped"),
            (counts.failed, "failed"),
            (counts.waiting, "waiting"),
        )
        if number
    ]
    return ", ".join(said) or "nothing to do"
