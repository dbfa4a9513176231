"""The log feed: what guilds read, gathered into cards, limited, and never an echo of its own troubles."""

import asyncio
import io
import itertools
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.logs.desk import FeedDesk
from bot.logs.feed import NEVER_FED, Feed, open_feed
from bot.logs.messages import Card, CardGone, Daily, Message, Place, Summary, edits
from bot.logs.setup import open_logs
from bot.logs.tray import EDIT_SECONDS
from bot.model.digest import Digest
from bot.model.events import Event, RunFinished
from bot.model.incident import Incident
from bot.model.logline import Level, LogLine
from bot.model.run import Run, RunCounts, RunKind, RunStatus, Trigger
from tests.clock import FakeClock

GUILD = 7
START = datetime(2026, 11, 21, tzinfo=UTC)
log = logging.getLogger("bot.engine.executor")


def line(
    about: str = "x", *, guild_id: int | None = GUILD, level: Level = Level.WARN, event: str = "task.failed", **ids: Any
) -> LogLine:
    """Of the incident of the task ``about``."""
    return LogLine(
        at=START,
        level=level,
        event=event,
        message=about,
        guild_id=guild_id,
        details={"task": about, "service": about},
        **ids,
    )


def run(number: int = 1, *, guild_id: int = GUILD, kind: RunKind = RunKind.EXECUTION, **counts: int) -> RunFinished:
    ended = Run(
        id=number, kind=kind, mapping_id=1, trigger=Trigger.SCHEDULE, actor_id=0, status=RunStatus.COMPLETED,
        created_at=START, counts=RunCounts(**counts),
    )  # fmt: skip
    return RunFinished(run=ended, guild_id=guild_id)


class Channel:
    """A desk with everything around it: storage that hands out ids, and a channel where messages stand."""

    def __init__(self, desk: FeedDesk | None = None) -> None:
        self.desk = desk or FeedDesk()
        self.now = 0.0
        self.sent: list[tuple[float, Message]] = []  # delivered
        self.stored: dict[int, Incident] = {}
        self.dropped = 0

    @property
    def at(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def say(self, each: LogLine, least: Level = Level.WARN) -> None:
        self.desk.take_in(replace(each, at=self.at), least, self.now)

    def store(self) -> None:
        kept = []
        for case, incident in self.desk.unkept():
            known = replace(incident, id=incident.id or len(self.stored) + 1)
            self.stored[known.id] = known
            kept.append((case, incident, known))
        self.desk.kept(kept)

    def step(self, seconds: float = 0.5) -> list[Message]:
        self.now += seconds
        self.desk.tend(self.at, self.now)
        self.store()
        return self.desk.due(self.at, self.now)

    def deliver(self, message: Message) -> None:
        place = None
        if isinstance(message, Card):
            place = Place(1, message.incident.message_id or 1000 + message.number)
        self.desk.delivered(message, place, self.now)
        self.sent.append((self.now, message))

    def pass_time(self, seconds: float) -> list[Message]:
        """What is delivered meanwhile."""
        before = len(self.sent)
        end = self.now + seconds
        while self.now < end:
            for message in self.step():
                self.deliver(message)
        self.store()
        return [message for _, message in self.sent[before:]]


def cards(messages: Sequence[Message]) -> list[tuple[str, int, bool]]:
    """Message, count and whether it is an edit, of each card."""
    return [(one.incident.message, one.incident.count, one.edits) for one in messages if isinstance(one, Card)]


def test_lines_of_one_incident_that_come_together_share_a_card() -> None:
    channel = Channel()
    for _ in range(4):
        channel.say(line("a"))
    channel.say(line("b"))
    assert cards(channel.pass_time(60)) == [("a", 4, False), ("b", 1, False)]
    assert channel.sent[0][0] == 2.0
    assert channel.desk.idle(channel.at)


def test_a_card_is_edited_in_place_while_the_incident_lasts_and_not_too_often() -> None:
    channel = Channel()
    channel.say(line("a"))
    channel.pass_time(10)
    for _ in range(20):
        channel.say(line("a"))
        channel.pass_time(3)
    channel.pass_time(EDIT_SECONDS)
    shown = [message for _, message in channel.sent]
    assert cards(shown)[0] == ("a", 1, False)
    assert cards(shown)[-1] == ("a", 21, True)
    assert {one.incident.message_id for one in shown[1:] if isinstance(one, Card)} == {1001}
    times = [when for when, _ in channel.sent[1:]]
    assert all(later - earlier >= EDIT_SECONDS for earlier, later in itertools.pairwise(times))


def test_guilds_do_not_see_each_others_lines() -> None:
    channel = Channel()
    channel.say(line("mine", guild_id=1))
    channel.say(line("yours", guild_id=2))
    channel.say(line("nobody's", guild_id=None))
    messages = channel.pass_time(60)
    assert {message.guild_id: cards([message])[0][0] for message in messages} == {1: "mine", 2: "yours"}


def test_what_is_over_is_said_on_its_card_and_a_new_line_opens_a_new_one() -> None:
    channel = Channel()
    channel.say(line("YouTube", event="service.failing"))
    channel.pass_time(30)
    channel.say(line("YouTube", event="service.back", level=Level.INFO))
    closing = channel.pass_time(30)
    assert [one.incident.over_at is not None and one.edits for one in closing if isinstance(one, Card)] == [True]
    assert channel.stored[1].closed_at is not None
    channel.say(line("YouTube", event="service.failing"))
    assert cards(channel.pass_time(30)) == [("YouTube", 1, False)]
    assert len(channel.stored) == 2


def test_a_service_is_back_for_every_guild_whoever_noticed() -> None:
    channel = Channel()
    for guild_id in (1, 2):
        channel.say(line("YouTube", event="service.failing", guild_id=guild_id))
    channel.pass_time(30)
    channel.say(line("YouTube", event="service.back", level=Level.INFO, guild_id=None))
    assert {one.guild_id for one in channel.pass_time(30) if isinstance(one, Card) and one.incident.over_at} == {1, 2}


def test_a_login_of_another_guild_ends_nothing_here() -> None:
    channel = Channel()
    login = replace(line(event="account.needs_login"), details={"service": "Spotify", "account": "Ada"})
    channel.say(login)
    channel.pass_time(30)
    channel.say(replace(login, event="account.confirmed", level=Level.INFO, guild_id=8))
    assert channel.pass_time(60) == []


def test_an_incident_that_ends_at_once_is_one_card() -> None:
    channel = Channel()
    channel.say(line("YouTube", event="service.failing"))
    channel.say(line("YouTube", event="service.back", level=Level.INFO))
    (card,) = channel.pass_time(60)
    assert isinstance(card, Card)
    assert card.incident.over_at is not None
    assert channel.stored[1].closed_at is not None


def test_what_ends_in_an_incident_of_its_own_before_it_was_told_is_one_card() -> None:
    channel = Channel()
    channel.say(line("gone", event="analysis.failed", mapping_id=3))
    channel.say(line("gone and paused", event="mapping.paused", mapping_id=3))
    assert cards(channel.pass_time(60)) == [("gone and paused", 1, False)]
    assert channel.desk.idle(channel.at)


def test_after_hours_without_another_line_a_card_is_closed() -> None:
    channel = Channel()
    channel.say(line("a"))
    channel.pass_time(30)
    channel.now += 5 * 3600
    assert channel.pass_time(30) == []
    channel.now += 3600
    (card,) = channel.pass_time(30)
    assert isinstance(card, Card)
    assert card.incident.over_at is not None


def test_a_restart_finds_the_cards_and_edits_them() -> None:
    channel = Channel()
    channel.say(line("a"))
    channel.say(line("b"))
    channel.pass_time(30)
    channel.say(line("b"))
    channel.step()  # stored, not sent
    desk = FeedDesk()
    desk.load([each for each in channel.stored.values() if each.closed_at is None], 0.0)
    after = Channel(desk)
    after.stored = channel.stored
    assert cards(after.pass_time(30)) == [("b", 2, True)]
    after.say(line("a"))
    assert cards(after.pass_time(30)) == [("a", 2, True)]


def test_a_closing_that_was_not_sent_before_a_restart_is_sent_after_it() -> None:
    channel = Channel()
    channel.say(line("YouTube", event="service.failing"))
    channel.pass_time(30)
    channel.say(line("YouTube", event="service.back", level=Level.INFO))
    channel.step()
    desk = FeedDesk()
    desk.load(list(channel.stored.values()), 0.0)
    (card,) = Channel(desk).pass_time(30)
    assert isinstance(card, Card)
    assert (card.edits, card.incident.over_at is not None) == (True, True)


def test_a_deleted_card_comes_anew_if_the_incident_lasts_and_else_never() -> None:
    channel = Channel()
    channel.say(line("a"))
    channel.say(line("YouTube", event="service.failing"))
    channel.pass_time(30)
    channel.say(line("a"))
    channel.say(line("YouTube", event="service.back", level=Level.INFO))
    before = len(channel.sent)
    for _ in range(120):
        for message in channel.step():
            if edits(message):
                channel.desk.gone(message, channel.now)
            else:
                channel.deliver(message)
    assert cards([message for _, message in channel.sent[before:]]) == [("a", 2, False)]
    assert [each.closed_at is None for each in channel.stored.values()] == [True, False]


def test_nothing_is_shown_during_a_silence_and_one_card_afterwards() -> None:
    channel = Channel()
    channel.say(line("a"))
    channel.pass_time(30)
    case = channel.desk.find(GUILD, 1)
    assert case is not None
    from bot.logs.incidents import silenced

    channel.desk.change(case, silenced(case.incident, channel.at + timedelta(hours=1), "Max"), channel.now)
    assert cards(channel.pass_time(30)) == [("a", 1, True)]  # the card says that it is silenced
    for _ in range(5):
        channel.say(line("a"))
        assert channel.pass_time(60) == []
    channel.now += 3600
    (card,) = channel.pass_time(30)
    assert isinstance(card, Card)
    assert (card.edits, card.incident.count, card.incident.missed) == (False, 6, 5)


def test_a_silenced_card_that_was_deleted_comes_anew_only_after_the_silence() -> None:
    channel = Channel()
    channel.say(line("a"))
    channel.pass_time(30)
    case = channel.desk.find(GUILD, 1)
    assert case is not None
    channel.desk.change(case, replace(case.incident, silenced_until=channel.at + timedelta(hours=1)), channel.now)
    edit: list[Message] = []
    while not edit:
        edit = channel.step()
    channel.desk.gone(edit[0], channel.now)
    assert channel.pass_time(60) == []
    channel.now += 3600
    assert len(channel.pass_time(30)) == 1


def test_good_news_that_closes_a_card_has_none_of_its_own() -> None:
    channel = Channel()
    channel.say(line("The mail", event="service.failing"))
    channel.pass_time(30)
    channel.say(line("The mail", event="service.back"))
    assert cards(channel.pass_time(60)) == [("The mail", 1, True)]
    channel.say(line("The mail", event="service.back"))  # nothing was open: news of its own
    assert cards(channel.pass_time(60)) == [("The mail", 1, False)]


def test_what_ends_during_a_silence_is_closed_after_it() -> None:
    channel = Channel()
    channel.say(line("YouTube", event="service.failing"))
    channel.pass_time(30)
    case = channel.desk.find(GUILD, 1)
    assert case is not None
    quiet = replace(case.incident, silenced_until=channel.at + timedelta(hours=1), silenced_count=1)
    channel.desk.change(case, quiet, channel.now)
    channel.pass_time(30)
    channel.say(line("YouTube", event="service.back", level=Level.INFO))
    assert channel.pass_time(60) == []
    channel.now += 3600
    (card,) = channel.pass_time(30)
    assert isinstance(card, Card)
    assert (card.edits, card.incident.over_at is not None) == (True, True)


@settings(deadline=None)  # a machine that is busy with other things is slow, and no fault of ours
@given(
    st.lists(st.tuples(st.floats(0, 300), st.integers(1, 60), st.booleans()), max_size=40),
    st.lists(st.booleans(), max_size=60),
)
def test_no_flood_makes_more_than_ten_messages_and_ten_edits_in_any_minute_and_no_line_is_lost_uncounted(
    bursts: list[tuple[float, int, bool]], refusals: list[bool]
) -> None:
    channel = Channel()
    waiting = sorted(bursts)
    tried: dict[bool, list[float]] = {False: [], True: []}
    offered = 0
    while channel.now < 1500 and (waiting or not channel.desk.idle(channel.at)):
        while waiting and waiting[0][0] <= channel.now:
            when, size, alike = waiting.pop(0)
            for number in range(size):
                channel.say(line("same" if alike else f"{when:f} {number}".translate(LETTERS)))
                offered += 1
        for message in channel.step():
            tried[edits(message)].append(channel.now)
            if refusals and refusals.pop():
                channel.desk.failed(message, channel.now)
            else:
                channel.deliver(message)
    for attempts, most in ((tried[False], 10), (tried[True], 10)):
        for moment in attempts:
            assert sum(moment <= other < moment + 60 for other in attempts) <= most
    if channel.desk.idle(channel.at):
        said = {m.incident.key: m.incident for _, m in channel.sent if isinstance(m, Card)}
        assert sum(one.count + one.left_out for one in said.values()) == offered


LETTERS = str.maketrans("0123456789. -", "abcdefghijklm")  # numbers would be left out of the key


def test_a_flood_of_different_incidents_counts_what_it_leaves_out() -> None:
    channel = Channel()
    for number in range(1000):
        channel.say(line(str(number).translate(LETTERS)))
    shown = [one.incident for one in channel.pass_time(400) if isinstance(one, Card)]
    assert (len(shown), sum(one.left_out for one in shown)) == (40, 960)
    assert channel.desk.idle(channel.at)


def test_a_flood_of_one_incident_is_one_message() -> None:
    channel = Channel()
    for _ in range(200):
        for _ in range(100):
            channel.say(line("a"))
        channel.step(0)
        channel.pass_time(1)
    channel.pass_time(60)
    assert sum(not edits(message) for _, message in channel.sent) == 1
    assert cards([message for _, message in channel.sent])[-1] == ("a", 20_000, True)


def test_a_refused_card_comes_again_unchanged_with_its_number() -> None:
    channel = Channel()
    channel.say(line("a"))
    first: list[Message] = []
    while not first:
        first = channel.step()
    assert channel.desk.failed(first[0], channel.now)
    channel.say(line("a"))
    assert channel.step(1.0) == []  # it backs off
    assert channel.step(4.0) == first
    assert not channel.desk.failed(first[0], channel.now)  # told already
    assert channel.step(10.0) == first
    assert channel.desk.delivered(first[0], Place(1, 2), channel.now)
    assert cards(channel.pass_time(30)) == [("a", 2, True)]


def test_runs_that_end_together_share_a_summary_and_the_rest_is_counted() -> None:
    channel = Channel()
    for number in range(1, 15):
        channel.desk.add_run(GUILD, run(number, adds=1).run, channel.now)
    (summary,) = channel.pass_time(60)
    assert isinstance(summary, Summary)
    assert ([each.id for each in summary.runs], summary.more) == ([*range(1, 11)], 4)


def test_a_digest_that_waits_is_told_once_however_often_it_is_offered() -> None:
    channel = Channel()
    digest = Digest(guild_id=GUILD, day=date(2026, 11, 21), at=START, since=START)
    for _ in range(3):
        channel.desk.add_digest(digest, channel.now)
    assert [type(message) for message in channel.pass_time(60)] == [Daily]
    channel.desk.add_digest(digest, channel.now)  # computed while its twin was delivered
    assert channel.pass_time(60) == []
    channel.desk.add_digest(replace(digest, day=date(2026, 11, 22)), channel.now)
    assert len(channel.pass_time(60)) == 1


class Discord:
    """A sink that keeps messages, or fails while ``broken``; what it logs itself must never come back to it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.broken: BaseException | None = None
        self.arrived = asyncio.Event()

    async def show(self, message: Message) -> Place | None:
        if self.broken:
            logging.getLogger("discord.http").warning("500 Internal Server Error")
            logging.getLogger("cogs.log_feed._cog").warning(Event.BUG)
            raise self.broken
        self.messages.append(message)
        self.arrived.set()
        return Place(1, 1000 + message.number)

    @property
    def said(self) -> list[str]:
        return [message.incident.message for message in self.messages if isinstance(message, Card)]


class Book:
    """Storage that keeps incidents in memory, or fails while ``broken``."""

    def __init__(self) -> None:
        self.broken = False
        self.rows: dict[int, Incident] = {}

    async def open(self) -> list[Incident]:
        if self.broken:
            raise OSError("database is gone")
        return [row for row in self.rows.values() if row.closed_at is None]

    async def keep(self, changed: Sequence[Incident]) -> list[Incident]:
        if self.broken:
            raise OSError("database is gone")
        kept = []
        for incident in changed:
            known = replace(incident, id=incident.id or len(self.rows) + 1)
            self.rows[known.id] = known
            kept.append(known)
        return kept


async def level_of(guild_id: int | None) -> Level | None:
    return {GUILD: Level.WARN, 8: Level.ERROR, 9: None, None: None}.get(guild_id, Level.INFO)


async def turns(feed: Feed, clock: FakeClock, count: int) -> None:
    for _ in range(count):
        await feed.turn()
        clock.advance(1.0)


async def test_each_guild_reads_warnings_and_errors_from_its_own_level_up(clock: FakeClock) -> None:
    feed, discord = Feed(level_of, Book(), clock), Discord()
    feed.connect(discord)
    for guild_id in (GUILD, 8, 9, 10, None):
        for level in Level:
            feed.queue.offer(line(level.value, guild_id=guild_id, level=level))
    await turns(feed, clock, 10)
    read: dict[int, list[str]] = {}
    for message in discord.messages:
        assert isinstance(message, Card)
        read.setdefault(message.guild_id, []).append(message.incident.message)
    assert read == {GUILD: ["warn", "error"], 8: ["error"], 10: ["warn", "error"]}


async def test_lines_wait_for_a_sink(clock: FakeClock) -> None:
    feed, discord = Feed(level_of, Book(), clock), Discord()
    feed.queue.offer(line("early"))
    await turns(feed, clock, 5)
    disconnect = feed.connect(discord)
    await turns(feed, clock, 5)
    disconnect()
    feed.queue.offer(line("late"))
    await turns(feed, clock, 5)
    assert discord.said == ["early"]


async def test_only_runs_that_changed_or_failed_something_are_summed_up(clock: FakeClock) -> None:
    feed, discord = Feed(level_of, Book(), clock), Discord()
    feed.connect(discord)
    silent = (
        run(1), run(2, skipped=5, waiting=7), run(3, kind=RunKind.ANALYSIS, adds=9), run(4, adds=1, guild_id=9)
    )  # fmt: skip
    for fact in silent:
        feed.run_finished(fact)
    await turns(feed, clock, 20)
    assert discord.messages == []
    for fact in (run(5, adds=1), run(6, removals=1), run(7, failed=1)):
        feed.run_finished(fact)
    await turns(feed, clock, 20)
    (summary,) = discord.messages
    assert isinstance(summary, Summary)
    assert [each.id for each in summary.runs] == [5, 6, 7]


async def test_a_failing_sink_is_logged_once_and_once_when_it_is_back_and_never_to_itself() -> None:
    clock, discord, stream = FakeClock(), Discord(), io.StringIO()
    discord.broken = OSError("500")
    with open_logs(stream=stream, now=clock.now) as logs:
        feed = Feed(level_of, Book(), clock)
        logs.attach(feed.queue, leave_out=NEVER_FED)
        feed.connect(discord)
        log.error(Event.ITEM_ERROR, extra={"error": "full", "guild_id": GUILD})
        await turns(feed, clock, 100)
        discord.broken = None
        await turns(feed, clock, 300)
    written = stream.getvalue()
    assert written.count("service.failing") == 1
    assert written.count("service.back") == 1
    assert [one.incident.event for one in discord.messages if isinstance(one, Card)] == ["item.error"]


async def test_a_card_that_was_deleted_is_no_failure(clock: FakeClock) -> None:
    feed, discord = Feed(level_of, Book(), clock), Discord()
    feed.connect(discord)
    feed.queue.offer(line("a"))
    await turns(feed, clock, 5)
    feed.queue.offer(line("a"))
    discord.broken = CardGone()
    await turns(feed, clock, int(EDIT_SECONDS) + 2)
    discord.broken = None
    await turns(feed, clock, 10)
    assert cards(discord.messages) == [("a", 1, False), ("a", 2, False)]


async def test_a_database_that_is_away_loses_no_line_and_posts_nothing_that_it_would_not_remember() -> None:
    clock, discord, book, stream = FakeClock(), Discord(), Book(), io.StringIO()
    with open_logs(stream=stream, now=clock.now):
        feed = Feed(level_of, book, clock)
        feed.connect(discord)
        await feed.turn()
        book.broken = True
        feed.queue.offer(line("a"))
        await turns(feed, clock, 20)
        assert discord.messages == []
        book.broken = False
        await turns(feed, clock, 5)
    assert discord.said == ["a"]
    assert (stream.getvalue().count("service.failing"), stream.getvalue().count("service.back")) == (1, 1)


async def test_levels_that_cannot_be_read_lose_no_line(clock: FakeClock) -> None:
    broken = True

    async def shaky(guild_id: int | None) -> Level | None:
        if broken:
            raise OSError("database is gone")
        return Level.WARN

    feed, discord = Feed(shaky, Book(), clock), Discord()
    feed.connect(discord)
    feed.queue.offer(line("a"))
    await turns(feed, clock, 3)
    broken = False
    await turns(feed, clock, 5)
    assert discord.said == ["a"]


async def test_the_first_of_two_people_acknowledges_and_the_other_sees_who(clock: FakeClock) -> None:
    feed, book = Feed(level_of, Book(), clock), Book()
    feed = Feed(level_of, book, clock)
    feed.connect(Discord())
    feed.queue.offer(line("a"))
    await turns(feed, clock, 5)
    both = await asyncio.gather(feed.acknowledge(GUILD, 1, 5, "Max"), feed.acknowledge(GUILD, 1, 6, "Ada"))
    assert {one.acknowledged_name for one in both if one} == {"Max"}
    assert book.rows[1].acknowledged_by == 5
    assert await feed.acknowledge(8, 1, 5, "Max") is None  # another guild's


async def test_the_open_feed_hears_the_log_and_leaves_its_own_room_out() -> None:
    clock, discord = FakeClock(), Discord()
    with open_logs(stream=io.StringIO()) as logs:
        async with open_feed(logs, level_of, Book(), clock) as feed:
            feed.connect(discord)
            logging.getLogger("bot.logs.feed").error(Event.BUG, extra={"guild_id": GUILD})
            log.error(Event.ITEM_ERROR, extra={"error": "full", "guild_id": GUILD})
            async with asyncio.timeout(5):
                await discord.arrived.wait()
    (card,) = discord.messages
    assert isinstance(card, Card)
    assert card.incident.event == "item.error"


async def test_what_was_gathered_is_stored_at_the_end(clock: FakeClock) -> None:
    book = Book()
    with open_logs(stream=io.StringIO()) as logs:
        async with open_feed(logs, level_of, book, clock) as feed:
            feed.connect(Discord())
            await feed.turn()
            log.error(Event.ITEM_ERROR, extra={"error": "full", "guild_id": GUILD})
    assert [row.event for row in book.rows.values()] == ["item.error"]
