"""Schedules: what people may write, and when it fires."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.engine.schedule import parse
from bot.model.errors import UserMistake

SATURDAY = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 04:00 in Berlin


@pytest.mark.parametrize(
    ("text", "stored", "fires"),
    [
        ("every 30m", "every 30m", datetime(2026, 11, 21, 3, 30, tzinfo=UTC)),
        ("Every  2 hours", "every 2h", datetime(2026, 11, 21, 5, 0, tzinfo=UTC)),
        ("daily 18:00", "daily 18:00", datetime(2026, 11, 21, 17, 0, tzinfo=UTC)),
        ("daily at 3:05", "daily 03:05", datetime(2026, 11, 22, 2, 5, tzinfo=UTC)),
        ("30 4 * * 1", "30 4 * * 1", datetime(2026, 11, 23, 3, 30, tzinfo=UTC)),
        ("0 9 * * 0", "0 9 * * 0", datetime(2026, 11, 22, 8, 0, tzinfo=UTC)),
        ("0 9 * * 7", "0 9 * * 7", datetime(2026, 11, 22, 8, 0, tzinfo=UTC)),
        ("0 9 * * 1-5", "0 9 * * 1-5", datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        ("0 3 * * sat-mon", "0 3 * * sat-mon", datetime(2026, 11, 22, 2, 0, tzinfo=UTC)),
        ("0 9 1 * 3", "0 9 1 * 3", datetime(2026, 11, 25, 8, 0, tzinfo=UTC)),  # the first or a Wednesday
    ],
)
def test_a_schedule_fires_in_the_guilds_timezone(text: str, stored: str, fires: datetime) -> None:
    schedule = parse(text, "Europe/Berlin")
    assert (schedule.text, schedule.next_run(SATURDAY)) == (stored, fires)


@pytest.mark.parametrize("text", ["off", "OFF", "", "never"])
def test_off_never_fires(text: str) -> None:
    assert (parse(text).text, parse(text).next_run(SATURDAY)) == ("off", None)


@pytest.mark.parametrize("text", ["every 30m", "daily 18:00", "30 4 * * 1", "*/10 * * * *"])
def test_the_stored_form_reads_back_as_itself(text: str) -> None:
    assert parse(parse(text).text).next_run(SATURDAY) == parse(text).next_run(SATURDAY)


@pytest.mark.parametrize(
    "text",
    ["sometimes", "every 1m", "every 90d", "daily 25:00", "* * * * *", "0,1 * * * *", "0 0 31 2 *", "0 9 * * 8",
     "a b c d e", "1 2 3 4", "0 9 * * 1/0"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_the_forms_to_write(text: str) -> None:
    with pytest.raises(UserMistake, match="every 30m"):
        parse(text)


def test_a_daily_time_stays_at_its_hour_over_the_end_of_summer_time() -> None:
    schedule = parse("daily 18:00", "Europe/Berlin")
    before = datetime(2026, 10, 24, 17, 0, tzinfo=UTC)  # 19:00 summer time, the day before the change
    assert schedule.next_run(before) == datetime(2026, 10, 25, 17, 0, tzinfo=UTC)


def test_a_moment_that_is_just_being_served_is_not_served_again() -> None:
    schedule = parse("daily 03:00")
    assert schedule.next_run(SATURDAY) == SATURDAY + timedelta(days=1)
