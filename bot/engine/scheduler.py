"""The clockwork: APScheduler only wakes; what is due stands in the database, and what was done in ``task_status``."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
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
class _Task:
    """``work`` returns a sentence on what it did."""

    trigger: BaseTrigger
    work: Callable[[], Awaitable[str]]


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
        self._tasks = {
            "sync": _Task(trigger=IntervalTrigger(seconds=20), work=self._syncs),
            "heartbeats": _Task(trigger=IntervalTrigger(minutes=5), work=self._heartbeats),
            "cleanup": _Task(trigger=IntervalTrigger(hours=1), work=self._cleanup),
            "retention": _Task(trigger=IntervalTrigger(hours=6), work=self._forget),
            "tokens": _Task(trigger=IntervalTrigger(hours=12), work=self._consents),
            "matches": _Task(trigger=IntervalTrigger(hours=12), work=self._revalidate),
            "quota": _Task(trigger=CronTrigger(hour=0, timezone="America/Los_Angeles"), work=self._rollover),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks that ``run_now`` knows."""
        return tuple(self._tasks)

    async def start(self) -> None:
        # One second is APScheduler's grace by default, and it drops in silence what comes later.
        self._clockwork = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for name, task in self._tasks.items():
            self._clockwork.add_job(self._tick, task.trigger, args=[name], id=name)
        self._clockwork.start()
        for name in ("sync", "tokens", "cleanup", "retention"):
            self._wake(name)  # what came due while the program was not running

    async def stop(self) -> None:
        if self._clockwork is not None:
            self._clockwork.shutdown(wait=False)
            self._clockwork = None
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def run_now(self, task_name: str) -> None:
        """Run a task and wait for its end. Raises UserMistake for an unknown name."""
        if task_name not in self._tasks:
            raise UserMistake(f"There is no task “{task_name}”; there are {', '.join(self._tasks)}.")
        self._wake(task_name)
        await asyncio.shield(self._running[task_name])

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
            await note(name, status=TaskState.RUNNING, last_run=self._clock.now(), next_run=self._next(name))
            result = await self._tasks[name].work()
            await note(name, status=TaskState.OK, last_error="", last_result=result)
        except CrossfadeError as error:
            log.error(Event.TASK_FAILED, extra={"task": name, "error": str(error)})  # noqa: TRY400 - no bug
            await self._note_failure(name, str(error))
        except Exception as error:
            log.exception(Event.BUG, extra={"where": f"task {name}"})
            await self._note_failure(name, repr(error))

    async def _note_failure(self, name: str, error: str) -> None:
        try:
            await self._storage.tasks.note(name, status=TaskState.FAILED, last_error=error)
        except CrossfadeError as second:  # the database itself fails: the log is all that is left
            log.warning(Event.TASK_FAILED, extra={"task": name, "error": str(second)})

    def _next(self, name: str) -> datetime | None:
        job = self._clockwork.get_job(name) if self._clockwork is not None else None
        return None if job is None else job.next_run_time

    async def _syncs(self) -> str:
        return f"{await self._sync.due()} mappings analysed"

    async def _heartbeats(self) -> str:
        """Fail runs of workers that are gone; their items go on."""
        now = self._clock.now()
        runs = await self._storage.runs.fail_abandoned(now, SILENT_FOR)
        items = await self._storage.items.recover_leases(now, settle=self._executor.settle)
        if runs or items:
            log.warning(Event.SYSTEM_RECOVERED, extra={"runs": len(runs), "items": items})
            self._executor.wake()
        return f"{len(runs)} runs failed, {items} items taken back"

    async def _cleanup(self) -> str:
        """Forget consents that nobody confirmed: their tokens are not ours to keep."""
        forgotten = 0
        for account in await self._storage.accounts.pending_since(self._clock.now() - UNCONFIRMED_FOR):
            forgotten += await self._storage.accounts.reject(account.id)
        return f"{forgotten} unconfirmed accounts forgotten"

    async def _forget(self) -> str:
        return f"{await self._retention.run()} log lines deleted"

    async def _revalidate(self) -> str:
        return f"{await self._revalidation.run()} remembered matches looked at again"

    async def _consents(self) -> str:
        """Say once for each consent that it ends soon."""
        told = 0
        for account in await self._storage.accounts.connected():
            told += await self._warned(account)
        return f"{told} people warned"

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
