"""The door /stats: the dashboard as a message that refreshes itself."""

from cogs._ui.reach import Client
from cogs.stats._cog import Stats


async def setup(bot: Client) -> None:
    await bot.add_cog(Stats(bot))
