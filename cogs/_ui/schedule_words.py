"""Schedules in words: when a mapping runs by itself, and when it does so next."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.engine.schedule import OFF, parse
from cogs._ui import foreign, moments

_UNITS = {"m": "minute", "h": "hour", "d": "day"}


def said(stored: str) -> str:
    """``every 30 minutes``, ``daily at 18:00``, ``Mon, Wed, Fri at 18:00``, ``by the cron line 30 4 * * 1``."""
    if stored == OFF:
        return "only when asked"
    if stored.startswith("every "):
        count, unit = stored.removeprefix("every ")[:-1], _UNITS.get(stored[-1], "")
        return f"every {unit}" if count == "1" else f"every {count} {unit}s"
    days, _, times = stored.partition(" ")
    if days in ("daily", "weekdays", "weekends"):
        return f"{'on ' if days != 'daily' else ''}{days} at {times}"
    if days.isalpha():
        names = [word for word in stored.split() if word.isalpha()]
        return f"{', '.join(name.title() for name in names)} at {stored.split(maxsplit=len(names))[-1]}"
    return f"by the cron line {stored}"


def line(stored: str, next_run_at: datetime | None, *, timezone: str = "") -> str:
    """For embeds: the words, and the next run in each reader's own time; ``timezone`` where times are meant in it."""
    words = foreign.plain(said(stored), 120)
    meant = f" ({foreign.plain(timezone, 40)})" if timezone and parse(stored).cron is not None else ""
    if next_run_at is None:
        return f"{words}{meant}"
    return f"{words}{meant}\nnext {moments.exact(next_run_at)} ({moments.relative(next_run_at)})"


def offer(stored: str, now: datetime, timezone: str) -> str:
    """For a choice of the autocomplete, where no timestamp comes to life: the next run by the server's clock."""
    following = parse(stored, timezone).next_run(now)
    if following is None:
        return foreign.label(f"{stored} · runs only when asked")
    zone = ZoneInfo(timezone)
    local, today = following.astimezone(zone), now.astimezone(zone).date()
    ahead = (local.date() - today).days
    day = {0: "today", 1: "tomorrow"}.get(ahead) or (f"{local:%A}" if ahead < 7 else f"{local.day} {local:%b %Y}")
    return foreign.label(f"{stored} · {said(stored)}, next {day} {local:%H:%M}")
