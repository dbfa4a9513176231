"""The door /errors: what went wrong, grouped by reason; retried and exported by the group."""

from cogs._ui.reach import Client
from cogs.errors._cog import Errors


async def setup(bot: Client) -> None:
    await bot.add_cog(Errors(bot))
