"""How one review card follows another: the list that a message walks through, and what comes after a decision."""

from typing import Any, Protocol, cast

import discord

from bot.engine.review import ReviewCard
from bot.model.review import BlacklistRow, ReviewFilter
from cogs._ui import errors, foreign, review_cards, review_filter
from cogs._ui.reach import Interaction, guild_of, runtime_of

EVERYTHING = 0  # the id of the list without a filter
_NEXT = "review:next:"


class Controls(Protocol):
    """The cog of /review: it knows all buttons, so that these need not know each other."""

    def controls(self, row: BlacklistRow, filter_id: int | None, *, alone: bool = False) -> discord.ui.View: ...


async def show(interaction: Interaction, filter_id: int, *, after: int = 0, before: int | None = None) -> None:
    """The card behind the row ``after``, or in front of ``before``, takes the message's place."""
    embed, view = await _next_card(interaction, filter_id, after=after, before=before)
    await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


async def show_row(interaction: Interaction, row: BlacklistRow, said: str = "") -> None:
    """The card of just this row, in the list that the message walks through, if it does; ``said``: what happened."""
    filter_id = list_of(interaction)
    filter_ = await filter_of(interaction, filter_id or EVERYTHING)
    card = await runtime_of(interaction).reviews.card_of(guild_of(interaction), filter_, row)
    view = _door(interaction).controls(row, filter_id, alone=card.total <= 1)
    embed = _embed(card, listed=filter_id is not None)
    happened = [review_cards.happened_card(said)] if said else []
    await interaction.edit_original_response(embeds=foreign.fit([*happened, embed]), view=view)


async def decided(interaction: Interaction, row: BlacklistRow, sentence: str) -> None:
    """What became of the row; in a list the next card follows at once."""
    embeds, view = [review_cards.decided_card(row, sentence)], None
    filter_id = list_of(interaction)
    if filter_id is not None:
        following, view = await _next_card(interaction, filter_id, after=row.id)
        embeds.append(following)
    await interaction.edit_original_response(embeds=foreign.fit(embeds), view=view)


def list_of(interaction: Interaction) -> int | None:
    """The list that the message walks through, read from its Next button, which outlives a restart; None: none."""
    for row in interaction.message.components if interaction.message is not None else []:
        for child in getattr(row, "children", []):
            custom_id = getattr(child, "custom_id", None) or ""
            if custom_id.startswith(_NEXT):
                return int(custom_id.split(":")[2])
    return None


async def filter_of(interaction: Interaction, filter_id: int) -> ReviewFilter:
    """The list's filter. Raises the stale answer where it is another server's, or forgotten."""
    if filter_id == EVERYTHING:
        return ReviewFilter()
    kept = await runtime_of(interaction).storage.filters.get(filter_id, guild_of(interaction), review_filter.SUBJECT)
    if kept is None:
        raise errors.STALE
    return review_filter.read(kept.filter)


async def keep(interaction: Interaction, filter_: ReviewFilter) -> int:
    """The id under which the buttons find the filter again."""
    if filter_ == ReviewFilter():
        return EVERYTHING
    return await runtime_of(interaction).storage.filters.keep(
        guild_of(interaction), review_filter.SUBJECT, review_filter.written(filter_), interaction.user.id
    )


def name_of(interaction: discord.Interaction[Any]) -> str:
    """A name and no mention: clients that do not know the person show a mention in an embed as a bare number."""
    return f"**{foreign.plain(interaction.user.display_name, 40)}**"


async def _next_card(
    interaction: Interaction, filter_id: int, *, after: int = 0, before: int | None = None
) -> tuple[discord.Embed, discord.ui.View | None]:
    filter_ = await filter_of(interaction, filter_id)
    card = await runtime_of(interaction).reviews.card(guild_of(interaction), filter_, after=after, before=before)
    if card is None:
        return review_cards.nothing_open_card(filtered=filter_id != EVERYTHING), None
    return _embed(card, listed=True), _door(interaction).controls(card.row, filter_id, alone=card.total <= 1)


def _embed(card: ReviewCard, *, listed: bool) -> discord.Embed:
    place = f"{card.place:,} of {card.total:,} open" if listed else ""
    return review_cards.review_card(card.row, mapping_name=card.mapping_name, source=card.source, place=place)


def _door(interaction: Interaction) -> Controls:
    cog = interaction.client.get_cog("Review")
    assert cog is not None
    return cast(Controls, cog)
