"""Moments as people write them: ``2h``, ``3d``, ``today``, ``2026-11-20``, ``2026-11-20 18:00``, ``18:00``."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.model.errors import UserMistake

LONGEST = timedelta(days=366)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(?:\d{1,6}\s*[mhdw]\s*)+")
_PART = re.compile(r"(\d{1,6})\s*([mhdw])")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")


def span(text: str) -> timedelta:
    """``90m``, ``2h``, ``1d 12h``, ``2w``: how long, from a minute to 366 days. Raises UserMistake."""
    found = _span(text)
    if found is None or not timedelta(minutes=1) <= found <= LONGEST:
        raise UserMistake(
            f"“{_quoted(text)}” is no span of time from a minute to 366 days. Write for example `90m`, `24h` or `7d`."
        )
    return found


def moment(text: str, now: datetime, timezone: str, *, end: bool = False) -> datetime:
    """The moment that ``text`` names, aware UTC: a span is so long before ``now``, a date is of ``timezone``.

    A day is its first moment; with ``end`` the first moment after it. Raises UserMistake.
    """
    back = _span(text)
    if back is not None:
        return now - span(text)
    zone = ZoneInfo(timezone)
    local = _local(text.strip().lower(), now.astimezone(zone), end=end)
    if local is None:
        raise UserMistake(
            f"“{_quoted(text)}” is no moment. Write for example `2h`, `3d`, `today`, `2026-11-20` or "
            f"`2026-11-20 18:00` (in {timezone})."
        )
    return local.replace(tzinfo=zone).astimezone(now.tzinfo)


def day_begins(now: datetime, timezone: str, days_back: int = 0) -> datetime:
    """Midnight in ``timezone`` at the start of today, or of so many days before; aware UTC."""
    zone = ZoneInfo(timezone)
    day = now.astimezone(zone).date() - timedelta(days=days_back)
    return datetime.combine(day, time(), zone).astimezone(now.tzinfo)


def _span(text: str) -> timedelta | None:
    if not _SPAN.fullmatch(text.strip().lower()):
        return None
    total = timedelta()
    for amount, unit in _PART.findall(text.lower()):
        total += timedelta(**{_UNITS[unit]: int(amount)})
    return total


def _local(text: str, now: datetime, *, end: bool) -> datetime | None:
    """Without a zone; None for what cannot be read."""
    words = text.replace("t", " ", 1).split() if _DAY.match(text) else text.split()
    clock = _clock(words[-1]) if words else None
    if clock is not None:
        words.pop()
    day = _day(words[0], now.date()) if len(words) == 1 else now.date() if clock is not None and not words else None
    if day is None:
        return None
    if clock is None and end:
        day += timedelta(days=1)
    return datetime.combine(day, clock or time())


def _day(word: str, today: date) -> date | None:
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    found = _DAY.fullmatch(word)
    try:
        # Far-off years leave no room for zones and the day after.
        return date(*map(int, found.groups())) if found and 1970 <= int(found[1]) <= 9000 else None
    except ValueError:
        return None


def _clock(word: str) -> time | None:
    found = _TIME.fullmatch(word)
    return time(int(found[1]), int(found[2])) if found and int(found[1]) < 24 and int(found[2]) < 60 else None


def _quoted(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
