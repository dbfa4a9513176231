"""The command /setup and the panel that it shows when no option is given."""

import logging
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import discord
from discord import app_commands
from discord.ext import commands

from bot.model.errors import UserMistake
from bot.model.events import Event, SettingsChanged
from bot.model.guild import GuildSettings
from bot.runtime import Runtime
from cogs._ui import colours, completion, errors, foreign
from cogs._ui.doors import Answer, Pressed, door, own_guild, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, require, runtime_of

log = logging.getLogger(__name__)

_POSTING = discord.Permissions(view_channel=True, send_messages=True, embed_links=True)


class Setup(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(LogChannel, ModeratorRole, AdminRole, LogLevel, Timezone)

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
        changes: dict[str, Any] = {}
        if log_channel is not None:
            changes["log_channel_id"] = postable(log_channel)
        if moderator_role is not None:
            changes["moderator_role_id"] = assignable(moderator_role)
        if admin_role is not None:
            changes["admin_role_id"] = assignable(admin_role)
        if timezone is not None:
            changes["timezone"] = known_timezone(timezone)
        settings = await change(self.bot.runtime, guild_id, interaction.user.id, changes)
        card = settings_card(settings, changed=bool(changes))
        await interaction.edit_original_response(embed=card, view=None if changes else settings_panel(settings))

    @setup.autocomplete("timezone")
    async def _timezones(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.timezones(interaction, current)


def settings_card(settings: GuildSettings, *, changed: bool = False) -> discord.Embed:
    """What is set now, and what it does."""
    card = discord.Embed(
        title="Saved" if changed else "Setup",
        description="" if changed else "Choose below; each choice is saved at once.",
        colour=colours.GOOD if changed else colours.WORKING,
    )
    channel = f"<#{settings.log_channel_id}>" if settings.log_channel_id else "none: nothing is posted"
    card.add_field(name="Log channel", value=channel)
    card.add_field(name="Posted from", value="warnings" if settings.log_level == "warn" else f"{settings.log_level}s")
    card.add_field(name="Timezone", value=foreign.plain(settings.timezone))
    card.add_field(name="Moderators", value=_role(settings.moderator_role_id, "Manage Messages"))
    card.add_field(name="Admins", value=_role(settings.admin_role_id, "Manage Server"))
    card.set_footer(text="Next: /connect links a music account, /mapping add chooses two playlists.")
    return card


def settings_panel(settings: GuildSettings) -> discord.ui.View:
    guild_id = settings.guild_id
    return panel(
        LogChannel(guild_id), ModeratorRole(guild_id), AdminRole(guild_id), LogLevel(guild_id), Timezone(guild_id)
    )


async def change(runtime: Runtime, guild_id: int, actor_id: int, changes: dict[str, Any]) -> GuildSettings:
    """The server's settings after ``changes`` (fields of GuildSettings); nothing is written when there are none."""
    settings = await runtime.storage.guilds.get(guild_id)
    if not changes:
        return settings
    settings = replace(settings, **changes)
    await runtime.storage.guilds.save(settings)
    log.info(
        Event.SETTINGS_CHANGED,
        extra={"guild_id": guild_id, "actor_id": actor_id, "detail": ", ".join(sorted(changes))},
    )
    runtime.hub.announce(SettingsChanged(guild_id=guild_id))
    return settings


def postable(channel: discord.TextChannel | app_commands.AppCommandChannel) -> int:
    """The channel's id. Raises UserMistake where the bot may not post."""
    real = channel if isinstance(channel, discord.TextChannel) else channel.resolve()
    if not isinstance(real, discord.TextChannel):
        raise UserMistake("Crossfade cannot see that channel. Nothing was changed. Give it View Channel there first.")
    missing = [name for name, needed in _POSTING if needed and not getattr(real.permissions_for(real.guild.me), name)]
    if missing:
        names = ", ".join(name.replace("_", " ").title() for name in missing)
        raise UserMistake(
            f"Crossfade cannot post in that channel: it lacks {names} there. Nothing was changed. "
            "Grant that in the channel's settings, then choose it again."
        )
    return real.id


def assignable(role: discord.Role) -> int:
    """The role's id. Raises UserMistake for @everyone, which would give the level to all."""
    if role.is_default():
        raise UserMistake(
            "That role holds every member, so all would have these rights. Nothing was changed. Choose another role."
        )
    return role.id


def known_timezone(name: str) -> str:
    """The timezone's name as the database of timezones writes it. Raises UserMistake."""
    try:
        return ZoneInfo(name.strip()).key
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; odd names raise the others
        raise UserMistake(
            f"“{foreign.label(name, 60)}” is not a timezone. Nothing was changed. "
            "Write it as continent and city, such as Europe/Berlin, or UTC."
        ) from None


class LogChannel(Pressed, template=r"setup:log_channel:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.ChannelSelect(
            custom_id=f"setup:log_channel:{key}",
            channel_types=[discord.ChannelType.text],
            placeholder="Log channel (choose none to post nothing)",
            min_values=0,
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.ChannelSelect)
        chosen = self.item.values
        await _save(interaction, self.key, {"log_channel_id": _chosen_channel(chosen[0]) if chosen else None})


class ModeratorRole(Pressed, template=r"setup:moderator_role:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.RoleSelect(
            custom_id=f"setup:moderator_role:{key}", placeholder="Moderator role (none: Manage Messages)", min_values=0
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.RoleSelect)
        chosen = self.item.values
        await _save(interaction, self.key, {"moderator_role_id": assignable(chosen[0]) if chosen else None})


class AdminRole(Pressed, template=r"setup:admin_role:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.RoleSelect(
            custom_id=f"setup:admin_role:{key}", placeholder="Admin role (none: Manage Server)", min_values=0
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.RoleSelect)
        chosen = self.item.values
        await _save(interaction, self.key, {"admin_role_id": assignable(chosen[0]) if chosen else None})


class LogLevel(Pressed, template=r"setup:log_level:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Select(
            custom_id=f"setup:log_level:{key}",
            placeholder="What is posted to the log channel",
            options=[
                discord.SelectOption(label="Warnings and errors", value="warn"),
                discord.SelectOption(label="Errors only", value="error"),
            ],
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        await _save(interaction, self.key, {"log_level": self.item.values[0]})


class Timezone(Pressed, template=r"setup:timezone:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN
    answer = Answer.MODAL

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Timezone …", style=discord.ButtonStyle.secondary, custom_id=f"setup:timezone:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        settings = await runtime_of(interaction).storage.guilds.get(own_guild(interaction, self.key))
        await interaction.response.send_modal(TimezoneModal(settings.timezone))


class TimezoneModal(discord.ui.Modal, title="Timezone of this server"):
    name: discord.ui.TextInput["TimezoneModal"] = discord.ui.TextInput(
        label="Continent and city, such as Europe/Berlin", custom_id="timezone", max_length=60
    )

    def __init__(self, present: str) -> None:
        super().__init__(timeout=600)
        self.name.default = present

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await require(interaction, Level.ADMIN)
            await interaction.response.defer()
            await _save(interaction, guild_of(interaction), {"timezone": known_timezone(self.name.value)})
        except Exception as error:  # noqa: BLE001 - the one error door answers and logs every kind
            await errors.answer(interaction, error)


async def _save(interaction: discord.Interaction[Any], guild_id: int, changes: dict[str, Any]) -> None:
    own_guild(interaction, guild_id)
    settings = await change(runtime_of(interaction), guild_id, interaction.user.id, changes)
    await interaction.edit_original_response(embed=settings_card(settings), view=settings_panel(settings))


def _chosen_channel(channel: app_commands.AppCommandChannel | app_commands.AppCommandThread) -> int:
    if isinstance(channel, app_commands.AppCommandThread):
        raise UserMistake("Threads close by themselves. Nothing was changed. Choose an ordinary text channel.")
    return postable(channel)


def _role(role_id: int | None, permission: str) -> str:
    return f"<@&{role_id}> and {permission}" if role_id else permission
