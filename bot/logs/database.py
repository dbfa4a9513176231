"""The database as a sink of the log: lines are written in batches and forgotten only when they are stored."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from bot.clock import Clock
from bot.logs.queue import LineQueue
from bot.logs.setup import Logs
from bot.model.events import Event
from bot.model.logline import LogLine

CAPACITY = 150_000  # lines that wait while the database is slow or away: more than ten seconds of a flood bring
BATCH = 1_000
GATHER_SECONDS = 0.5  # lines of half a second share one transaction
LONGEST_BACKOFF = 60.0
DROPS_TOLD_EVERY = 60.0
LAST_WORDS_SECONDS = 5.0

log = logging.getLogger(__name__)

Append = Callable[[Sequence[LogLine]], Awaitable[object]]


class DatabaseLog:
    """Hands queued lines to ``append``. A failing database is logged once when it fails and once when it is back."""

    def __init__(self, append: Append, clock: Clock, *, capacity: int = CAPACITY) -> None:
        self._append = append
        self._clock = clock
        self._arrived = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.queue = LineQueue(capacity, lambda: loop.call_soon_threadsafe(self._arrived.set))
        self.writing = asyncio.Lock()  # held during a write: who cancels takes it first, else lines are stored twice
        self._failures = 0
        self._dropped = 0
        self._drops_told_at = -DROPS_TOLD_EVERY

    async def run_forever(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self._clock.sleep(GATHER_SECONDS)
            while not await self.flush():
                await self._clock.sleep(min(2.0**self._failures, LONGEST_BACKOFF))

    async def flush(self) -> bool:
        """Write what is queued. False: the database refused; the lines stay queued."""
        async with self.writing:
            return await self._write_queued()

    async def _write_queued(self) -> bool:
        while lines := self.queue.peek(BATCH):
            try:
                await self._append(lines)
            except Exception:  # noqa: BLE001 - logged just below; the log outlives every failure of its database
                self._note_failure()
                return False
            self.queue.clear(len(lines))
            self._note_success()
        return True

    def _note_failure(self) -> None:
        self._failures += 1
        if self._failures == 1:
            log.exception(Event.SERVICE_FAILING, extra={"service": "The log's database"})

    def _note_success(self) -> None:
        if self._failures:
            log.warning(Event.SERVICE_BACK, extra={"service": "The log's database", "failures": self._failures})
            self._failures = 0
        self._dropped += self.queue.take_dropped()
        if self._dropped and self._clock.monotonic() - self._drops_told_at >= DROPS_TOLD_EVERY:
            log.warning(Event.LOG_DROPPED, extra={"count": self._dropped, "queue": "the log's database"})
            self._dropped = 0
            self._drops_told_at = self._clock.monotonic()


@asynccontextmanager
async def open_database_log(logs: Logs, append: Append, clock: Clock) -> AsyncIterator[DatabaseLog]:
    """Store every line through ``append`` while open; on exit what is queued is written, for five seconds at most."""
    sink = DatabaseLog(append, clock)
    detach = logs.attach(sink.queue)
    task = asyncio.create_task(sink.run_forever(), name="log-database")
    try:
        yield sink
    finally:
        detach()
        with suppress(TimeoutError):  # a stuck database must not keep the program from ending
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                async with sink.writing:
                    task.cancel()
                await sink.flush()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
