"""The command /errors."""

from discord import app_commands
from discord.ext import commands

from bot.engine import dates
from bot.model.failure import FailureFilter, FailureKind
from cogs._ui import completion, foreign
from cogs._ui.doors import Answer, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of
from cogs.errors._views import BUTTONS, overview

_WINDOWS = {"1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "the last 30 days"}
_KINDS = [
    app_commands.Choice(name="changes that failed", value=FailureKind.ITEM.value),
    app_commands.Choice(name="runs that failed", value=FailureKind.RUN.value),
    app_commands.Choice(name="tracks without a counterpart", value=FailureKind.REVIEW.value),
    app_commands.Choice(name="what waits", value=FailureKind.WAIT.value),
]


class Errors(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    @app_commands.command(
        description="What went wrong, grouped by reason: what to do, retry, export.",
        extras={"example": "/errors window:24h mapping:Trip"},
    )
    @app_commands.describe(
        window="Failures of this long, for example 90m, 24h or 7d (if not given: 7d)",
        show="Only this kind",
        mapping="Only this mapping, by name or id",
    )
    @app_commands.choices(show=_KINDS)
    @door(Level.MODERATOR, answer=Answer.PRIVATE)
    async def errors(self, interaction: Interaction, window: str = "7d", show: str = "", mapping: str = "") -> None:
        guild_id = guild_of(interaction)
        found = await self.bot.runtime.mappings.find(guild_id, mapping) if mapping else None
        wanted = FailureFilter(
            guild_id=guild_id,
            window=dates.span(window),
            kind=FailureKind(show) if show else None,
            mapping_id=found.id if found is not None else None,
        )
        embed, view = await overview(interaction, wanted)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)

    @errors.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)

    @errors.autocomplete("window")
    async def _windows(self, interaction: Interaction, current: str) -> completion.Choices:
        return [
            app_commands.Choice(name=name, value=value)
            for value, name in _WINDOWS.items()
            if current.strip().lower() in f"{value} {name}"
        ]
