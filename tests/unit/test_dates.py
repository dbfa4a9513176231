"""Moments as people write them, in the timezone of their server."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.dates import day_begins, moment, span
from bot.model.errors import UserMistake

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KOLKATA = "Asia/Kolkata"  # half past five ahead of UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        (" 7D ", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("1d 12h", timedelta(hours=36)),
        ("1 d", timedelta(days=1)),
    ],
)
def test_spans(text: str, expected: timedelta) -> None:
    assert span(text) == expected


@pytest.mark.parametrize("text", ["", "0h", "367d", "999999w", "2 parsecs", "h", "-2h", "2"])
def test_what_is_no_span_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UserMistake, match="7d"):
        span(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2h", KOLKATA, NOW - timedelta(hours=2)),
        ("today", "UTC", datetime(2026, 11, 20, tzinfo=UTC)),
        ("Today", KOLKATA, datetime(2026, 11, 19, 18, 30, tzinfo=UTC)),
        ("yesterday", "UTC", datetime(2026, 11, 19, tzinfo=UTC)),
        ("yesterday 18:05", "UTC", datetime(2026, 11, 19, 18, 5, tzinfo=UTC)),
        ("2026-11-01", "UTC", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-1", "UTC", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01 07:30", KOLKATA, datetime(2026, 11, 1, 2, 0, tzinfo=UTC)),
        ("2026-11-01T07:30", "UTC", datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
        ("9:15", "UTC", datetime(2026, 11, 20, 9, 15, tzinfo=UTC)),
    ],
)
def test_moments(text: str, zone: str, expected: datetime) -> None:
    assert moment(text, NOW, zone) == expected


def test_the_end_of_a_day_is_the_next_midnight_and_a_time_is_itself() -> None:
    assert moment("2026-11-01", NOW, "UTC", end=True) == datetime(2026, 11, 2, tzinfo=UTC)
    assert moment("today", NOW, "UTC", end=True) == datetime(2026, 11, 21, tzinfo=UTC)
    assert moment("2026-11-01 07:30", NOW, "UTC", end=True) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_a_day_of_twenty_five_hours_begins_and_ends_at_midnight() -> None:
    zone = "Europe/Berlin"
    begins, ends = moment("2026-10-25", NOW, zone), moment("2026-10-25", NOW, zone, end=True)
    assert ends - begins == timedelta(hours=25)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "25:00", "2026-11-01 99:99", "0000-01-01", "9999-12-31", "t"]
)
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UserMistake, match="2026-11-20"):
        moment(text, NOW, "UTC")


def test_today_begins_at_the_midnight_of_the_zone() -> None:
    assert day_begins(NOW, KOLKATA) == datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
    assert day_begins(NOW, "UTC", 3) == datetime(2026, 11, 17, tzinfo=UTC)


@given(st.text(max_size=30), st.booleans())
def test_nothing_else_comes_out_than_a_moment_or_the_sentence(text: str, end: bool) -> None:
    with contextlib.suppress(UserMistake):
        assert moment(text, NOW, KOLKATA, end=end).tzinfo is UTC
