"""The card of an incident in the log channel: what happened, what it means, what to do, and what became of it."""

import discord

from bot.engine.incidents import About
from bot.model.events import Event
from bot.model.incident import Example, Incident
from bot.model.logline import Level
from cogs._ui import colours, foreign, incident_words, moments, review_words, words

ITEMS_WITH_BUTTONS = 3  # a card about so many items carries their own buttons; more are behind Details
_COLOURS = {Level.INFO: colours.QUIET, Level.WARN: colours.CAUTION, Level.ERROR: colours.BAD}
_SIGNS = {Level.INFO: "·", Level.WARN: "⚠️", Level.ERROR: "❌"}
_REASONED = (Event.ITEM_BLACKLISTED, Event.ITEM_REVIEW)


def feed_card(incident: Incident, about: About) -> discord.Embed:
    card = discord.Embed(
        title=foreign.cut_lines(_title(incident, about), foreign.TITLE),
        description=foreign.cut_lines("\n".join(_paragraphs(incident, about)), foreign.DESCRIPTION),
        colour=_colour(incident),
    )
    if incident.count > 1:
        card.add_field(name="Times", value=f"{incident.count:,}")
        card.add_field(name="First seen", value=moments.relative(incident.first_seen_at))
    card.add_field(name="Last seen" if incident.count > 1 else "When", value=moments.relative(incident.last_seen_at))
    card.set_footer(text=_footer(incident))
    return card


def listed(incident: Incident) -> tuple[Example, ...]:
    """The lines that the card tells one by one: those of tracks, and of other incidents none, as all read the same."""
    return tuple(example for example in incident.examples if example.title or example.item_id)


def item_buttons_of(incident: Incident) -> tuple[int, ...]:
    """The items whose own buttons stand on the card; numbered in this order where there is more than one."""
    return incident.item_ids if len(incident.item_ids) <= ITEMS_WITH_BUTTONS else ()


def _paragraphs(incident: Incident, about: About) -> list[str]:
    if incident.over_at is not None and incident_words.mended(incident):
        return _states(incident)  # what it meant is not so any more
    mapping = f"**{foreign.plain(about.mapping, 80)}**: " if about.mapping and listed(incident) else ""
    paragraphs = [f"{mapping}{incident_words.meaning(incident, about.mapping)}", *_list(incident, about)]
    if incident.over_at is None:
        remedy = incident_words.remedy(incident)
        paragraphs.append(remedy if remedy == incident_words.NOTHING else f"**What to do:** {remedy}")
    return [*paragraphs, *_states(incident)]


def _list(incident: Incident, about: About) -> list[str]:
    numbers = {item_id: f"**{number}.**" for number, item_id in enumerate(item_buttons_of(incident), 1)}
    if len(numbers) == 1:
        numbers = {}
    lines = [f"{numbers.get(one.item_id or 0, '•')} {_line(incident, one, about)}" for one in listed(incident)]
    more = len(incident.item_ids) - len(lines)
    return [*lines, f"… and {more:,} more"] if lines and more > 0 else lines


def _line(incident: Incident, example: Example, about: About) -> str:
    """``**Title** — why`` in words that need no knowledge of the matcher."""
    title = f"**{foreign.plain(example.title or 'A track', 100)}**"
    row = about.reviews.get(example.item_id or 0)
    return f"{title} — {review_words.why(row)}" if row is not None and incident.event in _REASONED else title


def _states(incident: Incident) -> list[str]:
    """What people did to it, and how it ended."""
    states = []
    if incident.missed:
        states.append(f"🔕 {words.count(incident.missed, 'more came', 'more came')} while it was silenced.")
    if incident.over_at is not None:
        states.append(f"{incident_words.ending(incident)} Over since {moments.relative(incident.over_at)}.")
        return states
    if incident.acknowledged_at is not None:
        who = foreign.plain(incident.acknowledged_name, 60)
        states.append(f"👁️ Acknowledged by {who} {moments.relative(incident.acknowledged_at)}: quiet until it is over.")
    if incident.silenced_until is not None:
        who = foreign.plain(incident.silenced_name, 60)
        states.append(f"🔕 Silenced by {who} until {moments.exact(incident.silenced_until)}.")
    return states


def _title(incident: Incident, about: About) -> str:
    heading = incident_words.heading(incident, about.mapping)
    if incident.over_at is None:
        return f"{_SIGNS[incident.level]} {heading}"
    return f"{'✅' if incident_words.mended(incident) else '☑️'} Over: {heading}"


def _colour(incident: Incident) -> int:
    if incident.over_at is not None:
        return colours.GOOD if incident_words.mended(incident) else colours.QUIET
    return colours.QUIET if incident.acknowledged_by is not None else _COLOURS[incident.level]


def _footer(incident: Incident) -> str:
    text = f"Incident {incident.id}"
    if incident.left_out:
        left = words.count(incident.left_out, "line of another kind was", "lines of other kinds were")
        text += f" · {left} left out here; /logs has every one."
    return text
