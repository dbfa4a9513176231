"""The command /logs."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine import dates
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.log_filter import LogFilter
from bot.model.logline import JobType
from bot.model.logline import Level as LogLevel
from cogs._ui import completion, foreign, log_cards
from cogs._ui.doors import Answer, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, require
from cogs.logs._tail import Tails
from cogs.logs._views import BUTTONS, latest

_LEVELS = [
    app_commands.Choice(name="everything", value=LogLevel.INFO.value),
    app_commands.Choice(name="warnings and errors", value=LogLevel.WARN.value),
    app_commands.Choice(name="errors", value=LogLevel.ERROR.value),
]
_JOB_TYPES = [app_commands.Choice(name=name, value=kind.value) for kind, name in log_cards.JOB_TYPES.items()]
_MOMENTS = {"1h": "an hour ago", "24h": "24 hours ago", "today": "today", "yesterday": "yesterday", "7d": "7 days ago"}
_Number = app_commands.Range[int, 1, 2**53]
_Text = app_commands.Range[str, 2, 100]


class Logs(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self.tails = Tails(bot.runtime)

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    async def cog_unload(self) -> None:
        self.tails.close()

    @app_commands.command(
        description="The log of this server, newest first, with filters; follow it, open a line, export it.",
        extras={"example": "/logs level:errors mapping:Trip since:24h"},
    )
    @app_commands.describe(
        level="The least level to show",
        job_type="Only what belongs to this kind of work",
        mapping="Only this mapping, by name or id",
        item="Only this item of the queue, by its number",
        text="Only lines that hold these words",
        since="From then on: 2h, 3d, today, 2026-11-20 or 2026-11-20 18:00",
        until="Before then: 2h, 3d, yesterday (to its end), 2026-11-20 or 2026-11-20 18:00",
        run="Only this run, by its number",
        event="Only this event",
        actor="Only what this person did",
        tail="Follow: new lines appear by themselves for ten minutes",
        everywhere="The lines of all servers, and those of the program itself (the bot's owner only)",
    )
    @app_commands.choices(level=_LEVELS, job_type=_JOB_TYPES)
    @door(Level.MODERATOR, answer=Answer.PRIVATE)
    async def logs(
        self,
        interaction: Interaction,
        level: str = LogLevel.INFO.value,
        job_type: str = "",
        mapping: str = "",
        item: _Number | None = None,
        text: _Text = "",
        since: str = "",
        until: str = "",
        run: _Number | None = None,
        event: str = "",
        actor: discord.User | None = None,
        tail: bool = False,
        everywhere: bool = False,
    ) -> None:
        if everywhere:
            await require(interaction, Level.SUPER_ADMIN)
        guild_id, runtime = guild_of(interaction), self.bot.runtime
        zone, now = (await runtime.storage.guilds.get(guild_id)).timezone, runtime.clock.now()
        wanted = LogFilter(
            guild_id=None if everywhere else guild_id,
            least=LogLevel(level),
            job_type=JobType(job_type) if job_type else None,
            events=(_event(event),) if event else (),
            run_id=run,
            mapping_id=(await runtime.mappings.find(guild_id, mapping)).id if mapping else None,
            item_id=item,
            actor_id=actor.id if actor is not None else None,
            text=text,
            since=dates.moment(since, now, zone) if since else None,
            until=dates.moment(until, now, zone, end=True) if until else None,
        )
        if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
            raise UserMistake("`since` lies after `until`, so no line can fit. Swap them, or leave one out.")
        if tail:
            await self.tails.begin(interaction, wanted)
            return
        embed, view = await latest(interaction, wanted)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)

    @logs.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)

    @logs.autocomplete("event")
    async def _events(self, interaction: Interaction, current: str) -> completion.Choices:
        sought = current.strip().lower()
        found = [event.value for event in Event if sought in event.value]
        return [app_commands.Choice(name=value, value=value) for value in found[: foreign.CHOICES]]

    @logs.autocomplete("since")
    async def _since(self, interaction: Interaction, current: str) -> completion.Choices:
        return _moments(current)

    @logs.autocomplete("until")
    async def _until(self, interaction: Interaction, current: str) -> completion.Choices:
        return _moments(current)


def _event(name: str) -> str:
    try:
        return Event(name.strip().lower()).value
    except ValueError:
        raise UserMistake(f"There is no event “{name[:60]}”. Choose one from the list while you type.") from None


def _moments(current: str) -> completion.Choices:
    """What was written, and the usual moments."""
    sought = current.strip().lower()
    own = {sought: sought} if sought and sought not in _MOMENTS else {}
    usual = {value: name for value, name in _MOMENTS.items() if not sought or sought in f"{value} {name}"}
    return [app_commands.Choice(name=foreign.label(name), value=value[:100]) for value, name in (own | usual).items()]
