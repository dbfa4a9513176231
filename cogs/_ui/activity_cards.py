"""The embed of /activity: what happened, one line for each occurrence, by days."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import discord

from bot.logs.activity import ActivityKind, kind_of
from bot.model.events import Event
from bot.model.log_filter import LogFilter, LogPage
from bot.model.logline import LogLine
from cogs._ui import colours, foreign, moments

KINDS = {
    ActivityKind.PEOPLE: "what people did",
    ActivityKind.WORK: "scheduled and asked-for work",
    ActivityKind.SYSTEM: "the program and the services",
    ActivityKind.ERRORS: "what went wrong",
}
SIGNS = {
    ActivityKind.PEOPLE: "👤",
    ActivityKind.WORK: "🔁",
    ActivityKind.SYSTEM: "⚙️",
    ActivityKind.ERRORS: "❌",
}
_SENTENCE_SHOWN = 190


def activity_card(
    page: LogPage, wanted: LogFilter, kind: ActivityKind | None, *, days: int, timezone: str
) -> discord.Embed:
    """A page of what happened, newest first, under the days of the server's timezone."""
    where = "everywhere" if wanted.guild_id is None else "on this server"
    card = discord.Embed(title=f"What happened {where}", colour=colours.WORKING)
    head = f"-# {_span(days)}{'' if kind is None else f' · {KINDS[kind]}'}"
    if wanted.actor_id is not None:
        head += f" · by <@{wanted.actor_id}>"
    lines = [head, *_by_days(page.lines, ZoneInfo(timezone))]
    if not page.lines:
        lines.append("Nothing happened in this time." if days else "Nothing happened today; `days:7` shows a week.")
    card.description = foreign.cut_lines("\n".join(lines), foreign.DESCRIPTION)
    if page.stopped_at is not None:
        text = f"Looked through the log to {moments.exact(page.stopped_at)}. **Search on** looks further."
        card.add_field(name="There is more to search", value=text, inline=False)
    return card


def activity_line(line: LogLine) -> str:
    """``👤 3 minutes ago Mapping Trip was paused · by @ada``."""
    sentence = foreign.plain(line.message, _SENTENCE_SHOWN)
    who = f" · by <@{line.actor_id}>" if line.actor_id else ""
    return f"{sign(line)} {moments.relative(line.at)} {sentence}{who}"


def sign(line: LogLine) -> str:
    """The sign of the line's kind."""
    try:
        kind = kind_of(Event(line.event))
    except ValueError:  # an event of a newer version
        kind = None
    return SIGNS.get(kind, "·") if kind is not None else "·"


def _by_days(lines: Sequence[LogLine], zone: ZoneInfo) -> list[str]:
    text: list[str] = []
    for _, group in groupby(lines, key=lambda line: line.at.astimezone(zone).date()):
        together = list(group)
        text.append(f"**{_day(together[0].at, zone)}**")
        text += [activity_line(line) for line in together]
    return text


def _day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%A}, {local.day} {local:%B}"


def _span(days: int) -> str:
    return "today" if days == 0 else "yesterday and today" if days == 1 else f"today and the {days} days before"
