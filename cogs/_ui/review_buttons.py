"""The decisions about one review card: a candidate chosen, Retry, Dismiss, Never; ids are of blacklist rows."""

from typing import Any

import discord

from bot.model.review import BlacklistRow
from cogs._ui import foreign, review_cards, review_flow
from cogs._ui.doors import Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs._ui.review_asking import GiveLink, Search


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
        sentence = f"{what} was chosen by {review_flow.name_of(interaction)} and is being added."
        await review_flow.decided(interaction, row, sentence)


class Retry(Pressed, template=r"review:retry:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Retry", style=discord.ButtonStyle.primary, custom_id=f"review:retry:{key}")

    async def act(self, interaction: Interaction) -> None:
        row = await runtime_of(interaction).reviews.retry(guild_of(interaction), self.key, interaction.user.id)
        sentence = f"It is being looked for again, asked by {review_flow.name_of(interaction)}."
        await review_flow.decided(interaction, row, sentence)


class Dismiss(Pressed, template=r"review:dismiss:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Dismiss", style=discord.ButtonStyle.secondary, custom_id=f"review:dismiss:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        row = await runtime_of(interaction).reviews.dismiss(guild_of(interaction), self.key, interaction.user.id)
        sentence = f"Dismissed by {review_flow.name_of(interaction)}: it is passed over and not shown again."
        await review_flow.decided(interaction, row, sentence)


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
        sentence = (
            f"{review_flow.name_of(interaction)} said that it is not on {where}; "
            "all mappings of this server remember that."
        )
        await review_flow.decided(interaction, row, sentence)


DECISIONS: tuple[type[Pressed], ...] = (Choose, Retry, Dismiss, Never, Search, GiveLink)


def for_row(row: BlacklistRow, *further: Pressed) -> discord.ui.View:
    """The controls of a card; without candidates there is nothing to choose, so no select."""
    view = panel()
    if review_cards.options(row):
        view.add_item(Choose.of(row))
    for button in (Retry(row.id), Dismiss(row.id), Never(row.id), Search(row.id), GiveLink(row.id), *further):
        view.add_item(button)
    return view
