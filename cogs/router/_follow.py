"""The live messages of routing runs: each follows its bases and their children's work, through restarts."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import discord

from bot.engine.base_rounds import BaseStep
from bot.engine.routed import CollapsedBase
from bot.engine.router import ChildOutcome, Mode
from bot.engine.sync import StartedSync
from bot.model.events import Event, Progress, RunFinished
from bot.model.item import ItemStatus
from bot.model.router import BasePlaylist
from bot.model.run import Run, RunStatus
from cogs._ui import errors, foreign, routing_cards
from cogs._ui.reach import Client
from cogs._ui.routing_cards import BaseRow, ChildRow, Turn
from cogs.router import _faces

log = logging.getLogger(__name__)

RUNS_LOOKED_AT = 100  # runs of one child that a message adds up
_NOTE = "discord.routing"
Message = discord.PartialMessage | discord.InteractionMessage


@dataclass(slots=True, eq=False)
class Following:
    """One run's message. ``looking``: its bases are still being routed by this process."""

    guild_id: int
    message: Message
    since: datetime
    mode: Mode
    rows: dict[int, BaseRow]  # by base id
    looking: bool = True
    stale: set[int] = field(default_factory=set)  # mappings whose numbers must be read anew
    changed: bool = False
    painter: asyncio.Task[None] | None = None

    def mapping_ids(self) -> list[int]:
        return [child.child.mapping.id for row in self.rows.values() for child in row.children]

    def child(self, mapping_id: int) -> tuple[int, int] | None:
        """The base's id, and the child's place among its rows."""
        for base_id, row in self.rows.items():
            for place, child in enumerate(row.children):
                if child.child.mapping.id == mapping_id:
                    return base_id, place
        return None

    def put(self, mapping_id: int, **changes: Any) -> None:
        where = self.child(mapping_id)
        if where is not None:
            base_id, place = where
            children = list(self.rows[base_id].children)
            children[place] = replace(children[place], **changes)
            self.rows[base_id] = replace(self.rows[base_id], children=tuple(children))


class RouteFollower:
    """Facts say when to look; what is shown stands in the database."""

    def __init__(self, bot: Client) -> None:
        self._bot = bot
        self._runtime = bot.runtime
        self._followings: dict[int, Following] = {}  # by message id

    async def resume(self) -> None:
        """Take up the messages of an earlier process; what it had not routed is not routed any more."""
        for message_id, kept in json.loads(await self._runtime.storage.meta.get(_NOTE) or "{}").items():
            message = self._bot.get_partial_messageable(kept["channel"]).get_partial_message(int(message_id))
            since = datetime.fromtimestamp(kept["since"], UTC)
            following = Following(
                guild_id=kept["guild"], message=message, since=since, mode=Mode(kept["mode"]), rows={}, looking=False
            )
            for base_id in kept["bases"]:
                base = await self._runtime.storage.routers.base(base_id, kept["guild"])
                if base is not None:
                    following.rows[base_id] = await self._row_of(base, since)
            self._followings[int(message_id)] = following
            self._touch(
                following, *(child.child.mapping.id for row in following.rows.values() for child in row.children)
            )

    async def begin(self, guild_id: int, message: Message, bases: Sequence[BasePlaylist], mode: Mode) -> Following:
        """From now on ``message`` shows what becomes of the bases."""
        rows = {base.id: BaseRow(base=base) for base in bases}
        following = Following(guild_id=guild_id, message=message, since=self._runtime.clock.now(), mode=mode, rows=rows)
        self._followings[message.id] = following
        await self._save()
        return following

    async def step(self, following: Following, step: BaseStep) -> None:
        """What has just become of one base."""
        row = replace(following.rows[step.base.id], base=step.base)
        if step.error is not None:
            collapsed = isinstance(step.error, CollapsedBase)
            row = replace(row, turn=Turn.FAILED, reason=errors.sentence(step.error), collapsed=collapsed, children=())
        elif step.routed is not None:
            children = tuple(ChildRow(child=one.child, outcome=one, planned=True) for one in step.routed.children)
            row = replace(row, turn=Turn.DONE, routed=step.routed, children=children)
        else:
            children_now = await self._runtime.bases.children(following.guild_id, step.base.id)
            row = replace(row, turn=Turn.ROUTING, children=tuple(ChildRow(child=one) for one in children_now))
        following.rows[step.base.id] = row
        self._touch(following, *(child.child.mapping.id for child in row.children))

    async def looked(self, following: Following) -> None:
        """All bases were routed; returns when the message shows it."""
        following.looking = False
        self._touch(following)
        if following.painter is not None:
            await following.painter

    async def forced(self, message: Message, guild_id: int, base: BasePlaylist, started: StartedSync) -> None:
        """A stopped child's plan was let pass: the message shows that, and follows what was enqueued."""
        following = self._followings.get(message.id)
        if following is None:
            now = self._runtime.clock.now()
            row = await self._row_of(base, now)
            following = Following(
                guild_id=guild_id, message=message, since=now, mode=Mode.INCREMENTAL, rows={base.id: row}, looking=False
            )
            self._followings[message.id] = following
            await self._save()
        mapping_id = started.run.mapping_id
        where = following.child(mapping_id)
        if where is not None:
            child = following.rows[where[0]].children[where[1]].child
            following.put(mapping_id, outcome=ChildOutcome(child=child, started=started), planned=True)
        await self.looked_again(following, mapping_id)

    async def looked_again(self, following: Following, mapping_id: int) -> None:
        self._touch(following, mapping_id)
        if following.painter is not None:
            await following.painter

    def progress(self, fact: Progress) -> None:
        self._heard(fact.guild_id, fact.run)

    def finished(self, fact: RunFinished) -> None:
        self._heard(fact.guild_id, fact.run)

    def _heard(self, guild_id: int, run: Run) -> None:
        for following in list(self._followings.values()):
            if following.guild_id == guild_id and run.mapping_id and following.child(run.mapping_id) is not None:
                following.put(run.mapping_id, planned=True)
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
            over = not following.looking and not any(child.open_items for row in rows for child in row.children)
            card = routing_cards.live_card(rows, following.mode, over=over)
            await self._edit(following, card, _faces.of_run(rows))
            if over and not following.changed:
                await self._drop(following)

    async def _count(self, following: Following, mapping_id: int) -> None:
        """Read the child's numbers anew."""
        where = following.child(mapping_id)
        if where is None:
            return
        storage = self._runtime.storage
        sums: dict[ItemStatus, int] = {}
        for run in await self._runs(mapping_id, following.since):
            for status, count in (await storage.items.counts_of_run(run.id)).items():
                sums[status] = sums.get(status, 0) + count
        waiting = await storage.items.open_of_mapping(mapping_id)
        ready = not waiting or any(item.not_before is None for item in waiting)
        until = None if ready else min(item.not_before for item in waiting if item.not_before is not None)
        if until is not None and until <= self._runtime.clock.now():
            until = None
        where = following.child(mapping_id)  # it may have changed meanwhile
        if where is not None:
            base_id, place = where
            children = list(following.rows[base_id].children)
            children[place] = children[place].counted(sums, len(waiting), until)
            following.rows[base_id] = replace(following.rows[base_id], children=tuple(children))

    async def _runs(self, mapping_id: int, since: datetime) -> list[Run]:
        runs = await self._runtime.storage.runs.of_mapping(mapping_id, RUNS_LOOKED_AT)
        return [run for run in runs if run.created_at >= since]

    async def _row_of(self, base: BasePlaylist, since: datetime) -> BaseRow:
        """As far as the database tells how its run ended."""
        children = await self._runtime.storage.routers.children(base.id)
        runs = [run for run in await self._runtime.storage.runs.of_base(base.id) if run.created_at >= since]
        if runs and runs[0].status in (RunStatus.FAILED, RunStatus.CANCELLED):
            reason = foreign.plain(runs[0].error or "was stopped", 300)
            return BaseRow(base=base, turn=Turn.FAILED, reason=reason)
        return BaseRow(
            base=base, turn=Turn.DONE, children=tuple(ChildRow(child=child, planned=True) for child in children)
        )

    async def _drop(self, following: Following) -> None:
        if self._followings.get(following.message.id) is following:
            del self._followings[following.message.id]
            await self._save()

    async def _save(self) -> None:
        kept = {
            message_id: {
                "channel": following.message.channel.id,
                "guild": following.guild_id,
                "since": following.since.timestamp(),
                "mode": following.mode.value,
                "bases": list(following.rows),
            }
            for message_id, following in self._followings.items()
            if isinstance(following.message, discord.PartialMessage)  # the other kind dies with its interaction
        }
        await self._runtime.storage.meta.put(_NOTE, json.dumps(kept))

    async def _edit(self, following: Following, card: discord.Embed, view: discord.ui.View | None) -> None:
        try:
            await following.message.edit(embeds=foreign.fit([card]), view=view)
        except discord.HTTPException as failure:
            if failure.status in (403, 404):  # nobody to show it to any more
                await self._drop(following)
            extra = {"task": "the message of a routing run", "error": str(failure), "guild_id": following.guild_id}
            log.info(Event.TASK_FAILED, extra=extra)
