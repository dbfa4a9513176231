"""The door /tasks: what works in the background, and running one of it now."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine.tasks import BackgroundTask
from cogs._ui import foreign, task_card
from cogs._ui.doors import Answer, Pressed, door, own_guild, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, level, runtime_of


class Tasks(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(Refresh, RunNow)

    @app_commands.command(
        description="Every background task: last run, next run, status, last error and result.",
        extras={"example": "/tasks"},
    )
    @door(Level.ADMIN, answer=Answer.PRIVATE)
    async def tasks(self, interaction: Interaction) -> None:
        await _show(interaction, guild_of(interaction))


class Refresh(Pressed, template=r"tasks:refresh:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Refresh", style=discord.ButtonStyle.primary, custom_id=f"tasks:refresh:{key}")

    async def act(self, interaction: Interaction) -> None:
        await _show(interaction, own_guild(interaction, self.key))


class RunNow(Pressed, template=r"tasks:run:(?P<key>[0-9]{1,19})"):
    """A select of the tasks. They serve every server, so that only the bot's owner may run one."""

    level = Level.SUPER_ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Select(
            custom_id=f"tasks:run:{key}",
            placeholder="Run one now …",
            options=[discord.SelectOption(label="Refresh for the list", value="?")],
        )

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        guild_id = own_guild(interaction, self.key)
        ran = await runtime_of(interaction).tasks.run_now(self.item.values[0], interaction.user.id)
        await _show(interaction, guild_id)
        await interaction.followup.send(embeds=foreign.fit([task_card.ran_card(ran)]), ephemeral=True)


async def _show(interaction: Interaction, guild_id: int) -> None:
    tasks = await runtime_of(interaction).tasks.list()
    owner = await level(interaction) >= Level.SUPER_ADMIN
    buttons: list[Pressed] = [Refresh(guild_id)]
    if owner:
        buttons.append(_choice(guild_id, tasks))
    await interaction.edit_original_response(embeds=foreign.fit([task_card.tasks_card(tasks)]), view=panel(*buttons))


def _choice(guild_id: int, tasks: Sequence[BackgroundTask]) -> RunNow:
    options = [
        discord.SelectOption(label=task.title, value=task.name, description=foreign.label(task.purpose))
        for task in tasks
        if task.runnable
    ]
    chooser = RunNow(guild_id)
    assert isinstance(chooser.item, discord.ui.Select)
    chooser.item.options = options[: foreign.CHOICES]
    return chooser


async def setup(bot: Client) -> None:
    await bot.add_cog(Tasks(bot))
