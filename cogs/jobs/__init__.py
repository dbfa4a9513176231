"""The door /jobs: runs and items in lists, one in full, and what can be done to them."""

from cogs._ui.reach import Client
from cogs.jobs._cog import Jobs


async def setup(bot: Client) -> None:
    await bot.add_cog(Jobs(bot))
