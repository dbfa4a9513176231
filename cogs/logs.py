"""The door /logs: the log of this server, newest first, with filters."""

from typing import Any, Self

import discord
from discord import app_commands
from discord.ext import commands

from bot.model.logline import Level as LogLevel
from bot.runtime import Runtime
from cogs._ui import completion, foreign, log_cards
from cogs._ui.doors import Answer, Pressed, door, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, runtime_of

PAGE = 15
_LEVELS = [
    app_commands.Choice(name="everything", value=LogLevel.INFO.value),
    app_commands.Choice(name="warnings and errors", value=LogLevel.WARN.value),
    app_commands.Choice(name="errors", value=LogLevel.ERROR.value),
]


class Logs(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(Older)

    @app_commands.command(
        description="The log of this server, newest first.",
        extras={"example": "/logs level:errors mapping:Trip"},
    )
    @app_commands.describe(level="The least level to show", mapping="Only this mapping, by name or id")
    @app_commands.choices(level=_LEVELS)
    @door(Level.MODERATOR, answer=Answer.PRIVATE)
    async def logs(self, interaction: Interaction, level: str = LogLevel.INFO.value, mapping: str = "") -> None:
        guild_id, mapping_id = guild_of(interaction), 0
        if mapping:
            mapping_id = (await self.bot.runtime.mappings.find(guild_id, mapping)).id
        embed, view = await _page(self.bot.runtime, guild_id, LogLevel(level), mapping_id, before=None)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)

    @logs.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)


class Older(Pressed, template=r"logs:older:(?P<key>[0-9]{1,19}):(?P<level>info|warn|error):(?P<mapping>[0-9]{1,18})"):
    """The page before the line ``key``, under the same filters."""

    level = Level.MODERATOR

    def __init__(self, key: int, level: LogLevel, mapping_id: int) -> None:
        custom_id = f"logs:older:{key}:{level.value}:{mapping_id}"
        super().__init__(key, face=discord.ui.Button(label="Older", custom_id=custom_id))
        self.least, self.mapping_id = level, mapping_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), LogLevel(match["level"]), int(match["mapping"]))

    async def act(self, interaction: Interaction) -> None:
        embed, view = await _page(
            runtime_of(interaction), guild_of(interaction), self.least, self.mapping_id, before=self.key
        )
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


async def _page(
    runtime: Runtime, guild_id: int, level: LogLevel, mapping_id: int, *, before: int | None
) -> tuple[discord.Embed, discord.ui.View | None]:
    lines = await runtime.storage.logs.query(
        guild_id, least=level, mapping_id=mapping_id or None, limit=PAGE + 1, before_id=before
    )
    filtered = bool(mapping_id) or level is not LogLevel.INFO or before is not None
    card = log_cards.logs_card(lines[:PAGE], filtered=filtered)
    if len(lines) <= PAGE:
        return card, None
    return card, panel(Older(lines[PAGE - 1].id, level, mapping_id))


async def setup(bot: Client) -> None:
    await bot.add_cog(Logs(bot))
