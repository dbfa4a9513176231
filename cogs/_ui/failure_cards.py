"""The embeds of /errors: the groups, and one group with its example."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import discord

from bot.engine.failures import Example, Retried
from bot.model.failure import FailureFilter, FailureGroup, FailureKind
from cogs._ui import colours, foreign, log_cards, moments, reason_words, words

GROUPS_SHOWN = 8
_MAPPINGS_SHOWN = 4
HEADINGS = {
    FailureKind.ITEM: "Changes that failed",
    FailureKind.RUN: "Runs that failed",
    FailureKind.REVIEW: "Tracks without a counterpart",
    FailureKind.WAIT: "Waiting",
}
SIGNS = {FailureKind.ITEM: "❌", FailureKind.RUN: "🛑", FailureKind.REVIEW: "🔎", FailureKind.WAIT: "⏳"}
_NOUNS = {
    FailureKind.ITEM: "change",
    FailureKind.RUN: "run",
    FailureKind.REVIEW: "track",
    FailureKind.WAIT: "change",
}
Names = Mapping[int, str]


def counted(group: FailureGroup) -> str:
    """``1,234 changes``."""
    return words.count(group.count, _NOUNS[group.kind])


def groups_card(
    groups: Sequence[FailureGroup], wanted: FailureFilter, names: Names, *, now: datetime, page: int = 0
) -> discord.Embed:
    """A page of the groups, with what the window is and what it does not bound."""
    shown = groups[page * GROUPS_SHOWN : (page + 1) * GROUPS_SHOWN]
    failed = any(group.kind is not FailureKind.WAIT for group in groups)
    colour = colours.BAD if failed else colours.CAUTION if groups else colours.GOOD
    card = discord.Embed(title="What went wrong", colour=colour, description=_window(wanted, names, now))
    if not groups:
        card.add_field(name="Nothing", value="Nothing failed in this time, and nothing waits.", inline=False)
    for group in shown:
        name = f"{SIGNS[group.kind]} {reason_words.happened(group.reason)}"
        card.add_field(name=name, value=_lines(group, names), inline=False)
    pages = -(-len(groups) // GROUPS_SHOWN)
    footer = f"{words.count(len(groups), 'group')} · choose one for an example with its log, retry and export"
    if groups:
        card.set_footer(text=f"Page {page + 1} of {pages} · {footer}" if pages > 1 else footer)
    return card


def group_card(group: FailureGroup, example: Example, wanted: FailureFilter, names: Names) -> discord.Embed:
    """One group: how often, since when, where, what to do, and its newest failure with its log."""
    waits = group.kind is FailureKind.WAIT
    card = discord.Embed(
        title=f"{SIGNS[group.kind]} {reason_words.happened(group.reason, 200)}",
        description=reason_words.remedy(group.reason, group.until),
        colour=colours.CAUTION if waits or group.kind is FailureKind.REVIEW else colours.BAD,
    )
    card.add_field(name=HEADINGS[group.kind], value=f"**{group.count:,}**")
    for name, moment in (("First seen", group.first_seen), ("Last seen", group.last_seen), ("Goes on", group.until)):
        if moment is not None:
            card.add_field(name=name, value=moments.relative(moment))
    card.add_field(name="Where", value=_where(group, names, most=8), inline=False)
    card.add_field(name="Newest example", value=_example(example), inline=False)
    if example.lines:
        lines = [log_cards.log_line(line) for line in example.lines]
        card.add_field(name="Its log", value=foreign.bullets(lines, foreign.FIELD_VALUE), inline=False)
    if not waits:
        card.set_footer(text=f"Counted over {span_words(wanted.window)}")
    return card


def confirm_card(group: FailureGroup) -> discord.Embed:
    """What a press on Retry would do."""
    if group.kind is FailureKind.RUN:
        what = f"{words.count(len(group.mappings), 'mapping')} would be analysed again, one after the other."
    elif group.kind is FailureKind.REVIEW:
        what = f"A counterpart would be searched again for {counted(group)}. Searches cost quota; `/quota` shows it."
    else:
        what = f"{counted(group).capitalize()} would be queued again and tried as soon as it is their turn."
    card = discord.Embed(
        title="Retry this group?", description=f"{what} Nothing is done twice.", colour=colours.CAUTION
    )
    card.add_field(name="Reason", value=reason_words.happened(group.reason, 200), inline=False)
    card.add_field(name="Before you do", value=reason_words.remedy(group.reason, group.until), inline=False)
    return card


def retried_card(retried: Retried) -> discord.Embed:
    """What a retry did."""
    if retried.mappings:
        text = f"{words.count(retried.mappings, 'mapping')} are analysed again. `/stats` and `/logs` show how it goes."
        text = text.replace("1 mapping are", "1 mapping is")
    else:
        text = f"{words.count(retried.items, 'track')} in the queue again. `/stats` and `/logs` show how it goes."
    return discord.Embed(title="Retried", description=text, colour=colours.GOOD)


def span_words(span: timedelta) -> str:
    """``the last 7 days``, ``the last 90 minutes``."""
    seconds = int(span.total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600)):
        if seconds % length == 0:
            count = seconds // length
            return f"the last {unit}" if count == 1 and unit == "hour" else f"the last {words.count(count, unit)}"
    return f"the last {words.count(seconds // 60, 'minute')}"


def _window(wanted: FailureFilter, names: Names, now: datetime) -> str:
    since = moments.exact(now - wanted.window)
    what = "" if wanted.kind is None else f"{HEADINGS[wanted.kind]} only. "
    where = "" if wanted.mapping_id is None else f"Mapping **{_name(wanted.mapping_id, names)}** only. "
    return (
        f"{what}{where}Failures of **{span_words(wanted.window)}** (since {since}), by their reason; "
        "what waits is as it stands now."
    )


def _lines(group: FailureGroup, names: Names) -> str:
    seen = []
    if group.first_seen is not None and group.last_seen is not None:
        seen = [f"first {moments.relative(group.first_seen)}", f"last {moments.relative(group.last_seen)}"]
    elif group.until is not None:
        seen = [f"goes on {moments.relative(group.until)}"]
    verb = " wait" if group.kind is FailureKind.WAIT else ""
    facts = " · ".join([f"**{counted(group)}**{verb}{'s' if verb and group.count == 1 else ''}", *seen])
    return f"{facts}\n{_where(group, names)}\n{reason_words.remedy(group.reason, group.until)}"


def _where(group: FailureGroup, names: Names, most: int = _MAPPINGS_SHOWN) -> str:
    shown = [f"{_name(mapping_id, names)} ({count:,})" for mapping_id, count in group.mappings[:most]]
    left = len(group.mappings) - len(shown)
    more = f" and {words.count(left, 'more mapping')}" if left else ""
    services = " and ".join(service.label for service in group.services)
    return ", ".join(shown) + more + (f" · on {services}" if services else "")


def _name(mapping_id: int, names: Names) -> str:
    """``mapping_id`` 0: a run of the router."""
    if not mapping_id:
        return "the router"
    return foreign.plain(names.get(mapping_id) or f"removed mapping {mapping_id}", 40)


def _example(example: Example) -> str:
    if example.item is not None:
        item = example.item
        what = f"**{foreign.plain(item.source_track_title or 'Item', 100)}** · {words.ACTIONS[item.action]} on "
        error = f"\n{foreign.plain(item.last_error, 400)}" if item.last_error else ""
        return f"{what}{item.destination_service.label} · item {item.id}, run {item.run_id}{error}"
    if example.run is not None:
        run = example.run
        return f"**Run {run.id}** · {run.kind.value}\n{foreign.plain(run.error or 'It left no word.', 400)}"
    if example.row is not None:
        row = example.row
        why = foreign.plain(row.explanation or words.REASONS[row.reason], 400)
        return f"**{foreign.plain(row.title, 100)}** · not on {row.service.other.label}\n{why}"
    return "It is not there any more."
