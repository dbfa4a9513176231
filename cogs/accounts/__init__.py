"""The doors /connect and /accounts: link music accounts, confirm them, take them away."""

from cogs._ui.reach import Client
from cogs.accounts._cog import Accounts


async def setup(bot: Client) -> None:
    await bot.add_cog(Accounts(bot))
