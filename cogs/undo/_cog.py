"""The command /undo and its buttons; ids are of runs, the select's is the mapping's."""

from typing import Any, Protocol, cast

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine.undo import Offer, StartedUndo
from bot.model.errors import UserMistake
from bot.model.mapping import Mapping
from bot.model.run import RunKind
from cogs._ui import completion, foreign, undo_cards
from cogs._ui.doors import Pressed, door, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, runtime_of
from storage.effects import Changed


class Undoing(Protocol):
    """What the cog of /sync does for us: its live messages follow an undo as well."""

    async def undo(self, interaction: Interaction, run_id: int, *, force: bool = False) -> StartedUndo: ...


class Undo(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(Choose, Apply, Force, Cancel)

    @app_commands.command(
        description="Take back what a run changed; shows first what goes, what comes back and what stays.",
        extras={"example": "/undo mapping:Trip"},
    )
    @app_commands.describe(mapping="Which mapping, by name or id")
    @door(Level.MODERATOR)
    async def undo(self, interaction: Interaction, mapping: str) -> None:
        found = await self.bot.runtime.mappings.find(guild_of(interaction), mapping)
        await self.offer(interaction, found.id)

    async def offer(self, interaction: Interaction, mapping_id: int) -> None:
        """What ``/undo mapping:…`` shows, for selects; the interaction is acknowledged with a new message."""
        runtime, guild_id = self.bot.runtime, guild_of(interaction)
        mapping = await runtime.mappings.find(guild_id, str(mapping_id))
        runs = await runtime.undo.runs(guild_id, mapping.id)
        await show(interaction, mapping, runs, _first(runs))

    @undo.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)


class Choose(Pressed, template=r"undo:choose:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def of(cls, mapping: Mapping, runs: list[Changed], chosen: int, timezone: str) -> "Choose":
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"undo:choose:{mapping.id}",
            placeholder="Another run",
            options=undo_cards.options(runs, chosen, timezone),
        )
        return cls(mapping.id, face=select)

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        mapping = await runtime.mappings.find(guild_id, str(self.key))
        runs = await runtime.undo.runs(guild_id, mapping.id)
        await show(interaction, mapping, runs, int(self.item.values[0]))


class Apply(Pressed, template=r"undo:apply:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Undo this run", style=discord.ButtonStyle.danger, custom_id=f"undo:apply:{key}")

    async def act(self, interaction: Interaction) -> None:
        await begin(interaction, self.key, force=False)


class Force(Pressed, template=r"undo:force:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Undo it anyway", style=discord.ButtonStyle.danger, custom_id=f"undo:force:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        await begin(interaction, self.key, force=True)


class Cancel(Pressed, template=r"undo:cancel:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Cancel", style=discord.ButtonStyle.secondary, custom_id=f"undo:cancel:{key}")

    async def act(self, interaction: Interaction) -> None:
        await interaction.edit_original_response(embeds=foreign.fit([undo_cards.put_away_card()]), view=None)


async def show(interaction: Interaction, mapping: Mapping, runs: list[Changed], run_id: int) -> None:
    """What taking the run back would do, with the other runs to choose from. ``run_id`` 0: there is none."""
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    timezone = (await runtime.storage.guilds.get(guild_id)).timezone
    items: list[discord.ui.Item[Any]] = [Choose.of(mapping, runs, run_id, timezone)] if runs else []
    card = undo_cards.nothing_card(mapping, runs)
    if run_id:
        try:
            offer = await runtime.undo.preview(guild_id, run_id, interaction.user.id)
        except UserMistake as mistake:
            card = undo_cards.refused_card(mapping, run_id, str(mistake))
        else:
            changed = next((one for one in runs if one.run.id == run_id), None)
            states, now = await runtime.quota.states(), runtime.clock.now()
            card = undo_cards.offer_card(offer, changed, states, now)
            items += [_do(offer), Cancel(mapping.id)]
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*items))


async def begin(interaction: Interaction, run_id: int, *, force: bool) -> None:
    """Take the run back. Where nothing has to be written, or a guard stops it, the message says so at once."""
    cog = interaction.client.get_cog("Sync")
    assert cog is not None
    started = await cast(Undoing, cog).undo(interaction, run_id, force=force)
    if started.enqueued:
        return  # the message follows the work
    stopped = started.plan.guard is not None
    view = panel(Force(run_id), Cancel(started.mapping.id)) if stopped else None
    await interaction.edit_original_response(embeds=foreign.fit([undo_cards.started_card(started)]), view=view)


def _first(runs: list[Changed]) -> int:
    """Whom people mean who name no run: the latest that stands; an undo only where nothing else does. 0: none."""
    standing = [one.run for one in runs if one.undone_by is None]
    return next((run.id for run in standing if run.kind is not RunKind.UNDO), standing[0].id if standing else 0)


def _do(offer: Offer) -> Pressed:
    return Force(offer.run.id) if offer.plan.guard is not None else Apply(offer.run.id)
