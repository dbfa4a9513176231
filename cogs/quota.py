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
        description="Calls to the services today and in 30 days, by operation and mapping, with the forecast.",
        extras={"example": "/quota"},
    )
    @door()
    async def quota(self, interaction: Interaction) -> None:
        quota, guild_id = self.bot.runtime.quota, guild_of(interaction)
        states, rows = await quota.states(), await quota.usage(DAYS)
        shares, queue = await quota.shares(guild_id, DAYS), await quota.forecast_queue(guild_id)
        now = self.bot.runtime.clock.now()  # after the forecast: what fits is done at the moment of its making
        panels = charts.panels(rows, states, queue, now, days=DAYS)
        picture = io.BytesIO(await charts.drawn(panels))
        file = discord.File(picture, filename="quota.png", description=charts.alt_text(panels, now))
        card = quota_card.quota_card(states, queue, now, rows=quota.used_now(rows), shares=shares, days=DAYS)
        card.set_image(url="attachment://quota.png")
        await interaction.edit_original_response(embeds=foreign.fit([card]), attachments=[file])


async def setup(bot: Client) -> None:
    await bot.add_cog(Quota(bot))
