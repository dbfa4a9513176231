"""The embeds of mappings."""

from collections.abc import Sequence

import discord

from bot.model.mapping import Mapping, Side
from bot.model.queue import QueuePause
from cogs._ui import colours, foreign, moments, pause_words, schedule_words, words

PAUSES_SHOWN = 5
SHOWN = 10  # mappings on a page


def mapping_card(mapping: Mapping, *, title: str = "", timezone: str = "") -> discord.Embed:
    """Everything that is set for one mapping. ``title`` says what just happened to it, if anything did.

    ``timezone`` is the server's: times of day are meant in it.
    """
    name = f"“{foreign.plain(mapping.name, 100)}”"
    card = discord.Embed(
        title=f"{title} {name}" if title else f"Mapping {name}",
        description=words.pair(mapping),
        colour=colours.GOOD if mapping.enabled else colours.QUIET,
    )
    card.add_field(name="Direction", value=words.DIRECTIONS[mapping.direction])
    card.add_field(name="Removals", value=words.REMOVALS[mapping.removals])
    card.add_field(name="Order", value=words.ORDERS[mapping.order])
    card.add_field(name="Schedule", value=_schedule(mapping, timezone))
    card.add_field(name="Matching", value=words.POLICIES[mapping.policy])
    card.add_field(name="Caps a run", value=f"{mapping.max_adds:,} adds, {mapping.max_removals:,} removals")
    if mapping.more:
        card.add_field(name="Sources, in this order", value=_sources(mapping), inline=False)
    card.add_field(name="State", value=_state(mapping), inline=False)
    card.set_footer(text=f"Mapping {mapping.id}")
    return card


def mappings_card(mappings: Sequence[Mapping], pauses: Sequence[QueuePause] = (), *, offset: int = 0) -> discord.Embed:
    """A page of a server's mappings from place ``offset`` on, below what rests of the queue."""
    card = discord.Embed(title=f"Mappings ({len(mappings):,})", colour=colours.WORKING)
    if not mappings:
        card.description = "There is none yet. `/connect` links your accounts, then `/mapping add` makes the first."
        return card
    lines = [
        f"`{mapping.id}` **{foreign.plain(mapping.name, 60)}** {words.pair(mapping)}\n　{_state(mapping)}"
        for mapping in mappings[offset : offset + SHOWN]
    ]
    rests = pause_words.lines(pauses)[:PAUSES_SHOWN]
    card.description = foreign.bullets([*rests, *lines], foreign.DESCRIPTION)
    if len(mappings) > SHOWN:
        card.set_footer(text=f"{offset + 1:,} to {offset + len(lines):,} of {len(mappings):,}")
    return card


def removed_card(mapping: Mapping) -> discord.Embed:
    return discord.Embed(
        title=f"Removed “{foreign.plain(mapping.name, 100)}”",
        description=f"{words.pair(mapping)}\nBoth playlists stay as they are; what was queued for them is cancelled.",
        colour=colours.QUIET,
    )


def _sources(mapping: Mapping) -> str:
    """Each with its place; what a later one has in common with an earlier one counts once."""
    lines = [f"{place}. {words.link(source)}" for place, source in enumerate(mapping.sources(Side.RIGHT), 1)]
    return foreign.bullets(lines, foreign.FIELD_VALUE)


def _schedule(mapping: Mapping, timezone: str) -> str:
    """In words, as it is written, and when it comes next; a paused mapping has no next run."""
    following = mapping.next_run_at if mapping.enabled else None
    line = schedule_words.line(mapping.schedule, following, timezone=timezone)
    return f"{line}\n`{foreign.label(mapping.schedule, 60)}`"


def _state(mapping: Mapping) -> str:
    if not mapping.enabled:
        reason = f": {foreign.harmless(mapping.pause_reason, 300)}" if mapping.pause_reason else ""
        return f"⏸️ paused{reason}"
    looked = (
        f"last looked at {moments.relative(mapping.last_analysed_at)}"
        if mapping.last_analysed_at
        else "to be looked at"
    )
    if mapping.next_run_at is None:
        return f"▶️ {looked}, runs only when asked"
    return f"▶️ {looked}, {schedule_words.said(mapping.schedule)}, next {moments.relative(mapping.next_run_at)}"
