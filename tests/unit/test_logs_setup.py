"""From a record to the terminal: context, level, form and redaction."""

import io
import json
import logging
from datetime import UTC, datetime

import pytest

from bot.logs.context import bound, current
from bot.logs.queue import LineQueue
from bot.logs.setup import open_logs
from bot.model.events import Event
from bot.model.logline import JobType, Level, LogLine

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
log = logging.getLogger("bot.engine.sync")


def caught(work: object, **options: object) -> list[LogLine]:
    """The lines that ``work`` logs."""
    assert callable(work)
    queue = LineQueue(100, lambda: None)
    with open_logs(stream=io.StringIO(), now=lambda: NOON, **options) as logs:  # type: ignore[arg-type]
        logs.attach(queue)
        work()
    return list(queue.peek(100))


def test_a_line_carries_event_sentence_fields_and_what_it_belongs_to() -> None:
    def work() -> None:
        with bound(run_id=9, mapping_id=3, guild_id=77), bound(item_id=5, run_id=None):
            log.warning(Event.ITEM_RETRY, extra={"title": "Hey Jude", "error": "503", "attempts": 2})

    assert caught(work) == [
        LogLine(
            at=NOON, level=Level.WARN, event="item.retry", message="Track Hey Jude will be tried again: 503",
            job_type=JobType.EXECUTION, sync_item_id=5, run_id=9, mapping_id=3, guild_id=77,
            details={"title": "Hey Jude", "error": "503", "attempts": 2}, source="bot.engine.sync",
        )
    ]  # fmt: skip
    assert current().run_id is None


def test_a_field_given_with_the_line_outranks_the_context() -> None:
    def work() -> None:
        with bound(guild_id=1, job_type=JobType.ANALYSIS):
            log.info(Event.QUOTA_SPENT, extra={"bucket": "youtube.units", "guild_id": 2, "actor_id": 8})

    (line,) = caught(work)
    assert (line.guild_id, line.actor_id, line.job_type) == (2, 8, JobType.ANALYSIS)
    assert line.details == {"bucket": "youtube.units"}


def test_a_librarys_line_is_kept_as_such_from_warnings_up() -> None:
    def work() -> None:
        logging.getLogger("spotipy.client").debug("Sending Bearer abcdefghijklmnop")
        logging.getLogger("aiohttp.access").info("GET /oauth/spotify/callback?code=abc")
        logging.getLogger("discord.http").warning("We are being rate limited. %s", "soon")

    (line,) = caught(work, level="debug")
    assert (line.event, line.message, line.source) == (
        "library", "We are being rate limited. soon", "discord.http",
    )  # fmt: skip


def test_an_exception_brings_its_traceback_without_secrets() -> None:
    def work() -> None:
        try:
            raise ValueError("refused: client_secret=hunter2")
        except ValueError as error:
            log.exception(Event.BUG, extra={"where": "here", "error": error})

    (line,) = caught(work)
    assert "ValueError" in line.details["traceback"]
    assert "hunter2" not in repr(line)


def test_a_secret_is_masked_even_where_the_sentence_is_cut() -> None:
    secret = "wxyz" * 10

    def work() -> None:
        log.error(Event.ITEM_ERROR, extra={"error": "." * 180 + secret})

    (line,) = caught(work, secrets=[secret])
    assert "wxyz" not in repr(line)


def test_the_level_is_the_terminals_the_other_sinks_miss_nothing_and_logging_is_restored_afterwards() -> None:
    before = (logging.getLogger().handlers[:], logging.getLogger("bot").level)

    def work() -> None:
        log.info(Event.SYSTEM_STARTED)
        log.warning(Event.SYSTEM_STOPPED)

    stream, queue = io.StringIO(), LineQueue(100, lambda: None)
    with open_logs(stream=stream, now=lambda: NOON, level="warn") as logs:
        logs.attach(queue)
        work()
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["system.stopped"]
    assert [line.event for line in queue.peek(100)] == ["system.started", "system.stopped"], "the audit trail is whole"
    assert (logging.getLogger().handlers[:], logging.getLogger("bot").level) == before


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_terminal_gets_one_line_each(log_format: str) -> None:
    stream = io.StringIO()
    with open_logs(stream=stream, now=lambda: NOON, log_format=log_format), bound(mapping_id=3, guild_id=2**60):
        log.info(Event.ITEM_ADDED, extra={"title": "Döner\n2026 error forged"})
    (line,) = stream.getvalue().splitlines()
    if log_format == "json":
        parsed = json.loads(line)
        assert parsed["at"] == "2026-11-21T12:00:00.000Z"
        assert (parsed["event"], parsed["mapping_id"], parsed["guild_id"]) == ("item.added", 3, str(2**60))
    else:
        assert line.startswith("2026-11-21T12:00:00.000Z info  item.added")
        assert "Successfully added track Döner 2026 error forged" in line


def test_a_closed_terminal_stops_nothing() -> None:
    stream = io.StringIO()
    queue = LineQueue(10, lambda: None)
    with open_logs(stream=stream) as logs:
        stream.close()
        logs.attach(queue)
        log.info(Event.SYSTEM_STARTED)
        log.info(Event.SYSTEM_STOPPED)
    assert len(queue) == 2


def test_a_full_queue_counts_what_it_drops_and_keeps_the_oldest() -> None:
    arrivals: list[None] = []
    queue = LineQueue(2, lambda: arrivals.append(None))
    lines = [LogLine(at=NOON, level=Level.INFO, event="x", message=str(number)) for number in range(5)]
    for line in lines:
        queue.offer(line)
    assert queue.peek(10) == tuple(lines[:2])
    assert (queue.take_dropped(), queue.take_dropped(), len(arrivals)) == (3, 0, 1)
    queue.clear(1)
    queue.offer(lines[4])
    assert queue.peek(10) == (lines[1], lines[4])


def test_loggers_left_out_are_left_out_with_their_rooms() -> None:
    queue = LineQueue(10, lambda: None)
    with open_logs(stream=io.StringIO()) as logs:
        detach = logs.attach(queue, leave_out=("bot.logs.feed",))
        logging.getLogger("bot.logs.feed").error(Event.BUG)
        logging.getLogger("bot.logs.feed.inner").error(Event.BUG)
        logging.getLogger("bot.logs.feeder").error(Event.BUG)
        detach()
        log.error(Event.BUG)
    assert [line.source for line in queue.peek(10)] == ["bot.logs.feeder"]
