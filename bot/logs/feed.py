"""The log feed: carries lines to the desk, what the desk decided to storage, and its messages to a sink."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Protocol, TypeVar

from bot.clock import Clock
from bot.logs import incidents
from bot.logs.desk import FeedDesk
from bot.logs.messages import CardGone, Message, Sink, worth_telling
from bot.logs.queue import LineQueue
from bot.logs.setup import Logs
from bot.model.digest import Digest
from bot.model.events import Event, RunFinished
from bot.model.incident import Incident
from bot.model.logline import Level

CAPACITY = 150_000  # the lines are those that wait for the database too, so that they cost little
SLICE = 200  # lines taken in at a time, so that a flood leaves the loop to others
FACTS = 1_000  # ended runs and digests that wait for a sink; older ones give way
KEEP_SECONDS = 2.0  # changed incidents are stored at most so often
SEND_SECONDS = 15.0
TICK_SECONDS = 0.5
SETTINGS, INCIDENTS = "settings", "incidents"  # what the feed asks the database for
LAST_WORDS_SECONDS = 5.0
# What sending itself makes others log must not be sent again.
NEVER_FED = ("bot.logs.feed", "cogs.log_feed", "discord")

log = logging.getLogger(__name__)

T = TypeVar("T")
LevelOf = Callable[[int | None], Awaitable[Level | None]]
"""The least level that a guild (None: lines without one) wants to read; None: it reads no feed."""


class Book(Protocol):
    """Where incidents outlive the process; ``storage.incidents.Incidents`` is one."""

    async def open(self) -> list[Incident]: ...

    async def keep(self, changed: Sequence[Incident], /) -> list[Incident]:
        """Store them, all or none; the same, new ones with their ids."""
        ...


class Feed:
    """Carries queued lines to the desk and the desk's messages to the connected sink; it never logs to itself.

    Without a sink lines wait in the queue, as many as it holds.
    """

    def __init__(self, level_of: LevelOf, book: Book, clock: Clock, *, capacity: int = CAPACITY) -> None:
        self._sink: Sink | None = None
        self._level_of = level_of
        self._book = book
        self._clock = clock
        self._desk = FeedDesk()
        self._loaded = False
        self._failing: set[str] = set()  # what of the database is told to fail
        self._kept_at = float("-inf")
        self._turning = asyncio.Lock()
        self._keeping = asyncio.Lock()
        self._facts: deque[RunFinished | Digest] = deque(maxlen=FACTS)
        self._stirred = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.queue = LineQueue(capacity, lambda: loop.call_soon_threadsafe(self._stirred.set))

    def connect(self, sink: Sink) -> Callable[[], None]:
        """Send to ``sink`` from now on; returns the disconnecting."""
        self._sink = sink
        self._stirred.set()

        def disconnect() -> None:
            if self._sink is sink:
                self._sink = None

        return disconnect

    def run_finished(self, fact: RunFinished) -> None:
        """Have the guild read a summary of the run if it changed or failed something; silent otherwise."""
        if worth_telling(fact.run):
            self._hand_in(fact)

    def offer_digest(self, digest: Digest) -> None:
        """Have the guild read the digest, once however often it is offered while it waits."""
        self._hand_in(digest)

    async def run_forever(self) -> None:
        while True:
            if self._sink is None or (self._desk.idle(self._clock.now()) and not self.queue and not self._facts):
                await self._stirred.wait()
            self._stirred.clear()
            await self.turn()
            await self._clock.sleep(TICK_SECONDS)

    async def turn(self) -> None:
        """Take in what is queued, store what changed and send what is due; nothing without a sink."""
        async with self._turning:
            sink = self._sink
            if sink is None:
                return
            await self._load()
            await self._take_in()
            await self._keep()
            if INCIDENTS in self._failing:
                return  # a card that is not stored would be posted anew after a restart
            due = self._desk.due(self._clock.now(), self._clock.monotonic())
            await asyncio.gather(*(self._send(sink, message) for message in due))

    async def tend(self) -> str:
        """End silences and incidents of which nothing more was heard; a sentence on what is open."""
        await self._load()
        self._desk.tend(self._clock.now(), self._clock.monotonic())
        self._stirred.set()
        total, waiting = self._desk.counts()
        return f"{total} incidents open, {waiting} of them wait for their card"

    def incident(self, guild_id: int, incident_id: int) -> Incident | None:
        """The incident as it is at this moment; None: it is not open (any more)."""
        case = self._desk.find(guild_id, incident_id)
        return case.incident if case is not None else None

    async def acknowledge(self, guild_id: int, incident_id: int, by: int, name: str) -> Incident | None:
        """The incident, acknowledged by whoever came first; None: it is not open (any more)."""
        at = self._clock.now()
        return await self._changed(
            guild_id,
            incident_id,
            lambda one: one if one.acknowledged_by is not None else incidents.acknowledged(one, by, name, at),
        )

    async def silence(self, guild_id: int, incident_id: int, until: datetime, name: str) -> Incident | None:
        """The incident, not shown until ``until``; None: it is not open (any more)."""
        return await self._changed(guild_id, incident_id, lambda one: incidents.silenced(one, until, name))

    async def last_words(self) -> None:
        """Store what changed, at the end."""
        await self._take_in()
        await self._keep(at_once=True)

    async def _changed(
        self, guild_id: int, incident_id: int, change: Callable[[Incident], Incident]
    ) -> Incident | None:
        await self._load()
        case = self._desk.find(guild_id, incident_id)
        if case is None or case.incident.over_at is not None:
            return None
        self._desk.change(case, change(case.incident), self._clock.monotonic())
        changed = case.incident
        await self._keep(at_once=True)
        self._stirred.set()
        return changed

    def _hand_in(self, fact: RunFinished | Digest) -> None:
        self._facts.append(fact)
        self._stirred.set()

    async def _load(self) -> None:
        """Once, when the database answers: the cards of an earlier process."""
        async with self._keeping:
            if not self._loaded:
                found = await self._answered(INCIDENTS, self._book.open)
                if found is not None:
                    self._desk.load(found, self._clock.monotonic())
                    self._loaded = True

    async def _take_in(self) -> None:
        """What is queued at this moment; what comes meanwhile is for the next turn."""
        lines, facts = self.queue.peek(CAPACITY), tuple(self._facts)
        if not (self._loaded and (lines or facts)):
            return
        levels = await self._levels({one.guild_id for one in (*lines, *facts)})
        if levels is None:
            return  # all of it stays queued
        for start in range(0, len(lines), SLICE):
            taken = lines[start : start + SLICE]
            for line in taken:
                self._desk.take_in(line, levels[line.guild_id], self._clock.monotonic())
            self.queue.clear(len(taken))
            await asyncio.sleep(0)
        for fact in facts:
            self._facts.remove(fact)
            self._take_fact(fact, levels)
        if dropped := self.queue.take_dropped():  # they stand in the database all the same
            log.warning(Event.LOG_DROPPED, extra={"count": dropped, "queue": "the log feed"})

    def _take_fact(self, fact: RunFinished | Digest, levels: dict[int | None, Level | None]) -> None:
        now = self._clock.monotonic()
        if levels[fact.guild_id] is None:
            return
        if isinstance(fact, Digest):
            self._desk.add_digest(fact, now)
        else:
            self._desk.add_run(fact.guild_id, fact.run, now)

    async def _levels(self, guild_ids: set[int | None]) -> dict[int | None, Level | None] | None:
        """The guilds' levels; None while they cannot be read: the lines then stay queued."""

        async def ask() -> dict[int | None, Level | None]:
            return {guild_id: await self._level_of(guild_id) for guild_id in guild_ids}

        return await self._answered(SETTINGS, ask)

    async def _keep(self, *, at_once: bool = False) -> None:
        """Store what changed; a failure leaves it for the next turn."""
        async with self._keeping:
            now = self._clock.monotonic()
            unkept = self._desk.unkept() if self._loaded else []
            if not unkept or (now - self._kept_at < KEEP_SECONDS and not at_once):
                return
            stored = await self._answered(INCIDENTS, lambda: self._book.keep([incident for _, incident in unkept]))
            if stored is not None:
                self._desk.kept([(*pair, kept) for pair, kept in zip(unkept, stored, strict=True)])
                self._kept_at = now

    async def _answered(self, what: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """What the database answers; None while it does not, which is logged once, and once when it is back."""
        fields = {"service": f"The log feed's {what}"}
        try:
            answer = await ask()
        except Exception:
            if what not in self._failing:
                self._failing.add(what)
                log.exception(Event.SERVICE_FAILING, extra=fields)
            return None
        if what in self._failing:
            self._failing.discard(what)
            log.warning(Event.SERVICE_BACK, extra=fields)
        return answer

    async def _send(self, sink: Sink, message: Message) -> None:
        fields = {"service": "The log feed", "guild_id": message.guild_id}
        try:
            async with asyncio.timeout(SEND_SECONDS):
                place = await sink.show(message)
        except CardGone:
            self._desk.gone(message, self._clock.monotonic())
        except Exception as error:
            if self._desk.failed(message, self._clock.monotonic()):
                log.exception(Event.SERVICE_FAILING, extra={**fields, "error": error})
        else:
            if self._desk.delivered(message, place, self._clock.monotonic()):
                log.warning(Event.SERVICE_BACK, extra=fields)


@asynccontextmanager
async def open_feed(logs: Logs, level_of: LevelOf, book: Book, clock: Clock) -> AsyncIterator[Feed]:
    """Feed every line to the sink that connects. On exit what waits is stored, not sent: the next start sends it."""
    feed = Feed(level_of, book, clock)
    detach = logs.attach(feed.queue, leave_out=NEVER_FED)
    task = asyncio.create_task(feed.run_forever(), name="log-feed")
    try:
        yield feed
    finally:
        detach()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await feed.last_words()
