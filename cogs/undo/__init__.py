"""The door /undo: the last runs that changed something, what taking one back would do, and doing it."""

from cogs._ui.reach import Client
from cogs.undo._cog import Undo


async def setup(bot: Client) -> None:
    await bot.add_cog(Undo(bot))
