"""The command /stats, its buttons, and the one self-refreshing board of each server."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands, tasks

from bot.model.errors import CrossfadeError
from bot.model.events import Event, SettingsChanged
from cogs._ui import board, foreign
from cogs._ui.doors import Pressed, door, own_guild, panel
from cogs._ui.places import Place, Places
from cogs._ui.reach import Client, Interaction, guild_of

log = logging.getLogger(__name__)


class Stats(commands.Cog):
    """At most one board of a server refreshes itself, through restarts."""

    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self._places = Places(bot.runtime.storage, "boards")
        self._boards: dict[int, Board] = {}

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(Refresh, Pause)
        for guild_id, place in (await self._places.load()).items():
            await self._begin(guild_id, place, resumed=True)

    async def cog_unload(self) -> None:
        for each in self._boards.values():
            each.stop()
        self._boards.clear()

    @app_commands.command(
        description="Mappings, queue, quota and the last runs; refreshes itself.",
        extras={"example": "/stats"},
    )
    @door()
    async def stats(self, interaction: Interaction) -> None:
        await self.show(interaction, guild_of(interaction), refreshing=True)

    async def show(self, interaction: Interaction, guild_id: int, *, refreshing: bool) -> None:
        """Answer with the board as it is now; ``refreshing``: from now on this message refreshes itself."""
        runtime = self.bot.runtime
        seconds = (await runtime.storage.guilds.get(guild_id)).refresh_seconds
        card = board.board_card(await runtime.stats.dashboard(guild_id), refresh_seconds=seconds, refreshing=refreshing)
        message = await interaction.edit_original_response(
            embeds=foreign.fit([card]), view=_buttons(guild_id, refreshing)
        )
        present = self._boards.get(guild_id)
        if present is not None and (refreshing or present.message.id == message.id):
            await self._end(guild_id, present)
            if present.message.id != message.id:
                await present.retire()
        if refreshing and interaction.channel_id is not None:
            place = Place(channel_id=interaction.channel_id, message_id=message.id, since=runtime.clock.now())
            await self._places.put(guild_id, place)
            await self._begin(guild_id, place)

    async def _begin(self, guild_id: int, place: Place, *, resumed: bool = False) -> None:
        seconds = (await self.bot.runtime.storage.guilds.get(guild_id)).refresh_seconds
        channel = self.bot.get_partial_messageable(place.channel_id, guild_id=guild_id)
        message = channel.get_partial_message(place.message_id)
        other = self._boards.get(guild_id)  # of a press at the same moment
        if other is not None:
            other.stop()
        self._boards[guild_id] = Board(self.bot, guild_id, message, seconds, self._end, fresh=not resumed)

    async def _end(self, guild_id: int, present: "Board") -> None:
        if self._boards.get(guild_id) is present:
            del self._boards[guild_id]
        await self._places.drop(guild_id, present.message.id)
        present.stop()  # last: a board that ends itself is cancelled by it

    @commands.Cog.listener()
    async def on_settings_changed(self, fact: SettingsChanged) -> None:
        present = self._boards.get(fact.guild_id)
        if present is not None:
            present.pace((await self.bot.runtime.storage.guilds.get(fact.guild_id)).refresh_seconds)


class Board:
    """One message that shows its server's numbers anew every ``seconds``; ``fresh``: it shows those of now already."""

    def __init__(
        self,
        bot: Client,
        guild_id: int,
        message: discord.PartialMessage,
        seconds: int,
        gone: Callable[[int, "Board"], Awaitable[None]],
        *,
        fresh: bool,
    ) -> None:
        self._bot = bot
        self._guild_id = guild_id
        self._seconds = seconds
        self._gone = gone
        self._fresh = fresh
        self.message = message
        self._loop = self._started()

    def stop(self) -> None:
        self._loop.cancel()

    def pace(self, seconds: int) -> None:
        """Go on at another pace, which the board shows at once."""
        if seconds != self._seconds:
            self.stop()
            self._seconds, self._fresh = seconds, False
            self._loop = self._started()

    def _started(self) -> "tasks.Loop[Any]":
        loop = tasks.loop(seconds=self._seconds)(self._refresh)
        loop.start()
        return loop

    async def retire(self) -> None:
        """A newer board took over: this one stays as it is, with a way to take up again."""
        await self._edit(refreshing=False)

    async def _refresh(self) -> None:
        # The first turn comes at once: too soon for a message that was just sent, and the moment to find out that one
        # of an earlier process is gone.
        if self._loop.current_loop or not self._fresh:
            await self._edit(refreshing=True)

    async def _edit(self, *, refreshing: bool) -> None:
        try:
            numbers = await self._bot.runtime.stats.dashboard(self._guild_id)
            card = board.board_card(numbers, refresh_seconds=self._seconds, refreshing=refreshing)
            await self.message.edit(embeds=foreign.fit([card]), view=_buttons(self._guild_id, refreshing))
        except (discord.HTTPException, CrossfadeError) as failure:
            log.info(
                Event.TASK_FAILED,
                extra={"task": "the board of /stats", "error": str(failure), "guild_id": self._guild_id},
            )
            if isinstance(failure, discord.Forbidden | discord.NotFound):  # nobody sees it any more
                await self._gone(self._guild_id, self)


class Refresh(Pressed, template=r"stats:refresh:(?P<key>[0-9]{1,19})"):
    """Shows the numbers of now, and leaves the board refreshing itself or not as it was."""

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Refresh", style=discord.ButtonStyle.primary, custom_id=f"stats:refresh:{key}")

    async def act(self, interaction: Interaction) -> None:
        refreshing = _was_refreshing(interaction)
        await _cog(interaction).show(interaction, own_guild(interaction, self.key), refreshing=refreshing)


class Pause(Pressed, template=r"stats:pause:(?P<key>[0-9]{1,19})"):
    """Ends the board's own refresh, or begins it again; what it does stands on it."""

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Pause refresh", style=discord.ButtonStyle.secondary, custom_id=f"stats:pause:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        refreshing = not _was_refreshing(interaction)
        await _cog(interaction).show(interaction, own_guild(interaction, self.key), refreshing=refreshing)


def _buttons(guild_id: int, refreshing: bool) -> discord.ui.View:
    pause = Pause(guild_id)
    assert isinstance(pause.item, discord.ui.Button)
    pause.item.label = "Pause refresh" if refreshing else "Resume refresh"  # not the queue's: /queue pause does that
    return panel(Refresh(guild_id), pause)


def _was_refreshing(interaction: Interaction) -> bool:
    """Read from the message itself, which also outlives a restart of the bot."""
    message = interaction.message
    if message is None:
        return False
    labels = {
        child.label or ""
        for row in message.components
        for child in getattr(row, "children", [])
        if isinstance(child, discord.Button)
    }
    return not any(label.startswith("Resume") for label in labels)


def _cog(interaction: Interaction) -> Stats:
    cog = interaction.client.get_cog(Stats.__cog_name__)
    assert isinstance(cog, Stats)
    return cog
