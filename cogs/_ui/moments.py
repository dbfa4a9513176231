"""Moments and durations as people read them; Discord shows each reader their own timezone."""

from datetime import datetime, timedelta


def relative(moment: datetime) -> str:
    """``in 5 minutes``, kept current by the reader's client. ``moment`` is aware."""
    return f"<t:{int(moment.timestamp())}:R>"


def exact(moment: datetime) -> str:
    """Date and time in the reader's timezone."""
    return f"<t:{int(moment.timestamp())}:f>"


def length(seconds: float | None) -> str:
    """A track's length as ``3:45`` or ``1:02:03``; ``?:??`` where it is not known."""
    if seconds is None:
        return "?:??"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def about(work: timedelta) -> str:
    """An estimate: ``less than a minute``, ``about 5 minutes``, ``about 2 hours``."""
    minutes = round(work.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    return f"about {round(minutes / 60)} hours"


def duration(seconds: float) -> str:
    """How long something took: ``under 1 s``, ``4 s``, ``2 min 5 s``, ``3 h 10 min``."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
