"""The door /settings: everything that a server can choose, as options or as a panel; in effect at once."""

from typing import Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine.preferences import HOURS, OFF, hour_or_off
from cogs._ui import completion
from cogs._ui.doors import Answer, door
from cogs._ui.guild_card import settings_card
from cogs._ui.guild_panel import CHOICES, SETTINGS, assignable, choices_panel, postable
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of


class Settings(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*CHOICES)

    @app_commands.command(
        description="Retention, refresh, log channel and level, roles, timezone, digest; without options a panel.",
        extras={"example": "/settings retention:14 refresh:30 digest:08:00"},
    )
    @app_commands.describe(
        retention="Days that the log is kept: 0 (today only) to 30",
        refresh="Seconds after which boards refresh: 10 to 600",
        log_channel="Where warnings and errors are posted",
        log_level="What is posted there: from warnings on, or errors only",
        moderator_role="Who may sync, retry and review",
        admin_role="Who may change mappings and settings",
        timezone="For times of day and “today”, such as Europe/Berlin",
        digest="When the daily digest is posted, or off",
    )
    @app_commands.choices(
        digest=[app_commands.Choice(name=OFF, value=OFF)]
        + [app_commands.Choice(name=f"{hour:02}:00", value=f"{hour:02}:00") for hour in HOURS]
    )
    @door(Level.ADMIN, answer=Answer.PRIVATE)
    async def settings(
        self,
        interaction: Interaction,
        retention: int | None = None,
        refresh: int | None = None,
        log_channel: discord.TextChannel | None = None,
        log_level: Literal["warn", "error"] | None = None,
        moderator_role: discord.Role | None = None,
        admin_role: discord.Role | None = None,
        timezone: str | None = None,
        digest: str | None = None,
    ) -> None:
        guild_id = guild_of(interaction)
        changes: dict[str, Any] = {
            "retention_days": retention,
            "refresh_seconds": refresh,
            "log_channel_id": None if log_channel is None else postable(log_channel),
            "log_level": log_level,
            "moderator_role_id": None if moderator_role is None else assignable(moderator_role),
            "admin_role_id": None if admin_role is None else assignable(admin_role),
            "timezone": timezone,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        if digest is not None:
            given["digest_hour"] = hour_or_off(digest)
        settings = await self.bot.runtime.preferences.change(guild_id, interaction.user.id, **given)
        view = None if given else choices_panel(SETTINGS, guild_id)
        await interaction.edit_original_response(embed=settings_card(settings, changed=bool(given)), view=view)

    @settings.autocomplete("timezone")
    async def _timezones(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.timezones(interaction, current)


async def setup(bot: Client) -> None:
    await bot.add_cog(Settings(bot))
