"""The embeds of /logs: lines of the log, newest first, and one line with all that it carries."""

import json
from typing import Any

import discord

from bot.model.log_filter import LogFilter, LogPage
from bot.model.logline import JobType, Level, LogLine
from cogs._ui import colours, foreign, moments

MESSAGE_SHOWN = 220
BADGES = {Level.INFO: "·", Level.WARN: "⚠️", Level.ERROR: "❌"}
JOB_TYPES = {
    JobType.ANALYSIS: "analysis",
    JobType.EXECUTION: "execution",
    JobType.ROUTING: "routing",
    JobType.SYSTEM: "the program",
    JobType.USER_ACTION: "what people did",
}
_LEVELS = {Level.WARN: "warnings and errors", Level.ERROR: "errors"}
_COLOURS = {Level.INFO: colours.QUIET, Level.WARN: colours.CAUTION, Level.ERROR: colours.BAD}
_FILTER_SHOWN = 500
_DETAILS_SHOWN = 900


def log_line(line: LogLine) -> str:
    """``⚠️ 3 minutes ago The sentence`` without a mention, link or markdown of the sentence coming to life."""
    return f"{BADGES[line.level]} {moments.relative(line.at)} {foreign.plain(line.message, MESSAGE_SHOWN)}"


def logs_card(page: LogPage, wanted: LogFilter, *, mapping_name: str = "", following: bool = False) -> discord.Embed:
    """A page of the log, with what it was filtered by and how far it was searched."""
    where = "Log of all servers" if wanted.guild_id is None else "Log of this server"
    card = discord.Embed(title=where, colour=colours.WORKING if following else colours.QUIET)
    filtered = filter_words(wanted, mapping_name)
    head = f"-# {filtered}\n" if filtered else ""
    room = foreign.DESCRIPTION - len(head)
    if page.lines:
        card.description = head + foreign.bullets([log_line(line) for line in page.lines], room)
    elif filtered or page.stopped_at is not None:
        card.description = f"{head}No line fits these filters."
    else:
        card.description = "Nothing was logged yet. `/sync` makes the first lines."
    if page.stopped_at is not None:
        text = f"Looked through the log to {moments.exact(page.stopped_at)}. **Search on** looks further."
        card.add_field(name="There is more to search", value=text, inline=False)
    return card


def filter_words(wanted: LogFilter, mapping_name: str = "") -> str:
    """``errors · mapping Trip · “full” · since …``; '' where nothing is left out."""
    words: list[str] = []
    if wanted.least is not Level.INFO:
        words.append(_LEVELS[wanted.least])
    if wanted.job_type is not None:
        words.append(JOB_TYPES[wanted.job_type])
    if wanted.events:
        words.append(f"event {foreign.plain(', '.join(wanted.events), 120)}")
    if wanted.mapping_id is not None:
        words.append(f"mapping {foreign.plain(mapping_name or str(wanted.mapping_id), 60)}")
    if wanted.item_id is not None:
        words.append(f"item {wanted.item_id}")
    if wanted.run_id is not None:
        words.append(f"run {wanted.run_id}")
    if wanted.actor_id is not None:
        words.append(f"by <@{wanted.actor_id}>")
    if wanted.text:
        words.append(f"with “{foreign.plain(wanted.text, 60)}”")
    if wanted.since is not None:
        words.append(f"since {moments.exact(wanted.since)}")
    if wanted.until is not None:
        words.append(f"until {moments.exact(wanted.until)}")
    return foreign.cut_lines(" · ".join(words), _FILTER_SHOWN)


def line_option(line: LogLine, number: int) -> discord.SelectOption:
    """The line in a select; its value is the line's id."""
    about = [line.event, *(f"{name} {value}" for name, value in _ids(line).items())]
    return discord.SelectOption(
        label=foreign.label(f"{number}. {line.message}"),
        value=str(line.id),
        description=foreign.label(" · ".join(about)),
    )


def line_card(line: LogLine, *, mapping_name: str = "") -> discord.Embed:
    """One line with everything that it carries."""
    card = discord.Embed(
        title=f"{BADGES[line.level]} {line.event}",
        description=foreign.plain(line.message, 1100),
        colour=_COLOURS[line.level],
    )
    card.add_field(name="When", value=moments.exact(line.at))
    card.add_field(name="Part of", value=JOB_TYPES[line.job_type])
    if line.actor_id is not None:
        card.add_field(name="Who", value=f"<@{line.actor_id}>")
    if mapping_name:
        card.add_field(name="Mapping", value=foreign.plain(mapping_name, 100))
    details = {key: value for key, value in line.details.items() if key != "v"}
    trace = details.pop("traceback", None)
    if details:
        card.add_field(name="Details", value=pretty(details), inline=False)
    if trace:
        card.add_field(name="Trace", value=code(str(trace)[-_DETAILS_SHOWN:]), inline=False)
    footer = [f"Line {line.id}", *(f"{name} {value}" for name, value in _ids(line).items()), line.source]
    card.set_footer(text=" · ".join(part for part in footer if part))
    return card


def pretty(values: dict[str, Any], limit: int = _DETAILS_SHOWN) -> str:
    """JSON for people to read, in a block of code."""
    return code(json.dumps(values, indent=2, ensure_ascii=False, default=str), "json", limit)


def code(text: str, language: str = "", limit: int = _DETAILS_SHOWN) -> str:
    """Foreign text in a block of code, which it cannot end."""
    cleaned = "\n".join(_indent(line) + foreign.visible(line) for line in text.splitlines())
    shown = foreign.cut_lines(cleaned.replace("`", "ˋ").replace("@", "@\u200b"), limit)
    return f"```{language}\n{shown}\n```"


def _indent(line: str) -> str:
    return " " * (len(line) - len(line.lstrip(" ")))


def _ids(line: LogLine) -> dict[str, int]:
    ids = {"item": line.sync_item_id, "run": line.run_id, "mapping": line.mapping_id}
    return {name: value for name, value in ids.items() if value is not None}
