"""The door /quota: where the calls went, what is left, and when the queue will be through."""

import io

import discord
from discord import app_commands
from discord.ext import commands

from cogs._ui import charts, foreign, quota_card
from cogs._ui.doors import door
from cogs._ui.reach import Client, Interaction, guild_of

DAYS = 30


class Quota(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    @app_commands.command(
        description="Calls to the services by day, against their limits, with the forecast.",
        extras={"example": "/quota"},
    )
    @door()
    async def quota(self, interaction: Interaction) -> None:
        quota = self.bot.runtime.quota
        states = await quota.states()
        queue = await quota.forecast_queue(guild_of(interaction))
        now = self.bot.runtime.clock.now()  # after the forecast: what fits is done at the moment of its making
        panels = charts.panels(await quota.usage(DAYS), states, queue, now, days=DAYS)
        picture = io.BytesIO(await charts.drawn(panels))
        file = discord.File(picture, filename="quota.png", description=charts.alt_text(panels, now))
        card = quota_card.quota_card(states, queue, now).set_image(url="attachment://quota.png")
        await interaction.edit_original_response(embeds=foreign.fit([card]), attachments=[file])


async def setup(bot: Client) -> None:
    await bot.add_cog(Quota(bot))
