"""Removing a base or a child: the question first, then the button that does it."""

from typing import Any

import discord

from bot.model.router import BasePlaylist, ChildPlaylist
from cogs._ui import foreign, router_cards
from cogs._ui.doors import Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs.router._runs import Keep


async def ask_base(interaction: Interaction, base: BasePlaylist) -> None:
    children = await runtime_of(interaction).bases.children(base.guild_id, base.id)
    card = router_cards.ask_remove_base(base, len(children))
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(RemoveBase(base.id), Keep(0)))


async def ask_child(interaction: Interaction, child: ChildPlaylist) -> None:
    base = await runtime_of(interaction).bases.base(guild_of(interaction), child.base_id)
    card = router_cards.ask_remove_child(base, child)
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(RemoveChild(child.id), Keep(0)))


class RemoveBase(Pressed, template=r"router:remove-base:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Remove it", style=discord.ButtonStyle.danger, custom_id=f"router:remove-base:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
        removed = await bases.remove(guild_id, self.key, interaction.user.id)
        card = router_cards.removed_base(removed)
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=None)


class RemoveChild(Pressed, template=r"router:remove-child:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Remove it", style=discord.ButtonStyle.danger, custom_id=f"router:remove-child:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
        removed = await bases.remove_child(guild_id, self.key, interaction.user.id)
        card = router_cards.removed_child(removed)
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=None)


BUTTONS: tuple[type[Pressed], ...] = (RemoveBase, RemoveChild)
