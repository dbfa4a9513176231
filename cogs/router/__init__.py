"""The door /router: base playlists that feed child playlists by rules."""

from cogs._ui.reach import Client
from cogs.router._cog import Router


async def setup(bot: Client) -> None:
    await bot.add_cog(Router(bot))
