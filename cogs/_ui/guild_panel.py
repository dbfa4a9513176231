"""The panels of /setup and /settings: selects and buttons that each save one choice at once, through restarts."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import discord
from discord import app_commands

from bot.engine.preferences import hour_or_off, known_timezone, whole_number
from bot.model.errors import UserMistake
from bot.model.guild import GuildSettings
from cogs._ui import errors
from cogs._ui.doors import Answer, Pressed, own_guild, panel
from cogs._ui.guild_card import settings_card, setup_card
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, require, runtime_of

SETUP, SETTINGS = "setup", "settings"
# A custom id is ``room:action:guild``; the room says which of the two panels is shown again after the choice.
ROOM = r"(?P<room>setup|settings)"
ONLY_SETTINGS = r"(?P<room>settings)"
KEY = r"(?P<key>[0-9]{1,19})"

_POSTING = discord.Permissions(view_channel=True, send_messages=True, embed_links=True)
_CARDS: dict[str, Callable[[GuildSettings], discord.Embed]] = {SETUP: setup_card, SETTINGS: settings_card}


class Choice(Pressed, template=r"(?!)"):
    """One setting on a panel. ``key`` is the server's id."""

    level = Level.ADMIN
    action: ClassVar[str]

    def __init__(self, key: int, *, room: str = SETTINGS, face: discord.ui.Item[Any] | None = None) -> None:
        super().__init__(key, face=face or self.shown(f"{room}:{self.action}:{key}"))
        self.room = room

    @classmethod
    def shown(cls, custom_id: str) -> discord.ui.Item[Any]:
        """How it looks."""
        raise NotImplementedError

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), room=match["room"], face=item)

    async def save(self, interaction: discord.Interaction[Any], **changes: Any) -> None:
        await save(interaction, self.room, self.key, **changes)


class LogChannel(Choice, template=rf"{ROOM}:log_channel:{KEY}"):
    action = "log_channel"

    @classmethod
    def shown(cls, custom_id: str) -> discord.ui.Item[Any]:
        return discord.ui.ChannelSelect(
            custom_id=custom_id,
            channel_types=[discord.ChannelType.text],
            placeholder="Log channel (choose none to post nothing)",
            min_values=0,
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.ChannelSelect)
        chosen = self.item.values
        await self.save(interaction, log_channel_id=_chosen_channel(chosen[0]) if chosen else None)


class ModeratorRole(Choice, template=rf"{ROOM}:moderator_role:{KEY}"):
    action = "moderator_role"

    @classmethod
    def shown(cls, custom_id: str) -> discord.ui.Item[Any]:
        return _role_select(custom_id, "Moderator role (none: Manage Messages)")

    async def act(self, interaction: Interaction) -> None:
        await self.save(interaction, moderator_role_id=_chosen_role(self.item))


class AdminRole(Choice, template=rf"{ROOM}:admin_role:{KEY}"):
    action = "admin_role"

    @classmethod
    def shown(cls, custom_id: str) -> discord.ui.Item[Any]:
        return _role_select(custom_id, "Admin role (none: Manage Server)")

    async def act(self, interaction: Interaction) -> None:
        await self.save(interaction, admin_role_id=_chosen_role(self.item))


class LogLevel(Choice, template=rf"{ROOM}:log_level:{KEY}"):
    action = "log_level"

    @classmethod
    def shown(cls, custom_id: str) -> discord.ui.Item[Any]:
        return discord.ui.Select(
            custom_id=custom_id,
            placeholder="What is posted to the log channel",
            options=[
                discord.SelectOption(label="Warnings and errors", value="warn"),
                discord.SelectOption(label="Errors only", value="error"),
            ],
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        await self.save(interaction, log_level=self.item.values[0])


class Typed(Choice, template=r"(?!)"):
    """A button that opens a modal with one line, for a setting that people type."""

    answer = Answer.MODAL
    label: ClassVar[str]
    title: ClassVar[str]
    line: ClassVar[str]
    most: ClassVar[int] = 10
    field: ClassVar[str]

    @classmethod
    def shown(cls, custom_id: str) -> discord.ui.Item[Any]:
        return discord.ui.Button(label=cls.label, style=discord.ButtonStyle.secondary, custom_id=custom_id)

    @staticmethod
    def read(text: str, /) -> Any:
        """The setting's value as it was typed. Raises UserMistake."""
        raise NotImplementedError

    @classmethod
    def written(cls, settings: GuildSettings) -> str:
        """The present value as people would type it."""
        return str(getattr(settings, cls.field))

    async def act(self, interaction: Interaction) -> None:
        settings = await runtime_of(interaction).preferences.get(own_guild(interaction, self.key))
        await interaction.response.send_modal(TypedModal(self, self.written(settings)))


class TypedModal(discord.ui.Modal):
    def __init__(self, of: Typed, present: str) -> None:
        super().__init__(title=of.title, timeout=600)
        self._of = of
        self.value: discord.ui.TextInput[TypedModal] = discord.ui.TextInput(
            label=of.line, custom_id=of.action, max_length=of.most, default=present
        )
        self.add_item(self.value)

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await require(interaction, self._of.level)
            await interaction.response.defer()
            await self._of.save(interaction, **{self._of.field: self._of.read(self.value.value)})
        except Exception as error:  # noqa: BLE001 - the one error door answers and logs every kind
            await errors.answer(interaction, error)


class Timezone(Typed, template=rf"{ROOM}:timezone:{KEY}"):
    action, field, most = "timezone", "timezone", 60
    label, title, line = "Timezone …", "Timezone of this server", "Continent and city, such as Europe/Berlin"
    read = staticmethod(known_timezone)


class Retention(Typed, template=rf"{ONLY_SETTINGS}:retention:{KEY}"):
    action, field = "retention", "retention_days"
    label, title, line = "Log kept …", "How long the log is kept", "Days, 0 to 30 (0 keeps today only)"
    read = staticmethod(whole_number)


class Refresh(Typed, template=rf"{ONLY_SETTINGS}:refresh:{KEY}"):
    action, field = "refresh", "refresh_seconds"
    label, title, line = "Refresh …", "How often boards refresh", "Seconds, 10 to 600"
    read = staticmethod(whole_number)


class Digest(Typed, template=rf"{ONLY_SETTINGS}:digest:{KEY}"):
    action, field = "digest", "digest_hour"
    label, title, line = "Digest …", "When the daily digest comes", "Hour of the day, 0 to 23, or off"
    read = staticmethod(hour_or_off)

    @classmethod
    def written(cls, settings: GuildSettings) -> str:
        return "off" if settings.digest_hour is None else str(settings.digest_hour)


_BASICS: tuple[type[Choice], ...] = (LogChannel, ModeratorRole, AdminRole, LogLevel, Timezone)
CHOICES: tuple[type[Choice], ...] = (*_BASICS, Retention, Refresh, Digest)


def choices_panel(room: str, guild_id: int) -> discord.ui.View:
    """All choices of the panel ``room`` (SETUP or SETTINGS)."""
    kinds = _BASICS if room == SETUP else CHOICES
    return panel(*(kind(guild_id, room=room) for kind in kinds))


async def save(interaction: discord.Interaction[Any], room: str, guild_id: int, **changes: Any) -> None:
    """Save what was chosen and show the panel as it is now."""
    preferences = runtime_of(interaction).preferences
    settings = await preferences.change(own_guild(interaction, guild_id), interaction.user.id, **changes)
    await interaction.edit_original_response(embed=_CARDS[room](settings), view=choices_panel(room, guild_id))


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


def _role_select(custom_id: str, placeholder: str) -> discord.ui.Item[Any]:
    return discord.ui.RoleSelect(custom_id=custom_id, placeholder=placeholder, min_values=0)


def _chosen_role(select: discord.ui.Item[Any]) -> int | None:
    assert isinstance(select, discord.ui.RoleSelect)
    return assignable(select.values[0]) if select.values else None


def _chosen_channel(channel: app_commands.AppCommandChannel | app_commands.AppCommandThread) -> int:
    if isinstance(channel, app_commands.AppCommandThread):
        raise UserMistake("Threads close by themselves. Nothing was changed. Choose an ordinary text channel.")
    return postable(channel)
