"""The commands /jobs list, show, retry, cancel and export."""

import asyncio
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine import dates
from bot.engine.exports import Format
from bot.model.errors import UserMistake
from bot.model.jobs import ItemFilter, JobFilter
from cogs._ui import completion, foreign, job_words
from cogs._ui.doors import Answer, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of
from cogs.jobs import _bulk, _list, _one, _state
from cogs.jobs._options import Options, kinds, statuses
from cogs.jobs._refresh import Refresher

SMALLEST_PAGE, LARGEST_PAGE = 10, 25  # what an embed holds
_TRIGGERS = [app_commands.Choice(name=name, value=trigger.value) for trigger, name in job_words.TRIGGERS.items()]
_SORTS = [app_commands.Choice(name=name, value=name) for name in job_words.SORTS]
_Number = app_commands.Range[int, 1, 2**53]
_Show = Literal["runs", "items"]
_NEITHER = "Say which: a run by `id`, or all that match a saved `filter` (`/jobs list` saves one). Nothing was changed."
_BOTH = "Give either `id` or `filter`, not both. Nothing was changed."


@app_commands.guild_only()
class Jobs(
    commands.GroupCog, group_name="jobs", group_description="Runs and their items: find, retry, cancel, export."
):
    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self.refresher = Refresher(bot.runtime.clock)

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*_list.BUTTONS, *_bulk.BUTTONS, *_one.BUTTONS)

    async def open(self, interaction: Interaction, run_id: int) -> None:
        """What ``/jobs show`` does, for selects; the interaction is acknowledged with a new message."""
        await _one.show(interaction, run_id)

    async def cog_unload(self) -> None:
        self.refresher.close()

    @app_commands.command(
        name="list",
        description="Runs, or the items of the queue, under any filter; refreshes itself while something is active.",
        extras={"example": "/jobs list status:failed mapping:Trip since:24h"},
    )
    @app_commands.describe(
        show="runs: one line for each burst of work; items: one for each track",
        status="Only those that stand so",
        kind="Only this kind of run, or what items do",
        mapping="Only this mapping, by name or id",
        trigger="Only what this asked for",
        actor="Only what this person asked for",
        since="Created from then on: 2h, 3d, today, 2026-11-20 or 2026-11-20 18:00",
        until="Created before then: 2h, 3d, yesterday (to its end), 2026-11-20 or 2026-11-20 18:00",
        text="Only those with these words in an error",
        id="Only this one, by its number",
        sort="In which order",
        page_size="How many rows a page has",
        filter="A saved filter; the other options narrow it further",
        save_as="Save these options under this name, for everybody here",
    )
    @app_commands.choices(trigger=_TRIGGERS, sort=_SORTS)
    @door(Level.MODERATOR)
    async def list_(
        self,
        interaction: Interaction,
        show: _Show | None = None,
        status: str | None = None,
        kind: str | None = None,
        mapping: str | None = None,
        trigger: str | None = None,
        actor: discord.User | None = None,
        since: str | None = None,
        until: str | None = None,
        text: app_commands.Range[str, 2, 100] | None = None,
        id: _Number | None = None,  # noqa: A002 - the name of the option
        sort: str | None = None,
        page_size: app_commands.Range[int, SMALLEST_PAGE, LARGEST_PAGE] = SMALLEST_PAGE,
        filter: str | None = None,  # noqa: A002 - the name of the option
        save_as: str | None = None,
    ) -> None:
        guild_id, runtime = guild_of(interaction), self.bot.runtime
        zone, now = (await runtime.storage.guilds.get(guild_id)).timezone, runtime.clock.now()
        options = Options(
            show=show,
            status=status,
            kind=kind,
            mapping_id=(await runtime.mappings.find(guild_id, mapping)).id if mapping else None,
            trigger=trigger,
            actor_id=actor.id if actor is not None else None,
            since=dates.moment(since, now, zone) if since else None,
            until=dates.moment(until, now, zone, end=True) if until else None,
            text=text,
            id=id,
            sort=sort,
        )
        wanted = options.over(await _state.named(interaction, filter) if filter else None)
        saved = await _state.save(interaction, save_as, wanted) if save_as else None
        await _list.show(interaction, _state.ListView(wanted=wanted, size=page_size))
        if saved is not None:
            sentence = f"Saved as **{foreign.plain(saved)}**. `/jobs list filter:` offers it to every moderator here."
            await interaction.followup.send(sentence, ephemeral=True)

    @app_commands.command(
        description="One run in full: what it did, what it cost, its errors, its log, its items.",
        extras={"example": "/jobs show id:42"},
    )
    @app_commands.describe(id="The run's number, as in the list")
    @door(Level.MODERATOR)
    async def show(self, interaction: Interaction, id: _Number) -> None:  # noqa: A002 - the name of the option
        await _one.show(interaction, id)

    @app_commands.command(
        description="Try again what failed: of one run, or of all that match a saved filter.",
        extras={"example": "/jobs retry id:42"},
    )
    @app_commands.describe(id="The run's number", filter="A saved filter; you see how many before anything happens")
    @door(Level.MODERATOR, answer=Answer.PRIVATE)
    async def retry(
        self,
        interaction: Interaction,
        id: _Number | None = None,  # noqa: A002 - the name of the option
        filter: str | None = None,  # noqa: A002 - the name of the option
    ) -> None:
        wanted = await _either(interaction, id, filter)
        if isinstance(wanted, int):
            await interaction.edit_original_response(content=await _one.retry(interaction, wanted))
        else:
            await _bulk.ask_retry(interaction, wanted)

    @app_commands.command(
        description="Stop a run, or all that match a saved filter: what waits goes, what is done stays.",
        extras={"example": "/jobs cancel id:42"},
    )
    @app_commands.describe(id="The run's number", filter="A saved filter; you see how many before anything happens")
    @door(Level.ADMIN, answer=Answer.PRIVATE)
    async def cancel(
        self,
        interaction: Interaction,
        id: _Number | None = None,  # noqa: A002 - the name of the option
        filter: str | None = None,  # noqa: A002 - the name of the option
    ) -> None:
        wanted = await _either(interaction, id, filter)
        if isinstance(wanted, int):
            await interaction.edit_original_response(content=await _one.cancel(interaction, wanted))
        else:
            await _bulk.ask_cancel(interaction, wanted)

    @app_commands.command(
        description="Runs or items as a file for you: all that match a saved filter, or all there are.",
        extras={"example": "/jobs export format:csv filter:Failed this week"},
    )
    @app_commands.describe(
        format="CSV for spreadsheets, JSON for programs",
        filter="A saved filter",
        show="Runs or items, without a filter",
    )
    @door(Level.MODERATOR, answer=Answer.PRIVATE)
    async def export(
        self,
        interaction: Interaction,
        format: Literal["csv", "json"],  # noqa: A002 - the name of the option
        filter: str | None = None,  # noqa: A002 - the name of the option
        show: _Show | None = None,
    ) -> None:
        saved = await _state.named(interaction, filter) if filter else None
        await _list.export(interaction, Options(show=show).over(saved), Format(format))

    @list_.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)

    @list_.autocomplete("status")
    async def _statuses(self, interaction: Interaction, current: str) -> completion.Choices:
        return _matching(statuses(interaction.namespace.show), current)

    @list_.autocomplete("kind")
    async def _kinds(self, interaction: Interaction, current: str) -> completion.Choices:
        return _matching(kinds(interaction.namespace.show), current)

    @list_.autocomplete("filter")
    @retry.autocomplete("filter")
    @cancel.autocomplete("filter")
    @export.autocomplete("filter")
    async def _filters(self, interaction: Interaction, current: str) -> completion.Choices:
        if interaction.guild_id is None:
            return []
        async with asyncio.timeout(completion.DEADLINE):
            return _matching(dict(await _state.all_named(interaction, interaction.guild_id)), current)


async def _either(interaction: Interaction, id_: int | None, name: str | None) -> int | JobFilter | ItemFilter:
    """The run's id, or the filter. Raises UserMistake for both, and for neither."""
    if id_ is not None and name:
        raise UserMistake(_BOTH)
    if id_ is not None:
        return id_
    if not name:
        raise UserMistake(_NEITHER)
    return await _state.named(interaction, name)


def _matching(values: dict[str, str], current: str) -> completion.Choices:
    """Choices whose words hold what was typed; values longer than Discord takes are left out."""
    sought = current.strip().casefold()
    found = [(value, words) for value, words in values.items() if sought in words.casefold()]
    fitting = [(value, words) for value, words in found if len(value) <= foreign.CHOICE]
    return [app_commands.Choice(name=foreign.label(words), value=value) for value, words in fitting[: foreign.CHOICES]]
