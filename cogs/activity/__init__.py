"""The door /activity: what happened, who did it, one line for each occurrence."""

from cogs._ui.reach import Client
from cogs.activity._cog import Activity


async def setup(bot: Client) -> None:
    await bot.add_cog(Activity(bot))
