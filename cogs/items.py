"""The buttons of queue items, which stand under log lines and summaries."""

from discord.ext import commands

from cogs._ui.item_buttons import ITEM_BUTTONS
from cogs._ui.reach import Client


class Items(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*ITEM_BUTTONS)


async def setup(bot: Client) -> None:
    await bot.add_cog(Items(bot))
