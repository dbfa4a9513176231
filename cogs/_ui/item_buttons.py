"""The buttons of one item of the queue: Retry, Review, Details; used wherever an item is shown."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.model.item import ItemStatus, SyncItem
from bot.model.mapping import Mapping
from bot.model.review import BlacklistRow, BlacklistState
from cogs._ui import errors, foreign, item_cards, review_buttons, review_cards
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of


class RetryItem(Pressed, template=r"item:retry:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Retry", style=discord.ButtonStyle.primary, custom_id=f"item:retry:{key}")

    async def act(self, interaction: Interaction) -> None:
        item = await runtime_of(interaction).reviews.retry_item(guild_of(interaction), self.key, interaction.user.id)
        title = foreign.plain(item.source_track_title, 100)
        await interaction.edit_original_response(content=f"**{title}** is in the queue again and is tried next.")


class ReviewItem(Pressed, template=r"item:review:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Review", style=discord.ButtonStyle.secondary, custom_id=f"item:review:{key}")

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        row = await runtime.reviews.of_item(guild_id, self.key)
        if row is None:
            item = await runtime.reviews.item(guild_id, self.key)
            title = foreign.plain(item.source_track_title, 100)
            await interaction.edit_original_response(content=f"**{title}** has nothing to review; Details tells why.")
            return
        mapping = await runtime.storage.mappings.get(row.mapping_id, guild_id)
        card = review_cards.review_card(row, mapping_name=_name(mapping))
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=review_buttons.for_row(row))


class ItemDetails(Pressed, template=r"item:details:(?P<key>[0-9]{1,19})"):
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Details", style=discord.ButtonStyle.secondary, custom_id=f"item:details:{key}")

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        item = await runtime.reviews.item(guild_id, self.key)
        mapping = await runtime.storage.mappings.get(item.mapping_id, guild_id)
        if mapping is None:
            raise errors.STALE
        row = await runtime.reviews.of_item(guild_id, self.key)
        card = item_cards.item_card(item, mapping_name=mapping.name, row=row)
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*_next_steps(item, row)))


ITEM_BUTTONS: tuple[type[Pressed], ...] = (RetryItem, ReviewItem, ItemDetails)


def for_item(
    item_id: int, kinds: Sequence[type[Pressed]] = ITEM_BUTTONS, *, number: int | None = None
) -> list[Pressed]:
    """The item's buttons of these kinds; ``number``, its place in a list, then stands on the labels."""
    buttons = [kind(item_id) for kind in kinds]
    if number is not None:
        for button in buttons:
            assert isinstance(button.item, discord.ui.Button)
            button.item.label = f"{button.item.label} {number}"
    return buttons


def _next_steps(item: SyncItem, row: BlacklistRow | None) -> list[Pressed]:
    steps: list[Pressed] = []
    if item.status in (ItemStatus.ERROR, ItemStatus.SKIPPED, ItemStatus.BLACKLISTED, ItemStatus.CANCELLED):
        steps.append(RetryItem(item.id))
    if row is not None and row.state is BlacklistState.OPEN:
        steps.append(ReviewItem(item.id))
    return steps


def _name(mapping: Mapping | None) -> str:
    return mapping.name if mapping is not None else ""
