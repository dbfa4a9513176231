"""Routing runs: one base read once, each child planned by itself, and what the plans want put into the queue."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.clock import Clock
from bot.engine.hub import Hub
from bot.engine.meter import Meter, metered
from bot.engine.reading import Listings, PlaylistGone
from bot.engine.routed import Choice, Choices, Chooser
from bot.engine.schedule import parse
from bot.engine.sync import Busy, StartedSync, Sync, gone_reason
from bot.logs.context import bound
from bot.model.account import AccountStatus
from bot.model.errors import CrossfadeError, QuotaSpent, RetryLater, ServicePaused, UserMistake
from bot.model.events import Event, RunFinished
from bot.model.logline import JobType
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.rules import Field
from bot.model.run import Run, RunCounts, RunStatus, Trigger
from bot.services.registry import MusicServices
from storage import Storage

log = logging.getLogger(__name__)

BUSY_AGAIN = timedelta(minutes=1)  # a child that was being written to is looked at again after this
NAMED = 10  # tracks that one line of the log names
SIGN_OF_LIFE = 60.0  # seconds between two, however long a read or the slow sources take


class Mode(StrEnum):
    INCREMENTAL = "incremental"  # read what changed, write the fewest changes
    FULL = "full"  # read everything, write the fewest changes
    REBUILD = "rebuild"  # read everything, clear each child and fill it anew


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOutcome:
    """``started`` is None where the child failed or was busy; ``error`` says why, ``again`` when it is tried again.

    Without ``again`` that is when the base is due next.
    """

    child: ChildPlaylist
    started: StartedSync | None = None
    holds: int = 0  # how many tracks its rules choose
    undecided: int = 0
    kept: int = 0  # undecided because a source fails, and left in
    unknown: dict[Field, int] = field(default_factory=dict)
    error: str = ""
    busy: bool = False
    again: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedBase:
    """``run`` is the finished routing run, None for a preview. ``tracks``: of the base; ``saved``: not read anew."""

    base: BasePlaylist
    run: Run | None
    tracks: int
    saved: bool
    children: tuple[ChildOutcome, ...]
    degraded: frozenset[Field] = frozenset()

    @property
    def enqueued(self) -> int:
        return sum(one.started.enqueued for one in self.children if one.started is not None)

    @property
    def again(self) -> datetime | None:
        """When the children that could not have their turn now may have it."""
        return min((one.again for one in self.children if one.again is not None), default=None)


class Ended(UserMistake):
    """Somebody else ended the run: a person, or the look for runs that give no sign of life."""

    code = "run_ended"


_Planned = tuple[Choices, list[ChildOutcome]]


class Router:
    """Actors are Discord user ids, 0 the program itself. Everything of another guild reads as "does not exist"."""

    def __init__(
        self,
        storage: Storage,
        services: MusicServices,
        hub: Hub,
        sync: Sync,
        chooser: Chooser,
        clock: Clock,
        *,
        sign_of_life: float = SIGN_OF_LIFE,
    ) -> None:
        self._storage = storage
        self._services = services
        self._hub = hub
        self._sync = sync
        self._chooser = chooser
        self._clock = clock
        self._sign_of_life = sign_of_life

    async def preview(self, guild_id: int, base_id: int, actor_id: int) -> RoutedBase:
        """What a run would change in each child, and what that costs. Nothing is written."""
        base = await self._existing(guild_id, base_id)
        children = await self._storage.routers.children(base.id)
        listings = self._listings()
        choices = await self._chooser.choose(base, children, listings)
        outcomes = [
            await self._child(child, choices, actor_id, Trigger.PREVIEW, listings, Mode.INCREMENTAL, apply=False)
            for child in children
        ]
        return _routed(base, None, choices, outcomes)

    async def run(
        self,
        guild_id: int,
        base_id: int,
        actor_id: int,
        mode: Mode = Mode.INCREMENTAL,
        *,
        accept_collapse: bool = False,
    ) -> RoutedBase:
        """Route the base now. Raises Busy while it is being routed, UserMistake, and the services' errors."""
        base = await self._existing(guild_id, base_id)
        if not base.enabled:
            raise UserMistake(f"The base “{base.name}” is paused{_because(base)}; resume it first.")
        try:
            routed = await self._run(base, actor_id, Trigger.COMMAND, mode, self._listings(), accept_collapse)
        except CrossfadeError as error:
            await self._due_at(base, self._again(error))
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._due_at(base, self._clock.now()))  # the next life of the program goes on with it
            raise
        await self._due_at(base, routed.again)
        return routed

    async def due(self) -> int:
        """Route every base whose time has come; how many. What goes wrong is in its run and the log."""
        bases = await self._storage.routers.due(self._clock.now())
        listings = self._listings()
        for base in bases:
            await self._scheduled(base, listings)
        return len(bases)

    async def history(self, guild_id: int, base_id: int, limit: int = 25) -> list[Run]:
        """The base's latest routing runs, newest first."""
        base = await self._existing(guild_id, base_id)
        return await self._storage.runs.of_base(base.id, limit)

    async def _scheduled(self, base: BasePlaylist, listings: Listings) -> None:
        again: datetime | None = None
        try:
            again = (
                await self._run(base, 0, Trigger.SCHEDULE, Mode.INCREMENTAL, listings, accept_collapse=False)
            ).again
        except Busy:
            return  # still due: the next tick finds it
        except CrossfadeError as error:  # told by _run
            again = self._again(error)
            if again is not None:
                await self._storage.routers.update_base(base.id, next_run_at=again)
                return
        except Exception:
            log.exception(Event.BUG, extra={"where": "routing", "guild_id": base.guild_id})
        await self._storage.routers.update_base(base.id, next_run_at=await self._next_run(base, self._clock.now()))
        await self._due_at(base, again)

    def _again(self, error: CrossfadeError) -> datetime | None:
        """When what failed for this can be tried again, whatever the schedule says; None: not before it says so."""
        match error:
            case QuotaSpent() | ServicePaused():
                return error.until
            case RetryLater():
                return max(error.at or self._clock.now(), self._clock.now() + BUSY_AGAIN)
            case _:
                return None

    async def _due_at(self, base: BasePlaylist, at: datetime | None) -> None:
        """The base is due then, unless it is due before anyway."""
        now = await self._storage.routers.base(base.id)
        if at is not None and now is not None and (now.next_run_at is None or now.next_run_at > at):
            await self._storage.routers.update_base(base.id, next_run_at=at)

    async def _next_run(self, base: BasePlaylist, after: datetime) -> datetime | None:
        guild = await self._storage.guilds.get(base.guild_id)
        return parse(base.schedule, guild.timezone).next_run(after)

    async def _run(
        self,
        base: BasePlaylist,
        actor_id: int,
        trigger: Trigger,
        mode: Mode,
        listings: Listings,
        accept_collapse: bool,
    ) -> RoutedBase:
        """One run from its row to its end, whatever happens in between."""
        run = await self._storage.runs.start_routing(base.id, trigger, actor_id, self._clock.now())
        if run is None:
            raise Busy(f"The base “{base.name}” is being synced right now; try again when that is done.")
        ids = {"run_id": run.id, "guild_id": base.guild_id}
        with bound(job_type=JobType.ROUTING, actor_id=actor_id or None, **ids), metered() as meter:
            log.info(Event.ROUTING_STARTED, extra={"base": base.name})
            try:
                work = self._children(run, base, mode, listings, accept_collapse=accept_collapse)
                choices, outcomes = await self._alive(run, work)
                done = await self._finish(run, _routed(base, run, choices, outcomes), choices, meter)
            except BaseException as error:
                await asyncio.shield(self._failed(run, base, error, meter))
                if isinstance(error, PlaylistGone):
                    raise await self._gone(base, error) from error
                raise
        return done

    async def _alive(self, run: Run, work: Coroutine[Any, Any, _Planned]) -> _Planned:
        """Wait for ``work`` with signs of life. Raises Ended when somebody else has ended the run meanwhile."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._sign_of_life))[0]:
                await self._go_on(run)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _go_on(self, run: Run) -> None:
        """A sign of life, at a point at which the run can stop with nothing half done."""
        if await self._storage.runs.asked_to_stop([run.id]):
            raise Ended("A person cancelled this run; the children that it had not reached stay as they are.")
        if not await self._storage.runs.heartbeat(run.id, self._clock.now()):
            raise Ended("This run was ended because it gave no sign of life; the next one does its work.")

    async def _children(
        self, run: Run, base: BasePlaylist, mode: Mode, listings: Listings, *, accept_collapse: bool
    ) -> _Planned:
        """What the children are to hold, and each of them planned."""
        children = await self._storage.routers.children(base.id)
        full = mode is not Mode.INCREMENTAL
        choices = await self._chooser.choose(base, children, listings, full=full, accept_collapse=accept_collapse)
        await self._name_unusable(base, choices)
        outcomes: list[ChildOutcome] = []
        for child in children:
            # A base that did lose its tracks is one word of a person, not one more for each child.
            one = await self._child(child, choices, run.actor_id, run.trigger, listings, mode, force=accept_collapse)
            outcomes.append(one)
            await self._note(run, outcomes, choices)
        return choices, outcomes

    async def _child(
        self,
        child: ChildPlaylist,
        choices: Choices,
        actor_id: int,
        trigger: Trigger,
        listings: Listings,
        mode: Mode,
        *,
        apply: bool = True,
        force: bool = False,
    ) -> ChildOutcome:
        """One child; what goes wrong with it stays with it. ``force``: no guard stops it."""
        choice = choices.of.get(child.id)
        if choice is None:
            return await self._child_failed(child, choices.refused[child.id], apply=apply)
        if reason := await self._rests(child):
            failed = await self._child_failed(child, reason, apply=apply)
            return _outcome(child, choice, error=failed.error)
        try:
            started = await self._sync.route(
                child.mapping,
                choice.content,
                actor_id,
                trigger,
                listings,
                apply=apply,
                full=mode is not Mode.INCREMENTAL,
                force=force or _rules_changed(child),
                rebuild=mode is Mode.REBUILD,
            )
        except Busy as error:
            return _outcome(child, choice, error=str(error), busy=True, again=self._clock.now() + BUSY_AGAIN)
        except CrossfadeError as error:  # also a spent quota: children on the other service may go on
            failed = await self._child_failed(child, str(error), apply=apply)
            return _outcome(child, choice, error=failed.error, again=self._again(error))
        if apply and started.plan.guard is None:
            await self._keep(child, choice, started)
        return _outcome(child, choice, started=started)

    async def _rests(self, child: ChildPlaylist) -> str:
        """Why nothing can be done for the child before a person does something; '' where it is at work."""
        if not child.mapping.enabled:
            return (
                f"It is paused: {child.mapping.pause_reason or 'a person paused it.'} `/router base-resume` resumes it."
            )
        account = await self._storage.accounts.get(child.playlist.account_id)
        if account is None or account.status is not AccountStatus.CONNECTED:
            service = child.playlist.service.label
            return f"Its {service} account needs a new login by its owner (`/connect`); it follows when that is done."
        return ""

    async def _keep(self, child: ChildPlaylist, choice: Choice, started: StartedSync) -> None:
        if started.unchanged:  # what was kept before still holds; or a plan is stopped, and nothing was routed
            if child.last_error:
                await self._storage.routers.update_child(child.id, last_error="")
            return
        routed = {
            "rules": child.rules,
            "digest": choice.digest,
            "tracks": [entry.track.external_id for entry in choice.content.entries],
        }
        now = self._clock.now()
        await self._storage.routers.update_child(child.id, last_routed=routed, last_routed_at=now, last_error="")

    async def _child_failed(self, child: ChildPlaylist, reason: str, *, apply: bool) -> ChildOutcome:
        if apply and reason != child.last_error:  # the same again is no news
            await self._storage.routers.update_child(child.id, last_error=reason)
            extra = {"child": child.name, "error": reason, "mapping_id": child.mapping.id}
            log.error(Event.ROUTING_CHILD_FAILED, extra=extra)
        return ChildOutcome(child=child, error=reason)

    async def _name_unusable(self, base: BasePlaylist, choices: Choices) -> None:
        """Once for each change of what it is, not for each child and each run."""
        unusable = _unusable(choices)
        earlier = [run for run in await self._storage.runs.of_base(base.id, 5) if "unusable" in run.details]
        if not unusable or (earlier and earlier[0].details["unusable"] == sorted(unusable)):
            return
        titles = [title or track_id for track_id, title in unusable.items()]
        more = f" and {len(titles) - NAMED:,} more" if len(titles) > NAMED else ""
        detail = f"{', '.join(titles[:NAMED])}{more} can no longer be played"
        log.info(Event.ROUTING_SKIPPED, extra={"base": base.name, "detail": detail})

    async def _note(self, run: Run, outcomes: Sequence[ChildOutcome], choices: Choices) -> None:
        """Sign of life, with what was done so far."""
        await self._go_on(run)
        await self._storage.runs.note_details(run.id, _details(outcomes, choices))

    async def _finish(self, run: Run, routed: RoutedBase, choices: Choices, meter: Meter) -> RoutedBase:
        plans = [one.started.plan for one in routed.children if one.started is not None]
        failed = [one for one in routed.children if one.error and not one.busy]
        counts = RunCounts(
            tracks_processed=routed.tracks,
            adds=sum(len(plan.adds) for plan in plans),
            removals=sum(len(plan.removes) for plan in plans),
            skipped=sum(plan.in_review for plan in plans),
            failed=len(failed),
            api_requests=meter.calls,
            cached_requests=listings_saved(choices),
            quota_units=meter.units,
        )
        await self._storage.runs.note_details(run.id, _details(routed.children, choices))
        await self._storage.runs.add_counts(run.id, counts)
        now = self._clock.now()
        error = "; ".join(f"{one.child.name}: {one.error}" for one in failed)
        status = RunStatus.FAILED if failed and len(failed) == len(routed.children) else RunStatus.COMPLETED
        finished = await self._storage.runs.finish(run.id, status, now, error=error) or run
        await self._storage.routers.update_base(routed.base.id, last_routed_at=now)
        extra = {"base": routed.base.name, "children": len(routed.children), "diffs": sum(plan.diffs for plan in plans)}
        log.info(Event.ROUTING_COMPLETE, extra=extra)
        self._hub.announce(RunFinished(run=finished, guild_id=routed.base.guild_id))
        return RoutedBase(
            base=routed.base,
            run=finished,
            tracks=routed.tracks,
            saved=routed.saved,
            children=routed.children,
            degraded=routed.degraded,
        )

    async def _failed(self, run: Run, base: BasePlaylist, error: BaseException, meter: Meter) -> None:
        cancelled = isinstance(error, asyncio.CancelledError | Ended)
        status = RunStatus.CANCELLED if cancelled else RunStatus.FAILED
        stopped = isinstance(error, asyncio.CancelledError)
        reason = "the program stopped" if stopped else str(error) or type(error).__name__
        finished = await self._storage.runs.finish(run.id, status, self._clock.now(), error=reason)
        if finished is None:
            return
        await self._storage.runs.add_counts(run.id, RunCounts(api_requests=meter.calls, quota_units=meter.units))
        if not cancelled:
            log.error(Event.ROUTING_FAILED, extra={"base": base.name, "error": reason})
        self._hub.announce(RunFinished(run=finished, guild_id=base.guild_id))

    async def _gone(self, base: BasePlaylist, error: PlaylistGone) -> UserMistake:
        """Pause a base that can no longer be read, and say so."""
        reason = gone_reason(error)
        await self._storage.routers.update_base(base.id, enabled=False, pause_reason=reason)
        log.warning(Event.BASE_PAUSED, extra={"base": base.name, "reason": reason, "guild_id": base.guild_id})
        return UserMistake(f"{reason} The base “{base.name}” is paused; nothing was changed.")

    async def _existing(self, guild_id: int, base_id: int) -> BasePlaylist:
        base = await self._storage.routers.base(base_id, guild_id)
        if base is None:
            raise UserMistake("This base playlist does not exist any more; `/router base-list` shows what there is.")
        return base

    def _listings(self) -> Listings:
        return Listings(self._storage, self._services)


def listings_saved(choices: Choices) -> int:
    """Reads that what we had made unnecessary: the base, and what the cache knew of its tracks."""
    return int(choices.base.saved) + choices.known.hits


def _rules_changed(child: ChildPlaylist) -> bool:
    """Whether a person changed the rules since the last time: then many removals are what they want."""
    return bool(child.last_routed) and child.last_routed.get("rules") != child.rules


def _outcome(
    child: ChildPlaylist,
    choice: Choice,
    *,
    started: StartedSync | None = None,
    error: str = "",
    busy: bool = False,
    again: datetime | None = None,
) -> ChildOutcome:
    return ChildOutcome(
        child=child,
        started=started,
        holds=len(choice.content.entries),
        undecided=len(choice.routed.undecided),
        kept=len(choice.kept),
        unknown={one: len(facts) for one, facts in choice.routed.unknown.items()},
        error=error,
        busy=busy,
        again=again,
    )


def _routed(base: BasePlaylist, run: Run | None, choices: Choices, outcomes: Sequence[ChildOutcome]) -> RoutedBase:
    return RoutedBase(
        base=base,
        run=run,
        tracks=len(choices.base.content.entries),
        saved=choices.base.saved,
        children=tuple(outcomes),
        degraded=choices.known.degraded,
    )


def _details(outcomes: Sequence[ChildOutcome], choices: Choices) -> dict[str, Any]:
    looked_up = choices.known.hits + choices.known.misses
    return {
        "v": 1,
        "children": [one.child.id for one in outcomes],
        "unusable": sorted(_unusable(choices)),
        "busy": [one.child.id for one in outcomes if one.busy],
        "failed": [one.child.id for one in outcomes if one.error and not one.busy],
        "cache_hits": choices.known.hits,
        "cache_misses": choices.known.misses,
        "cache_hit_rate": round(choices.known.hits / looked_up, 4) if looked_up else None,
        "degraded": sorted(one.value for one in choices.known.degraded),
        "requests": choices.known.requests,
    }


def _unusable(choices: Choices) -> dict[str, str]:
    """Titles of the base's dead tracks by their ids."""
    tracks = choices.base.content.tracks
    return {track.external_id: track.title for track in tracks if not track.available}


def _because(base: BasePlaylist) -> str:
    return f" ({base.pause_reason})" if base.pause_reason else ""
