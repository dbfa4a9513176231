"""The embeds of mappings."""

from collections.abc import Sequence

import discord

from bot.model.mapping import Mapping
from bot.model.queue import QueuePause
from cogs._ui import colours, foreign, moments, pause_words, words

PAUSES_SHOWN = 5


def mapping_card(mapping: Mapping, *, title: str = "") -> discord.Embed:
    """Everything that is set for one mapping. ``title`` says what just happened to it, if anything did."""
    name = f"“{foreign.plain(mapping.name, 100)}”"
    card = discord.Embed(
        title=f"{title} {name}" if title else f"Mapping {name}",
        description=words.pair(mapping),
        colour=colours.GOOD if mapping.enabled else colours.QUIET,
    )
    card.add_field(name="Direction", value=words.DIRECTIONS[mapping.direction])
    card.add_field(name="Removals", value=words.REMOVALS[mapping.removals])
    card.add_field(name="Order", value=words.ORDERS[mapping.order])
    card.add_field(name="Schedule", value=f"`{foreign.label(mapping.schedule, 60)}`")
    card.add_field(name="Matching", value=words.POLICIES[mapping.policy])
    card.add_field(name="Caps a run", value=f"{mapping.max_adds:,} adds, {mapping.max_removals:,} removals")
    card.add_field(name="State", value=_state(mapping), inline=False)
    card.set_footer(text=f"Mapping {mapping.id}")
    return card


def mappings_card(mappings: Sequence[Mapping], pauses: Sequence[QueuePause] = ()) -> discord.Embed:
    """All mappings of a server, one line each, below what rests of the queue."""
    card = discord.Embed(title=f"Mappings ({len(mappings)})", colour=colours.WORKING)
    if not mappings:
        card.description = "There is none yet. `/connect` links your accounts, then `/mapping add` makes the first."
        return card
    lines = [
        f"`{mapping.id}` **{foreign.plain(mapping.name, 60)}** {words.pair(mapping)}\n　{_state(mapping)}"
        for mapping in mappings
    ]
    rests = pause_words.lines(pauses)[:PAUSES_SHOWN]
    card.description = foreign.bullets([*rests, *lines], foreign.DESCRIPTION)
    return card


def removed_card(mapping: Mapping) -> discord.Embed:
    return discord.Embed(
        title=f"Removed “{foreign.plain(mapping.name, 100)}”",
        description=f"{words.pair(mapping)}\nBoth playlists stay as they are; what was queued for them is cancelled.",
        colour=colours.QUIET,
    )


def _state(mapping: Mapping) -> str:
    if not mapping.enabled:
        reason = f": {foreign.harmless(mapping.pause_reason, 300)}" if mapping.pause_reason else ""
        return f"⏸️ paused{reason}"
    looked = (
        f"last looked at {moments.relative(mapping.last_analysed_at)}" if mapping.last_analysed_at else "not run yet"
    )
    following = f"next {moments.relative(mapping.next_run_at)}" if mapping.next_run_at else "runs only when asked"
    return f"▶️ {looked}, {following}"
