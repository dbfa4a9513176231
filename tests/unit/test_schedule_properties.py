"""Schedules over the changes of summer time: they always go on, leave no day out and fire once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.schedule import parse

ZONES = (
    "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca",
    "Asia/Beirut", "America/Santiago", "Asia/Kolkata", "Pacific/Chatham", "UTC",
)  # fmt: skip
_LONG = 400  # days: both changes of a year lie in it
moments = st.integers(0, 7 * 366 * 1440).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
times = st.lists(st.integers(0, 287), min_size=1, max_size=4, unique=True).map(
    lambda fives: [f"{five * 5 // 60:02}:{five * 5 % 60:02}" for five in fives]
)
days = st.sampled_from(["daily", "weekdays", "weekends", "mon wed fri", "sun", "sat mon"])
crons = st.sampled_from(
    [
        "30 2 * * *",
        "0 3 * * 0",
        "*/20 * * * *",
        "15,45 1-3 * * *",
        "0 0 1 * *",
        "30 1 29 2 *",
        "0 12 13 * 5",
        "5 0 * 3 sun",
    ]
)
texts = st.one_of(
    st.builds(lambda group, at: f"{group} {', '.join(at)}", days, times),
    crons,
    st.sampled_from(["every 30m", "every 7h"]),
)


@given(text=texts, zone=st.sampled_from(ZONES), start=moments)
def test_the_next_run_is_always_later_and_the_stored_form_reads_back(text: str, zone: str, start: datetime) -> None:
    schedule = parse(text, zone)
    assert parse(schedule.text, zone) == schedule
    now = start
    for _ in range(20):
        following = schedule.next_run(now)
        assert following is not None
        assert following > now
        if schedule.cron is not None:
            assert schedule.next_run(following - timedelta(microseconds=1)) == following, "nothing lies between"
        now = following


@given(at=st.integers(0, 1439), zone=st.sampled_from(ZONES), year=st.integers(2024, 2030))
def test_a_daily_time_comes_once_on_every_day_whatever_the_clocks_do(at: int, zone: str, year: int) -> None:
    local = ZoneInfo(zone)
    schedule = parse(f"daily {at // 60:02}:{at % 60:02}", zone)
    now = datetime(year, 1, 1, tzinfo=local) - timedelta(microseconds=1)
    served: list[date] = []
    for _ in range(_LONG):
        following = schedule.next_run(now)
        assert following is not None
        now = following
        served.append(now.astimezone(local).date())
    first = date(year, 1, 1)
    assert served == [first + timedelta(days=number) for number in range(_LONG)]


@pytest.mark.parametrize(
    ("zone", "text", "before", "fires"),
    [
        # In spring 02:30 does not exist: it comes at 03:30 of summer time. Then again at its own hour.
        ("Europe/Berlin", "daily 02:30", "2026-03-28 12:00", "2026-03-29 01:30"),
        ("Europe/Berlin", "daily 02:30", "2026-03-29 01:30", "2026-03-30 00:30"),
        # In autumn 02:30 comes twice: it fires at the first, and the second is left out.
        ("Europe/Berlin", "daily 02:30", "2026-10-24 12:00", "2026-10-25 00:30"),
        ("Europe/Berlin", "daily 02:30", "2026-10-25 00:30", "2026-10-26 01:30"),
        ("America/New_York", "30 1 * * *", "2026-11-01 05:30", "2026-11-02 06:30"),
        # A clock that changes at midnight, and one that changes by half an hour.
        ("Asia/Beirut", "daily 00:15", "2026-03-28 12:00", "2026-03-28 22:15"),
        ("Australia/Lord_Howe", "daily 02:15", "2026-10-03 00:00", "2026-10-03 15:45"),
    ],
)
def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice(zone: str, text: str, before: str, fires: str) -> None:
    now, expected = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (before, fires))
    assert parse(text, zone).next_run(now) == expected


def test_a_rare_day_is_found_years_ahead() -> None:
    assert parse("0 0 29 2 *").next_run(datetime(2028, 3, 1, tzinfo=UTC)) == datetime(2032, 2, 29, tzinfo=UTC)


def test_cron_takes_either_day_where_both_are_given_but_not_where_one_begins_with_a_star() -> None:
    friday_13 = datetime(2026, 2, 13, 12, tzinfo=UTC)
    either = parse("0 12 13 * 5").next_run(datetime(2026, 2, 1, tzinfo=UTC))
    assert either == datetime(2026, 2, 6, 12, tzinfo=UTC)
    assert parse("0 12 */13 * 5").next_run(datetime(2026, 2, 1, 13, tzinfo=UTC)) != friday_13 - timedelta(days=7)
