"""One analysis run: read both sides of a mapping, plan, guard, and enqueue what the plan wants."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.engine.analysis import merge, rebuild
from bot.engine.hub import Hub
from bot.engine.knowing import known_for
from bot.engine.liked import LIKED_REFUSED
from bot.engine.meter import Meter, metered
from bot.engine.queueing import items_of
from bot.engine.quota import Quota
from bot.engine.reading import Listings, PlaylistGone, Reader, Sides
from bot.engine.schedule import parse
from bot.engine.suspects import doubts
from bot.logs.context import bound
from bot.model.errors import CrossfadeError, QuotaSpent, RetryLater, ServicePaused, UserMistake
from bot.model.events import Event, RunFinished
from bot.model.item import ItemStatus, SyncItem
from bot.model.logline import JobType
from bot.model.mapping import Link, Mapping, Side
from bot.model.music import PlaylistContent, Service
from bot.model.plan import Conflict, Plan
from bot.model.run import Run, RunCounts, RunKind, RunStatus, Trigger
from bot.services.registry import MusicServices
from storage import Storage
from storage.stopping import BY_A_PERSON
from storage.words import PlanState

log = logging.getLogger(__name__)

# What stands in for a mapping's left playlist, if anything does; the last: read anew whatever the change tokens say.
Chosen = Callable[[Mapping, Listings, bool], Awaitable[PlaylistContent | None]]

# Previewed playlists kept in memory so that Apply need not read them again; a restart costs one more read.
PREVIEWS_KEPT = 8
USED = "This plan was already applied or cancelled."


class Busy(UserMistake):
    """Another run of the mapping is active; it can be asked for again when that has ended."""

    code = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSync:
    """``run`` is the finished analysis run. With ``plan.guard`` set nothing was enqueued.

    ``changed``: Apply or force found the playlists changed and looked anew; ``plan`` is the new plan.
    ``unchanged``: the change tokens say that nothing moved, so nothing was read.
    """

    run: Run
    plan: Plan
    enqueued: int = 0
    changed: bool = False
    unchanged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a run is to do with the plan that it finds. ``shown`` is the plan of run ``offer`` that a person chose."""

    apply: bool = True
    offer: int = 0
    shown: Plan | None = None
    sides: Sides | None = None  # what the shown plan was made from, while we remember it
    force: bool = False
    full: bool = False  # read all of both sides
    anew: bool = False  # plan although nothing seems to have changed
    left: PlaylistContent | None = None  # what the router chose for a child
    rebuild: bool = False  # clear the child and fill it anew


class Sync:
    """``wake`` tells the executor that there is work. Actors are Discord user ids, 0 the program itself.

    ``chosen`` says what stands in for a mapping's left playlist: what the router chose for a child, or several
    sources together.
    """

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
    ) -> None:
        self._chosen = chosen
        self._storage = storage
        self._services = services
        self._hub = hub
        self._quota = quota
        self._reader = reader
        self._clock = clock
        self._wake = wake
        self._previews: OrderedDict[int, Sides] = OrderedDict()
        self._stopped: dict[int, tuple[str, str]] = {}  # mapping -> tokens of the plan that a guard stopped

    async def preview(self, mapping_id: int, actor_id: int, *, full: bool = False, force: bool = False) -> StartedSync:
        """Make a plan, store it under its run, and change nothing. ``full`` and ``force`` as in ``start``."""
        return await self._one(mapping_id, actor_id, Trigger.PREVIEW, _Asked(apply=False, full=full, anew=force))

    async def start(
        self,
        mapping_id: int,
        actor_id: int,
        trigger: Trigger = Trigger.COMMAND,
        *,
        full: bool = False,
        force: bool = False,
    ) -> StartedSync:
        """Analyse and enqueue. Raises Busy while the mapping is being worked on, UserMistake, the services' errors.

        ``full``: read both playlists whole, whatever the change tokens say. ``force``: plan although nothing seems
        to have changed since the last look. Neither passes a guard; only ``force`` of a stopped plan does.
        """
        return await self._one(mapping_id, actor_id, trigger, _Asked(full=full, anew=force))

    async def route(
        self,
        mapping: Mapping,
        left: PlaylistContent,
        actor_id: int,
        trigger: Trigger,
        listings: Listings,
        *,
        apply: bool = True,
        full: bool = False,
        force: bool = False,
        rebuild: bool = False,
    ) -> StartedSync:
        """Bring a child's playlist to ``left``, which the router chose. Raises as ``start``.

        ``apply`` False: only plan. ``force``: however many tracks go, since a person has just changed the rules; a
        child that was read with hardly anything of what it held stops it still.
        ``rebuild``: clear the playlist and fill it anew, instead of the fewest changes.
        """
        asked = _Asked(apply=apply, full=full, anew=full or force or rebuild, force=force, left=left, rebuild=rebuild)
        return await self._one(mapping.id, actor_id, trigger, asked, listings)

    async def apply(self, run_id: int, actor_id: int, *, guild_id: int | None = None) -> StartedSync:
        """Carry out a previewed plan, once. Where playlists changed since, ``changed`` is True and the plan is new."""
        run, plan = await self._unused(run_id, guild_id)
        if plan.guard is not None:
            raise UserMistake("This plan was stopped for safety; an admin can force it.")
        asked = _Asked(offer=run_id, shown=plan, sides=self._previews.get(run_id))
        return await self._one(run.mapping_id, actor_id, Trigger.COMMAND, asked)

    async def force(self, run_id: int, actor_id: int, *, guild_id: int | None = None) -> StartedSync:
        """Carry out the one plan that a guard stopped, if it is still the same; else stop again with the new one."""
        run, plan = await self._unused(run_id, guild_id)
        if plan.guard is None:
            raise UserMistake("This plan was not stopped; it can simply be applied.")
        asked = _Asked(offer=run_id, shown=plan, force=True)
        return await self._one(run.mapping_id, actor_id, Trigger.COMMAND, asked)

    async def cancel(self, run_id: int, actor_id: int, *, guild_id: int | None = None) -> None:
        """Put a plan away unused."""
        run, _ = await self._offered(run_id, guild_id)
        if not await self._storage.runs.take_plan(run_id, PlanState.CANCELLED):
            raise UserMistake(USED)
        self._previews.pop(run_id, None)
        log.info(Event.PLAN_CANCELLED, extra={"run": run_id, "actor_id": actor_id, "mapping_id": run.mapping_id})

    async def plan(self, run_id: int, *, guild_id: int | None = None) -> Plan:
        """The plan that a run stored. Raises UserMistake where there is none (any more)."""
        return (await self._offered(run_id, guild_id))[1]

    async def due(self) -> int:
        """Analyse every mapping whose time has come; returns how many. Accounts are listed once for all of them."""
        mappings = await self._storage.mappings.due(self._clock.now())
        if not mappings:
            return 0
        log.info(Event.ANALYSIS_STARTED, extra={"mappings": len(mappings), "job_type": JobType.ANALYSIS})
        listings = Listings(self._storage, self._services)
        for mapping in mappings:
            await self._scheduled(mapping, listings)
        return len(mappings)

    async def _scheduled(self, mapping: Mapping, listings: Listings) -> None:
        """One mapping of a tick. What goes wrong is in its run and the log; the others go on."""
        not_before = self._clock.now()
        try:
            await self._run(mapping, 0, Trigger.SCHEDULE, _Asked(), listings)
        except _Taken:
            return  # still due: the next tick finds it
        except (QuotaSpent, ServicePaused) as error:
            not_before = error.until
        except RetryLater as error:
            not_before = error.at or not_before
        except (CrossfadeError, _Cancelled):
            pass  # told by _run
        except Exception:
            log.exception(Event.BUG, extra={"where": "analysis", "mapping_id": mapping.id})
        await self._storage.mappings.update(mapping.id, next_run_at=await self._next_run(mapping, not_before))

    async def _next_run(self, mapping: Mapping, after: datetime) -> datetime | None:
        guild = await self._storage.guilds.get(mapping.guild_id)
        return parse(mapping.schedule, guild.timezone).next_run(after)

    async def _offered(self, run_id: int, guild_id: int | None) -> tuple[Run, Plan]:
        run = await self._storage.runs.get(run_id)
        plan = await self._storage.runs.plan(run_id)
        if run is None or plan is None or await self._storage.mappings.get(run.mapping_id, guild_id) is None:
            raise UserMistake("This plan does not exist any more; ask for a new one.")
        return run, plan

    async def _unused(self, run_id: int, guild_id: int | None) -> tuple[Run, Plan]:
        """Told before a run begins: a late press on an old message is no failed run, and no card in the log channel."""
        found = await self._offered(run_id, guild_id)
        if await self._storage.runs.plan_state(run_id) is not PlanState.OPEN:
            raise UserMistake(USED)
        return found

    async def _one(
        self, mapping_id: int, actor_id: int, trigger: Trigger, asked: _Asked, listings: Listings | None = None
    ) -> StartedSync:
        mapping = await self._storage.mappings.get(mapping_id)
        if mapping is None:
            raise UserMistake("This mapping does not exist any more.")
        if not mapping.enabled:
            raise UserMistake(f"The mapping “{mapping.name}” is paused{_because(mapping)}; resume it first.")
        log.info(Event.ANALYSIS_STARTED, extra={"mappings": 1, "job_type": JobType.ANALYSIS, **_ids(mapping)})
        try:
            listings = listings or Listings(self._storage, self._services)
            return await self._run(mapping, actor_id, trigger, asked, listings)
        except _Taken as error:
            raise Busy(f"The mapping “{mapping.name}” is being worked on right now; try again soon.") from error
        except _Cancelled as error:
            raise UserMistake(
                f"The look at “{mapping.name}” was cancelled by a person, so nothing was changed. `/sync` starts anew."
            ) from error

    async def _run(
        self, mapping: Mapping, actor_id: int, trigger: Trigger, asked: _Asked, listings: Listings
    ) -> StartedSync:
        """One run from its row to its end, whatever happens in between."""
        run = await self._storage.runs.start(RunKind.ANALYSIS, mapping.id, trigger, actor_id, self._clock.now())
        if run is None:
            raise _Taken
        ids = _ids(mapping) | {"run_id": run.id}
        with bound(job_type=JobType.ANALYSIS, actor_id=actor_id or None, **ids), metered() as meter:
            try:
                await self._take(asked, mapping)
                done = await self._analyse(run, mapping, asked, listings, meter)
            except BaseException as error:
                await asyncio.shield(self._failed(run, mapping, error, meter))
                if isinstance(error, PlaylistGone):
                    raise await self._gone(mapping, error) from error
                raise
            finally:
                self._wake()  # items of earlier plans may have waited for this run to end
        self._hub.announce(RunFinished(run=done.run, guild_id=mapping.guild_id))
        return done

    async def _take(self, asked: _Asked, mapping: Mapping) -> None:
        """Use up the plan that was asked for: only here, where its mapping is ours, so that no plan is lost."""
        if not asked.offer:
            return
        if not await self._storage.runs.take_plan(asked.offer, PlanState.APPLIED):
            raise UserMistake(USED)
        self._previews.pop(asked.offer, None)
        event = Event.PLAN_FORCED if asked.force else Event.PLAN_APPLIED
        level = logging.WARNING if asked.force else logging.INFO
        log.log(level, event, extra={"run": asked.offer, "mapping": mapping.name})

    async def _analyse(
        self, run: Run, mapping: Mapping, asked: _Asked, listings: Listings, meter: Meter
    ) -> StartedSync:
        shared = listings.shared
        left = asked.left or await self._chosen(mapping, listings, asked.full)
        tokens = await self._reader.tokens(mapping, listings, left)
        saved = listings.shared - shared
        await self._go_on(run)
        look = asked.shown is not None or asked.full or asked.anew
        if not look and await self._nothing_new(mapping, tokens, run.trigger):
            plan = Plan(mapping_id=mapping.id)
            finished = await self._finish(run, mapping, plan, None, meter, saved + len(Side))
            return StartedSync(run=finished, plan=plan, unchanged=True)
        sides = asked.sides if asked.sides and _same(asked.sides.tokens, tokens) else None
        sides = sides or await self._reader.read(mapping, tokens, listings, full=asked.full, left=left)
        await self._go_on(run)
        if asked.left is not None and asked.force:  # new rules may take out whatever they like of what was really read
            capped = replace(mapping, max_removals=len(sides.right.entries))
            plan = await self._plan(capped, sides, force=False, anew=asked.rebuild)
        else:
            plan = await self._plan(mapping, sides, force=asked.force, anew=asked.rebuild)
        changed = asked.shown is not None and wants(plan) != wants(asked.shown)
        if asked.force and changed:
            # Only the plan that was shown may pass the guard.
            plan = await self._plan(mapping, sides, force=False)
        await self._go_on(run)
        enqueued = await self._settle(run, mapping, plan, sides, asked)
        finished = await self._finish(run, mapping, plan, sides, meter, saved + sides.saved)
        return StartedSync(run=finished, plan=plan, enqueued=enqueued, changed=changed)

    async def _go_on(self, run: Run) -> None:
        """A point at which the run can stop with nothing half done. Raises _Cancelled where people asked for it."""
        if await self._storage.runs.asked_to_stop([run.id]):
            raise _Cancelled

    async def _nothing_new(self, mapping: Mapping, tokens: tuple[str, str], trigger: Trigger) -> bool:
        if trigger is Trigger.SCHEDULE and self._stopped.get(mapping.id) == tokens:
            return True  # people know already that the plan was stopped; whoever asks sees it again
        if mapping.last_analysed_at is None:  # new, edited, or with work held back
            return False
        looks = await self._storage.blacklist.due_looks(self._clock.now())
        return not any(row.mapping_id == mapping.id for row in looks) and await self._reader.unchanged(mapping, tokens)

    async def _plan(self, mapping: Mapping, sides: Sides, *, force: bool, anew: bool = False) -> Plan:
        """``anew``: everything out and in again, instead of the fewest changes."""
        sent_until = await self._doubts(mapping)
        links = await self._storage.links.of_mapping(mapping.id)
        known = await known_for(
            self._storage,
            mapping,
            sides,
            links,
            now=self._clock.now(),
            unsettled=self._reader.unsettled(mapping) | _hidden(mapping, sides, links),
        )
        known = replace(known, sent_until=sent_until)
        open_items = await self._storage.items.open_of_mapping(mapping.id)
        if anew:
            _refuse_uncertain(open_items)
            service = await self._services.for_account(mapping.right.account_id, mapping_id=mapping.id)
            every_copy = service.capabilities.removes_all_copies
            plan = await asyncio.to_thread(
                rebuild,
                mapping,
                sides.left,
                sides.right,
                links,
                known,
                previous_right=sides.previous_right,
                open_items=open_items,
                every_copy=every_copy,
            )
        else:
            plan = await asyncio.to_thread(
                merge,
                mapping,
                sides.left,
                sides.right,
                links,
                known,
                previous_left=sides.previous_left,
                previous_right=sides.previous_right,
                open_items=open_items,
                force=force,
            )
            if sides.guard is not None and not force:
                plan = replace(plan, guard=sides.guard)
        passed = [track_id for _, track_id in known.passed_over]
        await self._storage.blacklist.passed_over(mapping.id, passed, self._clock.now())
        return replace(plan, cost=await self._quota.cost(plan, mapping))

    async def _doubts(self, mapping: Mapping) -> dict[tuple[Service, str], datetime]:
        """End the doubts that are old enough; until when the other tracks in doubt were sent."""
        links = await self._storage.links.of_mapping(mapping.id)
        found = await doubts(self._storage, mapping, links, self._clock.now())
        if found.over:
            await self._storage.links.apply(mapping.id, found.over)
        return found.sent_until

    async def _settle(self, run: Run, mapping: Mapping, plan: Plan, sides: Sides, asked: _Asked) -> int:
        """Keep the plan, and unless it is only shown, put its work into the queue."""
        log.info(Event.ANALYSIS_DIFFS, extra={"diffs": plan.diffs, "mapping": mapping.name})
        for side in Side:
            await self._storage.tracks.remember(sides.of(side).tracks)
        if not asked.apply or plan.guard is not None:
            await self._storage.runs.save_plan(run.id, plan)
            self._offer(run, mapping, plan, sides)
            return 0
        _report(plan.conflicts)
        # Both or none: what gives way to this plan must not be lost with a process that dies in between.
        items = items_of(plan, mapping)
        enqueued = await self._storage.items.enqueue(mapping.id, run.id, items, plan.links, plan.cancels)
        # Only now: a crash before the queue holds the work must find the playlists changed again.
        await self._reader.keep(mapping, run.id, sides)
        self._stopped.pop(mapping.id, None)
        # What was held back, or could not be told yet, is looked at again even if no playlist changes.
        again = plan.held_back or sides.veiled or self._reader.unsettled(mapping)
        looked_at = None if again else self._clock.now()
        await self._storage.mappings.update(mapping.id, last_analysed_at=looked_at)
        return enqueued

    def _offer(self, run: Run, mapping: Mapping, plan: Plan, sides: Sides) -> None:
        if plan.guard is None:
            self._previews[run.id] = sides
            while len(self._previews) > PREVIEWS_KEPT:
                self._previews.popitem(last=False)
            return
        self._stopped[mapping.id] = sides.tokens
        log.warning(Event.ANALYSIS_STOPPED, extra={"mapping": mapping.name, "reason": plan.guard.sentence})

    async def _finish(
        self, run: Run, mapping: Mapping, plan: Plan, sides: Sides | None, meter: Meter, cached: int
    ) -> Run:
        counts = RunCounts(
            tracks_processed=0 if sides is None else len(sides.left.entries) + len(sides.right.entries),
            adds=len(plan.adds),
            removals=len(plan.removes),
            skipped=plan.in_review,
            api_requests=meter.calls,
            cached_requests=cached,
            quota_units=meter.units,
        )
        await self._storage.runs.add_counts(run.id, counts)
        finished = await self._storage.runs.finish(run.id, RunStatus.COMPLETED, self._clock.now())
        if finished is not None and finished.cancelled_by is not None:
            raise _Cancelled  # asked for at the last moment: its items went with it
        log.info(Event.ANALYSIS_COMPLETE, extra={"mapping": mapping.name, "diffs": plan.diffs})
        return finished or run

    async def _failed(self, run: Run, mapping: Mapping, error: BaseException, meter: Meter) -> None:
        cancelled = isinstance(error, asyncio.CancelledError | _Cancelled)
        status = RunStatus.CANCELLED if cancelled else RunStatus.FAILED
        stopped = "the program stopped" if isinstance(error, asyncio.CancelledError) else BY_A_PERSON
        reason = stopped if cancelled else str(error) or type(error).__name__
        if await self._storage.runs.finish(run.id, status, self._clock.now(), error=reason) is not None:
            spent = RunCounts(api_requests=meter.calls, quota_units=meter.units)
            await self._storage.runs.add_counts(run.id, spent)
        if not cancelled:
            log.error(Event.ANALYSIS_FAILED, extra={"mapping": mapping.name, "error": reason})
        finished = await self._storage.runs.get(run.id)
        if finished is not None:
            self._hub.announce(RunFinished(run=finished, guild_id=mapping.guild_id))

    async def _gone(self, mapping: Mapping, error: PlaylistGone) -> UserMistake:
        """Pause a mapping that can no longer be read, and say so."""
        reason = gone_reason(error)
        await self._storage.mappings.update(mapping.id, enabled=False, pause_reason=reason)
        log.warning(Event.MAPPING_PAUSED, extra={"mapping": mapping.name, "reason": reason, **_ids(mapping)})
        return UserMistake(f"{reason} The mapping “{mapping.name}” is paused; nothing was changed.")


class _Cancelled(Exception):
    """People asked this run to stop."""


class _Taken(Exception):
    """Another run of the mapping is active."""


def wants(plan: Plan) -> frozenset[tuple[object, ...]]:
    """What a plan would change, without order, cost and positions: two plans that want the same are the same plan."""
    adds = {("add", add.side, add.source.external_id, add.occurrence) for add in plan.adds}
    removes = {("remove", one.side, one.track.external_id, one.occurrence, one.surplus) for one in plan.removes}
    moves = {("move", move.side, move.track.external_id) for move in plan.moves}
    return frozenset[tuple[object, ...]](adds | removes | moves | {("rename", *rename) for rename in plan.renames})


def _refuse_uncertain(open_items: Sequence[SyncItem]) -> None:
    uncertain = sum(item.status is not ItemStatus.PENDING for item in open_items)
    if uncertain:
        raise Busy(f"It is not certain yet what became of {uncertain} earlier changes; try again in two minutes.")


def _report(conflicts: Sequence[Conflict]) -> None:
    """What the merge noticed and leaves alone: copies of our own that it cannot take back are a warning."""
    for conflict in conflicts:
        title = conflict.track.title if conflict.track is not None else ""
        if conflict.track is not None and conflict.track.available:
            log.warning(Event.ITEM_SURPLUS, extra={"title": title, "detail": conflict.sentence})
        else:
            log.info(Event.ITEM_SKIPPED, extra={"title": title, "reason": conflict.sentence})


def gone_reason(error: PlaylistGone) -> str:
    playlist = error.playlist
    if playlist.liked:
        return LIKED_REFUSED
    return f"The {playlist.service.label} playlist “{playlist.name}” is gone, or this account may no longer use it."


def _same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return all(one) and one == other


def _because(mapping: Mapping) -> str:
    return f" ({mapping.pause_reason})" if mapping.pause_reason else ""


def _ids(mapping: Mapping) -> dict[str, int]:
    return {"mapping_id": mapping.id, "guild_id": mapping.guild_id}


def _hidden(mapping: Mapping, sides: Sides, links: Sequence[Link]) -> frozenset[tuple[Service, str]]:
    """Linked tracks that are missing where entries have just become unreadable.

    Spotify answers null for a track now and then; that is no removal until the next look says the same.
    """
    hidden: set[tuple[Service, str]] = set()
    for side in sides.veiled:
        shown = {track.external_id for track in sides.of(side).tracks}
        ids = (link.left_track_id if side is Side.LEFT else link.right_track_id for link in links)
        hidden.update((mapping.playlist(side).service, track_id) for track_id in ids if track_id not in shown)
    return frozenset(hidden)
