"""The sink of the log feed: one message in the server's log channel, with buttons for the items it speaks of."""

import logging
import secrets
from collections.abc import Callable

import discord
from discord.ext import commands

from bot.logs.feed import FeedMessage
from bot.model.events import Event, SettingsChanged
from cogs._ui import feed_card, foreign
from cogs._ui.reach import Client

log = logging.getLogger(__name__)


class LogFeed(commands.Cog):
    """Implements ``bot.logs.feed.Sink``."""

    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self._process = secrets.token_hex(4)
        self._disconnect: Callable[[], None] = lambda: None

    async def cog_load(self) -> None:
        self._disconnect = self.bot.runtime.feed.connect(self)

    async def cog_unload(self) -> None:
        self._disconnect()

    async def send(self, guild_id: int | None, message: FeedMessage) -> None:
        """Post ``message``. Raises discord.HTTPException where Discord does not take it now; it is then given again.

        Where the channel is gone nobody can read it: the server's feed ends, and the lines stay in `/logs`.
        """
        if guild_id is None:
            return
        settings = await self.bot.runtime.storage.guilds.get(guild_id)
        if settings.log_channel_id is None:
            return
        channel = self.bot.get_partial_messageable(settings.log_channel_id, guild_id=guild_id)
        try:
            await channel.send(
                embeds=foreign.fit([feed_card.feed_card(message)]),
                view=feed_card.feed_buttons(message),
                nonce=f"{self._process}-{message.number}",  # a repeated attempt is not shown twice
            )
        except discord.NotFound:
            await self._end(guild_id)

    async def _end(self, guild_id: int) -> None:
        runtime = self.bot.runtime
        await runtime.storage.guilds.update(guild_id, log_channel_id=None)
        detail = "the log channel is gone, so nothing is posted; /setup chooses another"
        log.warning(Event.SETTINGS_CHANGED, extra={"guild_id": guild_id, "detail": detail})
        runtime.hub.announce(SettingsChanged(guild_id=guild_id))
