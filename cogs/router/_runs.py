"""Routing and previewing from Discord: what commands and buttons begin, and the buttons themselves."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.engine.base_rounds import BaseRounds
from bot.engine.router import Mode
from bot.model.errors import UserMistake
from bot.model.router import BasePlaylist
from cogs._ui import completion, errors, foreign, router_cards, routing_cards
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, runtime_of
from cogs.router._follow import Message, RouteFollower

_SUBJECT = "router.run"  # of the saved filters that hold what a button would run


async def chosen(interaction: Interaction, text: str) -> list[BasePlaylist]:
    """The bases that an option means: one, several with commas, or all. Raises UserMistake where there are none."""
    bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
    if not completion.is_all(text):
        return await bases.chosen(guild_id, text)
    found = await bases.bases(guild_id)
    if not found:
        raise UserMistake(
            "There is no base playlist here yet, so nothing was read. `/router base-add` makes the first one."
        )
    return found


async def start(
    interaction: Interaction, bases: Sequence[BasePlaylist], mode: Mode, *, collapsed: bool = False
) -> None:
    """Route the bases; the answer follows that and what comes of it."""
    runtime, follower = runtime_of(interaction), follower_of(interaction.client)
    message = lasting(interaction, await interaction.original_response())
    following = await follower.begin(guild_of(interaction), message, bases, mode)
    try:
        steps = BaseRounds(runtime.router).run(bases, interaction.user.id, mode, accept_collapse=collapsed)
        async for step in steps:
            await follower.step(following, step)
    finally:
        await follower.looked(following)


async def ask_rebuild(interaction: Interaction, bases: Sequence[BasePlaylist]) -> None:
    """Show what a rebuild means, with the button that begins it."""
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    children = [child for base in bases for child in await runtime.bases.children(guild_id, base.id)]
    key = await _kept(interaction, bases, Mode.REBUILD)
    card = router_cards.ask_rebuild(bases, children)
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(Rebuild(key), Keep(0)))


async def preview(interaction: Interaction, bases: Sequence[BasePlaylist]) -> None:
    """Show what a run would change."""
    runtime = runtime_of(interaction)
    steps = [
        step
        async for step in BaseRounds(runtime.router).preview(bases, interaction.user.id)
        if step.routed is not None or step.error is not None
    ]
    if len(steps) == 1 and steps[0].error is not None:
        raise steps[0].error
    work = [
        (one.started.plan, one.child.mapping)
        for step in steps
        if step.routed is not None
        for one in step.routed.children
        if one.started is not None
    ]
    cost, states = await runtime.quota.costs(work), await runtime.quota.states()
    card = routing_cards.preview_card(steps, cost, states=states, now=runtime.clock.now())
    options = routing_cards.plan_options(steps)
    buttons: list[discord.ui.Item[Any]] = []
    if options:
        key = await _kept(interaction, [step.base for step in steps if step.error is None], Mode.INCREMENTAL)
        buttons = [PlanOf.of(options), Apply(key), Keep(0)]
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*buttons) if buttons else None)


def lasting(interaction: Interaction, message: discord.InteractionMessage) -> Message:
    """``message`` as one of the channel, which can be edited for longer than an interaction's 15 minutes."""
    if interaction.channel_id is None or not interaction.app_permissions.view_channel:
        return message
    channel = interaction.client.get_partial_messageable(interaction.channel_id, guild_id=interaction.guild_id)
    return channel.get_partial_message(message.id)


def follower_of(client: Client) -> RouteFollower:
    follower = getattr(client.get_cog("Router"), "follower", None)
    assert isinstance(follower, RouteFollower)
    return follower


class RunNow(Pressed, template=r"router:run:(?P<key>[0-9]{1,19})"):
    """The same as ``/router run base:…``."""

    level = Level.MODERATOR
    answer = Answer.PUBLIC

    async def act(self, interaction: Interaction) -> None:
        base = await runtime_of(interaction).bases.base(guild_of(interaction), self.key)
        await start(interaction, [base], Mode.INCREMENTAL)


class Look(Pressed, template=r"router:look:(?P<key>[0-9]{1,19})"):
    """The same as ``/router preview base:…``."""

    level = Level.MODERATOR
    answer = Answer.PUBLIC

    async def act(self, interaction: Interaction) -> None:
        base = await runtime_of(interaction).bases.base(guild_of(interaction), self.key)
        await preview(interaction, [base])


class Apply(Pressed, template=r"router:apply:(?P<key>[0-9]{1,19})"):
    """Routes the previewed bases; the message follows that."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Run now", style=discord.ButtonStyle.success, custom_id=f"router:apply:{key}")

    async def act(self, interaction: Interaction) -> None:
        await start(interaction, *await _read(interaction, self.key))


class Rebuild(Pressed, template=r"router:rebuild:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Rebuild", style=discord.ButtonStyle.danger, custom_id=f"router:rebuild:{key}")

    async def act(self, interaction: Interaction) -> None:
        await start(interaction, *await _read(interaction, self.key))


class Collapsed(Pressed, template=r"router:collapse:(?P<key>[0-9]{1,19})"):
    """Routes a base that really lost most of its tracks."""

    level = Level.ADMIN
    answer = Answer.PUBLIC

    async def act(self, interaction: Interaction) -> None:
        base = await runtime_of(interaction).bases.base(guild_of(interaction), self.key)
        await start(interaction, [base], Mode.INCREMENTAL, collapsed=True)


class Force(Pressed, template=r"router:force:(?P<key>[0-9]{1,19})"):
    """Lets the one plan of a child pass that a guard stopped. ``key``: the run that made it."""

    level = Level.ADMIN

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        plan = await runtime.sync.plan(self.key, guild_id=guild_id)
        child = await runtime.storage.routers.child_of_mapping(plan.mapping_id)
        if child is None:
            raise errors.STALE
        base = await runtime.bases.base(guild_id, child.base_id)
        started = await runtime.sync.force(self.key, interaction.user.id, guild_id=guild_id)
        message = lasting(interaction, await interaction.original_response())
        await follower_of(interaction.client).forced(message, guild_id, base, started)


class PlanOf(Pressed, template=r"router:plan:(?P<key>[0-9]{1,19})"):
    """Every track that one child would gain and lose; the option carries the run that keeps its plan."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def of(cls, options: list[discord.SelectOption]) -> "PlanOf":
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id="router:plan:0", placeholder="All tracks of a child", options=options
        )
        return cls(0, face=select)

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        plan = await runtime.sync.plan(int(self.item.values[0]), guild_id=guild_id)
        mapping = await runtime.mappings.find(guild_id, str(plan.mapping_id))
        states, now = await runtime.quota.states(), runtime.clock.now()
        card = routing_cards.child_plan_card(mapping, plan, states=states, now=now)
        await interaction.edit_original_response(embeds=foreign.fit([card]))


class Keep(Pressed, template=r"router:keep:(?P<key>[0-9]{1,2})"):
    """Puts a question or a preview away."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Cancel", custom_id=f"router:keep:{key}")

    async def act(self, interaction: Interaction) -> None:
        await interaction.edit_original_response(embeds=foreign.fit([router_cards.put_away_card()]), view=None)


BUTTONS: tuple[type[Pressed], ...] = (RunNow, Look, Apply, Rebuild, Collapsed, Force, PlanOf, Keep)


async def _kept(interaction: Interaction, bases: Sequence[BasePlaylist], mode: Mode) -> int:
    """The key of a button that runs them."""
    values = {"v": 1, "bases": [base.id for base in bases], "mode": mode.value}
    filters = runtime_of(interaction).storage.filters
    return await filters.keep(guild_of(interaction), _SUBJECT, values, interaction.user.id)


async def _read(interaction: Interaction, key: int) -> tuple[list[BasePlaylist], Mode]:
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    kept = await runtime.storage.filters.get(key, guild_id, _SUBJECT)
    if kept is None:
        raise errors.STALE
    found = [await runtime.storage.routers.base(base_id, guild_id) for base_id in kept.filter["bases"]]
    there = [base for base in found if base is not None]
    if not there:
        raise errors.STALE
    return there, Mode(kept.filter["mode"])
