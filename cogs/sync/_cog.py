"""The command /sync and the buttons of its plans."""

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine.estimate import Estimate
from bot.engine.rounds import Turn
from bot.engine.sync import StartedSync
from bot.engine.undo import StartedUndo
from bot.model.errors import UserMistake
from bot.model.events import Event, Progress, RunFinished
from bot.model.mapping import Mapping
from bot.model.review import BlacklistState
from bot.runtime import Runtime
from cogs._ui import completion, foreign, round_cards, sync_cards, undo_cards
from cogs._ui.doors import Pressed, door, panel
from cogs._ui.levels import Level
from cogs._ui.owners import pause_if_left
from cogs._ui.reach import Client, Interaction, guild_of, runtime_of
from cogs.sync._follow import Follower, Following, Message
from cogs.sync._round import RoundFollower

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How playlists are read: all of both sides, and also where nothing seems to have changed."""

    full: bool
    force: bool


class Sync(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self.follower = Follower(bot)
        self.rounds = RoundFollower(bot)

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*PLAN_BUTTONS)
        await self.follower.resume()
        await self.rounds.resume()

    @app_commands.command(
        description="Bring one mapping in step now, or all; or preview what that would change.",
        extras={"example": "/sync mapping:Trip preview:True"},
    )
    @app_commands.describe(
        mapping="Which mapping, by name or id; all, or none given: every mapping of this server",
        preview="Only show the plan; change nothing yet",
        mode="incremental: read what changed; full: read everything anew",
        force="Plan even if nothing seems to have changed, or it was looked at just now",
    )
    @door(Level.MODERATOR)
    async def sync(
        self,
        interaction: Interaction,
        mapping: str = completion.ALL,
        preview: bool = False,
        mode: Literal["incremental", "full"] = "incremental",
        force: bool = False,
    ) -> None:
        reading = How(full=mode == "full", force=force)
        if completion.is_all(mapping):
            await self._all(interaction, preview, reading)
        else:
            await self._one(interaction, mapping, preview, reading)

    async def undo(self, interaction: Interaction, run_id: int, *, force: bool = False) -> StartedUndo:
        """Take a run back, and let the message of the pressed button follow what was enqueued for that, if anything."""
        message = lasting(interaction, await interaction.original_response())
        followings: list[Following] = []

        async def begun(mapping: Mapping) -> None:
            followings.append(await self.follower.watch(mapping.id, message))

        try:
            started = await self.bot.runtime.undo.apply(
                guild_of(interaction), run_id, interaction.user.id, force=force, begun=begun
            )
        except BaseException:
            for following in followings:
                await self.follower.drop(following)
            raise
        card, [following] = undo_cards.started_card(started), followings
        if started.enqueued:
            await self.follower.release(following, started.mapping, card, started.enqueued, undo=True)
        else:
            await self.follower.drop(following)
        return started

    async def now(self, interaction: Interaction, mapping_id: int) -> None:
        """What ``/sync mapping:…`` does, for buttons; the interaction is acknowledged with a new message."""
        await self._one(interaction, str(mapping_id), preview=False, reading=How(full=False, force=False))

    async def _one(self, interaction: Interaction, mapping: str, preview: bool, reading: How) -> None:
        runtime, guild_id, actor_id = self.bot.runtime, guild_of(interaction), interaction.user.id
        found = await runtime.mappings.find(guild_id, mapping)
        _log_request(found, reading)
        await pause_if_left(self.bot, found, present=actor_id)  # a paused one is refused with its reason
        message = await self._show_estimate(interaction, found, preview, reading)
        try:
            if preview:
                started = await runtime.sync.preview(found.id, actor_id, full=reading.full, force=reading.force)
                card = await plan_card(runtime, found, started, preview=True)
                await interaction.edit_original_response(embeds=foreign.fit([card]), view=_plan_buttons(started))
                return
            work = functools.partial(runtime.sync.start, found.id, actor_id, full=reading.full, force=reading.force)
            await begin(self.follower, runtime, lasting(interaction, message), found, work)
        except Exception:
            await interaction.delete_original_response()  # the reason is told privately
            raise

    async def _show_estimate(
        self, interaction: Interaction, mapping: Mapping, preview: bool, reading: How
    ) -> discord.InteractionMessage:
        """What the look will take, before it begins."""
        runtime = self.bot.runtime
        estimate = (await runtime.estimates.of([mapping], full=reading.full, force=reading.force))[0]
        states, now = await runtime.quota.states(), runtime.clock.now()
        card = round_cards.estimate_card(estimate, states=states, now=now, preview=preview)
        return await interaction.edit_original_response(embeds=foreign.fit([card]))

    async def _all(self, interaction: Interaction, preview: bool, reading: How) -> None:
        runtime, guild_id, actor_id = self.bot.runtime, guild_of(interaction), interaction.user.id
        mappings = await runtime.mappings.of_guild(guild_id)
        if not mappings:
            raise UserMistake("There is no mapping here yet, so nothing was read. `/mapping add` makes the first one.")
        estimates = await runtime.estimates.of(mappings, full=reading.full, force=reading.force)
        message = lasting(interaction, await self._show_estimates(interaction, estimates, preview))
        following = await self.rounds.begin(guild_id, message, estimates, preview=preview)
        check = functools.partial(pause_if_left, self.bot, present=actor_id)
        steps = runtime.rounds.run(
            estimates, actor_id, preview=preview, full=reading.full, force=reading.force, check=check
        )
        async for step in steps:
            if step.turn is Turn.READING:
                _log_request(step.mapping, reading)
            self.rounds.step(following, step)
        await self.rounds.looked(following)

    async def _show_estimates(
        self, interaction: Interaction, estimates: Sequence[Estimate], preview: bool
    ) -> discord.InteractionMessage:
        runtime = self.bot.runtime
        total = await runtime.estimates.total([one for one in estimates if not round_cards.passed_over(one)])
        states, now = await runtime.quota.states(), runtime.clock.now()
        card = round_cards.estimates_card(estimates, total, states=states, now=now, preview=preview)
        return await interaction.edit_original_response(embeds=foreign.fit([card]))

    @sync.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings_or_all(interaction, current)

    @commands.Cog.listener()
    async def on_progress(self, fact: Progress) -> None:
        self.follower.progress(fact)
        self.rounds.progress(fact)

    @commands.Cog.listener()
    async def on_run_finished(self, fact: RunFinished) -> None:
        self.follower.finished(fact)
        self.rounds.finished(fact)


def _log_request(mapping: Mapping, reading: How) -> None:
    how = ", ".join(word for word, said in (("full", reading.full), ("forced", reading.force)) if said)
    log.info(Event.SYNC_REQUESTED, extra={"mapping": mapping.name, "mapping_id": mapping.id, "how": how})


class ApplyPlan(Pressed, template=r"plan:apply:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Apply", style=discord.ButtonStyle.success, custom_id=f"plan:apply:{key}")

    async def act(self, interaction: Interaction) -> None:
        sync, guild_id = runtime_of(interaction).sync, guild_of(interaction)
        await _begin_stored(interaction, self.key, lambda: sync.apply(self.key, interaction.user.id, guild_id=guild_id))


class ForcePlan(Pressed, template=r"plan:force:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Force this plan", style=discord.ButtonStyle.danger, custom_id=f"plan:force:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        sync, guild_id = runtime_of(interaction).sync, guild_of(interaction)
        await _begin_stored(interaction, self.key, lambda: sync.force(self.key, interaction.user.id, guild_id=guild_id))


class CancelPlan(Pressed, template=r"plan:cancel:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Cancel", style=discord.ButtonStyle.secondary, custom_id=f"plan:cancel:{key}")

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        mapping = await _mapping_of_plan(runtime, guild_id, self.key)
        await runtime.sync.cancel(self.key, interaction.user.id, guild_id=guild_id)
        await interaction.edit_original_response(
            embeds=foreign.fit([sync_cards.cancelled_card(mapping.name)]), view=None
        )


PLAN_BUTTONS: tuple[type[Pressed], ...] = (ApplyPlan, ForcePlan, CancelPlan)


async def begin(
    follower: Follower, runtime: Runtime, message: Message, mapping: Mapping, work: Callable[[], Awaitable[StartedSync]]
) -> None:
    """Do ``work`` (an analysis that enqueues its plan) and let ``message`` follow what comes of it."""
    # Watched before the work begins: the executor may be through before the plan is shown.
    following = await follower.watch(mapping.id, message)
    try:
        started = await work()
        waiting = await runtime.storage.items.count_open(mapping.id)
        card = await plan_card(runtime, mapping, started)
    except BaseException:
        await follower.drop(following)
        raise
    if started.enqueued or (waiting and started.plan.guard is None):
        await follower.release(following, mapping, card, started.enqueued or waiting)
        return
    await follower.drop(following)
    await message.edit(embeds=foreign.fit([card]), view=_plan_buttons(started))


async def plan_card(
    runtime: Runtime, mapping: Mapping, started: StartedSync, *, preview: bool = False
) -> discord.Embed:
    kept_out = await runtime.storage.blacklist.open_of_mapping(mapping.id) if started.plan.in_review else []
    reviews = [row for row in kept_out if row.state is BlacklistState.OPEN]
    card = sync_cards.plan_card(
        mapping,
        started.plan,
        states=await runtime.quota.states(),
        now=runtime.clock.now(),
        reviews=reviews,
        preview=preview,
    )
    if started.changed:
        card.set_footer(text="The playlists had changed since the preview, so this plan was made anew.")
    elif started.unchanged:
        card.set_footer(text="Neither playlist changed since the last look, so none was read again.")
    return card


def lasting(interaction: Interaction, message: discord.InteractionMessage) -> Message:
    """``message`` as an ordinary channel message, which can be edited for longer than an interaction's 15 minutes.

    Where the bot cannot see the channel, the interaction's own message must do.
    """
    if interaction.channel_id is None or not interaction.app_permissions.view_channel:
        return message
    channel = interaction.client.get_partial_messageable(interaction.channel_id, guild_id=interaction.guild_id)
    return channel.get_partial_message(message.id)


def _plan_buttons(started: StartedSync) -> discord.ui.View | None:
    if started.plan.guard is not None:
        return panel(ForcePlan(started.run.id), CancelPlan(started.run.id))
    return panel(ApplyPlan(started.run.id), CancelPlan(started.run.id)) if started.plan.diffs else None


async def _begin_stored(interaction: Interaction, run_id: int, work: Callable[[], Awaitable[StartedSync]]) -> None:
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    mapping = await _mapping_of_plan(runtime, guild_id, run_id)
    cog = interaction.client.get_cog(Sync.__cog_name__)
    assert isinstance(cog, Sync)
    await begin(cog.follower, runtime, lasting(interaction, await interaction.original_response()), mapping, work)


async def _mapping_of_plan(runtime: Runtime, guild_id: int, run_id: int) -> Mapping:
    plan = await runtime.sync.plan(run_id, guild_id=guild_id)
    return await runtime.mappings.find(guild_id, str(plan.mapping_id))
