"""Live messages: one message follows the work of a mapping and ends as its summary."""

import asyncio
import dataclasses
import logging
from dataclasses import dataclass, field
from datetime import datetime

import discord

from bot.model.events import Event, Progress, RunFinished
from bot.model.item import ItemStatus, SyncItem
from bot.model.mapping import Mapping
from bot.model.review import BlacklistRow
from bot.model.run import RunCounts, RunKind, RunStatus
from bot.runtime import Runtime
from cogs._ui import foreign, sync_cards
from cogs._ui.doors import panel
from cogs._ui.item_buttons import ItemDetails, RetryItem, ReviewItem, for_item

log = logging.getLogger(__name__)

BUTTONS_FOR = 5  # problems of a summary that get buttons; /review has the rest
_PROBLEMS = (ItemStatus.BLACKLISTED, ItemStatus.ERROR)

Message = discord.PartialMessage | discord.InteractionMessage


@dataclass(slots=True, eq=False)
class Following:
    """One live message. While ``held`` (the analysis still runs) facts are kept but not shown."""

    mapping_id: int
    message: Message
    started: datetime
    mapping: Mapping | None = None
    plan_card: discord.Embed | None = None
    held: bool = True
    counts: RunCounts = field(default_factory=RunCounts)  # of the bursts that ended
    finished_before: int = 0  # items of the bursts that ended
    run_ids: list[int] = field(default_factory=list)
    latest: Progress | None = None
    ended: RunFinished | None = None
    changed: bool = False
    painter: asyncio.Task[None] | None = None


class Follower:
    """All live messages of this process, at most one for each mapping; they live as long as the process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._followings: dict[int, Following] = {}

    async def watch(self, mapping_id: int, message: Message) -> Following:
        """Follow the mapping from now on; an older message of it says where it goes on."""
        older = self._followings.get(mapping_id)
        following = Following(mapping_id=mapping_id, message=message, started=self._runtime.clock.now())
        self._followings[mapping_id] = following
        if older is not None and older.mapping is not None and older.message.id != message.id:
            await self._edit(older, [sync_cards.replaced_card(older.mapping, message.jump_url)], None)
        return following

    def drop(self, following: Following) -> None:
        if self._followings.get(following.mapping_id) is following:
            del self._followings[following.mapping_id]

    async def release(self, following: Following, mapping: Mapping, plan_card: discord.Embed, enqueued: int) -> None:
        """The analysis is done: show the plan with the progress below it, and whatever happened meanwhile."""
        following.mapping, following.plan_card = mapping, plan_card
        await self._edit(following, [plan_card, sync_cards.starting_card(mapping, enqueued)], None)
        following.held = False
        self._paint_soon(following)

    def progress(self, fact: Progress) -> None:
        following = self._followings.get(fact.run.mapping_id)
        if following is not None and fact.run.kind is RunKind.EXECUTION:
            following.latest, following.ended, following.changed = fact, None, True
            self._paint_soon(following)

    def finished(self, fact: RunFinished) -> None:
        following = self._followings.get(fact.run.mapping_id)
        if following is None or fact.run.kind is not RunKind.EXECUTION:
            return
        if following.latest is not None:
            following.finished_before += following.latest.finished
        following.latest, following.ended, following.changed = None, fact, True
        following.counts = _plus(following.counts, fact.run.counts)
        following.run_ids.append(fact.run.id)
        self._paint_soon(following)

    def _paint_soon(self, following: Following) -> None:
        # One painter a message: facts that come while it edits are shown by its next turn, the newest only.
        busy = following.painter is not None and not following.painter.done()
        if following.changed and not following.held and not busy:
            following.painter = asyncio.create_task(self._paint(following))

    async def _paint(self, following: Following) -> None:
        while following.changed:
            following.changed = False
            if following.ended is not None:
                await self._show_summary(following, following.ended)
            elif following.latest is not None and following.mapping is not None and following.plan_card is not None:
                card = sync_cards.progress_card(
                    following.mapping, following.latest, finished_before=following.finished_before
                )
                await self._edit(following, [following.plan_card, card], None)

    async def _show_summary(self, following: Following, fact: RunFinished) -> None:
        if following.mapping is None:
            return
        problems = await self._problems(following)
        outcome = sync_cards.Outcome(
            status=fact.run.status,
            counts=following.counts,
            seconds=(self._runtime.clock.now() - following.started).total_seconds(),
            problems=problems,
            error=fact.run.error if fact.run.status is RunStatus.FAILED else "",
            waits_until=await self._waits_until(following) if following.counts.waiting else None,
        )
        await self._edit(following, [sync_cards.summary_card(following.mapping, outcome)], _buttons(problems))
        if not following.counts.waiting and following.ended is fact:
            self.drop(following)

    async def _problems(self, following: Following) -> tuple[tuple[SyncItem, BlacklistRow | None], ...]:
        storage = self._runtime.storage
        rows = {
            (row.service, row.track_id): row for row in await storage.blacklist.open_of_mapping(following.mapping_id)
        }
        items = [item for run_id in following.run_ids for item in await storage.items.of_run(run_id)]
        return tuple(
            (item, rows.get((item.source_service, item.source_track_id))) for item in items if item.status in _PROBLEMS
        )

    async def _waits_until(self, following: Following) -> datetime | None:
        items = await self._runtime.storage.items.open_of_mapping(following.mapping_id)
        return min((item.not_before for item in items if item.not_before is not None), default=None)

    async def _edit(self, following: Following, embeds: list[discord.Embed], view: discord.ui.View | None) -> None:
        try:
            await following.message.edit(embeds=foreign.fit(embeds), view=view)
        except discord.HTTPException as failure:
            if failure.status in (
                403,
                404,
            ):  # the message or the channel is gone, or closed to us: nobody to show it to
                self.drop(following)
            log.info(
                Event.TASK_FAILED,
                extra={"task": "the live message", "error": str(failure), "mapping_id": following.mapping_id},
            )


def _plus(before: RunCounts, burst: RunCounts) -> RunCounts:
    """Sums, but for what waits: the last burst alone knows that."""
    sums = {each.name: getattr(before, each.name) + getattr(burst, each.name) for each in dataclasses.fields(RunCounts)}
    return RunCounts(**{**sums, "waiting": burst.waiting})


def _buttons(problems: tuple[tuple[SyncItem, BlacklistRow | None], ...]) -> discord.ui.View | None:
    if not problems:
        return None
    view = panel()
    for number, (item, row) in enumerate(problems[:BUTTONS_FOR], 1):
        kinds = (RetryItem, ReviewItem) if row is not None else (RetryItem, ItemDetails)
        for button in for_item(item.id, kinds, number=number):
            view.add_item(button)
    return view
