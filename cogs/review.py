"""The door /review: what could not be matched, with its candidates, one card at a time."""

from discord import app_commands
from discord.ext import commands

from cogs._ui import foreign, review_buttons
from cogs._ui.doors import door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction


class Review(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*review_buttons.REVIEW_BUTTONS)

    @app_commands.command(
        description="Tracks without a certain counterpart: choose, retry or dismiss.",
        extras={"example": "/review"},
    )
    @door(Level.MODERATOR)
    async def review(self, interaction: Interaction) -> None:
        embed, view = await review_buttons.page(interaction, 0)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


async def setup(bot: Client) -> None:
    await bot.add_cog(Review(bot))
