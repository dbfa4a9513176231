"""The log feed: decides which lines a guild reads, when and in how many messages, and hands them to a sink.

``FeedDesk`` decides, and neither sends nor looks at a clock; ``Feed`` carries lines to it and messages to the sink.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.clock import Clock
from bot.logs.queue import LineQueue
from bot.logs.setup import Logs
from bot.model.events import Event
from bot.model.logline import Level, LogLine

CAPACITY = 10_000
LINES_A_MESSAGE = 10
MESSAGES_A_MINUTE = 10  # for each guild; DESIGN.md section 6
WINDOW_SECONDS = 60.0
GATHER_SECONDS = 2.0  # neighbours of the first line come with it
BURST = 3  # messages that may follow each other quickly; then the minute's rest is spread out
WAITING_LINES = 40  # different lines that wait for a guild; what goes beyond is counted as dropped
FIRST_BACKOFF = 5.0
LONGEST_BACKOFF = 300.0
SEND_SECONDS = 15.0
TICK_SECONDS = 0.5
# What sending itself makes others log must not be sent again.
NEVER_FED = ("bot.logs.feed", "cogs.log_feed", "discord")

_RANK = {Level.INFO: 0, Level.WARN: 1, Level.ERROR: 2}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FedLine:
    """``line``, the latest of ``count`` that read the same."""

    line: LogLine
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMessage:
    """One message for a guild, or, with None, for the application's owner.

    ``number`` is the same when the message is tried again: the nonce that keeps Discord from showing it twice.
    """

    guild_id: int | None
    number: int
    lines: tuple[FedLine, ...]
    dropped: int = 0  # lines left out before this message because there were too many


class Sink(Protocol):
    async def send(self, guild_id: int | None, message: FeedMessage) -> None:
        """Show ``message``. Raises when it could not; it is then given again later, with the same number."""
        ...


LevelOf = Callable[[int | None], Awaitable[Level | None]]
"""The least level that a guild (None: the owner) wants to read; None: it reads no feed."""


@dataclass(slots=True)
class _Tray:
    """What waits for one guild. Times are monotonic seconds."""

    waiting: OrderedDict[tuple[object, ...], FedLine] = field(default_factory=OrderedDict)
    dropped: int = 0
    first_at: float = 0.0  # when the oldest waiting line came
    sent_at: deque[float] = field(default_factory=deque)  # attempts within the window
    outgoing: FeedMessage | None = None  # handed out and not yet delivered
    in_hand: bool = False
    failures: int = 0
    not_before: float = 0.0


class FeedDesk:
    """Batches, folds and limits lines, for each guild by itself. ``now`` is in monotonic seconds."""

    def __init__(self) -> None:
        self._trays: dict[int | None, _Tray] = {}
        self._number = 0

    def take_in(self, line: LogLine, now: float) -> None:
        tray = self._trays.setdefault(line.guild_id, _Tray())
        key = (line.event, line.level, line.mapping_id, line.message)
        known = tray.waiting.get(key)
        if known is not None:
            tray.waiting[key] = replace(known, line=line, count=known.count + 1)
        elif len(tray.waiting) >= WAITING_LINES:
            tray.dropped += 1
        else:
            if not tray.waiting:
                tray.first_at = now
            tray.waiting[key] = FedLine(line=line)

    def due(self, now: float) -> list[FeedMessage]:
        """The messages to send now, at most one for each guild; ``delivered`` or ``failed`` must follow for each."""
        return [self._hand_out(guild_id, tray, now) for guild_id, tray in self._trays.items() if _ready(tray, now)]

    def delivered(self, message: FeedMessage) -> bool:
        """Note a success. True when it ends a row of failures."""
        tray = self._trays[message.guild_id]
        recovered = tray.failures > 0
        tray.outgoing, tray.in_hand, tray.failures = None, False, 0
        return recovered

    def failed(self, message: FeedMessage, now: float) -> bool:
        """Note a failure; the same message is due again after a backoff. True when it is the first of a row."""
        tray = self._trays[message.guild_id]
        tray.in_hand = False
        tray.failures += 1
        tray.not_before = now + min(FIRST_BACKOFF * 2 ** (tray.failures - 1), LONGEST_BACKOFF)
        return tray.failures == 1

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not any(tray.waiting or tray.outgoing for tray in self._trays.values())

    def _hand_out(self, guild_id: int | None, tray: _Tray, now: float) -> FeedMessage:
        tray.sent_at.append(now)
        tray.in_hand = True
        if tray.outgoing is None:
            self._number += 1
            taken = [tray.waiting.popitem(last=False)[1] for _ in range(min(LINES_A_MESSAGE, len(tray.waiting)))]
            tray.outgoing = FeedMessage(
                guild_id=guild_id, number=self._number, lines=tuple(taken), dropped=tray.dropped
            )
            tray.dropped = 0
        return tray.outgoing


def _ready(tray: _Tray, now: float) -> bool:
    if tray.in_hand or now < tray.not_before or not (tray.waiting or tray.outgoing):
        return False
    while tray.sent_at and tray.sent_at[0] <= now - WINDOW_SECONDS:
        tray.sent_at.popleft()
    if len(tray.sent_at) >= MESSAGES_A_MINUTE:
        return False
    gap = GATHER_SECONDS if len(tray.sent_at) < BURST else WINDOW_SECONDS / MESSAGES_A_MINUTE
    since = max(tray.first_at, tray.sent_at[-1] if tray.sent_at else 0.0)
    return tray.outgoing is not None or now >= since + gap


class Feed:
    """Carries queued lines to the desk and the desk's messages to the connected sink; it never logs to itself.

    Without a sink lines wait in the queue, as many as it holds.
    """

    def __init__(self, level_of: LevelOf, clock: Clock, *, capacity: int = CAPACITY) -> None:
        self._sink: Sink | None = None
        self._level_of = level_of
        self._levels_fail = False
        self._clock = clock
        self._desk = FeedDesk()
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

    async def run_forever(self) -> None:
        while True:
            if self._sink is None or (self._desk.idle and not self.queue):
                await self._stirred.wait()
            self._stirred.clear()
            await self.turn()
            await self._clock.sleep(TICK_SECONDS)

    async def turn(self) -> None:
        """Take in what is queued and send what is due; nothing without a sink."""
        if self._sink is None:
            return
        lines = self.queue.peek(CAPACITY)
        levels = await self._levels({line.guild_id for line in lines})
        if levels is not None:
            self._take_in(lines, levels)
        sink, due = self._sink, self._desk.due(self._clock.monotonic())
        await asyncio.gather(*(self._send(sink, message) for message in due))

    async def _levels(self, guild_ids: set[int | None]) -> dict[int | None, Level | None] | None:
        """The guilds' levels; None while they cannot be read: the lines then stay queued."""
        try:
            levels = {guild_id: await self._level_of(guild_id) for guild_id in guild_ids}
        except Exception:
            if not self._levels_fail:
                log.exception(Event.SERVICE_FAILING, extra={"service": "The log feed's settings"})
            self._levels_fail = True
            return None
        if self._levels_fail:
            log.warning(Event.SERVICE_BACK, extra={"service": "The log feed's settings"})
        self._levels_fail = False
        return levels

    def _take_in(self, lines: tuple[LogLine, ...], levels: dict[int | None, Level | None]) -> None:
        for line in lines:
            least = levels[line.guild_id]
            if least is not None and _RANK[line.level] >= _RANK[least]:
                self._desk.take_in(line, self._clock.monotonic())
        self.queue.clear(len(lines))
        if dropped := self.queue.take_dropped():
            log.warning(Event.LOG_DROPPED, extra={"count": dropped, "queue": "the log feed"})

    async def _send(self, sink: Sink, message: FeedMessage) -> None:
        fields = {"service": "The log feed", "guild_id": message.guild_id}
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await sink.send(message.guild_id, message)
        except Exception as error:
            if self._desk.failed(message, self._clock.monotonic()):
                log.exception(Event.SERVICE_FAILING, extra={**fields, "error": error})
        else:
            if self._desk.delivered(message):
                log.warning(Event.SERVICE_BACK, extra=fields)


@asynccontextmanager
async def open_feed(logs: Logs, level_of: LevelOf, clock: Clock) -> AsyncIterator[Feed]:
    """Feed every line to the sink that connects. On exit what waits is left: it stands in the database's log."""
    feed = Feed(level_of, clock)
    detach = logs.attach(feed.queue, leave_out=NEVER_FED)
    task = asyncio.create_task(feed.run_forever(), name="log-feed")
    try:
        yield feed
    finally:
        detach()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
