"""Schedules as people write them: ``off``, ``every 30m``, ``daily 08:00, 20:00``, ``mon wed 18:00``, or a cron line."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.engine.wall_clock import WEEKDAYS, WallClock, from_cron, weekly
from bot.model.errors import UserMistake

OFF = "off"
# Below this a mapping would poll more often than a playlist is worth: 900 Spotify calls a day are shared by all.
SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=31)
MOST_TIMES = 24  # times of day in one schedule
_FORMS = (
    "Write `off`, `every 30m`, `every 2h`, `daily 18:00`, `daily 08:00, 20:00`, `mon wed fri 18:00`, "
    "`weekdays 07:30`, `weekends 10:00`, or a cron line such as `30 4 * * 1`."
)

_NEVER = frozenset({"", OFF, "never", "none", "no", "manual", "manually"})
_ALONE = {"hourly": "every 1h", "weekly": "every 7d", "@hourly": "0 * * * *", "@weekly": "0 0 * * 0",
          "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@monthly": "0 0 1 * *"}  # fmt: skip
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EVERY = re.compile(
    r"(?:every(?:\s+(?P<count>\d{1,5}))?|(?P<bare>\d{1,5}))\s*"
    r"(?P<unit>minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)(?!\w)"
)
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.]?(?P<minute>\d{2}))?\s*(?P<half>am|pm|a\.m\.|p\.m\.|h|uhr|o'clock)?(?![\w:.])"
)
_NAMED_TIMES = {"noon": 12 * 60, "midday": 12 * 60, "midnight": 0}
_FILLERS = frozenset({"at", "on", "and", "the", "each", "every", ",", "&", "+", ";", "/"})
_GROUPS = {
    "daily": frozenset(range(7)), "day": frozenset(range(7)), "everyday": frozenset(range(7)),
    "days": frozenset(range(7)),
    "weekday": frozenset(range(5)), "weekdays": frozenset(range(5)), "workdays": frozenset(range(5)),
    "weekend": frozenset({5, 6}), "weekends": frozenset({5, 6}),
}  # fmt: skip
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([a-z]+)\s*(?:-|–|to)\s*([a-z]+)")
_CRON = re.compile(r"[\d*][\w*/,-]*(?: [\w*/,-]+){4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """``text`` is the form to store. One of ``every`` and ``cron`` is set, neither when the schedule is off.

    ``cron``: moments of the guild's own clock, times of day as well as cron lines.
    """

    text: str
    every: timedelta | None = None
    cron: WallClock | None = None

    def next_run(self, after: datetime) -> datetime | None:
        """The first moment after ``after`` (aware), in its timezone; None: never."""
        if self.every is not None:
            return after + self.every
        if self.cron is None:
            return None
        fire = self.cron.next_after(after)
        return None if fire is None else fire.astimezone(after.tzinfo)


def parse(text: str, timezone: str = "UTC") -> Schedule:
    """Read a schedule. ``timezone`` is the guild's IANA name; times of day are meant in it.

    Raises UserMistake with a sentence that says how to write it.
    """
    words = " ".join(text.lower().split())
    words = _ALONE.get(words, words)
    if words in _NEVER:
        return Schedule(text=OFF)
    if match := _EVERY.fullmatch(words):
        return _every(int(match["count"] or match["bare"] or 1), match["unit"][0])
    if (match := _EVERY.match(words)) and match["count"]:
        raise UserMistake(
            "A schedule runs either every so often or at times of day, not both, so nothing was set. " + _FORMS
        )
    zone = ZoneInfo(timezone)
    if _CRON.fullmatch(words):
        return _cron(words, zone)
    return _times(words, zone)


def suggestions(current: str) -> list[str]:
    """Schedules that somebody who has written ``current`` may mean, as they are stored; likeliest first."""
    intervals = [f"{current}{unit}" for unit in ("m", "h", "d")] + [f"every {current}{unit}" for unit in ("", "m", "h")]
    days = [f"{group} at {current}" for group in ("daily", "weekdays", "weekends")]
    times = [f"{current} {time}" for time in ("18:00", "08:00", "08:00, 20:00")]
    ordered = (intervals, times, days) if current.lower().startswith("every") else (days, times, intervals)
    tried = [current, *(form for group in ordered for form in group)]
    meant = [form for form in map(_stored, tried if current.strip() else []) if form]
    known = [form for form in USUAL if form.startswith(" ".join(current.lower().split())[:3])]
    found = [*meant, *known] or list(USUAL)
    return list(dict.fromkeys(found))


USUAL = (
    "every 30m", "every 1h", "every 6h", "daily 18:00", "daily 08:00, 20:00", "weekdays 07:30", "weekends 10:00",
    "mon wed fri 18:00", "every 15m", "every 12h", "every 1d", "30 4 * * 1", OFF,
)  # fmt: skip


def _stored(text: str) -> str:
    try:
        return parse(text).text
    except UserMistake:
        return ""


def _every(count: int, unit: str) -> Schedule:
    interval = timedelta(**{_UNITS[unit]: count})
    if not SHORTEST <= interval <= LONGEST:
        raise UserMistake("A schedule runs at most every 5 minutes and at least every 31 days. " + _FORMS)
    if unit == "w":
        return Schedule(text=f"every {7 * count}d", every=interval)
    return Schedule(text=f"every {count}{unit}", every=interval)


def _times(words: str, zone: ZoneInfo) -> Schedule:
    days, minutes = _read(words)
    if len(minutes) > MOST_TIMES:
        raise UserMistake(f"A schedule has at most {MOST_TIMES} times of day; `every 30m` runs more often. " + _FORMS)
    times = sorted(minutes)
    spoken = ", ".join(f"{minute // 60:02}:{minute % 60:02}" for minute in times)
    clock = weekly(days, times, zone)
    schedule = Schedule(text=f"{_named(days)} {spoken}", cron=clock)
    return _not_too_often(schedule, clock)


def _read(words: str) -> tuple[frozenset[int], set[int]]:
    """Weekdays (0 is Monday) and minutes of the day. Words may come in any order; no day at all means every day."""
    days: set[int] = set()
    minutes: set[int] = set()
    rest = _SPAN.sub(lambda span: _span(span, days), words)
    position, after_at = 0, False
    while position < len(rest):
        if rest[position].isspace():
            position += 1
            continue
        if match := _TIME.match(rest, position):
            minutes.add(_minute(match, plain_hour=after_at))
            position, after_at = match.end(), True  # "at 8 and 20"
            continue
        word = re.match(r"[a-z]+|.", rest[position:])
        assert word is not None
        position += word.end()
        if word[0] in _NAMED_TIMES:
            minutes.add(_NAMED_TIMES[word[0]])
        elif word[0] in _FILLERS:
            after_at = after_at or word[0] == "at"
        else:
            days |= _days(word[0])
    if not minutes:
        raise UserMistake("This schedule names no time of day. " + _FORMS)
    return frozenset(days) or frozenset(range(7)), minutes


def _minute(match: re.Match[str], *, plain_hour: bool) -> int:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").replace(".", "")
    if match["minute"] is None and not half and not plain_hour:
        raise UserMistake(f"“{match[0].strip()}” is no time of day; write it as {match['hour']}:00. " + _FORMS)
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            raise UserMistake(f"“{match[0].strip()}” is no time of day. " + _FORMS)
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise UserMistake(f"{hour}:{minute:02} is no time of day. " + _FORMS)
    return hour * 60 + minute


def _span(span: re.Match[str], days: set[int]) -> str:
    """``mon-fri``, over the end of the week too; what is no span of days stays as it is written."""
    first, last = _day(span[1]), _day(span[2])
    if first is None or last is None:
        return span[0]
    days.update((first + offset) % 7 for offset in range((last - first) % 7 + 1))
    return " "


def _days(word: str) -> frozenset[int]:
    if word in _GROUPS:
        return _GROUPS[word]
    day = _day(word)
    if day is None:
        raise UserMistake(f"I do not understand “{word[:20]}” in this schedule. " + _FORMS)
    return frozenset({day})


def _day(word: str) -> int | None:
    """``mon``, ``tues``, ``fridays``: three letters or more of a weekday's name, in the plural too."""
    if len(word) < 3:
        return None
    names = (word, word.removesuffix("s"))
    return next((day for day, name in enumerate(_LONG) if any(name.startswith(each) for each in names)), None)


def _named(days: frozenset[int]) -> str:
    for name in ("daily", "weekdays", "weekends"):
        if _GROUPS[name] == days:
            return name
    return " ".join(WEEKDAYS[day] for day in sorted(days))


def _cron(words: str, zone: ZoneInfo) -> Schedule:
    try:
        clock = from_cron(words, zone)
    except ValueError as error:
        raise UserMistake("I do not understand this cron line. " + _FORMS) from error
    if clock.next_after(datetime(2026, 1, 1, tzinfo=zone)) is None:
        raise UserMistake("This cron line names a moment that never comes. " + _FORMS)
    return _not_too_often(Schedule(text=words, cron=clock), clock)


def _not_too_often(schedule: Schedule, clock: WallClock) -> Schedule:
    if clock.shortest_gap < SHORTEST:
        raise UserMistake("A schedule runs at most every 5 minutes. " + _FORMS)
    return schedule
