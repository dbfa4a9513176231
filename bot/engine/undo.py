"""Undo: what the last runs of a mapping changed, what taking one back would mean, and doing it as a run of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.engine.analysis import guards
from bot.engine.executor import no_crash
from bot.engine.hub import Hub
from bot.engine.meter import Meter, metered
from bot.engine.quota import Quota
from bot.engine.reading import Listings, PlaylistGone, Reader, Sides
from bot.engine.sync import Chosen, gone_reason
from bot.engine.undoing import Inverse, invert, queued
from bot.logs.context import bound
from bot.model.errors import UserMistake
from bot.model.events import Event, RunFinished
from bot.model.item import ItemStatus, SyncItem
from bot.model.logline import JobType
from bot.model.mapping import Mapping as PlaylistMapping
from bot.model.mapping import Side
from bot.model.music import PlaylistContent, Service
from bot.model.plan import Guard, Plan
from bot.model.run import Run, RunCounts, RunKind, RunStatus, Trigger
from bot.services.registry import MusicServices
from storage import Storage
from storage.effects import Changed
from storage.words import PlanState

log = logging.getLogger(__name__)

Begun = Callable[[PlaylistMapping], Awaitable[None]]

UNKNOWN = "This run does not exist any more, or belongs to another server."
NOTHING = "There is nothing to take back: this run changed nothing, or its changes are no longer remembered (30 days)."
IN_DOUBT = "Some changes of this run are still under way or being checked; try again in a few minutes."
VEILED = "Some tracks cannot be read just now, so it is not certain what is there; try again in a few minutes."
STOPPED = "the program stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What taking ``run`` back would do now. With ``plan.guard`` set only an admin may.

    ``plan.removes`` and ``plan.adds`` are what goes and what comes back, ``plan.cancels`` waiting changes of the run
    that would not be made any more, ``plan.conflicts`` what stays, with the reason. ``effects``: the run's writes.
    """

    run: Run
    mapping: PlaylistMapping
    plan: Plan
    effects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedUndo:
    """``run`` is the undo of ``undone`` as it ended: its items go on in the queue.

    With ``plan.guard`` set nothing was changed.
    """

    run: Run
    undone: Run
    mapping: PlaylistMapping
    plan: Plan
    enqueued: int = 0


class Undo:
    """``wake`` tells the executor that there is work. Everything of another guild reads as "does not exist"."""

    def __init__(
        self,
        storage: Storage,
        services: MusicServices,
        hub: Hub,
        quota: Quota,
        reader: Reader,
        clock: Clock,
        *,
        wake: Callable[[], None],
        chosen: Chosen,
        crash: Callable[[str], None] = no_crash,
    ) -> None:
        self._chosen = chosen
        self._storage = storage
        self._services = services
        self._hub = hub
        self._quota = quota
        self._reader = reader
        self._clock = clock
        self._wake = wake
        self._crash = crash

    async def runs(self, guild_id: int, mapping_id: int, limit: int = 10) -> list[Changed]:
        """The mapping's latest runs that changed a playlist, newest first, those that were taken back included."""
        return await self._storage.effects.changed(guild_id, mapping_id, limit)

    async def preview(self, guild_id: int, run_id: int, actor_id: int) -> Offer:
        """Read both playlists and say what taking the run back would do. Changes nothing. Raises UserMistake."""
        run, mapping, items = await self._found(guild_id, run_id)
        with bound(actor_id=actor_id, mapping_id=mapping.id, guild_id=guild_id):
            sides = await self._read(mapping)
            inverse = await self._inverse(run, mapping, items, sides)
        plan = await self._guarded(inverse.plan, mapping, sides)
        return Offer(run=run, mapping=mapping, plan=plan, effects=sum(item.wrote for item in items))

    async def apply(
        self, guild_id: int, run_id: int, actor_id: int, *, force: bool = False, begun: Begun | None = None
    ) -> StartedUndo:
        """Take the run back, once: its inverse goes into the queue. ``force``: past the guards, an admin's word.

        ``begun`` is called once it is sure that this call does it, before anything is asked for. Raises UserMistake,
        and the services' errors.
        """
        run, mapping, _ = await self._found(guild_id, run_id)
        now = self._clock.now()
        undo = await self._storage.runs.start(
            RunKind.UNDO, mapping.id, Trigger.COMMAND, actor_id, now, undoes_run_id=run.id
        )
        if undo is None:
            raise UserMistake(f"The mapping “{mapping.name}” is being worked on right now; try again soon.")
        ids = {"mapping_id": mapping.id, "guild_id": guild_id, "run_id": undo.id}
        with bound(job_type=JobType.USER_ACTION, actor_id=actor_id, **ids), metered() as meter:
            try:
                run, mapping, items = await self._found(guild_id, run_id)  # somebody may have been faster
                if begun is not None:
                    await begun(mapping)
                done = await self._undo(undo, run, mapping, items, meter, force=force)
            except BaseException as error:
                await asyncio.shield(self._failed(undo, error, meter))
                raise
            finally:
                self._wake()
        self._hub.announce(RunFinished(run=done.run, guild_id=guild_id))
        return done

    async def _found(self, guild_id: int, run_id: int) -> tuple[Run, PlaylistMapping, list[SyncItem]]:
        """The run with its mapping and items, if it can be taken back now."""
        run = await self._storage.runs.get(run_id, guild_id)
        if run is None:
            raise UserMistake(UNKNOWN)
        mapping = await self._storage.mappings.get(run.mapping_id, guild_id)
        if mapping is None:
            raise UserMistake("The mapping of this run was removed; nothing of it can be taken back any more.")
        if not mapping.enabled:
            why = f" ({mapping.pause_reason})" if mapping.pause_reason else ""
            raise UserMistake(f"The mapping “{mapping.name}” is paused{why}; resume it first.")
        if (undo := await self._storage.effects.undone_by(run)) is not None:
            raise UserMistake(f"Run {run_id} was already undone. To bring its changes back, undo run {undo}.")
        items = await self._storage.effects.items(guild_id, run)
        if any(item.status in (ItemStatus.RUNNING, ItemStatus.UNKNOWN) for item in items):
            raise UserMistake(IN_DOUBT)
        if not any(item.wrote for item in items):
            raise UserMistake(NOTHING)
        return run, mapping, items

    async def _undo(
        self,
        undo: Run,
        run: Run,
        mapping: PlaylistMapping,
        items: Sequence[SyncItem],
        meter: Meter,
        *,
        force: bool,
    ) -> StartedUndo:
        sides = await self._read(mapping)
        inverse = await self._inverse(run, mapping, items, sides)
        plan = inverse.plan if force else await self._guarded(inverse.plan, mapping, sides)
        told = {"run": run.id, "mapping": mapping.name}
        if plan.guard is not None:
            log.warning(Event.UNDO_STOPPED, extra=told | {"reason": plan.guard.sentence})
            ended = await self._ended(undo, plan, sides, meter, RunStatus.CANCELLED, plan.guard.sentence)
            return StartedUndo(run=ended, undone=run, mapping=mapping, plan=plan)
        level, event = (logging.WARNING, Event.UNDO_FORCED) if force else (logging.INFO, Event.UNDO_APPLIED)
        log.log(level, event, extra=told | {"changes": plan.diffs})
        # People's edits that this read saw are no analysis' yet: the next one must look.
        await self._storage.mappings.update(mapping.id, last_analysed_at=None)
        await self._reader.keep(mapping, undo.id, sides)
        await self._storage.runs.save_plan(undo.id, plan, PlanState.APPLIED)
        self._crash("undo_planned")
        enqueued = await self._storage.items.enqueue(
            mapping.id, undo.id, queued(inverse, mapping), plan.links, plan.cancels, self._not_before(plan)
        )
        self._crash("undo_enqueued")
        ended = await self._ended(undo, plan, sides, meter, RunStatus.COMPLETED)
        return StartedUndo(run=ended, undone=run, mapping=mapping, plan=plan, enqueued=enqueued)

    def _not_before(self, plan: Plan) -> datetime | None:
        """YouTube cannot take out yet what it does not show yet: our own writes of just now."""
        hidden = any(one.track.service is Service.YOUTUBE and not one.entry_id for one in plan.removes)
        return self._clock.now() + self._reader.settle if hidden else None

    async def _read(self, mapping: PlaylistMapping) -> Sides:
        """Both playlists as the services have them now, whatever our snapshots say."""
        try:
            listings = Listings(self._storage, self._services)
            left = await self._chosen(mapping, listings, True)
            tokens = await self._reader.tokens(mapping, listings, left)
            sides = await self._reader.read(mapping, tokens, listings, full=True, left=left)
        except PlaylistGone as error:
            raise UserMistake(f"{gone_reason(error)} Nothing was changed.") from error
        if sides.veiled:
            raise UserMistake(VEILED)
        return sides

    async def _inverse(self, run: Run, mapping: PlaylistMapping, items: Sequence[SyncItem], sides: Sides) -> Inverse:
        own = {item.id for item in items}
        queue = [item for item in await self._storage.items.open_of_mapping(mapping.id) if item.id not in own]
        undone = await self._storage.runs.plan(run.id) if run.kind is RunKind.UNDO else None
        return await asyncio.to_thread(
            invert,
            mapping,
            items,
            await self._storage.links.of_mapping(mapping.id),
            self._reader.shown(mapping, sides),
            await self._before(run, items),
            restores=undone.links if undone is not None else (),
            queue=queue,
        )

    async def _before(self, run: Run, items: Sequence[SyncItem]) -> Mapping[Side, PlaylistContent | None]:
        """What the run had read; of a burst: what the first run that asked for its work had read."""
        asked_by = min((item.origin_run_id for item in items if item.origin_run_id is not None), default=run.id)
        return {side: await self._storage.snapshots.of_run(asked_by, side) for side in Side}

    async def _guarded(self, plan: Plan, mapping: PlaylistMapping, sides: Sides) -> Plan:
        """The plan with its cost, and the guard that stops it: as a sync's, a read that looks broken or too much."""
        guard: Guard | None = sides.guard
        for side, previous in ((Side.LEFT, sides.previous_left), (Side.RIGHT, sides.previous_right)):
            guard = guard or guards.collapsed(mapping, side, sides.of(side), previous or 0)
        guard = guard or guards.too_many_removals(mapping, plan.removes)
        return replace(plan, guard=guard, cost=await self._quota.cost(plan, mapping))

    async def _ended(
        self, undo: Run, plan: Plan, sides: Sides, meter: Meter, status: RunStatus, error: str = ""
    ) -> Run:
        counts = RunCounts(
            tracks_processed=len(sides.left.entries) + len(sides.right.entries),
            adds=len(plan.adds),
            removals=len(plan.removes),
            skipped=len(plan.conflicts),
            api_requests=meter.calls,
            quota_units=meter.units,
        )
        await self._storage.runs.add_counts(undo.id, counts)
        await self._storage.runs.finish(undo.id, status, self._clock.now(), error=error)
        return await self._storage.runs.get(undo.id) or undo

    async def _failed(self, undo: Run, error: BaseException, meter: Meter) -> None:
        cancelled = isinstance(error, asyncio.CancelledError)
        status = RunStatus.CANCELLED if cancelled else RunStatus.FAILED
        reason = STOPPED if cancelled else str(error) or type(error).__name__
        await self._storage.runs.add_counts(undo.id, RunCounts(api_requests=meter.calls, quota_units=meter.units))
        await self._storage.runs.finish(undo.id, status, self._clock.now(), error=reason)
