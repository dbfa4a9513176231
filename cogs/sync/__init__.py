"""The door /sync: plan, preview, live progress and summary."""

from cogs._ui.reach import Client
from cogs.sync._cog import Sync


async def setup(bot: Client) -> None:
    await bot.add_cog(Sync(bot))
