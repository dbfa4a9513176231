"""The commands of /mapping."""

from discord import app_commands
from discord.ext import commands

from bot.engine.mappings import NAME_LENGTH, NewMapping
from bot.model.mapping import Direction, Order, Removals
from bot.model.matching import MatchPolicy
from cogs._ui import completion, foreign, mapping_cards
from cogs._ui.doors import door
from cogs._ui.levels import Level
from cogs._ui.owners import pause_if_left
from cogs._ui.reach import Client, Interaction, guild_of
from cogs.mapping._buttons import BUTTONS, show, show_list

_DIRECTIONS = [
    app_commands.Choice(name="left to right", value=Direction.LEFT_TO_RIGHT.value),
    app_commands.Choice(name="right to left", value=Direction.RIGHT_TO_LEFT.value),
    app_commands.Choice(name="both ways", value=Direction.TWO_WAY.value),
]
_REMOVALS = [
    app_commands.Choice(name="keep: no removal is passed on", value=Removals.KEEP.value),
    app_commands.Choice(name="mirror: removals of linked tracks are passed on", value=Removals.MIRROR.value),
    app_commands.Choice(name="exact: the destination holds nothing else", value=Removals.EXACT.value),
]
_ORDERS = [
    app_commands.Choice(name="append: new tracks go to the end", value=Order.APPEND.value),
    app_commands.Choice(name="keep: follow the source's order", value=Order.KEEP.value),
]
_POLICIES = [
    app_commands.Choice(name="exact: only certain matches", value=MatchPolicy.EXACT.value),
    app_commands.Choice(name="balanced", value=MatchPolicy.BALANCED.value),
    app_commands.Choice(name="best effort: likely matches too", value=MatchPolicy.BEST_EFFORT.value),
]
_SCHEDULE = "off · every 30m · daily 18:00 · mon wed 18:00 · a cron line"
_NAME = app_commands.Range[str, 1, NAME_LENGTH]


class Mapping(commands.GroupCog, group_name="mapping", group_description="Playlists that are kept in step."):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    @app_commands.command(
        description="Keep two playlists in step.",
        extras={"example": "/mapping add name:Trip left:… right:… schedule:daily 18:00"},
    )
    @app_commands.describe(
        name="What to call it",
        left="A playlist: pick one of yours, paste its link, or `liked` for your liked songs",
        right="The other playlist: pick one, paste a link, or create it there",
        direction="Which side follows which (left to right)",
        removals="What happens when a track is removed (keep)",
        order="Where new tracks go (append)",
        schedule=f"When it runs by itself: {_SCHEDULE} (every 30m)",
        policy="How sure a match must be (balanced)",
    )
    @app_commands.choices(direction=_DIRECTIONS, removals=_REMOVALS, order=_ORDERS, policy=_POLICIES)
    @door(Level.ADMIN)
    async def add(
        self,
        interaction: Interaction,
        name: _NAME,
        left: str,
        right: str,
        direction: str = Direction.LEFT_TO_RIGHT.value,
        removals: str = Removals.KEEP.value,
        order: str = Order.APPEND.value,
        schedule: str = "every 30m",
        policy: str = MatchPolicy.BALANCED.value,
    ) -> None:
        new = NewMapping(
            guild_id=guild_of(interaction),
            actor_id=interaction.user.id,
            name=name,
            left=left,
            right=right,
            direction=Direction(direction),
            removals=Removals(removals),
            order=Order(order),
            schedule=schedule,
            policy=MatchPolicy(policy),
        )
        made = await self.bot.runtime.mappings.create(new)
        hint = "Run now, or /sync, brings it in step; /sync preview shows what that would change"
        await show(interaction, made, title="Added", hint=hint)

    @app_commands.command(
        description="Change how a mapping works.",
        extras={"example": "/mapping edit mapping:Trip removals:mirror"},
    )
    @app_commands.describe(
        mapping="Which one, by name or id",
        name="A new name",
        direction="Which side follows which",
        removals="What happens when a track is removed",
        order="Where new tracks go",
        schedule=f"When it runs by itself: {_SCHEDULE}",
        policy="How sure a match must be",
        max_adds="At most so many adds a run",
        max_removals="A plan that removes more is stopped and shown",
    )
    @app_commands.choices(direction=_DIRECTIONS, removals=_REMOVALS, order=_ORDERS, policy=_POLICIES)
    @door(Level.ADMIN)
    async def edit(
        self,
        interaction: Interaction,
        mapping: str,
        name: _NAME | None = None,
        direction: str | None = None,
        removals: str | None = None,
        order: str | None = None,
        schedule: str | None = None,
        policy: str | None = None,
        max_adds: app_commands.Range[int, 1, 10_000] | None = None,
        max_removals: app_commands.Range[int, 0, 10_000] | None = None,
    ) -> None:
        mappings, guild_id = self.bot.runtime.mappings, guild_of(interaction)
        found = await mappings.find(guild_id, mapping)
        changed = await mappings.edit(
            guild_id,
            found.id,
            interaction.user.id,
            name=name,
            direction=Direction(direction) if direction else None,
            removals=Removals(removals) if removals else None,
            order=Order(order) if order else None,
            schedule=schedule,
            policy=MatchPolicy(policy) if policy else None,
            max_adds=max_adds,
            max_removals=max_removals,
        )
        await show(interaction, changed, title="Changed")

    @app_commands.command(name="list", description="All mappings of this server.", extras={"example": "/mapping list"})
    @door()
    async def list_(self, interaction: Interaction) -> None:
        await show_list(interaction)

    @app_commands.command(
        description="One mapping with all its settings.",
        extras={"example": "/mapping show mapping:Trip"},
    )
    @app_commands.describe(mapping="Which one, by name or id")
    @door()
    async def show(self, interaction: Interaction, mapping: str) -> None:
        found = await self.bot.runtime.mappings.find(guild_of(interaction), mapping)
        shown = await pause_if_left(self.bot, found, present=interaction.user.id)
        await show(interaction, shown)

    @app_commands.command(
        description="Stop a mapping for now; nothing is lost.",
        extras={"example": "/mapping pause mapping:Trip reason:holidays"},
    )
    @app_commands.describe(mapping="Which one, by name or id", reason="Why, for the others")
    @door(Level.ADMIN)
    async def pause(self, interaction: Interaction, mapping: str, reason: app_commands.Range[str, 0, 200] = "") -> None:
        mappings, guild_id = self.bot.runtime.mappings, guild_of(interaction)
        found = await mappings.find(guild_id, mapping)
        paused = await mappings.pause(guild_id, found.id, interaction.user.id, reason)
        await show(interaction, paused, title="Paused")

    @app_commands.command(
        description="Let a paused mapping run again.",
        extras={"example": "/mapping resume mapping:Trip"},
    )
    @app_commands.describe(mapping="Which one, by name or id")
    @door(Level.ADMIN)
    async def resume(self, interaction: Interaction, mapping: str) -> None:
        mappings, guild_id = self.bot.runtime.mappings, guild_of(interaction)
        found = await mappings.find(guild_id, mapping)
        resumed = await mappings.resume(guild_id, found.id, interaction.user.id)
        await show(interaction, resumed, title="Resumed")

    @app_commands.command(
        description="Remove a mapping; both playlists stay as they are.",
        extras={"example": "/mapping remove mapping:Trip"},
    )
    @app_commands.describe(mapping="Which one, by name or id")
    @door(Level.ADMIN)
    async def remove(self, interaction: Interaction, mapping: str) -> None:
        mappings, guild_id = self.bot.runtime.mappings, guild_of(interaction)
        found = await mappings.find(guild_id, mapping)
        removed = await mappings.remove(guild_id, found.id, interaction.user.id)
        await interaction.edit_original_response(embeds=foreign.fit([mapping_cards.removed_card(removed)]))

    @app_commands.command(
        name="source-add",
        description="Give a mapping one more source; tracks that several have count once.",
        extras={"example": "/mapping source-add mapping:Trip source:…"},
    )
    @app_commands.describe(
        mapping="Which one, by name or id",
        source="A playlist on the service of its source: pick one of yours, paste its link, or `liked`",
    )
    @door(Level.ADMIN)
    async def source_add(self, interaction: Interaction, mapping: str, source: str) -> None:
        mappings, guild_id = self.bot.runtime.mappings, guild_of(interaction)
        found = await mappings.find(guild_id, mapping)
        changed = await mappings.add_source(guild_id, found.id, interaction.user.id, source)
        await show(interaction, changed, title="Source added to", hint="/sync preview shows what that would change")

    @app_commands.command(
        name="source-remove",
        description="Take a further source from a mapping; the playlist stays as it is.",
        extras={"example": "/mapping source-remove mapping:Trip source:…"},
    )
    @app_commands.describe(
        mapping="Which one, by name or id", source="Which of its sources: pick one, or paste its link"
    )
    @door(Level.ADMIN)
    async def source_remove(self, interaction: Interaction, mapping: str, source: str) -> None:
        mappings, guild_id = self.bot.runtime.mappings, guild_of(interaction)
        found = await mappings.find(guild_id, mapping)
        changed = await mappings.remove_source(guild_id, found.id, interaction.user.id, source)
        await show(interaction, changed, title="Source removed from", hint="/sync preview shows what that would change")

    @edit.autocomplete("mapping")
    @source_add.autocomplete("mapping")
    @source_remove.autocomplete("mapping")
    @show.autocomplete("mapping")
    @pause.autocomplete("mapping")
    @resume.autocomplete("mapping")
    @remove.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)

    @add.autocomplete("schedule")
    @edit.autocomplete("schedule")
    async def _schedules(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.schedules(interaction, current)

    @add.autocomplete("left")
    async def _left(self, interaction: Interaction, current: str) -> completion.Choices:
        direction = interaction.namespace.direction or Direction.LEFT_TO_RIGHT.value
        source = direction == Direction.LEFT_TO_RIGHT.value
        return await completion.playlists(interaction, current, source=source)

    @source_add.autocomplete("source")
    async def _source(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.playlists(interaction, current, source=True, creates=False)

    @source_remove.autocomplete("source")
    async def _sources(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.further_sources(interaction, current)

    @add.autocomplete("right")
    async def _right(self, interaction: Interaction, current: str) -> completion.Choices:
        source = interaction.namespace.direction == Direction.RIGHT_TO_LEFT.value
        return await completion.playlists(interaction, current, source=source)
