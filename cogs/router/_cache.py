"""The cache of what services told: its numbers, and forgetting one entry, a kind, or all."""

from typing import Any

import discord

from bot.services.cache import Kind
from cogs._ui import cache_card, foreign
from cogs._ui.doors import Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, require, runtime_of
from cogs.router._runs import Keep

EVERYTHING = "everything"
_KINDS: tuple[Kind | None, ...] = (None, *Kind)  # a button's key is the place here


async def show(interaction: Interaction) -> None:
    cache = runtime_of(interaction).cache
    card = cache_card.cache_card(await cache.statistics(), place=cache.place, working=cache.working)
    await interaction.edit_original_response(embeds=foreign.fit([card]))


async def forget(interaction: Interaction, what: str, key: str | None) -> None:
    """One entry at once, for admins; a kind or all after a question, for the owner: every server shares them."""
    kind = None if what == EVERYTHING else Kind(what)
    if key is None:
        await require(interaction, Level.SUPER_ADMIN)
        buttons = panel(Forget(_KINDS.index(kind)), Keep(0))
        await interaction.edit_original_response(embeds=foreign.fit([cache_card.ask_card(kind)]), view=buttons)
        return
    await require(interaction, Level.ADMIN)
    entries = await runtime_of(interaction).cache.forget(kind, key.strip(), actor_id=interaction.user.id)
    card = cache_card.forgotten_card(entries, key)
    await interaction.edit_original_response(embeds=foreign.fit([card]))


class Forget(Pressed, template=r"router:forget:(?P<key>[0-5])"):
    """Drops a kind, or all of them."""

    level = Level.SUPER_ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Forget", style=discord.ButtonStyle.danger, custom_id=f"router:forget:{key}")

    async def act(self, interaction: Interaction) -> None:
        kind = _KINDS[self.key]
        entries = await runtime_of(interaction).cache.forget(kind, actor_id=interaction.user.id)
        card = cache_card.forgotten_card(entries, cache_card.NAMES[kind] if kind is not None else EVERYTHING)
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=None)


BUTTONS: tuple[type[Pressed], ...] = (Forget,)
