"""The sink of the log feed: cards of incidents, posted and edited in the server's log channel, and summaries."""

import logging
import secrets
from collections.abc import Callable
from typing import Any

import discord
from discord.ext import commands

from bot.logs.messages import Card, CardGone, Daily, Message, Place
from bot.model.events import Event, SettingsChanged
from bot.model.run import Run
from cogs._ui import feed_notes, foreign, incident_buttons
from cogs._ui.doors import panel
from cogs._ui.reach import Client

log = logging.getLogger(__name__)

MALFORMED = 400  # the status of an answer that no repetition changes


class LogFeed(commands.Cog):
    """Implements ``bot.logs.messages.Sink``."""

    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self._process = secrets.token_hex(4)
        self._disconnect: Callable[[], None] = lambda: None

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*incident_buttons.INCIDENT_BUTTONS)
        self._disconnect = self.bot.runtime.feed.connect(self)

    async def cog_unload(self) -> None:
        self._disconnect()

    async def show(self, message: Message) -> Place | None:
        """Post or edit. Raises discord.HTTPException where Discord does not take it now; it is then given again.

        Where the channel is gone nobody can read it: the server's feed ends, and the lines stay in `/logs`. A message
        that Discord calls malformed would never be taken: it is left out, lest all that comes after it waits for ever.
        """
        settings = await self.bot.runtime.storage.guilds.get(message.guild_id)
        if settings.log_channel_id is None:
            return None
        try:
            if isinstance(message, Card) and message.edits:
                return await self._edit(message)
            return await self._post(message, settings.log_channel_id)
        except discord.HTTPException as error:
            if error.status != MALFORMED:
                raise
            log.exception(Event.BUG, extra={"where": "the log feed", "guild_id": message.guild_id})
            return None

    async def _post(self, message: Message, channel_id: int) -> Place | None:
        channel = self.bot.get_partial_messageable(channel_id, guild_id=message.guild_id)
        try:
            # A repeated attempt is not shown twice.
            posted = await channel.send(**await self._content(message), nonce=self._nonce(message))
        except discord.NotFound:
            await self._end(message.guild_id)
            return None
        if isinstance(message, Daily):
            await self.bot.runtime.digests.told(message.digest)
        return Place(channel_id, posted.id)

    def _nonce(self, message: Message) -> str:
        """At most 25 characters. A digest's is the same after a restart, as each day has one."""
        if isinstance(message, Daily):
            return f"d{message.guild_id:x}{message.digest.day:%y%m%d}"
        return f"{self._process}-{message.number}"

    async def _edit(self, card: Card) -> Place:
        """Raises CardGone where the message was deleted, alone or with its channel, or is out of our reach.

        The log channel may have been changed since, and the old one closed to us: the new one has to hear of it.
        """
        incident = card.incident
        assert incident.channel_id is not None
        assert incident.message_id is not None
        channel = self.bot.get_partial_messageable(incident.channel_id, guild_id=card.guild_id)
        try:
            await channel.get_partial_message(incident.message_id).edit(**await self._content(card))
        except (discord.NotFound, discord.Forbidden) as error:
            raise CardGone from error
        return Place(incident.channel_id, incident.message_id)

    async def _content(self, message: Message) -> dict[str, Any]:
        if isinstance(message, Card):
            embeds, view = await incident_buttons.message_of(self.bot.runtime, message.incident)
            return {"embeds": embeds, "view": view}
        if isinstance(message, Daily):
            card = feed_notes.digest_card(message.digest)
        else:
            names = {run.id: await self._name(message.guild_id, run) for run in message.runs}
            card = feed_notes.summary_card(message.runs, message.more, names)
        return {"embeds": foreign.fit([card]), "view": panel()}

    async def _name(self, guild_id: int, run: Run) -> str:
        """Of the mapping, or of the base playlist of a routing run."""
        storage = self.bot.runtime.storage
        if run.base_playlist_id is not None:
            base = await storage.routers.base(run.base_playlist_id, guild_id)
            return base.name if base is not None else "A removed base playlist"
        mapping = await storage.mappings.get(run.mapping_id, guild_id)
        return mapping.name if mapping is not None else ""

    async def _end(self, guild_id: int) -> None:
        runtime = self.bot.runtime
        await runtime.storage.guilds.update(guild_id, log_channel_id=None)
        detail = "the log channel is gone, so nothing is posted; /setup chooses another"
        log.warning(Event.SETTINGS_CHANGED, extra={"guild_id": guild_id, "detail": detail})
        runtime.hub.announce(SettingsChanged(guild_id=guild_id))
