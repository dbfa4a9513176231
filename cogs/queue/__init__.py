"""The door /queue: how the queue stands, and its control."""

from cogs._ui.reach import Client
from cogs.queue._cog import Queue


async def setup(bot: Client) -> None:
    await bot.add_cog(Queue(bot))
