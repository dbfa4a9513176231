"""The door /help: made from the commands themselves, so that it cannot lag behind them."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs._ui import colours, foreign
from cogs._ui.doors import LEVEL_ATTRIBUTE, Answer, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction

_FIRST_STEPS = (
    "**1.** `/setup` says where Crossfade reports and who may do what\n"
    "**2.** `/connect` links your Spotify and your YouTube account\n"
    "**3.** `/mapping add` chooses two playlists, `/sync` brings them in step\n"
    "**4.** `/review` decides what could not be matched, `/stats` shows how it goes"
)
_HEADINGS = {
    Level.MEMBER: "For everyone",
    Level.MODERATOR: "For moderators",
    Level.ADMIN: "For admins",
    Level.SUPER_ADMIN: "For the owner of this bot",
}

AnyCommand = app_commands.Command[Any, ..., Any]


class Help(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    @app_commands.command(description="What Crossfade does and which commands there are.", extras={"example": "/help"})
    @door(answer=Answer.PRIVATE)
    async def help(self, interaction: Interaction) -> None:
        walked = self.bot.tree.walk_commands()
        card = help_card(command for command in walked if isinstance(command, app_commands.Command))
        await interaction.edit_original_response(embeds=foreign.fit([card]))


def help_card(every: Iterable[AnyCommand]) -> discord.Embed:
    """Commands grouped by who may use them, each with its description and an example."""
    card = discord.Embed(
        title="Crossfade keeps playlists in step between Spotify and YouTube",
        description=_FIRST_STEPS,
        colour=colours.WORKING,
    )
    ordered = sorted(every, key=lambda command: command.qualified_name)
    for level, heading in _HEADINGS.items():
        lines = [
            f"`/{command.qualified_name}` {command.description}{_example(command)}"
            for command in ordered
            if level_of(command) is level
        ]
        if lines:
            card.add_field(name=heading, value=foreign.bullets(lines, foreign.FIELD_VALUE), inline=False)
    return card


def _example(command: AnyCommand) -> str:
    """In a line of its own, where it says more than the name does."""
    example = command.extras.get("example", "")
    return f"\n　`{example}`" if example != f"/{command.qualified_name}" else ""


def level_of(command: AnyCommand) -> Level:
    level = getattr(command.callback, LEVEL_ATTRIBUTE, Level.MEMBER)
    assert isinstance(level, Level)
    return level


async def setup(bot: Client) -> None:
    await bot.add_cog(Help(bot))
