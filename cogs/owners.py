"""Once a day: mappings and base playlists whose owners left their server are paused."""

import logging
from collections.abc import Callable

from discord.ext import commands

from bot.engine.scheduler import Task, every
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from cogs._ui.owners import pause_base_if_left, pause_if_left
from cogs._ui.reach import Client

log = logging.getLogger(__name__)


class Owners(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self._end: Callable[[], None] | None = None

    async def cog_load(self) -> None:
        look = Task(
            title="Owners",
            purpose="Pauses mappings and base playlists whose owner left the server",
            trigger=every(hours=24),
            work=self._look,
            at_start=lambda: True,
        )
        self._end = self.bot.runtime.scheduler.add("owners", look)

    async def cog_unload(self) -> None:
        if self._end is not None:
            self._end()

    async def _look(self) -> str:
        await self.bot.wait_until_ready()
        mappings = await self.bot.runtime.storage.mappings.all_enabled()
        paused = 0
        for mapping in mappings:
            try:
                paused += not (await pause_if_left(self.bot, mapping)).enabled
            except CrossfadeError as error:  # removed or paused by somebody this very moment; the others go on
                log.info(Event.TASK_FAILED, extra={"task": "looking for owners", "error": str(error)})
        bases = await self.bot.runtime.storage.routers.all_enabled()
        for base in bases:
            try:
                paused += not (await pause_base_if_left(self.bot, base)).enabled
            except CrossfadeError as error:
                log.info(Event.TASK_FAILED, extra={"task": "looking for owners", "error": str(error)})
        looked_at = f"{len(mappings)} mappings" + (f" and {len(bases)} base playlists" if bases else "")
        return f"{looked_at} looked at, {paused} paused"


async def setup(bot: Client) -> None:
    await bot.add_cog(Owners(bot))
