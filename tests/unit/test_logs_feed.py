"""The log feed: what guilds read, folded, limited, and never an echo of its own troubles."""

import asyncio
import io
import itertools
import logging
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.logs.feed import MESSAGES_A_MINUTE, Feed, FeedDesk, FeedMessage, open_feed
from bot.logs.setup import open_logs
from bot.model.events import Event
from bot.model.logline import Level, LogLine
from tests.clock import FakeClock

GUILD = 7
log = logging.getLogger("bot.engine.executor")


def line(message: str = "x", *, guild_id: int | None = GUILD, level: Level = Level.WARN) -> LogLine:
    return LogLine(
        at=datetime(2026, 11, 21, tzinfo=UTC), level=level, event="item.error", message=message, guild_id=guild_id
    )


def sent(desk: FeedDesk, moments: list[float]) -> list[tuple[float, FeedMessage]]:
    """The desk's messages, asked for at these moments and always delivered."""
    out = []
    for now in moments:
        for message in desk.due(now):
            desk.delivered(message)
            out.append((now, message))
    return out


def seconds(end: float, step: float = 0.5) -> list[float]:
    return [step * number for number in range(int(end / step))]


def test_lines_that_come_together_share_a_message() -> None:
    desk = FeedDesk()
    for number in range(4):
        desk.take_in(line(str(number)), 0.0)
    ((when, message),) = sent(desk, seconds(60))
    assert when == 2.0
    assert [fed.line.message for fed in message.lines] == ["0", "1", "2", "3"]
    assert desk.idle


def test_repeated_lines_are_folded_with_their_count() -> None:
    desk = FeedDesk()
    for message in ("a", "b", "a", "a"):
        desk.take_in(line(message), 0.0)
    ((_, message_sent),) = sent(desk, seconds(60))
    assert [(fed.line.message, fed.count) for fed in message_sent.lines] == [("a", 3), ("b", 1)]


def test_guilds_do_not_see_each_others_lines() -> None:
    desk = FeedDesk()
    desk.take_in(line("mine", guild_id=1), 0.0)
    desk.take_in(line("yours", guild_id=2), 0.0)
    desk.take_in(line("nobody's", guild_id=None), 0.0)
    messages = [message for _, message in sent(desk, seconds(60))]
    assert {m.guild_id: [fed.line.message for fed in m.lines] for m in messages} == {
        1: ["mine"], 2: ["yours"], None: ["nobody's"],
    }  # fmt: skip


@given(
    st.lists(st.tuples(st.floats(0, 300), st.integers(1, 60), st.booleans()), max_size=40),
    st.lists(st.booleans(), max_size=40),
)
def test_no_flood_makes_more_than_ten_messages_in_any_minute_and_no_line_is_lost_uncounted(
    bursts: list[tuple[float, int, bool]], refusals: list[bool]
) -> None:
    desk = FeedDesk()
    waiting = sorted(bursts)
    attempts: list[float] = []
    shown = dropped = offered = 0
    for now in seconds(1200):
        while waiting and waiting[0][0] <= now:
            _, size, alike = waiting.pop(0)
            for number in range(size):
                desk.take_in(line("same" if alike else f"{now} {number}"), now)
                offered += 1
        for message in desk.due(now):
            attempts.append(now)
            if refusals and refusals.pop():
                desk.failed(message, now)
                continue
            desk.delivered(message)
            shown += sum(fed.count for fed in message.lines)
            dropped += message.dropped
    for moment in attempts:
        assert sum(moment <= other < moment + 60 for other in attempts) <= MESSAGES_A_MINUTE
    if desk.idle:
        assert shown + dropped == offered


def test_a_flood_counts_what_it_leaves_out() -> None:
    desk = FeedDesk()
    for number in range(1000):
        desk.take_in(line(str(number)), 0.0)
    messages = [message for _, message in sent(desk, seconds(60))]
    assert sum(message.dropped for message in messages) == 960
    assert sum(len(message.lines) for message in messages) == 40
    assert desk.idle


def test_a_steady_flood_makes_ten_messages_a_minute_spread_over_it() -> None:
    desk = FeedDesk()
    times = []
    for now in seconds(300):
        desk.take_in(line(str(now)), now)
        times += [when for when, _ in sent(desk, [now])]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) <= 30
    assert max(sum(moment <= other < moment + 60 for other in times) for moment in times) == MESSAGES_A_MINUTE


def test_a_refused_message_comes_again_unchanged_with_its_number() -> None:
    desk = FeedDesk()
    desk.take_in(line("a"), 0.0)
    (first,) = desk.due(2.0)
    assert desk.due(3.0) == []  # it is under way
    assert desk.failed(first, 3.0)
    desk.take_in(line("b"), 3.5)
    assert desk.due(4.0) == []  # it backs off
    (again,) = desk.due(8.0)
    assert again == first
    assert not desk.failed(again, 8.0)  # told already
    (third,) = desk.due(18.0)
    assert desk.delivered(third)
    (rest,) = desk.due(30.0)
    assert ([fed.line.message for fed in rest.lines], rest.number) == (["b"], first.number + 1)


class Channel:
    """A sink that keeps messages, or fails while ``broken``; what it logs itself must never come back to it."""

    def __init__(self) -> None:
        self.messages: list[FeedMessage] = []
        self.broken = False
        self.arrived = asyncio.Event()

    async def send(self, guild_id: int | None, message: FeedMessage) -> None:
        if self.broken:
            logging.getLogger("discord.http").warning("500 Internal Server Error")
            logging.getLogger("cogs.log_feed._cog").warning(Event.BUG)
            raise OSError("500")
        assert guild_id == message.guild_id
        self.messages.append(message)
        self.arrived.set()


async def level_of(guild_id: int | None) -> Level | None:
    return {GUILD: Level.WARN, 8: Level.ERROR, 9: None}.get(guild_id or 0, Level.INFO)


async def turns(feed: Feed, clock: FakeClock, count: int) -> None:
    for _ in range(count):
        await feed.turn()
        clock.advance(1.0)


async def test_each_guild_reads_from_its_own_level_up(clock: FakeClock) -> None:
    feed, channel = Feed(level_of, clock), Channel()
    feed.connect(channel)
    for guild_id in (GUILD, 8, 9, None):
        for level in Level:
            feed.queue.offer(line(level.value, guild_id=guild_id, level=level))
    await turns(feed, clock, 10)
    assert {m.guild_id: [fed.line.message for fed in m.lines] for m in channel.messages} == {
        GUILD: ["warn", "error"], 8: ["error"], None: ["info", "warn", "error"],
    }  # fmt: skip


async def test_lines_wait_for_a_sink(clock: FakeClock) -> None:
    feed, channel = Feed(level_of, clock), Channel()
    feed.queue.offer(line("early"))
    await turns(feed, clock, 5)
    disconnect = feed.connect(channel)
    await turns(feed, clock, 5)
    disconnect()
    feed.queue.offer(line("late"))
    await turns(feed, clock, 5)
    assert [fed.line.message for message in channel.messages for fed in message.lines] == ["early"]


async def test_a_failing_sink_is_logged_once_and_once_when_it_is_back_and_never_to_itself() -> None:
    clock, channel, stream = FakeClock(), Channel(), io.StringIO()
    channel.broken = True
    with open_logs(stream=stream, now=clock.now) as logs:
        feed = Feed(level_of, clock)
        logs.attach(feed.queue, leave_out=("bot.logs.feed", "cogs.log_feed", "discord"))
        feed.connect(channel)
        log.error(Event.ITEM_ERROR, extra={"error": "full", "guild_id": GUILD})
        await turns(feed, clock, 100)
        channel.broken = False
        await turns(feed, clock, 300)
    written = stream.getvalue()
    assert written.count("service.failing") == 1
    assert written.count("service.back") == 1
    assert [[fed.line.event for fed in message.lines] for message in channel.messages] == [["item.error"]]


async def test_levels_that_cannot_be_read_lose_no_line(clock: FakeClock) -> None:
    broken = True

    async def shaky(guild_id: int | None) -> Level | None:
        if broken:
            raise OSError("database is gone")
        return Level.WARN

    feed, channel = Feed(shaky, clock), Channel()
    feed.connect(channel)
    feed.queue.offer(line("a"))
    await turns(feed, clock, 3)
    broken = False
    await turns(feed, clock, 5)
    assert [fed.line.message for message in channel.messages for fed in message.lines] == ["a"]


async def test_the_open_feed_hears_the_log_and_leaves_its_own_room_out() -> None:
    clock, channel = FakeClock(), Channel()
    with open_logs(stream=io.StringIO()) as logs:
        async with open_feed(logs, level_of, clock) as feed:
            feed.connect(channel)
            logging.getLogger("bot.logs.feed").error(Event.BUG, extra={"guild_id": GUILD})
            log.error(Event.ITEM_ERROR, extra={"error": "full", "guild_id": GUILD})
            async with asyncio.timeout(5):
                await channel.arrived.wait()
    assert [fed.line.event for fed in channel.messages[0].lines] == ["item.error"]
