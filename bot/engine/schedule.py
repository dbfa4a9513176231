"""Schedules as people write them: ``off``, ``every 30m``, ``daily 18:00`` or a cron line."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from bot.model.errors import UserMistake

OFF = "off"
# Below this a mapping would poll more often than a playlist is worth: 900 Spotify calls a day are shared by all.
SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=31)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_EVERY = re.compile(r"every\s+(?P<count>\d{1,5})\s*(?P<unit>m|h|d|min|mins|minutes?|hours?|days?)")
_DAILY = re.compile(r"daily\s+(?:at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FORMS = "Write `off`, `every 30m`, `every 2h`, `daily 18:00`, or a cron line such as `30 4 * * 1`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """``text`` is the form to store. One of ``every`` and ``cron`` is set, neither when the schedule is off."""

    text: str
    every: timedelta | None = None
    cron: BaseTrigger | None = None

    def next_run(self, after: datetime) -> datetime | None:
        """The first moment after ``after`` (aware), in its timezone; None: never."""
        if self.every is not None:
            return after + self.every
        if self.cron is None:
            return None
        # The trigger answers ``after`` itself when it falls on a full minute of the schedule.
        fire: datetime | None = self.cron.get_next_fire_time(None, after + timedelta(microseconds=1))
        return None if fire is None else fire.astimezone(after.tzinfo)


def parse(text: str, timezone: str = "UTC") -> Schedule:
    """Read a schedule. ``timezone`` is the guild's IANA name; times of day are meant in it.

    Raises UserMistake with a sentence that says how to write it.
    """
    words = " ".join(text.lower().split())
    if words in ("", OFF, "never", "none"):
        return Schedule(text=OFF)
    if match := _EVERY.fullmatch(words):
        return _every(int(match["count"]), match["unit"][0])
    if match := _DAILY.fullmatch(words):
        return _daily(int(match["hour"]), int(match["minute"]), ZoneInfo(timezone))
    return _cron(words, ZoneInfo(timezone))


def _every(count: int, unit: str) -> Schedule:
    interval = timedelta(**{_UNITS[unit]: count})
    if not SHORTEST <= interval <= LONGEST:
        raise UserMistake("A schedule runs at most every 5 minutes and at least every 31 days. " + _FORMS)
    return Schedule(text=f"every {count}{unit}", every=interval)


def _daily(hour: int, minute: int, zone: tzinfo) -> Schedule:
    if hour > 23 or minute > 59:
        raise UserMistake(f"{hour}:{minute:02} is no time of day. " + _FORMS)
    return Schedule(text=f"daily {hour:02}:{minute:02}", cron=CronTrigger(hour=hour, minute=minute, timezone=zone))


def _cron(words: str, zone: tzinfo) -> Schedule:
    fields = words.split()
    if len(fields) != 5:
        raise UserMistake("I do not understand this schedule. " + _FORMS)
    try:
        trigger = _trigger(*fields, zone=zone)
    except ValueError as error:
        raise UserMistake("I do not understand this cron line. " + _FORMS) from error
    schedule = Schedule(text=words, cron=trigger)
    _refuse_too_often(schedule, zone)
    return schedule


def _trigger(minute: str, hour: str, day: str, month: str, weekday: str, *, zone: tzinfo) -> BaseTrigger:
    days = _weekdays(weekday)
    if day == "*" or weekday == "*":
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=days, timezone=zone)
    # Where both are given, cron means either of them; APScheduler would want both at once.
    either = [{"day": day}, {"day_of_week": days}]
    return OrTrigger([CronTrigger(minute=minute, hour=hour, month=month, timezone=zone, **only) for only in either])


def _weekdays(field: str) -> str:
    """Cron counts weekdays from Sunday (0 and 7), APScheduler from Monday: spell every day out by name."""
    if field == "*":
        return field
    days: set[str] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = ("0-6" if span == "*" else span).partition("-")
        start, end = _weekday(first), _weekday(last if dash else first)
        # A span such as sat-mon or 5-7 runs over the end of the week.
        length = 7 if span == "*" else (end - start) % 7 + 1
        days.update(_WEEKDAYS[(start + offset) % 7] for offset in range(0, length, int(step or 1)))
    return ",".join(day for day in _WEEKDAYS if day in days)


def _weekday(text: str) -> int:
    """0 for Sunday; raises ValueError for what is no weekday."""
    number = int(text) if text.isdigit() else _WEEKDAYS.index(text[:3])
    if not 0 <= number <= 7:
        raise ValueError(text)
    return number % 7


def _refuse_too_often(schedule: Schedule, zone: tzinfo) -> None:
    start = datetime(2026, 1, 1, tzinfo=zone)
    first = schedule.next_run(start)
    if first is None:
        raise UserMistake("This cron line names a moment that never comes. " + _FORMS)
    # The shortest distance of a cron line shows within its first day of firing.
    previous, end = first, first + timedelta(days=1)
    while (fire := schedule.next_run(previous)) is not None and fire <= end:
        if fire - previous < SHORTEST:
            raise UserMistake("A schedule runs at most every 5 minutes. " + _FORMS)
        previous = fire
