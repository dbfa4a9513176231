"""The one message of a round over several mappings: it follows their looks and their work, through restarts."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import discord

from bot.engine.estimate import Estimate
from bot.engine.rounds import Step, Turn
from bot.model.events import Event, Progress, RunFinished
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.run import Run, RunKind, RunStatus
from cogs._ui import errors, foreign, round_cards
from cogs._ui.places import Place, Places
from cogs._ui.reach import Client
from cogs._ui.round_cards import RoundRow
from cogs.sync._follow import RUNS_LOOKED_AT, Message

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Following:
    """One round's message. ``looking``: its mappings are still being looked at by this process."""

    guild_id: int
    message: Message
    since: datetime
    rows: dict[int, RoundRow]
    preview: bool = False
    looking: bool = True
    stale: set[int] = field(default_factory=set)  # mappings whose numbers must be read anew
    changed: bool = False
    painter: asyncio.Task[None] | None = None


class RoundFollower:
    """At most one message for each server; the numbers on it stand in the database."""

    def __init__(self, bot: Client) -> None:
        self._bot = bot
        self._runtime = bot.runtime
        self._places = Places(bot.runtime.storage, "rounds")
        self._followings: dict[int, Following] = {}

    async def resume(self) -> None:
        """Take up the messages of an earlier process; what it had not looked at is not looked at any more."""
        for guild_id, place in (await self._places.load()).items():
            message = self._bot.get_partial_messageable(place.channel_id).get_partial_message(place.message_id)
            rows = {}
            for mapping in await self._runtime.storage.mappings.of_guild(guild_id):
                runs = await self._runs(mapping.id, place.since)
                if runs:
                    rows[mapping.id] = _row_of(mapping, runs)
            following = Following(guild_id=guild_id, message=message, since=place.since, rows=rows, looking=False)
            self._followings[guild_id] = following
            self._touch(following, *rows)

    async def begin(
        self, guild_id: int, message: Message, estimates: Sequence[Estimate], *, preview: bool
    ) -> Following:
        """From now on ``message`` shows the round; an older round's message of the server stays as it is."""
        rows = {one.mapping.id: RoundRow(mapping=one.mapping, looked_at=one.looked_at) for one in estimates}
        following = Following(
            guild_id=guild_id, message=message, since=self._runtime.clock.now(), rows=rows, preview=preview
        )
        self._followings[guild_id] = following
        if not preview and isinstance(message, discord.PartialMessage):  # the other kind dies with its interaction
            place = Place(channel_id=message.channel.id, message_id=message.id, since=following.since)
            await self._places.put(guild_id, place)
        return following

    def step(self, following: Following, step: Step) -> None:
        """What has just become of one mapping."""
        row = following.rows[step.mapping.id]
        following.rows[step.mapping.id] = replace(
            row,
            mapping=step.mapping,
            turn=step.turn,
            plan=step.started.plan if step.started is not None else None,
            reason=errors.sentence(step.error) if step.error is not None else "",
        )
        self._touch(following, step.mapping.id)

    async def looked(self, following: Following) -> None:
        """All mappings were looked at; returns when the message shows it."""
        following.looking = False
        self._touch(following)
        if following.painter is not None:
            await following.painter

    def progress(self, fact: Progress) -> None:
        self._heard(fact.guild_id, fact.run)

    def finished(self, fact: RunFinished) -> None:
        self._heard(fact.guild_id, fact.run)

    def _heard(self, guild_id: int, run: Run) -> None:
        following = self._followings.get(guild_id)
        if following is not None and run.kind is RunKind.EXECUTION and run.mapping_id in following.rows:
            self._touch(following, run.mapping_id)

    def _touch(self, following: Following, *mapping_ids: int) -> None:
        # One painter a message: what comes while it edits is shown by its next turn.
        following.stale.update(mapping_ids)
        following.changed = True
        if following.painter is None or following.painter.done():
            following.painter = asyncio.create_task(self._paint(following))

    async def _paint(self, following: Following) -> None:
        while following.changed:
            following.changed = False
            while following.stale:
                await self._count(following, following.stale.pop())
            rows = list(following.rows.values())
            over = not following.looking and (following.preview or not any(row.open_items for row in rows))
            card = round_cards.round_card(rows, preview=following.preview, over=over)
            await self._edit(following, card)
            if over and not following.changed:
                await self._drop(following)

    async def _count(self, following: Following, mapping_id: int) -> None:
        """Read the mapping's numbers anew."""
        if following.preview:
            return
        storage = self._runtime.storage
        sums: dict[ItemStatus, int] = {}
        for run in await self._runs(mapping_id, following.since):
            for status, count in (await storage.items.counts_of_run(run.id)).items():
                sums[status] = sums.get(status, 0) + count
        open_items = await storage.items.count_open(mapping_id)
        following.rows[mapping_id] = following.rows[mapping_id].counted(sums, open_items)

    async def _runs(self, mapping_id: int, since: datetime) -> list[Run]:
        runs = await self._runtime.storage.runs.of_mapping(mapping_id, RUNS_LOOKED_AT)
        return [run for run in runs if run.created_at >= since]

    async def _drop(self, following: Following) -> None:
        if self._followings.get(following.guild_id) is following:
            del self._followings[following.guild_id]
        await self._places.drop(following.guild_id, following.message.id)

    async def _edit(self, following: Following, card: discord.Embed) -> None:
        try:
            await following.message.edit(embeds=foreign.fit([card]), view=None)
        except discord.HTTPException as failure:
            if failure.status in (403, 404):  # nobody to show it to any more
                await self._drop(following)
            extra = {"task": "the message of a round", "error": str(failure), "guild_id": following.guild_id}
            log.info(Event.TASK_FAILED, extra=extra)


def _row_of(mapping: Mapping, runs: Sequence[Run]) -> RoundRow:
    """As far as the database tells how its look ended."""
    looks = [run for run in runs if run.kind is RunKind.ANALYSIS]
    latest = max(looks, key=lambda run: run.id, default=None)
    if latest is not None and latest.status is not RunStatus.COMPLETED:
        return RoundRow(mapping=mapping, turn=Turn.FAILED, reason=foreign.plain(latest.error or "was stopped", 150))
    return RoundRow(mapping=mapping, turn=Turn.DONE)
