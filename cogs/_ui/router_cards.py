"""The embeds of base playlists and their children: one in full, lists, and the questions before they are removed."""

from collections.abc import Sequence

import discord

from bot.engine.routing import write as rules_text
from bot.model.errors import UserMistake
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.rules_json import from_json
from cogs._ui import colours, foreign, moments, schedule_words, words

SHOWN = 8  # bases or children on a page
_RULE_IN_LIST, _RULE_ALONE = 160, 900


def base_card(
    base: BasePlaylist, children: Sequence[ChildPlaylist], *, title: str = "", timezone: str = "", hint: str = ""
) -> discord.Embed:
    """A base with its children. ``title`` says what just happened to it, if anything did."""
    name = f"“{foreign.plain(base.name, 100)}”"
    card = discord.Embed(
        title=f"{title} {name}" if title else f"Base {name}",
        description=words.playlist(base.playlist),
        colour=colours.GOOD if base.enabled else colours.QUIET,
    )
    following = base.next_run_at if base.enabled else None
    card.add_field(name="Schedule", value=schedule_words.line(base.schedule, following, timezone=timezone))
    card.add_field(name="State", value=_state(base))
    lines = [_child_line(child) for child in children] or ["None yet; `/router child-add` makes the first one."]
    value = foreign.bullets(lines, foreign.FIELD_VALUE, most=SHOWN)
    card.add_field(name=f"Children ({len(children):,})", value=value, inline=False)
    return card.set_footer(text=f"Base {base.id}{f' · {hint}' if hint else ''}")


def bases_card(bases: Sequence[tuple[BasePlaylist, int]], *, offset: int = 0) -> discord.Embed:
    """A page of a server's bases, each with the number of its children, from place ``offset`` on."""
    card = discord.Embed(title=f"Base playlists ({len(bases):,})", colour=colours.WORKING)
    if not bases:
        card.description = (
            "There is none yet. `/connect` links your accounts, then `/router base-add` chooses the playlist that "
            "feeds the others, and `/router child-add` says which tracks go where."
        )
        return card
    lines = [
        f"`{base.id}` **{foreign.plain(base.name, 60)}** {words.playlist(base.playlist, 50)} → "
        f"{words.count(children, 'child', 'children')}\n　{_state(base)}"
        for base, children in bases[offset : offset + SHOWN]
    ]
    card.description = foreign.bullets(lines, foreign.DESCRIPTION)
    return _paged(card, len(lines), len(bases), offset)


def child_card(
    base: BasePlaylist, child: ChildPlaylist, *, title: str = "", hint: str = "the next run brings it up to date"
) -> discord.Embed:
    """A child with its rule, as it is read back."""
    name = f"“{foreign.plain(child.name, 80)}”"
    card = discord.Embed(
        title=f"{title} {name}" if title else f"Child {name}",
        description=f"{words.playlist(base.playlist)} → {words.playlist(child.playlist)}",
        colour=colours.BAD if child.last_error else colours.GOOD,
    )
    card.add_field(name="Rule", value=foreign.code(rule_of(child), _RULE_ALONE), inline=False)
    card.add_field(name="State", value=_child_state(child), inline=False)
    return card.set_footer(text=f"Child {child.id} of base {base.id} · {hint}")


def children_card(
    children: Sequence[ChildPlaylist], bases: Sequence[BasePlaylist], *, of: BasePlaylist | None, offset: int = 0
) -> discord.Embed:
    """A page of children: those of one base, or of all of them under their bases' names."""
    where = f" of “{foreign.plain(of.name, 80)}”" if of is not None else ""
    card = discord.Embed(title=f"Child playlists{where} ({len(children):,})", colour=colours.WORKING)
    if not children:
        card.description = "There is none yet. `/router child-add` says which tracks of a base go where."
        return card
    names = {base.id: base.name for base in bases}
    lines: list[str] = []
    for index, child in enumerate(children[offset : offset + SHOWN]):
        if of is None and (not index or children[offset + index - 1].base_id != child.base_id):
            lines.append(f"**From “{foreign.plain(names.get(child.base_id, '?'), 60)}”**")
        lines.append(f"`{child.id}` {_child_line(child)}\n　{_child_state(child)}")
    card.description = foreign.bullets(lines, foreign.DESCRIPTION)
    return _paged(card, len(children[offset : offset + SHOWN]), len(children), offset)


def ask_remove_base(base: BasePlaylist, children: int) -> discord.Embed:
    return discord.Embed(
        title=f"Remove base “{foreign.plain(base.name, 100)}”?",
        description=(
            f"{words.playlist(base.playlist)}\nIt goes with {_its(children)}: nothing is filled from it any more, and "
            "what waits in the queue for them is cancelled. All playlists stay as they are."
        ),
        colour=colours.CAUTION,
    )


def ask_remove_child(base: BasePlaylist, child: ChildPlaylist) -> discord.Embed:
    return discord.Embed(
        title=f"Remove child “{foreign.plain(child.name, 80)}” of “{foreign.plain(base.name, 80)}”?",
        description=(
            f"{words.playlist(child.playlist)}\nIt is not filled any more, and what waits in the queue for it is "
            "cancelled. The playlist stays as it is."
        ),
        colour=colours.CAUTION,
    )


def removed_base(base: BasePlaylist) -> discord.Embed:
    return discord.Embed(
        title=f"Removed base “{foreign.plain(base.name, 100)}”",
        description=f"{words.playlist(base.playlist)} and the playlists that it fed stay as they are.",
        colour=colours.QUIET,
    )


def removed_child(child: ChildPlaylist) -> discord.Embed:
    return discord.Embed(
        title=f"Removed child “{foreign.plain(child.name, 100)}”",
        description=f"{words.playlist(child.playlist)} stays as it is; what was queued for it is cancelled.",
        colour=colours.QUIET,
    )


def ask_rebuild(bases: Sequence[BasePlaylist], children: Sequence[ChildPlaylist]) -> discord.Embed:
    """Before everything is taken out and put back."""
    held = sum(len(child.last_routed.get("tracks", ())) for child in children)
    names = ", ".join(f"“{foreign.plain(base.name, 60)}”" for base in bases)
    return discord.Embed(
        title=f"Rebuild {words.count(len(children), 'child', 'children')} of {foreign.cut_lines(names, 120)}?",
        description=(
            f"Each child is cleared and filled anew, in order: about {words.count(2 * held, 'change')} "
            f"for the {words.count(held, 'track')} of the last run. Until that is through, the playlists are shorter "
            "than they should be. `mode:full` leads to the same content with the fewest changes."
        ),
        colour=colours.CAUTION,
    )


def put_away_card() -> discord.Embed:
    return discord.Embed(title="Nothing was changed", colour=colours.QUIET)


def rule_of(child: ChildPlaylist) -> str:
    """The rule's text; a sentence where another version wrote what this one cannot read."""
    try:
        return rules_text(from_json(child.rules))
    except UserMistake as mistake:
        return f"cannot be read: {mistake}"


def _its(children: int) -> str:
    return f"its {words.count(children, 'child', 'children')}" if children else "no child"


def _child_line(child: ChildPlaylist) -> str:
    rule = foreign.code(rule_of(child), _RULE_IN_LIST)
    return f"**{foreign.plain(child.name, 50)}** {words.playlist(child.playlist, 40)}: {rule}"


def _child_state(child: ChildPlaylist) -> str:
    if child.last_error:
        return f"❌ {foreign.harmless(child.last_error, 250)}"
    if child.last_routed_at is None:
        return "⏳ waits for its first run"
    held = words.count(len(child.last_routed.get("tracks", ())), "track")
    return f"▶️ its rule chose {held} {moments.relative(child.last_routed_at)}"


def _state(base: BasePlaylist) -> str:
    if not base.enabled:
        reason = f": {foreign.harmless(base.pause_reason, 300)}" if base.pause_reason else ""
        return f"⏸️ paused{reason}"
    routed = f"last synced {moments.relative(base.last_routed_at)}" if base.last_routed_at else "not synced yet"
    if base.next_run_at is None:
        return f"▶️ {routed}, runs only when asked"
    return f"▶️ {routed}, next {moments.relative(base.next_run_at)}"


def _paged(card: discord.Embed, shown: int, total: int, offset: int) -> discord.Embed:
    if total > SHOWN:
        card.set_footer(text=f"{offset + 1:,} to {offset + shown:,} of {total:,}")
    return card
