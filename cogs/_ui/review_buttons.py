"""The controls of one review card: the candidates as a select, and Retry, Dismiss, Never; ids are of blacklist rows."""

from typing import Any

import discord

from bot.model.review import BlacklistRow
from cogs._ui import foreign, review_cards
from cogs._ui.doors import Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of


class Choose(Pressed, template=r"review:choose:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def of(cls, row: BlacklistRow) -> "Choose":
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"review:choose:{row.id}",
            placeholder=f"Choose the right one on {row.service.other.label}",
            options=review_cards.options(row),
        )
        return cls(row.id, face=select)

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        row = await runtime.reviews.choose(guild_id, self.key, self.item.values[0], interaction.user.id)
        chosen = next((c.track.title for c in row.candidates if c.track.external_id == self.item.values[0]), "")
        what = f"“{foreign.plain(chosen, 100)}”" if chosen else "The chosen track"
        await _decided(interaction, row, f"{what} was chosen by {_name(interaction)} and is being added.")


class Retry(Pressed, template=r"review:retry:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Retry", style=discord.ButtonStyle.primary, custom_id=f"review:retry:{key}")

    async def act(self, interaction: Interaction) -> None:
        row = await runtime_of(interaction).reviews.retry(guild_of(interaction), self.key, interaction.user.id)
        await _decided(interaction, row, f"It is being looked for again, asked by {_name(interaction)}.")


class Dismiss(Pressed, template=r"review:dismiss:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Dismiss", style=discord.ButtonStyle.secondary, custom_id=f"review:dismiss:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        row = await runtime_of(interaction).reviews.dismiss(guild_of(interaction), self.key, interaction.user.id)
        await _decided(interaction, row, f"Dismissed by {_name(interaction)}: it is passed over and not shown again.")


class Never(Pressed, template=r"review:never:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Not on that service", style=discord.ButtonStyle.danger, custom_id=f"review:never:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        row = await runtime_of(interaction).reviews.never(guild_of(interaction), self.key, interaction.user.id)
        where = row.service.other.label
        await _decided(
            interaction,
            row,
            f"{_name(interaction)} said that it is not on {where}; all mappings of this server remember that.",
        )


class Another(Pressed, template=r"review:show:(?P<key>[0-9]{1,19})"):
    """Shows the open row at a place of the list, counted from 0."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Next", style=discord.ButtonStyle.secondary, custom_id=f"review:show:{key}")

    async def act(self, interaction: Interaction) -> None:
        embed, view = await page(interaction, self.key)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


REVIEW_BUTTONS: tuple[type[Pressed], ...] = (Choose, Retry, Dismiss, Never, Another)


def for_row(row: BlacklistRow, *further: Pressed) -> discord.ui.View:
    """The controls of a card; without candidates there is nothing to choose, so no select."""
    view = panel()
    if review_cards.options(row):
        view.add_item(Choose.of(row))
    for button in (Retry(row.id), Dismiss(row.id), Never(row.id), *further):
        view.add_item(button)
    return view


async def page(interaction: Interaction, place: int) -> tuple[discord.Embed, discord.ui.View | None]:
    """The card at ``place`` among the server's open rows, with the way to the one after it; else to the first."""
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    rows = await runtime.reviews.open(guild_id, offset=place, limit=2)
    if not rows and place:
        place, rows = 0, await runtime.reviews.open(guild_id, offset=0, limit=2)
    if not rows:
        return review_cards.nothing_open_card(), None
    mapping = await runtime.storage.mappings.get(rows[0].mapping_id, guild_id)
    total = await runtime.storage.blacklist.count_of_guild(guild_id)
    following = place + 1 if len(rows) > 1 else 0
    further = [Another(following)] if len(rows) > 1 or place else []
    card = review_cards.review_card(
        rows[0], mapping_name=mapping.name if mapping else "", place=f"{place + 1} of {total} open"
    )
    return card, for_row(rows[0], *further)


def _name(interaction: Interaction) -> str:
    """A name and no mention: clients that do not know the person show a mention in an embed as a bare number."""
    return f"**{foreign.plain(interaction.user.display_name, 40)}**"


async def _decided(interaction: Interaction, row: BlacklistRow, sentence: str) -> None:
    card = review_cards.decided_card(row, sentence)
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(Another(0)))
