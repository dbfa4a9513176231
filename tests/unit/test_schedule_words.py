"""What people may write for times of day and weekdays, and what is offered while they write."""

from datetime import UTC, datetime

import pytest

from bot.engine.schedule import USUAL, parse, suggestions
from bot.model.errors import UserMistake

SATURDAY = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 04:00 in Berlin


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("daily 08:00, 20:00", "daily 08:00, 20:00"),
        ("daily 20:00 and 8:00", "daily 08:00, 20:00"),
        ("Daily at 8 and 20", "daily 08:00, 20:00"),
        ("every day at 18:00", "daily 18:00"),
        ("everyday 6pm", "daily 18:00"),
        ("18:00", "daily 18:00"),
        ("6:30 PM", "daily 18:30"),
        ("18.30", "daily 18:30"),
        ("1830", "daily 18:30"),
        ("daily 18h", "daily 18:00"),
        ("2h", "every 2h"),
        ("90 min", "every 90m"),
        ("noon", "daily 12:00"),
        ("midnight and noon", "daily 00:00, 12:00"),
        ("12am", "daily 00:00"),
        ("12 p.m.", "daily 12:00"),
        ("mon wed fri 18:00", "mon wed fri 18:00"),
        ("Fri, Mon & Wed at 18:00", "mon wed fri 18:00"),
        ("mon tue wed thu 18:00", "mon tue wed thu 18:00"),
        ("mondays 9:00", "mon 09:00"),
        ("every tuesday at 9", "tue 09:00"),
        ("18:00 on sundays", "sun 18:00"),
        ("thurs 7:05", "thu 07:05"),
        ("mon-fri 7:30", "weekdays 07:30"),
        ("monday to friday 7:30", "weekdays 07:30"),
        ("sat-mon 10:00", "mon sat sun 10:00"),
        ("weekdays 7:30", "weekdays 07:30"),
        ("every weekday at 7:30", "weekdays 07:30"),
        ("weekends 10:00", "weekends 10:00"),
        ("sat/sun 10:00", "weekends 10:00"),
        ("mon tue wed thu fri sat sun 4:00", "daily 04:00"),
        ("hourly", "every 1h"),
        ("every hour", "every 1h"),
        ("every 45 mins", "every 45m"),
        ("every day", "every 1d"),
        ("every 2 weeks", "every 14d"),
        ("weekly", "every 7d"),
        ("@daily", "0 0 * * *"),
        ("0 18 * * mon-fri", "0 18 * * mon-fri"),
        ("*/15 8-20 * * *", "*/15 8-20 * * *"),
        ("manual", "off"),
    ],
)
def test_a_reasonable_spelling_is_understood_and_stored_in_one_form(text: str, stored: str) -> None:
    schedule = parse(text, "Europe/Berlin")
    assert schedule.text == stored
    again = parse(stored, "Europe/Berlin")
    assert (again.text, again.next_run(SATURDAY)) == (stored, schedule.next_run(SATURDAY))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("daily", "no time of day"),
        ("mon wed", "no time of day"),
        ("daily 25:00", "25:00 is no time of day"),
        ("13pm", "is no time of day"),
        ("mon 9", "write it as 9:00"),
        ("every 2 days at 18:00", "not both"),
        ("daily 18:00 18:02", "at most every 5 minutes"),
        ("daily 00:00, 23:58", "at most every 5 minutes"),
        ("tomorrow 18:00", "“tomorrow”"),
        ("daily 18:00 please", "“please”"),
        ("every blue moon", "“blue”"),
        ("every 1m", "every 5 minutes"),
        ("0 0 31 2 *", "never comes"),
        ("60 * * * *", "cron line"),
        ("daily " + " ".join(f"{hour}:{minute}" for hour in range(24) for minute in (10, 40)), "at most 24 times"),
    ],
)
def test_what_is_not_understood_is_told_with_the_word_that_was_not(text: str, sentence: str) -> None:
    with pytest.raises(UserMistake, match="every 30m") as refused:
        parse(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("", "every 30m"),
        ("18:30", "daily 18:30"),
        ("18", "daily 18:00"),
        ("mon", "mon 18:00"),
        ("mon wed", "mon wed 18:00"),
        ("daily", "daily 18:00"),
        ("every 4", "every 4h"),
        ("every 45", "every 45m"),
        ("weekends", "weekends 18:00"),
        ("off", "off"),
        ("2h", "every 2h"),
        ("30 4 * * 1", "30 4 * * 1"),
        ("what?", "every 30m"),
    ],
)
def test_what_is_offered_begins_with_what_is_likely_meant(written: str, first: str) -> None:
    offered = suggestions(written)
    assert offered[0] == first
    assert len(offered) == len(set(offered))
    assert all(parse(text).text == text for text in offered)


def test_the_usual_ones_are_stored_as_they_are_written() -> None:
    assert all(parse(text).text == text for text in USUAL)
