"""Lists that refresh themselves: every 30 seconds, only while something on them is at work, and not for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import discord

from bot.clock import Clock
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from cogs._ui.reach import Client

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)
# An answer can be edited for 15 minutes without any permission in its channel.
AT_MOST = timedelta(minutes=14)

Again = Callable[[bool], Awaitable[bool]]


class Refresher:
    """One task for each message; a newer page of the message takes the place of the older one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def begin(self, message_id: int, guild_id: int, again: Again) -> None:
        """``again`` shows the message anew (with True: for the last time) and says whether that is worth repeating."""
        self.stop(message_id)
        task = asyncio.create_task(self._keep(guild_id, again), name=f"the list of jobs in message {message_id}")
        self._tasks[message_id] = task
        task.add_done_callback(lambda ended: self._ended(message_id, ended))

    def stop(self, message_id: int) -> None:
        task = self._tasks.pop(message_id, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        for message_id in list(self._tasks):
            self.stop(message_id)

    async def _keep(self, guild_id: int, again: Again) -> None:
        until = self._clock.now() + AT_MOST
        goes_on = True
        while goes_on:
            await self._clock.sleep(EVERY.total_seconds())
            try:
                goes_on = await again(self._clock.now() >= until)
            except (discord.HTTPException, CrossfadeError) as failure:
                extra = {"task": "refreshing the list of jobs", "error": str(failure), "guild_id": guild_id}
                log.info(Event.TASK_FAILED, extra=extra)
                gone = isinstance(failure, discord.NotFound | discord.Forbidden)  # nobody sees it any more
                goes_on = not gone and self._clock.now() < until

    def _ended(self, message_id: int, ended: asyncio.Task[None]) -> None:
        if self._tasks.get(message_id) is ended:
            del self._tasks[message_id]
        if not ended.cancelled() and (failure := ended.exception()) is not None:
            log.error(Event.BUG, extra={"where": "refreshing the list of jobs"}, exc_info=failure)


def refresher_of(client: Client) -> Refresher:
    cog = client.get_cog("Jobs")
    refresher = getattr(cog, "refresher", None)
    assert isinstance(refresher, Refresher)
    return refresher
