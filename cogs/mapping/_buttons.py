"""The buttons of /mapping: Run now, Pause and Resume of one mapping, and the pages of the list."""

from typing import Any, Protocol, cast

import discord

from bot.model.mapping import Mapping
from cogs._ui import foreign, mapping_cards
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of


class Syncing(Protocol):
    """The cog of /sync, as this room uses it."""

    async def now(self, interaction: Interaction, mapping_id: int) -> None: ...


class Run(Pressed, template=r"mapping:run:(?P<key>[0-9]{1,18})"):
    """The same as ``/sync mapping:…``."""

    level = Level.MODERATOR
    answer = Answer.PUBLIC

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Run now", style=discord.ButtonStyle.primary, custom_id=f"mapping:run:{key}")

    async def act(self, interaction: Interaction) -> None:
        syncing = interaction.client.get_cog("Sync")
        assert syncing is not None
        await cast(Syncing, syncing).now(interaction, self.key)


class Pause(Pressed, template=r"mapping:pause:(?P<key>[0-9]{1,18})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Pause", custom_id=f"mapping:pause:{key}")

    async def act(self, interaction: Interaction) -> None:
        mappings, guild_id = runtime_of(interaction).mappings, guild_of(interaction)
        await show(interaction, await mappings.pause(guild_id, self.key, interaction.user.id), title="Paused")


class Resume(Pressed, template=r"mapping:resume:(?P<key>[0-9]{1,18})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Resume", style=discord.ButtonStyle.success, custom_id=f"mapping:resume:{key}")

    async def act(self, interaction: Interaction) -> None:
        mappings, guild_id = runtime_of(interaction).mappings, guild_of(interaction)
        await show(interaction, await mappings.resume(guild_id, self.key, interaction.user.id), title="Resumed")


class Page(Pressed, template=r"mapping:list:(?P<key>[0-9]{1,6})"):
    """The list from place ``key`` on."""

    @classmethod
    def of(cls, label: str, offset: int) -> "Page":
        return cls(offset, face=discord.ui.Button(label=label, custom_id=f"mapping:list:{offset}"))

    async def act(self, interaction: Interaction) -> None:
        await show_list(interaction, self.key)


BUTTONS: tuple[type[Pressed], ...] = (Run, Pause, Resume, Page)


async def show(interaction: Interaction, mapping: Mapping, *, title: str = "", hint: str = "") -> None:
    """The card of one mapping with its buttons takes the answer's place."""
    timezone = (await runtime_of(interaction).storage.guilds.get(mapping.guild_id)).timezone
    card = mapping_cards.mapping_card(mapping, title=title, timezone=timezone)
    if hint:
        card.set_footer(text=f"Mapping {mapping.id} · {hint}")
    buttons = [Run(mapping.id), Pause(mapping.id)] if mapping.enabled else [Resume(mapping.id)]
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*buttons))


async def show_list(interaction: Interaction, offset: int = 0) -> None:
    """A page of the server's mappings; the first where ``offset`` lies behind the last."""
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    found, pauses = await runtime.mappings.of_guild(guild_id), await runtime.queue.pauses(guild_id)
    offset = offset if offset < len(found) else 0
    card = mapping_cards.mappings_card(found, pauses, offset=offset)
    turns = []
    if offset:
        turns.append(Page.of("Previous", max(0, offset - mapping_cards.SHOWN)))
    if offset + mapping_cards.SHOWN < len(found):
        turns.append(Page.of("Next", offset + mapping_cards.SHOWN))
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*turns) if turns else None)
