"""When a digest is due: at the guild's own hour, once a day, whatever daylight saving time and restarts do."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.digest import due_day
from bot.model.guild import GuildSettings


def guild(hour: int | None, timezone: str = "UTC") -> GuildSettings:
    return GuildSettings(guild_id=7, log_channel_id=1, digest_hour=hour, timezone=timezone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "timezone", "now", "day"),
    [
        (None, "UTC", "2026-11-21T09:00", None),
        (9, "UTC", "2026-11-21T08:59", None),
        (9, "UTC", "2026-11-21T09:00", date(2026, 11, 21)),
        (9, "UTC", "2026-11-21T11:59", date(2026, 11, 21)),
        (9, "UTC", "2026-11-21T12:00", None),  # too late: the next one is tomorrow's
        (9, "Europe/Berlin", "2026-11-21T08:00", date(2026, 11, 21)),
        (23, "UTC", "2026-11-22T00:30", date(2026, 11, 21)),  # a restart over midnight
        (2, "Europe/Berlin", "2026-03-29T00:59", None),
        (2, "Europe/Berlin", "2026-03-29T01:00", date(2026, 3, 29)),  # 02:00 does not exist: 03:00
        (2, "Europe/Berlin", "2026-10-25T00:00", date(2026, 10, 25)),  # the first 02:00
        (2, "Europe/Berlin", "2026-10-25T01:00", date(2026, 10, 25)),  # the second one is the same day's
        (0, "Pacific/Auckland", "2026-11-20T11:00", date(2026, 11, 21)),
    ],
)
def test_a_digest_is_due_at_the_guilds_own_hour(hour: int | None, timezone: str, now: str, day: date | None) -> None:
    assert due_day(guild(hour, timezone), utc(now)) == day


@settings(deadline=None)
@given(
    st.integers(0, 23),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.integers(0, 3 * 365 * 24 * 60),
)
def test_looked_at_every_minute_each_day_has_its_digest_once_and_in_its_hour(
    hour: int, timezone: str, minutes: int
) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    told: list[date] = []
    for _ in range(3 * 24 * 6):
        now += timedelta(minutes=10)
        day = due_day(guild(hour, timezone), now)
        if day is not None and (not told or day > told[-1]):
            told.append(day)
    assert told == [told[0] + timedelta(days=number) for number in range(len(told))]
    assert 2 <= len(told) <= 4
