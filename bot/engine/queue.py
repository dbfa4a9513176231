"""The queue from a person's side: how it stands, who is next and until when, pause and resume, failures put aside."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.clock import Clock
from bot.engine.arrivals import arrivals
from bot.engine.executor import Executor
from bot.engine.quota import Quota
from bot.model.account import AccountStatus
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping, Side
from bot.model.music import Service
from bot.model.queue import EVERY_GUILD, Delay, HourCount, Lane, QueuePause
from storage import Storage

log = logging.getLogger(__name__)


class Obstacle(StrEnum):
    """Why nothing of a lane is sent, whatever is due."""

    PAUSED = "paused"  # people paused the queue for it
    STOPPED = "stopped"  # its mapping is paused
    LOGIN = "login"  # the account that writes needs its login


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatus:
    """The work of ``mapping`` towards one service. ``position``: its place in the turns, 1 is next."""

    mapping: Mapping
    lane: Lane
    position: int | None = None  # None: nothing of it is due now
    through_at: datetime | None = None  # when the last item is through; None: not foreseeable
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One guild's queue at a moment. ``lanes`` holds every mapping's numbers, ``busy`` those with work or failures."""

    at: datetime
    pauses: tuple[QueuePause, ...]
    lanes: tuple[Lane, ...]
    busy: tuple[LaneStatus, ...]  # in the order of their turns; then what is not due, what rests, what only failed
    delays: tuple[Delay, ...]
    hours: tuple[HourCount, ...]  # the last 24 hours, the one under way last

    def count(self, *statuses: ItemStatus, service: Service | None = None) -> int:
        return sum(lane.count(*statuses) for lane in self._of(service))

    def waiting(self, service: Service | None = None) -> int:
        return sum(lane.waiting for lane in self._of(service))

    def delayed(self, service: Service | None = None) -> int:
        return sum(lane.delayed for lane in self._of(service))

    def resting(self, pause: QueuePause, guild_id: int) -> int:
        """How many items are not sent for the pause's sake."""
        covered = [lane for lane in self.lanes if pause.covers(guild_id, lane.service, lane.mapping_id)]
        return sum(lane.count(ItemStatus.PENDING) for lane in covered)

    @property
    def paused_whole(self) -> bool:
        """Whether the guild's own queue rests as a whole."""
        return any(pause.whole and pause.guild_id != EVERY_GUILD for pause in self.pauses)

    def _of(self, service: Service | None) -> list[Lane]:
        return [lane for lane in self.lanes if service in (None, lane.service)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The pause that stands now; not ``new``: somebody had set it before."""

    pause: QueuePause
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """``found``: there was such a pause. ``left``: what still rests in the guild."""

    found: bool
    left: tuple[QueuePause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """How many items had failed at ``until``; only these are put aside when a person says so later."""

    items: int
    until: datetime


class Queue:
    """Actors are Discord user ids. Everything of another guild reads as "does not exist"."""

    def __init__(self, storage: Storage, quota: Quota, executor: Executor, clock: Clock) -> None:
        self._storage = storage
        self._quota = quota
        self._executor = executor
        self._clock = clock

    async def status(self, guild_id: int) -> QueueStatus:
        now = self._clock.now()
        queue = self._storage.queue
        lanes = await queue.lanes(guild_id, now)
        pauses = await self._storage.queue_pauses.of_guild(guild_id)
        return QueueStatus(
            at=now,
            pauses=tuple(pauses),
            lanes=tuple(lanes),
            busy=tuple(await self._busy(guild_id, [lane for lane in lanes if _busy(lane)], pauses)),
            delays=tuple(await queue.delays(guild_id, now)),
            hours=tuple(await queue.hours(guild_id, now)),
        )

    async def pauses(self, guild_id: int) -> list[QueuePause]:
        """What rests in the guild, the widest first."""
        return await self._storage.queue_pauses.of_guild(guild_id)

    async def pause(
        self,
        guild_id: int,
        actor_id: int,
        *,
        service: Service | None = None,
        mapping: Mapping | None = None,
        reason: str = "",
    ) -> Paused:
        """Send nothing more, except what is being sent this moment; ``EVERY_GUILD`` as guild: in the whole program.

        What was sent without a clear answer is still read back, because that only looks.
        """
        wanted = QueuePause(
            guild_id=guild_id,
            service=service,
            mapping_id=mapping.id if mapping else None,
            actor_id=actor_id,
            since=self._clock.now(),
            reason=reason,
            mapping_name=mapping.name if mapping else "",
        )
        new = await self._storage.queue_pauses.set(wanted)
        if not new:
            standing = await self._storage.queue_pauses.of_guild(guild_id)
            return Paused(pause=next((one for one in standing if _same(one, wanted)), wanted), new=False)
        log.info(Event.QUEUE_PAUSED, extra=_about(guild_id, actor_id, service, mapping) | {"reason": reason})
        return Paused(pause=wanted, new=True)

    async def resume(
        self, guild_id: int, actor_id: int, *, service: Service | None = None, mapping: Mapping | None = None
    ) -> Resumed:
        """Take just this pause back; what other pauses cover rests on."""
        found = await self._storage.queue_pauses.clear(guild_id, service, mapping.id if mapping else None)
        if found:
            self._executor.wake()
            log.info(Event.QUEUE_RESUMED, extra=_about(guild_id, actor_id, service, mapping))
        return Resumed(found=found, left=tuple(await self._storage.queue_pauses.of_guild(guild_id)))

    async def failed(self, guild_id: int, mapping: Mapping | None = None) -> Failed:
        """What ``clear_failed`` would put aside now."""
        now = self._clock.now()
        items = await self._storage.queue.failed(guild_id, now, mapping.id if mapping else None)
        return Failed(items=items, until=now)

    async def clear_failed(self, guild_id: int, actor_id: int, until: datetime, mapping: Mapping | None = None) -> int:
        """Put aside what had failed at ``until``: its errors stay readable, it can still be retried, and the next
        analysis offers again what the playlists still want. How many; raises UserMistake when there is none (any more).
        """
        items = await self._storage.queue.clear_failed(guild_id, until, mapping.id if mapping else None)
        if not items:
            raise UserMistake("Nothing that failed is left there: somebody cleared or retried it meanwhile.")
        log.info(Event.QUEUE_CLEARED, extra=_about(guild_id, actor_id, None, mapping) | {"items": items})
        return items

    async def _busy(self, guild_id: int, lanes: Sequence[Lane], pauses: Sequence[QueuePause]) -> list[LaneStatus]:
        turns = {service: await self._executor.turns(service) for service in {lane.service for lane in lanes}}
        through = await self._through() if lanes else {}
        found = []
        for lane in lanes:
            mapping = await self._storage.mappings.get(lane.mapping_id, guild_id)
            if mapping is None:  # removed this very moment
                continue
            obstacle = await self._obstacle(guild_id, mapping, lane, pauses)
            place = turns[lane.service].index(mapping.id) + 1 if mapping.id in turns[lane.service] else None
            found.append(
                LaneStatus(
                    mapping=mapping,
                    lane=lane,
                    position=None if obstacle else place,
                    through_at=None if obstacle else _latest(through.get((mapping.id, lane.service)), lane.until),
                    obstacle=obstacle,
                )
            )
        return sorted(
            found,
            key=lambda one: (not one.lane.open, one.obstacle is not None, one.position is None, one.position or 0),
        )

    async def _through(self) -> dict[tuple[int, Service], datetime | None]:
        now = self._clock.now()
        resting = await self._storage.queue_pauses.all()
        work = [
            each
            for each in await self._storage.queue.open_work()
            if not any(pause.covers(each.guild_id, each.service, each.mapping_id) for pause in resting)
        ]
        groups = await self._storage.items.due_groups(now)
        first = {(group.mapping_id, group.service) for group in groups if group.people_first}
        return arrivals(work, first, await self._quota.shared(), now)

    async def _obstacle(
        self, guild_id: int, mapping: Mapping, lane: Lane, pauses: Sequence[QueuePause]
    ) -> Obstacle | None:
        if any(pause.covers(guild_id, lane.service, mapping.id) for pause in pauses):
            return Obstacle.PAUSED
        if not mapping.enabled:
            return Obstacle.STOPPED
        for side in Side:
            playlist = mapping.playlist(side)
            if playlist.service is lane.service and mapping.direction.writes(side):
                account = await self._storage.accounts.get(playlist.account_id)
                if account is None or account.status is not AccountStatus.CONNECTED:
                    return Obstacle.LOGIN
        return None


def scope(service: Service | None, mapping: Mapping | None, *, everywhere: bool = False) -> str:
    """What a pause covers, in words for the log; '' for the whole queue of the guild."""
    if mapping is not None:
        return f"{service.label} in mapping {mapping.name}" if service else f"mapping {mapping.name}"
    if service is not None:
        return f"{service.label} in every server" if everywhere else service.label
    return "every server" if everywhere else ""


def _about(guild_id: int, actor_id: int, service: Service | None, mapping: Mapping | None) -> dict[str, object]:
    everywhere = guild_id == EVERY_GUILD
    return {
        "scope": scope(service, mapping, everywhere=everywhere),
        "mapping_id": mapping.id if mapping else None,
        "guild_id": None if everywhere else guild_id,
        "actor_id": actor_id,
    }


def _busy(lane: Lane) -> bool:
    return bool(lane.open or lane.count(ItemStatus.ERROR))


def _same(one: QueuePause, other: QueuePause) -> bool:
    return (one.guild_id, one.service, one.mapping_id) == (other.guild_id, other.service, other.mapping_id)


def _latest(*moments: datetime | None) -> datetime | None:
    """The later of the forecast and the last wait; None where the forecast knows none."""
    forecast, *others = moments
    return None if forecast is None else max([forecast, *(at for at in others if at is not None)])
