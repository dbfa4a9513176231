"""The command /setup: the first choices of a server, as options or as a panel."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs._ui import completion
from cogs._ui.doors import Answer, door
from cogs._ui.guild_card import setup_card
from cogs._ui.guild_panel import CHOICES, SETUP, assignable, choices_panel, postable
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of


class Setup(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*CHOICES)

    @app_commands.command(
        description="Log channel, roles and timezone of this server; without options a panel.",
        extras={"example": "/setup log_channel:#music-log timezone:Europe/Berlin"},
    )
    @app_commands.describe(
        log_channel="Where warnings and errors are posted",
        moderator_role="Who may sync, retry and review",
        admin_role="Who may change mappings and settings",
        timezone="For daily schedules and “today”, such as Europe/Berlin",
    )
    @door(Level.ADMIN, answer=Answer.PRIVATE)
    async def setup(
        self,
        interaction: Interaction,
        log_channel: discord.TextChannel | None = None,
        moderator_role: discord.Role | None = None,
        admin_role: discord.Role | None = None,
        timezone: str | None = None,
    ) -> None:
        guild_id = guild_of(interaction)
        changes: dict[str, Any] = {
            "log_channel_id": None if log_channel is None else postable(log_channel),
            "moderator_role_id": None if moderator_role is None else assignable(moderator_role),
            "admin_role_id": None if admin_role is None else assignable(admin_role),
            "timezone": timezone,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        settings = await self.bot.runtime.preferences.change(guild_id, interaction.user.id, **given)
        view = None if given else choices_panel(SETUP, guild_id)
        await interaction.edit_original_response(embed=setup_card(settings, changed=bool(given)), view=view)

    @setup.autocomplete("timezone")
    async def _timezones(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.timezones(interaction, current)
