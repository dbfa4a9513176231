"""Once a day: mappings whose owners left their server are paused."""

import logging

from discord.ext import commands, tasks

from bot.model.errors import CrossfadeError
from bot.model.events import Event
from cogs._ui.owners import pause_if_left
from cogs._ui.reach import Client

log = logging.getLogger(__name__)


class Owners(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.look.start()

    async def cog_unload(self) -> None:
        self.look.cancel()

    @tasks.loop(hours=24)
    async def look(self) -> None:
        for mapping in await self.bot.runtime.storage.mappings.all_enabled():
            try:
                await pause_if_left(self.bot, mapping)
            except CrossfadeError as error:  # removed or paused by somebody this very moment; the others go on
                log.info(Event.TASK_FAILED, extra={"task": "looking for owners", "error": str(error)})

    @look.before_loop
    async def _ready(self) -> None:
        await self.bot.wait_until_ready()


async def setup(bot: Client) -> None:
    await bot.add_cog(Owners(bot))
