"""The door /logs: the log of this server with filters, pages both ways, a tail that follows, and export."""

from cogs._ui.reach import Client
from cogs.logs._cog import Logs


async def setup(bot: Client) -> None:
    await bot.add_cog(Logs(bot))
