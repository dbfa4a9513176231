"""Which lines of the log are one incident, what ends it, and what people's presses make of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import incidents
from bot.logs.incidents import KEY_LIMIT, key_of, opened
from bot.model.events import Event
from bot.model.incident import EXAMPLES, ITEMS, Incident
from bot.model.logline import Level, LogLine

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def line(event: str, *, minutes: float = 0, level: Level = Level.WARN, **fields: Any) -> LogLine:
    ids = {name: fields.pop(name) for name in ("mapping_id", "run_id", "sync_item_id") if name in fields}
    message = str(fields.pop("message", f"{event} happened"))
    at = AT + timedelta(minutes=minutes)
    return LogLine(at=at, level=level, event=event, message=message, guild_id=7, details=fields, **ids)


def one(*lines: LogLine) -> Incident:
    incident = opened(lines[0])
    for each in lines[1:]:
        assert key_of(each) == incident.key
        incident = incidents.grown(incident, each)
    return incident


def test_tracks_that_were_not_found_in_one_mapping_are_one_incident_that_keeps_the_first_few() -> None:
    lines = [
        line("item.blacklisted", mapping_id=3, sync_item_id=n, title=f"Song {n}", reason=str(n)) for n in range(1, 301)
    ]
    found = one(*lines)
    assert found.count == 300
    assert [example.title for example in found.examples] == [f"Song {n}" for n in range(1, EXAMPLES + 1)]
    assert found.item_ids == tuple(range(1, 301))


def test_an_item_that_fails_again_is_counted_and_listed_once() -> None:
    again = [line("item.error", mapping_id=3, sync_item_id=5, title="Song", error="500") for _ in range(3)]
    found = one(*again)
    assert (found.count, len(found.examples), found.item_ids) == (3, 1, (5,))


def test_items_beyond_what_can_be_remembered_are_still_counted() -> None:
    found = one(*(line("item.error", mapping_id=3, sync_item_id=n, error="x") for n in range(1, ITEMS + 50)))
    assert (found.count, len(found.item_ids)) == (ITEMS + 49, ITEMS)


@pytest.mark.parametrize(
    ("one_line", "other_line", "same"),
    [
        (line("item.error", mapping_id=1, error="playlistItems.insert: the service answered 500"),
         line("item.error", mapping_id=1, error="playlistItems.insert: the service answered 503"), True),
        (line("item.error", mapping_id=1, error="no connection to the service"),
         line("item.error", mapping_id=1, error="The playlist “Trip” is full"), False),
        (line("item.error", mapping_id=1, error="x"), line("item.error", mapping_id=2, error="x"), False),
        (line("service.failing", mapping_id=1, service="YouTube", error="a"),
         line("service.failing", mapping_id=2, service="YouTube", error="b"), True),
        (line("service.failing", service="YouTube"), line("service.failing", service="Spotify"), False),
        (line("quota.spent", bucket="youtube.units", until="2026-11-22T08:00:00.000Z"),
         line("quota.spent", bucket="youtube.units", until="2026-11-22T08:00:00.000Z", mapping_id=4), True),
        (line("quota.spent", bucket="youtube.units", until="2026-11-22T08:00:00.000Z"),
         line("quota.spent", bucket="youtube.units", until="2026-11-23T08:00:00.000Z"), False),
        (line("library", message="Shard 1 lost 3 beats"), line("library", message="Shard 2 lost 7 beats"), True),
        (line("library", message="one thing"), line("library", message="another thing"), False),
    ],
)  # fmt: skip
def test_lines_of_one_cause_share_a_key(one_line: LogLine, other_line: LogLine, same: bool) -> None:
    assert (key_of(one_line) == key_of(other_line)) is same


@given(st.sampled_from(Event), st.text(), st.text(max_size=2000))
def test_a_key_fits_its_column_whatever_is_logged(event: Event, service: str, error: str) -> None:
    assert len(key_of(line(event, service=service * 30, error=error, where=service, message=error))) <= KEY_LIMIT


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (line("service.failing", service="YouTube"), line("service.back", service="YouTube")),
        (line("service.paused", service="Spotify"), line("service.resumed", service="Spotify")),
        (line("quota.spent", bucket="youtube.units"), line("quota.reset", bucket="youtube.units")),
        (line("account.needs_login", service="Spotify", account="Ada"),
         line("account.confirmed", service="Spotify", account="Ada")),
        (line("account.expires_soon", service="Spotify", account="Ada"),
         line("account.needs_login", service="Spotify", account="Ada")),
        (line("analysis.failed", mapping_id=2, error="gone"), line("mapping.paused", mapping_id=2)),
        (line("mapping.paused", mapping_id=2), line("mapping.resumed", mapping_id=2)),
        (line("mapping.paused", mapping_id=2), line("mapping.removed", mapping_id=2)),
        (line("item.error", mapping_id=2), line("mapping.removed", mapping_id=2)),
        (line("analysis.failed", mapping_id=2, error="x"), line("analysis.complete", mapping_id=2)),
        (line("analysis.stopped", mapping_id=2), line("plan.forced", mapping_id=2)),
        (line("item.blacklisted", mapping_id=2, run_id=5), line("execution.complete", mapping_id=2, run_id=6)),
    ],
)  # fmt: skip
def test_the_opposite_ends_an_incident(begin: LogLine, end: LogLine) -> None:
    assert incidents.can_end(end)
    assert incidents.ends(end, opened(begin))


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (line("service.failing", service="YouTube"), line("service.back", service="Spotify")),
        (line("account.needs_login", service="Spotify", account="Ada"),
         line("account.confirmed", service="Spotify", account="Max")),
        (line("mapping.paused", mapping_id=2), line("mapping.resumed", mapping_id=3)),
        (line("task.failed", task="x"), line("execution.complete")),
        # the run in which it happened is no proof that it is over
        (line("item.blacklisted", mapping_id=2, run_id=5), line("execution.complete", mapping_id=2, run_id=5)),
        (line("analysis.stopped", mapping_id=2, run_id=5), line("analysis.complete", mapping_id=2, run_id=6)),
    ],
)  # fmt: skip
def test_what_only_looks_like_the_opposite_ends_nothing(begin: LogLine, end: LogLine) -> None:
    assert not (incidents.can_end(end) and incidents.ends(end, opened(begin)))


def test_silence_ends_what_passes_but_not_what_lasts_until_somebody_acts() -> None:
    assert incidents.ends_by_itself_at(opened(line("task.failed", task="x"))) == AT + incidents.QUIET
    login = opened(line("account.needs_login", service="Spotify", account="Ada"))
    assert incidents.ends_by_itself_at(login) > AT + timedelta(days=7)
    spent = opened(line("quota.spent", bucket="youtube.units", until="2026-11-22T08:00:00.000Z"))
    assert incidents.ends_by_itself_at(spent) == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_a_moment_that_cannot_be_read_is_none() -> None:
    assert opened(line("quota.spent", bucket="x", until="soon")).until is None
    assert opened(line("quota.spent", bucket="x", until="2026-11-22T08:00:00")).until is None


def test_another_line_takes_an_ending_back() -> None:
    ended = incidents.replace(opened(line("task.failed", task="x")), over_at=AT)
    assert incidents.grown(ended, line("task.failed", task="x", minutes=1)).over_at is None


def test_an_acknowledged_incident_counts_on_unseen_until_it_is_over() -> None:
    seen = incidents.acknowledged(opened(line("task.failed", task="x")), 5, "Max", AT)
    more = incidents.grown(seen, line("task.failed", task="x"))
    assert more.count == 2
    assert incidents.face(more) == incidents.face(seen)
    assert incidents.face(incidents.replace(more, over_at=AT)) != incidents.face(more)


def test_after_a_silence_one_new_card_says_how_many_came_meanwhile() -> None:
    first = incidents.replace(opened(line("task.failed", task="x")), channel_id=1, message_id=2)
    quiet = incidents.silenced(first, AT + timedelta(hours=1), "Max")
    assert quiet.silenced(AT)
    assert not quiet.silenced(AT + timedelta(hours=1))
    longer = incidents.silenced(incidents.grown(quiet, line("task.failed", task="x")), AT + timedelta(hours=8), "Ada")
    loud = incidents.heard_again(incidents.grown(longer, line("task.failed", task="x")))
    assert (loud.missed, loud.message_id, loud.silenced_until) == (2, None, None)
    assert incidents.heard_again(quiet).message_id == 2  # nothing came: the old card says that the silence is over


def test_a_traceback_never_gets_into_a_card() -> None:
    assert "traceback" not in opened(line("bug", where="x", traceback="secret")).facts
