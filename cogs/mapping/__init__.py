"""The door /mapping: make, change, show, pause, run and remove mappings."""

from cogs._ui.reach import Client
from cogs.mapping._cog import Mapping


async def setup(bot: Client) -> None:
    await bot.add_cog(Mapping(bot))
