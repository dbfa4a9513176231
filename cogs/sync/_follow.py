"""Live messages: one message follows the work of a mapping and ends as its summary, through restarts."""

import asyncio
import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import discord

from bot.model.events import Event, Progress, RunFinished
from bot.model.item import SyncItem
from bot.model.mapping import Mapping
from bot.model.review import BlacklistRow
from bot.model.run import Run, RunCounts, RunKind, RunStatus
from cogs._ui import foreign, sync_cards
from cogs._ui.doors import panel
from cogs._ui.item_buttons import ItemDetails, RetryItem, ReviewItem, for_item
from cogs._ui.places import Place, Places
from cogs._ui.reach import Client
from cogs._ui.tally import Tally, tally

log = logging.getLogger(__name__)

BUTTONS_FOR = 5  # problems of a summary that get buttons; /review has the rest
RUNS_LOOKED_AT = 100  # bursts of one sync that a summary adds up

Message = discord.PartialMessage | discord.InteractionMessage
Problem = tuple[SyncItem, BlacklistRow | None]


@dataclass(slots=True, eq=False)
class Following:
    """One live message. While ``held`` (the analysis still runs) facts are kept but not shown."""

    mapping_id: int
    message: Message
    since: datetime
    mapping: Mapping | None = None
    plan_card: discord.Embed | None = None
    held: bool = True
    finished_before: int = 0  # items of the bursts that ended
    latest: Progress | None = None
    ended: bool = False  # the last burst ended and no other has begun
    changed: bool = False
    painter: asyncio.Task[None] | None = None


class Follower:
    """All live messages, at most one for each mapping. Facts say when to look; what is shown stands in the database."""

    def __init__(self, bot: Client) -> None:
        self._bot = bot
        self._runtime = bot.runtime
        self._places = Places(bot.runtime.storage, "live")
        self._followings: dict[int, Following] = {}

    async def resume(self) -> None:
        """Take up the messages of an earlier process; work that ended meanwhile gets its summary now."""
        for mapping_id, place in (await self._places.load()).items():
            mapping = await self._runtime.storage.mappings.get(mapping_id)
            message = self._bot.get_partial_messageable(place.channel_id).get_partial_message(place.message_id)
            following = Following(
                mapping_id=mapping_id, message=message, since=place.since, mapping=mapping, held=False
            )
            if mapping is None:
                await self.drop(following)
                continue
            self._followings[mapping_id] = following
            following.ended = not await self._runtime.storage.items.count_open(mapping_id)
            following.changed = True  # shown at once, so that a message that is gone is found out now
            self._paint_soon(following)

    async def watch(self, mapping_id: int, message: Message) -> Following:
        """Follow the mapping from now on; an older message of it says where it goes on."""
        older = self._followings.get(mapping_id)
        following = Following(mapping_id=mapping_id, message=message, since=self._runtime.clock.now())
        self._followings[mapping_id] = following
        if older is not None and older.mapping is not None and older.message.id != message.id:
            await self._edit(older, [sync_cards.replaced_card(older.mapping, message.jump_url)], None)
        return following

    async def drop(self, following: Following) -> None:
        if self._followings.get(following.mapping_id) is following:
            del self._followings[following.mapping_id]
        await self._places.drop(following.mapping_id, following.message.id)

    async def release(
        self, following: Following, mapping: Mapping, plan_card: discord.Embed, enqueued: int, *, undo: bool = False
    ) -> None:
        """The analysis is done: show the plan with the progress below it, and whatever happened meanwhile."""
        following.mapping, following.plan_card = mapping, plan_card
        await self._remember(following)
        await self._edit(following, [plan_card, sync_cards.starting_card(mapping, enqueued, undo=undo)], None)
        following.held = False
        self._paint_soon(following)

    def progress(self, fact: Progress) -> None:
        following = self._followings.get(fact.run.mapping_id)
        if following is not None and fact.run.kind is RunKind.EXECUTION:
            following.latest, following.ended, following.changed = fact, False, True
            self._paint_soon(following)

    def finished(self, fact: RunFinished) -> None:
        following = self._followings.get(fact.run.mapping_id)
        if following is None or fact.run.kind is not RunKind.EXECUTION:
            return
        if following.latest is not None:
            following.finished_before += following.latest.finished
        following.latest, following.ended, following.changed = None, True, True
        self._paint_soon(following)

    def _paint_soon(self, following: Following) -> None:
        # One painter a message: facts that come while it edits are shown by its next turn, the newest only.
        busy = following.painter is not None and not following.painter.done()
        if following.changed and not following.held and not busy:
            following.painter = asyncio.create_task(self._paint(following))

    async def _paint(self, following: Following) -> None:
        mapping = following.mapping
        while following.changed and mapping is not None:
            following.changed = False
            if following.ended:
                await self._show_summary(following, mapping)
            elif (latest := following.latest) is not None:
                before = following.finished_before
                card = sync_cards.progress_card(mapping, latest, await self._so_far(following), finished_before=before)
                await self._edit(following, [*filter(None, [following.plan_card]), card], None)
            else:
                waiting = await self._runtime.storage.items.count_open(mapping.id)
                await self._edit(following, [sync_cards.starting_card(mapping, waiting)], None)

    async def _show_summary(self, following: Following, mapping: Mapping) -> None:
        runs = await self._runs(following)
        storage, ids = self._runtime.storage, [run.id for run in runs]
        waiting, first = await storage.queue.waits(mapping.id)
        rows = await storage.blacklist.open_of_mapping(mapping.id)
        problems = _problems(await storage.queue.problems(ids), rows)
        latest = max(runs, key=lambda run: run.id, default=None)
        failed = latest is not None and latest.status is RunStatus.FAILED and not waiting
        outcome = sync_cards.Outcome(
            status=RunStatus.FAILED if failed else RunStatus.COMPLETED,
            counts=_sum(runs),
            tally=tally(*await storage.queue.of_runs(ids), waiting=waiting),
            seconds=(self._runtime.clock.now() - following.since).total_seconds(),
            problems=problems,
            error=latest.error if failed and latest is not None else "",
            waits_until=first,
            undo=latest is not None and latest.undoes_run_id is not None,
        )
        await self._edit(following, [sync_cards.summary_card(mapping, outcome)], _buttons(problems))
        if not waiting and following.ended:
            await self.drop(following)

    async def _runs(self, following: Following) -> list[Run]:
        """The bursts of work since the message began."""
        runs = await self._runtime.storage.runs.of_mapping(following.mapping_id, RUNS_LOOKED_AT)
        return [run for run in runs if run.kind is RunKind.EXECUTION and run.created_at >= following.since]

    async def _so_far(self, following: Following) -> Tally:
        """Counted where the items are: the message is painted every second, and thousands of them take that long."""
        ids = [run.id for run in await self._runs(following)]
        return tally(*await self._runtime.storage.queue.of_runs(ids))

    async def _remember(self, following: Following) -> None:
        if isinstance(following.message, discord.PartialMessage):  # the other kind dies with its interaction
            place = Place(
                channel_id=following.message.channel.id, message_id=following.message.id, since=following.since
            )
            await self._places.put(following.mapping_id, place)

    async def _edit(self, following: Following, embeds: list[discord.Embed], view: discord.ui.View | None) -> None:
        try:
            await following.message.edit(embeds=foreign.fit(embeds), view=view)
        except discord.HTTPException as failure:
            if failure.status in (
                403,
                404,
            ):  # the message or the channel is gone, or closed to us: nobody to show it to
                await self.drop(following)
            log.info(
                Event.TASK_FAILED,
                extra={"task": "the live message", "error": str(failure), "mapping_id": following.mapping_id},
            )


def _problems(items: Sequence[SyncItem], rows: Sequence[BlacklistRow]) -> tuple[Problem, ...]:
    by_track = {(row.service, row.track_id): row for row in rows}
    return tuple((item, by_track.get((item.source_service, item.source_track_id))) for item in items)


def _sum(runs: Sequence[Run]) -> RunCounts:
    sums = {each.name: sum(getattr(run.counts, each.name) for run in runs) for each in dataclasses.fields(RunCounts)}
    return RunCounts(**sums)


def _buttons(problems: tuple[Problem, ...]) -> discord.ui.View | None:
    if not problems:
        return None
    view = panel()
    for number, (item, row) in enumerate(problems[:BUTTONS_FOR], 1):
        kinds = (RetryItem, ReviewItem) if row is not None else (RetryItem, ItemDetails)
        for button in for_item(item.id, kinds, number=number):
            button.row = number - 1
            view.add_item(button)
    return view
