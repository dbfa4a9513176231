"""The embed of /logs: lines of the log, newest first."""

from collections.abc import Sequence

import discord

from bot.model.logline import Level, LogLine
from cogs._ui import colours, foreign, moments

MESSAGE_SHOWN = 220
BADGES = {Level.INFO: "·", Level.WARN: "⚠️", Level.ERROR: "❌"}


def log_line(line: LogLine) -> str:
    """``⚠️ 3 minutes ago The sentence`` without a mention, link or markdown of the sentence coming to life."""
    return f"{BADGES[line.level]} {moments.relative(line.at)} {foreign.plain(line.message, MESSAGE_SHOWN)}"


def logs_card(lines: Sequence[LogLine], *, filtered: bool) -> discord.Embed:
    card = discord.Embed(title="Log of this server", colour=colours.QUIET)
    if not lines:
        card.description = (
            "No line fits these filters." if filtered else "Nothing was logged yet. `/sync` makes the first lines."
        )
        return card
    card.description = foreign.bullets([log_line(line) for line in lines], foreign.DESCRIPTION)
    return card
