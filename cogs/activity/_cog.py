"""The command /activity."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.logs.activity import ActivityKind
from cogs._ui import activity_cards, foreign
from cogs._ui.doors import Answer, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, require
from cogs.activity._views import BUTTONS, Feed, latest

_KINDS = [app_commands.Choice(name=name, value=kind.value) for kind, name in activity_cards.KINDS.items()]


class Activity(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    @app_commands.command(
        description="What happened: work, people, the program, what went wrong; who did it.",
        extras={"example": "/activity type:people days:7"},
    )
    @app_commands.describe(
        type="Only this kind of thing",
        days="How many days before today to show too (if not given: 0, only today)",
        by="Only what this person did or asked for",
        everywhere="Of all servers and the program itself (the bot's owner only)",
    )
    @app_commands.choices(type=_KINDS)
    @door(Level.MODERATOR, answer=Answer.PRIVATE)
    async def activity(
        self,
        interaction: Interaction,
        type: str = "",  # noqa: A002 - the option's name
        days: app_commands.Range[int, 0, 30] = 0,
        by: discord.User | None = None,
        everywhere: bool = False,
    ) -> None:
        if everywhere:
            await require(interaction, Level.SUPER_ADMIN)
        feed = Feed(
            guild_id=None if everywhere else guild_of(interaction),
            kind=ActivityKind(type) if type else None,
            days=days,
            asked_at=self.bot.runtime.clock.now(),
            actor_id=by.id if by is not None else None,
        )
        embed, view = await latest(interaction, feed)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)
