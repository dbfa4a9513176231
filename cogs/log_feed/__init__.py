"""The log feed's way into Discord: it posts what ``bot.logs.feed`` decided to say."""

from cogs._ui.reach import Client
from cogs.log_feed._cog import LogFeed


async def setup(bot: Client) -> None:
    await bot.add_cog(LogFeed(bot))
