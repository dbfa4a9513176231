"""The message of /queue status with its picture, and the buttons below it."""

import io
from typing import Any
from zoneinfo import ZoneInfo

import discord

from bot.engine.queue import QueueStatus
from bot.model.queue import QueuePause
from cogs._ui import foreign, queue_card, queue_chart
from cogs._ui.doors import Pressed, own_guild, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, runtime_of


async def show(interaction: Interaction, guild_id: int) -> None:
    """Answer with the queue as it is now."""
    runtime = runtime_of(interaction)
    status = await runtime.queue.status(guild_id)
    zone_name = (await runtime.storage.guilds.get(guild_id)).timezone
    zone = ZoneInfo(zone_name)
    picture = io.BytesIO(await queue_chart.drawn(status.hours, zone, zone_name))
    file = discord.File(picture, filename="queue.png", description=queue_chart.alt_text(status.hours, zone))
    card = queue_card.status_card(status).set_image(url="attachment://queue.png")
    await interaction.edit_original_response(
        embeds=foreign.fit([card]), attachments=[file], view=_buttons(guild_id, status)
    )


def _buttons(guild_id: int, status: QueueStatus) -> discord.ui.View:
    return panel(Refresh(guild_id), ResumeAll(guild_id) if status.paused_whole else PauseAll(guild_id))


class Refresh(Pressed, template=r"queue:refresh:(?P<key>[0-9]{1,19})"):
    """Shows the numbers of now."""

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Refresh", style=discord.ButtonStyle.primary, custom_id=f"queue:refresh:{key}")

    async def act(self, interaction: Interaction) -> None:
        await show(interaction, own_guild(interaction, self.key))


class PauseAll(Pressed, template=r"queue:pause:(?P<key>[0-9]{1,19})"):
    """Pauses the whole queue of the server; the id says pause, so that an old message never does the opposite."""

    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Pause queue", style=discord.ButtonStyle.danger, custom_id=f"queue:pause:{key}")

    async def act(self, interaction: Interaction) -> None:
        guild_id = own_guild(interaction, self.key)
        queue = runtime_of(interaction).queue
        paused = await queue.pause(guild_id, interaction.user.id)
        await show(interaction, guild_id)
        if not paused.new:
            status = await queue.status(guild_id)
            card = queue_card.paused_card(paused, status.resting(paused.pause, guild_id))
            await interaction.followup.send(embeds=foreign.fit([card]), ephemeral=True)


class ResumeAll(Pressed, template=r"queue:resume:(?P<key>[0-9]{1,19})"):
    """Lets the whole queue of the server go on."""

    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Resume queue", style=discord.ButtonStyle.success, custom_id=f"queue:resume:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        guild_id = own_guild(interaction, self.key)
        resumed = await runtime_of(interaction).queue.resume(guild_id, interaction.user.id)
        await show(interaction, guild_id)
        if not resumed.found:
            card = queue_card.resumed_card(QueuePause(guild_id=guild_id), resumed)
            await interaction.followup.send(embeds=foreign.fit([card]), ephemeral=True)
