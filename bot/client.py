"""The discord.py client: loads the cogs by name, speaks to the hub, and holds the one error door."""

import logging
import re
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands
from yarl import URL

import cogs
from bot.identify import Identifies
from bot.model.errors import UserMistake
from bot.model.events import (
    AccountLinked,
    AccountNeedsLogin,
    Progress,
    RunFinished,
    SettingsChanged,
)
from bot.runtime import Runtime
from cogs._ui import errors
from cogs._ui.reach import Client

log = logging.getLogger(__name__)

# Two warnings at each start about parts for voice, which nobody here needs.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

# What listeners of the cogs are called for each fact: ``on_progress`` and so on.
_LISTENERS: dict[type[Any], str] = {
    Progress: "progress",
    RunFinished: "run_finished",
    AccountLinked: "account_linked",
    AccountNeedsLogin: "account_needs_login",
    SettingsChanged: "settings_changed",
}


class Commands(app_commands.CommandTree["CrossfadeBot"]):
    """The command tree; whatever a command's own door did not answer is answered here."""

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        await errors.answer(interaction, error)


class CrossfadeBot(Client):
    """Serves ``runtime`` in Discord. ``setup_hook`` loads every cog; one that does not load stops the start.

    Make it after ``aim`` where Discord is simulated.
    """

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Commands,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        self.runtime = runtime
        self._identifies = Identifies(runtime.storage, runtime.clock)
        self._templates: dict[str, re.Pattern[str]] = {}
        self._unsubscribe: list[Callable[[], None]] = []

    async def setup_hook(self) -> None:
        self._learn_owners()
        for name in cogs.NAMES:
            if name in self.extensions:  # the same client was started anew
                await self.unload_extension(name)
            await self.load_extension(name)
        self._subscribe()
        await self._sync_commands()

    def add_dynamic_items(self, *items: type[discord.ui.DynamicItem[discord.ui.Item[Any]]]) -> None:
        super().add_dynamic_items(*items)
        for item in items:
            template = item.__discord_ui_compiled_template__
            self._templates[template.pattern] = template

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A button that nothing answers any more gets a polite private answer instead of Discord's red line."""
        if interaction.type is not discord.InteractionType.component:
            return
        data: Any = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        if not any(template.fullmatch(custom_id) for template in self._templates.values()):
            await errors.answer(interaction, errors.STALE)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait as long as the identifies of the last day ask for, those of earlier processes included."""
        await super().before_identify_hook(shard_id, initial=initial)
        await self._identifies.wait()

    async def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        await super().close()

    def _learn_owners(self) -> None:
        """From what the login told, so that no press has to wait for it."""
        application = self.application
        if application is None:
            return
        if application.team is None:
            self.owner_id = application.owner.id
            return
        powerful = (discord.TeamMemberRole.admin, discord.TeamMemberRole.developer)
        self.owner_ids = {member.id for member in application.team.members if member.role in powerful}

    def _subscribe(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        hub = self.runtime.hub
        self._unsubscribe = [hub.subscribe(kind, self._teller(name)) for kind, name in _LISTENERS.items()]

    def _teller(self, name: str) -> Callable[[Any], None]:
        return lambda fact: self.dispatch(name, fact)

    async def _sync_commands(self) -> None:
        guild_id = self.runtime.settings.sync_guild_id
        if guild_id is None:
            await self.tree.sync()
            return
        guild = discord.Object(guild_id)
        self.tree.copy_global_to(guild=guild)
        try:
            await self.tree.sync(guild=guild)
        except (discord.Forbidden, discord.NotFound) as error:
            raise UserMistake(
                f"Crossfade is not in the server that SYNC_GUILD_ID names ({guild_id}); invite it there with the "
                "scopes bot and applications.commands, or leave the setting out to offer the commands everywhere."
            ) from error


def aim(api_url: str, gateway_url: str) -> None:
    """Point discord.py at another Discord. It holds for the whole process, so it comes before any client is made."""
    discord.http.Route.BASE = api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
