"""Moments of a timezone's own clock: days and times of day, over the changes of summer time.

A time that the clock skips in spring comes as much later as the clock jumps (02:30 at 03:30), so that no day is left
out. A time that the clock shows twice in autumn comes once, at the first of the two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CRON_WEEKDAYS = ("sun", *WEEKDAYS[:6])  # cron counts from Sunday
_LOOK_AHEAD = 8 * 366 + 1  # days: a 29 February comes within eight years
_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClock:
    """``minutes`` of the day, ascending, on the days that fit. ``either``: a day fits by month day or by weekday."""

    zone: ZoneInfo
    minutes: tuple[int, ...]
    weekdays: frozenset[int] = frozenset(range(7))  # 0 is Monday
    month_days: frozenset[int] = frozenset(range(1, 32))
    months: frozenset[int] = frozenset(range(1, 13))
    either: bool = False

    def next_after(self, after: datetime) -> datetime | None:
        """The first moment later than ``after`` (aware), in UTC; None: none within eight years."""
        # A day earlier too: what the clock skipped at the end of a day comes on the next one.
        day = after.astimezone(self.zone).date() - timedelta(days=1)
        for _ in range(_LOOK_AHEAD):
            if self._fits(day):
                later = [moment for moment in self._moments(day) if moment > after]
                if later:
                    return min(later)
            day += timedelta(days=1)
        return None

    @property
    def shortest_gap(self) -> timedelta:
        """Between two moments of one day or of two days that follow each other."""
        around = [*self.minutes, self.minutes[0] + _DAY]
        return timedelta(minutes=min(later - earlier for earlier, later in pairwise(around)))

    def _fits(self, day: date) -> bool:
        by_date, by_weekday = day.day in self.month_days, day.weekday() in self.weekdays
        return day.month in self.months and (by_date or by_weekday if self.either else by_date and by_weekday)

    def _moments(self, day: date) -> Iterator[datetime]:
        for minute in self.minutes:
            # fold 0 is the first of two, and in a gap the offset from before it, which lands behind the gap (PEP 495).
            yield datetime.combine(day, time(minute // 60, minute % 60), tzinfo=self.zone).astimezone(UTC)


def weekly(days: frozenset[int], minutes: Sequence[int], zone: ZoneInfo) -> WallClock:
    """These times on these weekdays (0 is Monday)."""
    return WallClock(zone=zone, minutes=tuple(sorted(minutes)), weekdays=days)


def from_cron(line: str, zone: ZoneInfo) -> WallClock:
    """A cron line of five fields, in lower case. Raises ValueError for what is none."""
    minute, hour, day, month, weekday = line.split()
    hours = _field(hour, 0, 23)
    minutes = _field(minute, 0, 59)
    weekdays = frozenset((number - 1) % 7 for number in _field(weekday, 0, 7, _CRON_WEEKDAYS, week=True))
    return WallClock(
        zone=zone,
        minutes=tuple(sorted(60 * h + m for h in hours for m in minutes)),
        weekdays=weekdays,
        month_days=_field(day, 1, 31),
        months=_field(month, 1, 12, _MONTHS),
        # Where both days are given, cron means either of them.
        either=not day.startswith("*") and not weekday.startswith("*"),
    )


def _field(text: str, least: int, most: int, names: tuple[str, ...] = (), *, week: bool = False) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        width = _number(step, 1, most) if slash else 1
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = least, most - week  # in a week 0 and 7 are the same Sunday
        else:
            start = _number(first, least, most, names)
            end = _number(last, least, most, names) if dash else (most if slash else start)
        if end < start and week:
            end += 7  # sat-mon, 5-1: over the end of the week
        if end < start:
            raise ValueError(part)
        found.update(range(start, end + 1, width))
    return frozenset(found)


def _number(text: str, least: int, most: int, names: tuple[str, ...] = ()) -> int:
    if text[:3] in names and text.isalpha():
        return names.index(text[:3]) + (1 if names is _MONTHS else 0)
    if not (text.isascii() and text.isdigit() and len(text) < 4 and least <= int(text) <= most):
        raise ValueError(text)
    return int(text)
