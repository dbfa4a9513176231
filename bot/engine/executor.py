"""The executor: takes what is due from the queue, mapping by mapping in turn, and sees each item through."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

from bot.clock import Clock
from bot.engine.burst import Burst
from bot.engine.destination import Destinations
from bot.engine.hub import Hub
from bot.engine.lease import HELD_FOR, Lease
from bot.engine.meter import metered
from bot.engine.readback import ReadBack
from bot.engine.recent import Write, playlist_key
from bot.engine.resolve import Resolver
from bot.engine.settling import Settler, side_of
from bot.engine.writing import LeaseLost, PlaylistLost, QueueRests, RunCancelled, Turn, Writer
from bot.logs.context import bound
from bot.model.account import AccountStatus
from bot.model.errors import CrossfadeError, Forbidden, LoginNeeded, NotFound
from bot.model.events import Event
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.logline import JobType
from bot.model.mapping import Mapping, Side
from bot.model.music import Service, Track
from bot.model.run import Run, RunKind, RunStatus, Trigger
from bot.services.registry import MusicServices
from storage import Storage
from storage.tasks import Pulse

log = logging.getLogger(__name__)

# Items of one turn; then the next mapping has its turn. A Spotify call carries up to 100 adds, a YouTube call one.
TURN = {Service.SPOTIFY: 100, Service.YOUTUBE: 10}
# How long an idle worker sleeps at most: what is blocked by a login or a pause is looked at this often.
IDLE = timedelta(seconds=30)
# How long a group waits after a fault of ours, so that it does not run hot.
AFTER_A_BUG = timedelta(minutes=5)
# How long another writer may take before we ask for the playlist again.
ANOTHER_WRITER = timedelta(seconds=15)
STOPPED = "The program stopped."


def no_crash(point: str) -> None:
    """Crash points do nothing outside of tests."""


class Executor:
    """One for the whole program. Each service has one worker, so that different services are written to at once."""

    def __init__(
        self,
        storage: Storage,
        services: MusicServices,
        hub: Hub,
        clock: Clock,
        *,
        destinations: Destinations,
        official_search: bool = True,
        crash: Callable[[str], None] = no_crash,
    ) -> None:
        self._storage = storage
        self._services = services
        self._hub = hub
        self._clock = clock
        self.settle = settle = destinations.recent.settle
        self._destinations = destinations
        self._crash = crash
        self._settler = Settler(storage, clock, settle=settle, crash=crash)
        resolver = Resolver(storage, clock, official_search=official_search)
        self._writer = Writer(storage, clock, self._settler, resolver, destinations, crash=crash)
        self._readback = ReadBack(storage, clock, self._settler, destinations, settle=settle, crash=crash)
        self._bursts: dict[int, Burst] = {}
        self._opening = asyncio.Lock()
        self._woken = {service: asyncio.Event() for service in Service}
        self._turns = count(1)
        self._last_turn: dict[tuple[int, Service], int] = {}
        self._started = clock.now()
        self._pulse = Pulse(storage.tasks, "executor", clock)
        self._busy = dict.fromkeys(Service, False)

    def wake(self) -> None:
        """Something may be due now."""
        for event in self._woken.values():
            event.set()

    async def turns(self, service: Service) -> list[int]:
        """Mappings with due work for the service, of every guild, in the order in which they are taken."""
        return await self._in_turn(service, None)

    async def recover(self) -> None:
        """Take over what a dead process left: its runs fail, its items go on, unproven writes are read back first."""
        now = self._clock.now()
        self._started = now
        await self._remember_writes(now)
        runs = await self._storage.runs.fail_all_active(now, STOPPED)
        items = await self._storage.items.recover_leases(now, settle=self.settle, everything=True)
        await self._storage.leases.clear()
        if runs or items:
            log.warning(Event.SYSTEM_RECOVERED, extra={"runs": len(runs), "items": items})

    async def run_forever(self) -> None:
        """Work until cancelled; then what is being sent is settled and the rest is given back."""
        workers = [asyncio.create_task(self._work(service), name=f"executor {service.value}") for service in Service]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                if not worker.cancelling():  # a second cancel would cut off what the first one lets end
                    worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await asyncio.shield(self._stop())

    async def drain(self, mapping_id: int | None = None, *, patience: timedelta = timedelta(minutes=2)) -> None:
        """Work until nothing is due any more, nor will be within ``patience``; short waits are slept through."""
        while True:
            while any([await self._step(service, mapping_id) for service in Service]):
                pass
            wait = await self._until_next(mapping_id)
            if wait is None or wait > patience:
                return
            await self._clock.sleep(max(wait.total_seconds(), 0.01))

    async def stop_cancelled(self) -> None:
        """End the bursts that people cancelled. One at work ends before the next item that it would send."""
        bursts = {burst.run.id: burst for burst in self._bursts.values()}
        for run_id in await self._storage.runs.asked_to_stop(list(bursts)) if bursts else ():
            bursts[run_id].cancelled = True
            await self._close_if_idle(bursts[run_id])

    async def _work(self, service: Service) -> None:
        while True:
            self._woken[service].clear()
            try:
                self._busy[service] = await self._step(service, None)
                await self._pulse.beat(self._doing())
                if not self._busy[service]:
                    await self._idle(service)
            except Exception as error:
                # A full disk, say, or a fault of ours: nothing is lost, and work goes on once it is over.
                log.exception(Event.BUG, extra={"where": f"executor {service.value}"})
                await self._pulse.failed(repr(error))
                await self._clock.sleep(IDLE.total_seconds())

    def _doing(self) -> str:
        return ", ".join(f"{each.label}: {'at work' if busy else 'nothing due'}" for each, busy in self._busy.items())

    async def _idle(self, service: Service) -> None:
        """Sleep until woken, until something is due, or for half a minute."""
        due = await self._storage.items.next_due_at()
        now = self._clock.now()
        wait = IDLE if due is None or due <= now else min(due - now, IDLE)
        woken = asyncio.create_task(self._woken[service].wait())
        slept = asyncio.create_task(self._clock.sleep(wait.total_seconds()))
        try:
            await asyncio.wait({woken, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            slept.cancel()

    async def _step(self, service: Service, only: int | None) -> bool:
        """One turn of whoever is next; False: there is nothing that can be done now."""
        await self.stop_cancelled()
        for mapping_id in await self._in_turn(service, only):
            if await self._turn(mapping_id, service):
                return True
        return False

    async def _in_turn(self, service: Service, only: int | None) -> list[int]:
        """Mappings with due work for the service: people's requests first, then who had no turn for longest."""
        now = self._clock.now()
        asked = {
            group.mapping_id: group.people_first
            for group in await self._storage.items.due_groups(now)
            if group.service is service
        }
        for item in await self._storage.items.unknown_with_intent():
            if item.service is not service:
                continue
            if item.not_before is None or item.not_before <= now:
                asked.setdefault(item.mapping_id, False)
            elif self._inherited(item):
                asked.pop(item.mapping_id, None)  # read back first what a dead process may have sent
        waiting = [mapping_id for mapping_id in asked if only in (None, mapping_id)]
        return sorted(waiting, key=lambda id_: (not asked[id_], self._last_turn.get((id_, service), 0)))

    def _inherited(self, item: SyncItem) -> bool:
        return item.intent_at is not None and item.intent_at <= self._started

    async def _turn(self, mapping_id: int, service: Service) -> bool:
        mapping = await self._workable(mapping_id, service)
        if mapping is None:
            return False
        burst = await self._enter(mapping)
        if burst is None:
            return False  # an analysis is under way; it wakes us
        self._last_turn[mapping_id, service] = next(self._turns)
        ids = {"run_id": burst.run.id, "mapping_id": mapping.id, "guild_id": mapping.guild_id}
        with bound(job_type=JobType.EXECUTION, **ids), metered() as meter:
            try:
                await self._claimed(burst, service)
            finally:
                burst.users -= 1
                burst.spent(meter)
            await self._close_if_idle(burst)
        return True

    async def _workable(self, mapping_id: int, service: Service) -> Mapping | None:
        """The mapping, unless it is gone, paused, or without the login that it needs."""
        mapping = await self._storage.mappings.get(mapping_id)
        if mapping is None or not mapping.enabled or not await self._logged_in(mapping, service):
            return None
        return mapping

    async def _logged_in(self, mapping: Mapping, service: Service) -> bool:
        """Work for an account that needs its login stays where it is until the person is back."""
        for side in Side:
            playlist = mapping.playlist(side)
            if playlist.service is service and mapping.direction.writes(side):
                account = await self._storage.accounts.get(playlist.account_id)
                if account is None or account.status is not AccountStatus.CONNECTED:
                    return False
        return True

    async def _enter(self, mapping: Mapping) -> Burst | None:
        """The mapping's burst under way, or a new one; None while another run of it is active."""
        async with self._opening:
            burst = self._bursts.get(mapping.id) or await self._open(mapping)
            if burst is None or burst.cancelled:
                return None
            burst.users += 1
            self._bursts[mapping.id] = burst
            return burst

    async def _open(self, mapping: Mapping) -> Burst | None:
        oldest = await self._storage.items.oldest_open(mapping.id)
        waiting = await self._storage.items.count_open(mapping.id)
        asked = await self._asked_by(oldest)
        trigger, actor_id = (asked.trigger, asked.actor_id) if asked else (Trigger.START, 0)
        run = await self._storage.runs.start(
            RunKind.EXECUTION,
            mapping.id,
            trigger,
            actor_id,
            self._clock.now(),
            undoes_run_id=asked.undoes_run_id if asked else None,
        )
        if run is None:
            return None
        links = await self._storage.links.of_mapping(mapping.id)
        ids = {"run_id": run.id, "mapping_id": mapping.id, "guild_id": mapping.guild_id}
        with bound(job_type=JobType.EXECUTION, **ids):
            log.info(Event.EXECUTION_STARTED, extra={"mapping": mapping.name, "items": waiting})
        return Burst(self._storage, self._hub, self._clock, run=run, mapping=mapping, links=links, total=waiting)

    async def _asked_by(self, oldest: SyncItem | None) -> Run | None:
        """The run that the oldest open item belongs to: who asked for it asked for this burst."""
        return await self._storage.runs.get(oldest.run_id) if oldest is not None else None

    async def _close_if_idle(self, burst: Burst) -> None:
        async with self._opening:
            if burst.users or self._bursts.get(burst.mapping.id) is not burst:
                return
            if not burst.cancelled and await self._can_go_on(burst.mapping.id):
                return
            del self._bursts[burst.mapping.id]
            await burst.finish(RunStatus.COMPLETED)
            if burst.cancelled:
                self.wake()  # what is not known must still be read back, in a burst of its own

    async def _can_go_on(self, mapping_id: int) -> bool:
        """Whether the mapping has work that can be done now, on any service."""
        for service in Service:
            if await self._in_turn(service, mapping_id) and await self._workable(mapping_id, service):
                return True
        return False

    async def _claimed(self, burst: Burst, service: Service) -> None:
        """Claim the turn's items, work on them, and let go of what is left, however it ends."""
        token = uuid.uuid4().hex
        try:
            await self._claim_and_work(burst, service, token)
        except asyncio.CancelledError:
            await asyncio.shield(self._let_go(token))
            raise
        except QueueRests:
            await self._let_go(token)
        except RunCancelled:
            burst.cancelled = True
            await self._let_go(token)
        except (LeaseLost, CrossfadeError) as error:
            await self._let_go(token)
            log.warning(Event.TASK_FAILED, extra={"task": "execution", "error": str(error) or "the lease was lost"})
            await self._hold(burst.mapping, service, self._clock.now() + AFTER_A_BUG, str(error))
        except Exception as error:
            log.exception(Event.BUG, extra={"where": "execution"})
            await self._let_go(token)
            await self._hold(burst.mapping, service, self._clock.now() + AFTER_A_BUG, f"Bug: {error!r}")
        else:
            await self._let_go(token)
            await self._rest(service)

    async def _rest(self, service: Service) -> None:
        """A service that fails again and again is left alone; its items say until when."""
        until = self._settler.resting(service)
        if until is not None:
            await self._storage.items.postpone(until, service=service, last_error=f"{service.label} keeps failing")

    async def _let_go(self, token: str) -> None:
        await self._storage.items.release(token, settle=self.settle)

    async def _hold(self, mapping: Mapping, service: Service, until: datetime, reason: str) -> None:
        await self._storage.items.postpone(until, mapping_id=mapping.id, service=service, last_error=reason)

    async def _claim_and_work(self, burst: Burst, service: Service, token: str) -> None:
        mapping, now = burst.mapping, self._clock.now()
        unknown = await self._storage.items.claim_unknown(
            now, now + HELD_FOR, token, mapping_id=mapping.id, service=service
        )
        for side, items in _by_side(mapping, unknown):
            if not await self._on_side(burst, side, items, token, self._readback.work):
                return
        if self._settler.resting(service):
            return
        items = await self._storage.items.claim_due(
            now,
            now + HELD_FOR,
            token,
            limit=TURN[service],
            mapping_id=mapping.id,
            service=service,
            run_id=burst.run.id,
        )
        self._crash("after_claim")
        for side, part in _by_side(mapping, items):
            if not await self._on_side(burst, side, part, token, self._writer.work):
                return

    async def _on_side(self, burst: Burst, side: Side, items: Sequence[SyncItem], token: str, work: "Work") -> bool:
        """Work on items of one playlist, as its only writer. False: the turn is over."""
        playlist = burst.mapping.playlist(side)
        lease = await Lease.take(self._storage, self._clock, playlist_key(playlist), token)
        if lease is None:
            await self._let_go(token)
            await self._hold(burst.mapping, playlist.service, self._clock.now() + ANOTHER_WRITER, "")
            return False
        try:
            goes_on = await self._prepared(burst, side, items, lease, work)
        except PlaylistLost as error:
            await self._pause(burst.mapping, error)
            goes_on = False
        except asyncio.CancelledError:
            await asyncio.shield(lease.give_back())
            raise
        except Exception:
            await lease.give_back()
            raise
        await lease.give_back()
        return goes_on

    async def _prepared(self, burst: Burst, side: Side, items: Sequence[SyncItem], lease: Lease, work: "Work") -> bool:
        """Open the service and learn what the playlist holds; where that fails the whole group waits."""
        playlist = burst.mapping.playlist(side)
        try:
            service = await self._services.for_account(playlist.account_id, mapping_id=burst.mapping.id)
            destination = await self._destinations.of(playlist, service)
        except (NotFound, Forbidden) as error:
            raise PlaylistLost(playlist, error) from error
        except CrossfadeError as error:
            await self._let_go(lease.token)
            await self._waits(burst.mapping, items, error)
            return False
        return await work(Turn(burst=burst, side=side, lease=lease, service=service, destination=destination), items)

    async def _waits(self, mapping: Mapping, items: Sequence[SyncItem], error: CrossfadeError) -> None:
        if isinstance(error, LoginNeeded) and error.account_id:
            await self._services.tokens.dead(error.account_id, error.code)
        await self._settler.group_waits(items, mapping, error)

    async def _pause(self, mapping: Mapping, error: PlaylistLost) -> None:
        """Nothing can be written any more: the mapping pauses and says so; its items wait."""
        playlist = error.playlist
        reason = (
            f"The {playlist.service.label} playlist “{playlist.name}” is gone, or this account may no longer change it."
        )
        await self._storage.mappings.update(mapping.id, enabled=False, pause_reason=reason)
        self._destinations.forget(playlist)
        log.warning(Event.MAPPING_PAUSED, extra={"mapping": mapping.name, "reason": reason})

    async def _until_next(self, mapping_id: int | None) -> timedelta | None:
        """How long until something that waits for a moment is due; None: nothing does."""
        mappings = await self._storage.mappings.all_enabled()
        now = self._clock.now()
        waits = [
            item.not_before - now
            for mapping in mappings
            if mapping_id in (None, mapping.id)
            for item in await self._storage.items.open_of_mapping(mapping.id)
            if item.status is not ItemStatus.RUNNING and item.not_before is not None and item.not_before > now
        ]
        return min(waits, default=None)

    async def _remember_writes(self, now: datetime) -> None:
        """What the dead process wrote within the settle time may not show in our first reads."""
        for run in await self._storage.runs.recent(None, limit=50):
            ended = run.completed_at or now
            if run.kind is RunKind.EXECUTION and ended > now - self.settle:
                await self._remember_run(run, now)

    async def _remember_run(self, run: Run, now: datetime) -> None:
        mapping = await self._storage.mappings.get(run.mapping_id)
        if mapping is None:
            return
        for item in await self._storage.items.of_run(run.id):
            at = item.completed_at
            if item.status is not ItemStatus.DONE or at is None or at <= now - self.settle or not item.destination_id:
                continue
            track = Track(service=item.service, external_id=item.destination_id, title=item.source_track_title)
            before = item.copies_before or 0
            copies = before + 1 if item.action is Action.ADD_TRACK else max(before - 1, 0)
            if item.action in (Action.ADD_TRACK, Action.REMOVE_TRACK) and item.intent_at is not None:
                self._destinations.recent.note(
                    mapping.playlist(side_of(mapping, item)), Write(track=track, copies=copies, at=at)
                )

    async def _stop(self) -> None:
        for burst in list(self._bursts.values()):
            await burst.finish(RunStatus.CANCELLED, STOPPED)
        self._bursts.clear()


Work = Callable[[Turn, Sequence[SyncItem]], Awaitable[bool]]


def _by_side(mapping: Mapping, items: Sequence[SyncItem]) -> list[tuple[Side, list[SyncItem]]]:
    """The items by the playlist that they change, each in the order of the queue."""
    parts = [(side, [item for item in items if side_of(mapping, item) is side]) for side in Side]
    return [(side, part) for side, part in parts if part]
