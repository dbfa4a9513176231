"""How an item ends or waits: done, retried, unknown, blacklisted or failed, each durably and with its log line."""

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.engine.burst import Burst
from bot.engine.resolve import NotFound
from bot.engine.retry import RetryDecision, Step, decide
from bot.engine.undoing import change_of
from bot.logs.context import bound
from bot.model.errors import QuotaSpent, RetryLater
from bot.model.events import Event
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Link, LinkState, Mapping, Side
from bot.model.music import Service, Track
from bot.model.plan import LinkChange
from bot.model.quota import Bucket
from bot.model.review import BlacklistReason
from storage import Storage

log = logging.getLogger(__name__)

# How long a playlist that could not be opened is left alone when nobody says how long.
UNTOLD = timedelta(minutes=5)
# How long a service that cannot be connected to is left alone, and the code by which we know it.
OUTAGE = timedelta(minutes=1)
UNREACHABLE = "unreachable"
# From so many failures in a row on, whatever the items, it is the service that fails.
TROUBLES_THAT_COUNT = 5
LONGEST_REST = timedelta(minutes=30)

_DONE_EVENTS = {
    Action.ADD_TRACK: Event.ITEM_ADDED,
    Action.REMOVE_TRACK: Event.ITEM_REMOVED,
    Action.MOVE_TRACK: Event.ITEM_MOVED,
    Action.RENAME_PLAYLIST: Event.ITEM_RENAMED,
}
_DONE_COUNTS = {Action.ADD_TRACK: "adds", Action.REMOVE_TRACK: "removals"}


class Settler:
    """Writes outcomes. Every method does nothing to an item whose lease ``token`` was lost meanwhile."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        *,
        settle: timedelta,
        crash: Callable[[str], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._settle = settle
        self._crash = crash
        self._jitter = jitter
        self._troubles: Counter[Service] = Counter()
        self._rests: dict[Service, datetime] = {}
        self._told: dict[tuple[Bucket, datetime], bool] = {}  # quota waits that the log knows of

    async def done(
        self, burst: Burst, item: SyncItem, token: str, *, link: LinkChange | None, wrote: bool = True
    ) -> bool:
        """The effect is there. ``wrote`` False: it was there already, so that nothing was sent."""
        self._crash("before_settle")
        now = self._clock.now()
        self._success(item.service)
        if not await self._storage.items.settle_done(
            item.id, token, now=now, link=link, payload=item.payload, wrote=wrote
        ):
            return False
        if link is not None:
            burst.relink(link)
        if item.action is Action.ADD_TRACK:
            await self._counterpart_found(burst, item)
        burst.ended()
        counted = _DONE_COUNTS.get(item.action) if wrote else "skipped"
        if counted is not None:
            burst.count(**{counted: 1})
        with bound(item_id=item.id):
            _tell_done(burst.mapping, item, wrote=wrote)
        self._crash("after_settle")
        return True

    async def skipped(self, burst: Burst, item: SyncItem, token: str, reason: str) -> None:
        """The effect is no longer wanted or possible, and nobody needs to act."""
        now = self._clock.now()
        if await self._storage.items.settle(
            item.id, token, ItemStatus.SKIPPED, now=now, last_error=reason, payload=item.payload, attempts=0
        ):
            burst.ended()
            burst.count(skipped=1)
            with bound(item_id=item.id):
                log.info(Event.ITEM_SKIPPED, extra={"title": item.source_track_title, "reason": reason})

    async def blacklisted(self, burst: Burst, item: SyncItem, token: str, source: Track, why: NotFound) -> None:
        """No counterpart can be written: analysis passes the track over until a person or a later look decides."""
        now = self._clock.now()
        await self._storage.blacklist.put(
            burst.mapping.id, source, why.reason, why.explanation, why.candidates, item.id, now
        )
        if await self._storage.items.settle(
            item.id,
            token,
            ItemStatus.BLACKLISTED,
            now=now,
            last_error=f"{why.reason.value}: {why.explanation}",
            payload=item.payload,
            attempts=0,
        ):
            burst.ended()
            burst.count(skipped=1)
            review = why.reason is BlacklistReason.LOW_CONFIDENCE
            event = Event.ITEM_REVIEW if review else Event.ITEM_BLACKLISTED
            extra = {"title": item.source_track_title, "reason": why.explanation}
            with bound(item_id=item.id):
                log.warning(event, extra=extra)

    async def later(self, item: SyncItem, token: str, not_before: datetime | None) -> None:
        """Nothing was sent and nothing is wrong with the item: it waits for ``not_before`` (None: for its turn)."""
        await self._storage.items.settle(
            item.id,
            token,
            ItemStatus.PENDING,
            now=self._clock.now(),
            not_before=not_before,
            payload=item.payload,
            attempts=0,
        )

    async def group_waits(self, items: Sequence[SyncItem], mapping: Mapping, error: Exception) -> None:
        """Nothing can be done for these items' playlist now, as ``error`` says: all of its mapping's items wait."""
        decision = self.decide(items[0], error)
        if isinstance(error, QuotaSpent):
            await self._quota_waits(error)
        if decision.step is not Step.WAIT_LOGIN:
            until = decision.at or self._clock.now() + UNTOLD
            await self._storage.items.postpone(
                until, mapping_id=mapping.id, service=items[0].service, last_error=decision.reason
            )

    async def give_up(self, burst: Burst, item: SyncItem, token: str, reason: str) -> None:
        """The item failed for good; a person may retry it."""
        decision = RetryDecision(step=Step.GIVE_UP, reason=reason)
        await self._back(burst, item, token, decision)

    async def failed(self, burst: Burst, items: Sequence[SyncItem], token: str, error: Exception) -> RetryDecision:
        """Settle items whose common attempt raised ``error``; returns what was decided, for the rest of the turn.

        ``BLACKLIST`` and ``SETTLED`` are left to the caller, who knows the tracks.
        """
        decision = self.decide(items[0], error)
        if decision.step in (Step.BLACKLIST, Step.SETTLED):
            return decision
        if isinstance(error, RetryLater) and error.code == UNREACHABLE:
            # No item is at fault while nothing can be reached: all of them wait, and no attempt is counted.
            decision = replace(decision, step=Step.WAIT_SERVICE, at=self._clock.now() + OUTAGE, counts=False)
        if decision.step is Step.READ_BACK:
            self._trouble(items[0].service)
            await self._unknown(items, token, decision)
            return decision
        if decision.step is Step.RETRY:
            self._trouble(items[0].service)
        for item in items:
            await self._back(burst, item, token, decision)
        if isinstance(error, QuotaSpent):
            await self._quota_waits(error)
        if decision.step is Step.WAIT_SERVICE and decision.at is not None:
            await self._storage.items.postpone(decision.at, service=items[0].service, last_error=decision.reason)
        return decision

    def resting(self, service: Service) -> datetime | None:
        """Until when to leave a service alone that has failed again and again; None: it may be written to."""
        until = self._rests.get(service)
        return until if until is not None and until > self._clock.now() else None

    def _trouble(self, service: Service) -> None:
        """One more failure in a row. Each further try costs a call, on YouTube 50 units: the waits double."""
        self._troubles[service] += 1
        extra = self._troubles[service] - TROUBLES_THAT_COUNT
        if extra >= 0:
            self._rests[service] = self._clock.now() + min(self._settle * (1 << min(extra, 10)), LONGEST_REST)

    def _success(self, service: Service) -> None:
        self._troubles.pop(service, None)
        self._rests.pop(service, None)

    def decide(self, item: SyncItem, error: Exception) -> RetryDecision:
        return decide(
            error,
            attempts=item.attempts,
            now=self._clock.now(),
            jitter=self._jitter(),
            settle=self._settle,
            action=item.action,
        )

    async def _unknown(self, items: Sequence[SyncItem], token: str, decision: RetryDecision) -> None:
        not_before = decision.at or self._clock.now() + self._settle
        ids = [item.id for item in items]
        await self._storage.items.to_unknown(ids, token, not_before=not_before, last_error=decision.reason)
        for item in items:
            with bound(item_id=item.id):
                extra = {"title": item.source_track_title, "error": decision.reason}
                log.warning(Event.ITEM_UNKNOWN, extra=extra)

    async def _back(self, burst: Burst, item: SyncItem, token: str, decision: RetryDecision) -> None:
        gives_up = decision.step is Step.GIVE_UP
        payload = item.payload | {"at_end": True} if decision.step is Step.RETRY_AT_END else item.payload
        kept = await self._storage.items.settle(
            item.id,
            token,
            ItemStatus.ERROR if gives_up else ItemStatus.PENDING,
            now=self._clock.now(),
            last_error=decision.reason,
            not_before=None if gives_up else decision.at,
            payload=payload,
            attempts=1 if decision.counts else 0,
        )
        if not kept:
            return
        extra = {"title": item.source_track_title, "error": decision.reason, "at": decision.at}
        with bound(item_id=item.id):
            if gives_up:
                burst.ended()
                burst.count(failed=1)
                log.error(Event.ITEM_ERROR, extra=extra)
            elif decision.step in (Step.RETRY, Step.RETRY_AT_END):
                log.info(Event.ITEM_RETRY, extra=extra)

    async def _quota_waits(self, error: QuotaSpent) -> None:
        """Everything that needs the bucket waits for its reset, with one line in the log."""
        bucket = Bucket(error.bucket)
        waiting = 0
        if bucket is not Bucket.YOUTUBE_SEARCH:  # what needs no search goes on
            service = Service.SPOTIFY if bucket is Bucket.SPOTIFY_CALLS else Service.YOUTUBE
            waiting = await self._storage.items.postpone(error.until, service=service, last_error=str(error))
        if not self._told.get((bucket, error.until)):
            self._told[bucket, error.until] = True
            extra = {"bucket": bucket.value, "until": error.until, "items": waiting + 1}
            log.warning(Event.QUOTA_SPENT, extra=extra)

    async def _counterpart_found(self, burst: Burst, item: SyncItem) -> None:
        source = Track(service=item.source_service, external_id=item.source_track_id, title=item.source_track_title)
        await self._storage.blacklist.resolve_track(burst.mapping.id, source)


def side_of(mapping: Mapping, item: SyncItem) -> Side:
    """The side whose playlist the item changes."""
    named = item.payload.get("side")
    if named is not None:
        return Side(named)
    return Side.LEFT if mapping.left.service is item.service else Side.RIGHT


def added_link(mapping: Mapping, item: SyncItem, track_id: str, *, wrote: bool) -> LinkChange:
    """The pair that a finished add has made. ``suspect``: the write was sent more than once."""
    if undone := change_of(item):
        return undone
    side = side_of(mapping, item)
    left, right = (track_id, item.source_track_id) if side is Side.LEFT else (item.source_track_id, track_id)
    link = Link(
        mapping_id=mapping.id,
        left_track_id=left,
        right_track_id=right,
        occurrence=item.occurrence,
        state=LinkState.ACTIVE,
        written_side=side if wrote else None,
        suspect=wrote and bool(item.payload.get("suspect")),
    )
    return LinkChange(before=None, after=link)


def removed_link(mapping: Mapping, item: SyncItem) -> LinkChange | None:
    """The pair that a finished removal ends; None for copies that belonged to no pair."""
    if undone := change_of(item):
        return undone
    if item.payload.get("surplus") or not item.payload.get("linked", True):
        return None
    side = side_of(mapping, item)
    track_id = item.destination_id
    left, right = (track_id, item.source_track_id) if side is Side.LEFT else (item.source_track_id, track_id)
    before = Link(mapping_id=mapping.id, left_track_id=left, right_track_id=right, occurrence=item.occurrence)
    return LinkChange(before=before, after=None)


def _tell_done(mapping: Mapping, item: SyncItem, *, wrote: bool) -> None:
    extra: dict[str, object] = {
        "title": item.source_track_title,
        "playlist": mapping.playlist(side_of(mapping, item)).name,
    }
    if not wrote:
        log.info(Event.ITEM_SKIPPED, extra=extra | {"reason": "it is so already"})
        return
    if item.action is Action.MOVE_TRACK:
        extra |= {"position": item.position}
    if item.action is Action.RENAME_PLAYLIST:
        extra |= {"name_after": item.payload.get("name", "")}
    log.info(_DONE_EVENTS[item.action], extra=extra)
