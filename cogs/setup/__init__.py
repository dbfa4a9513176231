"""The door /setup: log channel, roles and timezone of a server, as options or as a panel."""

from cogs._ui.reach import Client
from cogs.setup._cog import Setup


async def setup(bot: Client) -> None:
    await bot.add_cog(Setup(bot))
