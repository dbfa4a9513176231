"""The clockwork: APScheduler only wakes; what is due stands in the database, and what was done in ``task_status``."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock import Clock
from bot.engine.executor import Executor
from bot.engine.retention import Retention
from bot.engine.revalidation import Revalidation
from bot.engine.sync import Sync
from bot.model.account import Account
from bot.model.errors import CrossfadeError, UserMistake
from bot.model.events import Event
from bot.model.quota import Bucket
from storage import Storage
from storage.words import TaskState

log = logging.getLogger(__name__)

SILENT_FOR = timedelta(minutes=30)  # DESIGN.md section 4: a run without a heartbeat for so long is a dead one
WARNED_AHEAD = timedelta(days=14)  # PLATFORM.md: Spotify's consents die six months after they were given
SHARE_AHEAD = 4  # of a consent that lasts only days, the last quarter
UNCONFIRMED_FOR = timedelta(days=1)  # so long a consent waits for its person's confirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work that comes round. ``title`` and ``purpose`` are for people; ``work`` returns a sentence on what it did."""

    title: str
    purpose: str
    trigger: BaseTrigger
    work: Callable[[], Awaitable[str]]
    at_start: Callable[[], bool] = lambda: False  # asked at the start: did it come due before?


def every(**time: int) -> BaseTrigger:
    """Again and again after so many ``seconds``, ``minutes`` or ``hours``."""
    return IntervalTrigger(**time)


def daily(hour: int, minute: int = 0, *, timezone: str = "UTC") -> BaseTrigger:
    return CronTrigger(hour=hour, minute=minute, timezone=timezone)


def _always() -> bool:
    return True


class Scheduler:
    """``run_now`` works whether it is started or not."""

    def __init__(
        self,
        storage: Storage,
        sync: Sync,
        executor: Executor,
        retention: Retention,
        revalidation: Revalidation,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._sync = sync
        self._executor = executor
        self._retention = retention
        self._revalidation = revalidation
        self._clock = clock
        self._clockwork: AsyncIOScheduler | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, str] = {}
        self._tasks: dict[str, Task] = self._own_tasks()

    @property
    def tasks(self) -> Mapping[str, Task]:
        """By the names that ``run_now`` knows."""
        return self._tasks

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tasks)

    def add(self, name: str, task: Task) -> Callable[[], None]:
        """One task more, also while it is at work; returns the taking away. An earlier one of the name is replaced."""
        self._tasks[name] = task
        self._schedule(name)

        def take_away() -> None:
            if self._tasks.get(name) is task:
                del self._tasks[name]
                if self._clockwork is not None:
                    self._clockwork.remove_job(name)

        return take_away

    async def start(self) -> None:
        # One second is APScheduler's grace by default, and it drops in silence what comes later.
        self._clockwork = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._clockwork.start()
        for name in self._tasks:
            self._schedule(name)

    async def stop(self) -> None:
        if self._clockwork is not None:
            self._clockwork.shutdown(wait=False)
            self._clockwork = None
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def run_now(self, task_name: str, *, patience: float | None = None) -> bool:
        """Run a task and wait for its end, for ``patience`` seconds at most; False: it is still at work.

        One that runs already is not started a second time. Raises UserMistake for an unknown name.
        """
        if task_name not in self._tasks:
            raise UserMistake(f"There is no task “{task_name}”; there are {', '.join(self._tasks)}.")
        self._wake(task_name)
        done, _ = await asyncio.wait([self._running[task_name]], timeout=patience)
        return bool(done)

    def next_run(self, task_name: str) -> datetime | None:
        """When the clockwork wakes the task next; None while it stands still."""
        job = self._clockwork.get_job(task_name) if self._clockwork is not None else None
        return None if job is None else job.next_run_time

    def is_running(self, task_name: str) -> bool:
        return task_name in self._running

    def _schedule(self, name: str) -> None:
        if self._clockwork is None:
            return
        task = self._tasks[name]
        self._clockwork.add_job(self._tick, task.trigger, args=[name], id=name, replace_existing=True)
        if task.at_start():
            self._wake(name)

    async def _tick(self, name: str) -> None:
        """What the clockwork calls: a coroutine, because plain functions would run in a thread without our loop."""
        self._wake(name)

    def _wake(self, name: str) -> None:
        """Start the task unless it is running already."""
        if name not in self._running:
            task = asyncio.create_task(self._run(name), name=f"task {name}")
            self._running[name] = task
            task.add_done_callback(lambda _: self._running.pop(name, None))

    async def _run(self, name: str) -> None:
        """One run with its note in ``task_status``; whatever goes wrong, the clockwork goes on."""
        note = self._storage.tasks.note
        try:
            await note(name, status=TaskState.RUNNING, last_run=self._clock.now(), next_run=self.next_run(name))
            result = await self._tasks[name].work()
            await note(name, status=TaskState.OK, last_error="", last_result=result)
        except Exception as error:  # noqa: BLE001 - told by _failed, each kind in its own way
            await self._failed(name, error)
        else:
            if self._failures.pop(name, None) is not None:
                log.info(Event.TASK_RECOVERED, extra={"task": name})

    async def _failed(self, name: str, error: Exception) -> None:
        """Told once: the same failure again, every 20 seconds perhaps, is no news."""
        told = str(error) if isinstance(error, CrossfadeError) else repr(error)
        if self._failures.get(name) != told:
            self._failures[name] = told
            if isinstance(error, CrossfadeError):
                log.error(Event.TASK_FAILED, extra={"task": name, "error": told})
            else:
                log.error(Event.BUG, extra={"where": f"task {name}"}, exc_info=error)
        try:
            await self._storage.tasks.note(name, status=TaskState.FAILED, last_error=told)
        except CrossfadeError as second:  # the database itself fails: the log is all that is left
            if str(second) != told:
                log.warning(Event.TASK_FAILED, extra={"task": name, "error": str(second)})

    def _own_tasks(self) -> dict[str, Task]:
        return {
            "sync": Task(
                title="Scheduler",
                purpose="Analyses the mappings whose time has come",
                trigger=every(seconds=20),
                work=self._syncs,
                at_start=_always,
            ),
            "heartbeats": Task(
                title="Reconciler",
                purpose="Ends runs of dead workers and has what they sent read back",
                trigger=every(minutes=5),
                work=self._heartbeats,
            ),
            "quota": Task(
                title="Quota rollover",
                purpose="Lets what waited for YouTube's new day go on",
                trigger=daily(0, timezone="America/Los_Angeles"),
                work=self._rollover,
            ),
            "tokens": Task(
                title="Token check",
                purpose="Warns people whose login ends soon",
                trigger=every(hours=12),
                work=self._consents,
                at_start=_always,
            ),
            "cleanup": Task(
                title="Unconfirmed logins",
                purpose="Forgets accounts that nobody confirmed within a day",
                trigger=every(hours=1),
                work=self._cleanup,
                at_start=_always,
            ),
            "matches": Task(
                title="Revalidation",
                purpose="Looks again at matches on YouTube before they are 30 days old",
                trigger=every(hours=12),
                work=self._revalidate,
            ),
            "retention": Task(
                title="Retention",
                purpose="Deletes what each server no longer wants to keep",
                trigger=every(hours=6),
                work=self._forget,
                at_start=_always,
            ),
        }

    async def _syncs(self) -> str:
        return f"mappings analysed: {await self._sync.due():,}"

    async def _heartbeats(self) -> str:
        """Fail runs of workers that are gone; their items go on."""
        now = self._clock.now()
        runs = await self._storage.runs.fail_abandoned(now, SILENT_FOR)
        items = await self._storage.items.recover_leases(now, settle=self._executor.settle)
        if runs or items:
            log.warning(Event.SYSTEM_RECOVERED, extra={"runs": len(runs), "items": items})
            self._executor.wake()
        doubtful = len(await self._storage.items.unknown_with_intent())
        return f"runs ended: {len(runs):,}, changes taken back: {items:,}, to be read back: {doubtful:,}"

    async def _cleanup(self) -> str:
        """Forget consents that nobody confirmed: their tokens are not ours to keep."""
        forgotten = 0
        for account in await self._storage.accounts.pending_since(self._clock.now() - UNCONFIRMED_FOR):
            forgotten += await self._storage.accounts.reject(account.id)
        return f"unconfirmed accounts forgotten: {forgotten:,}"

    async def _forget(self) -> str:
        return f"log lines deleted: {await self._retention.run():,}"

    async def _revalidate(self) -> str:
        return f"remembered matches looked at again: {await self._revalidation.run():,}"

    async def _consents(self) -> str:
        """Say once for each consent that it ends soon."""
        told = 0
        for account in await self._storage.accounts.connected():
            told += await self._warned(account)
        return f"people warned: {told:,}"

    async def _warned(self, account: Account) -> bool:
        if account.token_dies_at is None:
            return False
        ahead = min(WARNED_AHEAD, (account.token_dies_at - account.granted_at) / SHARE_AHEAD)
        if self._clock.now() < account.token_dies_at - ahead:
            return False
        note, ends = f"consent-end-told:{account.id}", account.token_dies_at.isoformat()
        if await self._storage.meta.get(note) == ends:
            return False
        await self._storage.meta.put(note, ends)
        extra = {
            "service": account.service.label,
            "account": account.display_name,
            "until": account.token_dies_at,
            "guild_id": account.guild_id or None,
        }
        log.warning(Event.ACCOUNT_EXPIRES_SOON, extra=extra)
        return True

    async def _rollover(self) -> str:
        """Midnight in California: YouTube's buckets are full again, and what waited for them is due."""
        for bucket in (Bucket.YOUTUBE_UNITS, Bucket.YOUTUBE_SEARCH):
            log.info(Event.QUOTA_RESET, extra={"bucket": bucket.value})
        self._executor.wake()
        return "YouTube's quota is full again"
