"""One turn of writing to one playlist: resolve, write the intent, make the one attempt, settle."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.engine.analysis import already_there
from bot.engine.burst import Burst
from bot.engine.destination import Destination, Destinations
from bot.engine.lease import Lease
from bot.engine.resolve import Found, NotFound, Resolver
from bot.engine.retry import Step
from bot.engine.settling import Settler, added_link, removed_link
from bot.logs.context import bound
from bot.model.errors import CrossfadeError, Forbidden, QuotaSpent
from bot.model.errors import NotFound as Missing
from bot.model.events import Event
from bot.model.item import Action, SyncItem
from bot.model.mapping import Playlist, Side
from bot.model.music import Track
from bot.model.quota import Bucket
from bot.model.review import BlacklistReason
from bot.services.protocol import MusicService
from storage import Storage

log = logging.getLogger(__name__)

# A batch is sent no later than this after its first track was resolved, so that progress shows and leases last.
GATHER_FOR = timedelta(minutes=2)
# How long the end of the program waits for an attempt under way; the intent is durable, so more is not needed.
LAST_WAIT = 10.0


class LeaseLost(Exception):
    """Somebody else has taken over the items of this turn; nothing may be sent for them."""


class QueueRests(Exception):
    """People paused this work meanwhile; nothing more is sent for it, and nothing is wrong with its items."""


class RunCancelled(Exception):
    """People cancelled the run; nothing more is sent for it. What was sent is settled or read back all the same."""


class PlaylistLost(Exception):
    """The playlist itself is gone or closed to us, as ``cause`` says; its items wait."""

    def __init__(self, playlist: Playlist, cause: CrossfadeError) -> None:
        super().__init__(str(cause))
        self.playlist = playlist
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to write to the playlist on ``side`` for a while, and what is needed for it."""

    burst: Burst
    side: Side
    lease: Lease
    service: MusicService
    destination: Destination

    @property
    def token(self) -> str:
        return self.lease.token

    @property
    def playlist(self) -> Playlist:
        return self.burst.mapping.playlist(self.side)


class Writer:
    """Carries out claimed items in their order. Stops early, with the rest unsent, where the service must wait."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        settler: Settler,
        resolver: Resolver,
        destinations: Destinations,
        *,
        crash: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._settler = settler
        self._resolver = resolver
        self._destinations = destinations
        self._crash = crash

    async def work(self, turn: Turn, items: Sequence[SyncItem]) -> bool:
        """Work through the items; False: the turn ended early and the unsent ones must be released.

        Raises LeaseLost, QueueRests, RunCancelled, PlaylistLost.
        """
        sources = await self._sources(items)
        queue = deque(items)
        while queue:
            await _alive(turn, queue[0])
            if queue[0].action is Action.ADD_TRACK:
                goes_on = await self._adds(turn, queue, sources)
            else:
                goes_on = await self._change(turn, queue.popleft())
            if not goes_on or self._settler.resting(turn.service.service):
                return False
        return True

    async def _sources(self, items: Sequence[SyncItem]) -> dict[str, Track]:
        adds = [item for item in items if item.action is Action.ADD_TRACK]
        if not adds:
            return {}
        known = await self._storage.tracks.get_many(adds[0].source_service, [item.source_track_id for item in adds])
        for item in adds:
            blank = Track(service=item.source_service, external_id=item.source_track_id, title=item.source_track_title)
            known.setdefault(item.source_track_id, blank)
        return known

    # Adds

    async def _adds(self, turn: Turn, queue: deque[SyncItem], sources: dict[str, Track]) -> bool:
        """Resolve adds from the front of the queue until a batch is full, then send it."""
        batch: list[tuple[SyncItem, Track]] = []
        began = self._clock.now()
        goes_on = True
        while queue and queue[0].action is Action.ADD_TRACK and len(batch) < turn.service.capabilities.max_batch:
            if batch and (not _follows(batch[-1][0], queue[0]) or self._clock.now() - began > GATHER_FOR):
                break
            item = queue.popleft()
            try:
                ready = await self._prepared(turn, item, sources[item.source_track_id], batch)
            except CrossfadeError as error:
                goes_on = await self._unresolved(turn, item, error)
                if not goes_on:
                    break
                continue
            if ready is not None:
                batch.append(ready)
        sent = await self._send(turn, batch, sources) if batch else True
        return goes_on and sent

    async def _prepared(
        self, turn: Turn, item: SyncItem, source: Track, batch: Sequence[tuple[SyncItem, Track]]
    ) -> tuple[SyncItem, Track] | None:
        """The item with its destination track; None when it is settled without a write."""
        await self._wanted([item.id])  # before the search: it costs quota
        with bound(item_id=item.id):
            log.info(Event.ITEM_PROCESSING, extra={"title": item.source_track_title})
            found = await self._resolver.resolve(item, source, turn.burst.mapping, turn.service, turn.destination)
            await _alive(turn, item)
        if isinstance(found, NotFound):
            await self._settler.blacklisted(turn.burst, item, turn.token, source, found)
            return None
        turn.burst.count(cached_requests=0 if found.searched else 1)
        item = await self._kept(turn, item, found)
        self._crash("after_resolve")
        if await self._waits_for_another(turn, item, found.track):
            return None
        in_batch = sum(track.external_id == found.track.external_id for _, track in batch)
        copies = turn.destination.copies(found.track.external_id) + in_batch
        if _is_there(turn, item, found.track, copies):
            if in_batch:
                # It will be there once the batch is sent; then this item finds it.
                await self._settler.later(item, turn.token, self._clock.now())
                return None
            link = added_link(turn.burst.mapping, item, found.track.external_id, wrote=False)
            await self._settler.done(turn.burst, item, turn.token, link=link, wrote=False)
            return None
        return item, found.track

    async def _kept(self, turn: Turn, item: SyncItem, found: Found) -> SyncItem:
        """The item with what was found in its payload, stored: a crash must not cost a second search."""
        item = replace(item, payload=item.payload | {"track_id": found.track.external_id, "found_by": found.how})
        if found.how != "payload" and not await self._storage.items.keep_payload(item.id, turn.token, item.payload):
            raise LeaseLost
        return item

    async def _waits_for_another(self, turn: Turn, item: SyncItem, track: Track) -> bool:
        """An earlier add of the same track may have happened: only its read-back tells whether this one is needed."""
        for other in await self._storage.items.unknown_with_intent():
            if other.destination_id == track.external_id and other.service is item.service and other.id != item.id:
                await self._settler.later(item, turn.token, other.not_before)
                return True
        return False

    async def _unresolved(self, turn: Turn, item: SyncItem, error: CrossfadeError) -> bool:
        """Resolving failed, nothing was written. A lack of searches lets the turn go on: others may need none."""
        if self._settler.decide(item, error).step in (Step.BLACKLIST, Step.SETTLED):
            await self._settler.give_up(turn.burst, item, turn.token, str(error))  # words about writes, not searches
            return True
        decision = await self._settler.failed(turn.burst, [item], turn.token, error)
        searches_only = isinstance(error, QuotaSpent) and error.bucket == Bucket.YOUTUBE_SEARCH
        return searches_only or decision.step not in _STOPS

    async def _send(self, turn: Turn, batch: Sequence[tuple[SyncItem, Track]], sources: dict[str, Track]) -> bool:
        """One attempt for the whole batch. A refusal of a batch is tried again in halves, to find whom it means."""
        items = [item for item, _ in batch]
        tracks = [track for _, track in batch]
        position = self._position(turn, items[0])
        await self._intend(turn, items, _copies_before(turn.destination, batch))
        try:
            await unbroken(self._attempt_add(turn, batch, position))
        except CrossfadeError as error:
            decision = self._settler.decide(items[0], error)
            if len(batch) > 1 and decision.step in (Step.BLACKLIST, Step.GIVE_UP):
                half = len(batch) // 2
                first = await self._send(turn, batch[:half], sources)
                return first and await self._send(turn, batch[half:], sources)
            return await self._add_failed(turn, items[0], items, tracks[0], sources, error)
        return True

    async def _attempt_add(self, turn: Turn, batch: Sequence[tuple[SyncItem, Track]], position: int | None) -> None:
        ids = [track.external_id for _, track in batch]
        await turn.service.add(turn.playlist.external_id, ids, position)
        self._crash("after_send")
        turn.destination.added(ids, position)
        for item, track in batch:
            self._destinations.wrote(turn.playlist, track)
            link = added_link(turn.burst.mapping, item, track.external_id, wrote=True)
            await self._settler.done(turn.burst, item, turn.token, link=link)

    async def _add_failed(
        self,
        turn: Turn,
        item: SyncItem,
        items: Sequence[SyncItem],
        track: Track,
        sources: dict[str, Track],
        error: CrossfadeError,
    ) -> bool:
        await self._check_playlist(turn, items, error)
        decision = await self._settler.failed(turn.burst, items, turn.token, error)
        if decision.step is Step.SETTLED:
            for one in items:
                link = added_link(turn.burst.mapping, one, one.destination_id, wrote=False)
                await self._settler.done(turn.burst, one, turn.token, link=link, wrote=False)
        if decision.step is Step.BLACKLIST and "undo" in item.payload:
            await self._settler.skipped(turn.burst, item, turn.token, decision.reason)
        elif decision.step is Step.BLACKLIST:
            why = NotFound(reason=BlacklistReason.UNAVAILABLE, explanation=f"{track.title}: {decision.reason}")
            await self._storage.matches.forget(item.source_service, item.source_track_id, item.destination_service)
            item = replace(item, payload={key: item.payload[key] for key in item.payload if key != "track_id"})
            await self._settler.blacklisted(turn.burst, item, turn.token, sources[item.source_track_id], why)
        return decision.step not in _STOPS

    def _position(self, turn: Turn, item: SyncItem) -> int | None:
        """Where an add goes; None: at the end, also where earlier adds failed and the place is beyond it."""
        if item.position is None or item.payload.get("at_end") or item.position >= len(turn.destination):
            return None
        return item.position

    # Removes, moves, renames

    async def _change(self, turn: Turn, item: SyncItem) -> bool:
        with bound(item_id=item.id):
            log.info(Event.ITEM_PROCESSING, extra={"title": item.source_track_title})
            try:
                match item.action:
                    case Action.REMOVE_TRACK:
                        await self._remove(turn, item)
                    case Action.MOVE_TRACK:
                        await self._move(turn, item)
                    case _:
                        await self._rename(turn, item)
            except CrossfadeError as error:
                return await self._change_failed(turn, item, error)
        return True

    async def _change_failed(self, turn: Turn, item: SyncItem, error: CrossfadeError) -> bool:
        await self._check_playlist(turn, [item], error)
        decision = await self._settler.failed(turn.burst, [item], turn.token, error)
        if decision.step is Step.SETTLED:
            link = removed_link(turn.burst.mapping, item)
            await self._settler.done(turn.burst, item, turn.token, link=link, wrote=False)
        elif decision.step is Step.BLACKLIST:
            await self._settler.skipped(turn.burst, item, turn.token, decision.reason)
        return decision.step not in _STOPS

    async def _remove(self, turn: Turn, item: SyncItem) -> None:
        track_id = item.destination_id
        copies = turn.destination.copies(track_id)
        link = removed_link(turn.burst.mapping, item)
        if copies == 0 or _is_gone(turn, item):
            await self._settler.done(turn.burst, item, turn.token, link=link, wrote=False)
            return
        if _takes_too_many(turn, item, copies):
            reason = f"there are more copies now, and {turn.service.service.label} would remove every one"
            await self._settler.skipped(turn.burst, item, turn.token, reason)
            return
        entry_id = turn.destination.entry_id(track_id, str(item.payload.get("entry_id", "")))
        await self._intend(turn, [item], {item.id: copies})

        async def attempt() -> None:
            await turn.service.remove(turn.playlist.external_id, track_id, entry_id)
            self._crash("after_send")
            every_copy = turn.service.capabilities.removes_all_copies
            turn.destination.removed(track_id, entry_id, every_copy=every_copy)
            self._destinations.wrote(turn.playlist, _track(item))
            await self._settler.done(turn.burst, item, turn.token, link=link)

        await unbroken(attempt())

    async def _move(self, turn: Turn, item: SyncItem) -> None:
        entry_id = str(item.payload.get("entry_id", ""))
        # Spotify's entries have no ids: of several copies the plan means the one at its index.
        origin = turn.destination.find(item.destination_id, entry_id, int(item.payload.get("origin", 0)))
        position = min(item.position or 0, len(turn.destination) - 1)
        if origin is None:
            await self._settler.skipped(turn.burst, item, turn.token, "it is not in the playlist any more")
            return
        if origin == position:
            await self._settler.done(turn.burst, item, turn.token, link=None, wrote=False)
            return
        await self._intend(turn, [item], {item.id: turn.destination.copies(item.destination_id)})
        key = entry_id or turn.destination.entry_id(item.destination_id)

        async def attempt() -> None:
            await turn.service.move(turn.playlist.external_id, item.destination_id, key, origin, position)
            self._crash("after_send")
            turn.destination.moved(origin, position)
            await self._settler.done(turn.burst, item, turn.token, link=None)

        await unbroken(attempt())

    async def _rename(self, turn: Turn, item: SyncItem) -> None:
        await self._intend(turn, [item], {item.id: 0})

        async def attempt() -> None:
            await turn.service.rename(turn.playlist.external_id, str(item.payload.get("name", "")))
            self._crash("after_send")
            await self._settler.done(turn.burst, item, turn.token, link=None)

        await unbroken(attempt())

    # Around each attempt

    async def _intend(self, turn: Turn, items: Sequence[SyncItem], copies: dict[int, int]) -> None:
        """Say durably that these items are about to be sent. Raises LeaseLost, QueueRests, RunCancelled."""
        self._crash("before_intent")
        ids = [item.id for item in items]
        if not await self._storage.items.write_intent(ids, turn.token, self._clock.now(), copies):
            await self._wanted(ids)
            raise LeaseLost
        self._crash("after_intent")

    async def _wanted(self, ids: Sequence[int]) -> None:
        """Raises QueueRests, RunCancelled where people want these items not to be sent."""
        if await self._storage.queue_pauses.holds(ids):
            raise QueueRests
        if await self._storage.items.any_stopped(ids):
            raise RunCancelled

    async def _check_playlist(self, turn: Turn, items: Sequence[SyncItem], error: CrossfadeError) -> None:
        """Tell a playlist that is gone from a track that is: both may answer 404. Raises PlaylistLost."""
        if not isinstance(error, Missing | Forbidden) or error.code == "playlistItemNotFound":
            return
        try:
            info = await turn.service.playlist(turn.playlist.external_id)
        except (Missing, Forbidden) as gone:
            cause: CrossfadeError = gone
        except CrossfadeError:
            return  # it cannot be told now; the item itself is retried or given up as its own error says
        else:
            if info.writable:
                return
            cause = error
        for item in items:
            await self._settler.later(item, turn.token, None)
        raise PlaylistLost(turn.playlist, cause)


# After these nothing more can be done for the service or the account in this turn.
_STOPS = (Step.WAIT_LOGIN, Step.WAIT_QUOTA, Step.WAIT_SERVICE)


async def unbroken(attempt: Coroutine[Any, Any, None]) -> None:
    """Let a write that has begun come to its settled end even when the program is stopped meanwhile."""
    task = asyncio.ensure_future(attempt)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        done, _ = await asyncio.wait([task], timeout=LAST_WAIT)
        if not done:
            task.cancel()
        elif not task.cancelled() and task.exception() is not None:
            log.warning(Event.TASK_FAILED, extra={"task": "execution", "error": str(task.exception())})
        raise


async def _alive(turn: Turn, item: SyncItem) -> None:
    await turn.lease.keep()
    await turn.burst.beat(item.source_track_title)


def _follows(one: SyncItem, other: SyncItem) -> bool:
    """Whether two adds can go out in one call with their places kept."""
    if one.position is None or one.payload.get("at_end"):
        return other.position is None or bool(other.payload.get("at_end"))
    return other.position == one.position + 1 and not other.payload.get("at_end")


def _is_there(turn: Turn, item: SyncItem, track: Track, copies: int) -> bool:
    """Whether an add needs no write. An undo knows how many copies there have to be."""
    if "undo" in item.payload:
        return copies >= int(item.payload["copies"])
    return already_there(turn.burst.links, turn.side, track.external_id, item.occurrence, copies)


def _is_gone(turn: Turn, item: SyncItem) -> bool:
    """An undo takes the very copy that we put there, none that stands in for it."""
    entry_id = str(item.payload.get("entry_id", ""))
    if "undo" not in item.payload or not entry_id:
        return False
    return turn.destination.entry_id(item.destination_id, entry_id) != entry_id


def _takes_too_many(turn: Turn, item: SyncItem, copies: int) -> bool:
    """Whether a delete that takes every copy would take some that came after the undo was planned."""
    every_copy = turn.service.capabilities.removes_all_copies
    return "undo" in item.payload and every_copy and copies > int(item.payload["copies"])


def _copies_before(destination: Destination, batch: Sequence[tuple[SyncItem, Track]]) -> dict[int, int]:
    """By item id: how many copies of its track there are when its turn in the batch comes."""
    earlier: Counter[str] = Counter()
    copies: dict[int, int] = {}
    for item, track in batch:
        copies[item.id] = destination.copies(track.external_id) + earlier[track.external_id]
        earlier[track.external_id] += 1
    return copies


def _track(item: SyncItem) -> Track:
    return Track(service=item.service, external_id=item.destination_id, title=item.source_track_title)
