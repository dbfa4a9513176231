"""What people decide about tracks that found no certain counterpart; their word holds for the whole guild."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.clock import Clock
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.item import SyncItem
from bot.model.music import Service, Track
from bot.model.review import (
    BlacklistReason,
    BlacklistRow,
    BlacklistState,
    DecidedBy,
    MatchRow,
    ReviewFilter,
    unambiguous,
)
from storage import Storage

log = logging.getLogger(__name__)

LARGEST = 2**62  # larger than any id
STALE = "This entry does not exist any more, or was settled meanwhile; /review shows what is open now."


MOST_AT_ONCE = 500  # decisions of one press; what is left stays for the next
_TOGETHER = 50  # rows read at once while many are decided


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCard:
    """One open row in its list: ``place`` of ``total``, counted from 1; ``source`` where the catalogue knows it."""

    row: BlacklistRow
    mapping_name: str
    source: Track | None
    place: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """``settled``: rows that somebody else had decided meanwhile; ``left``: rows that stay for the next press."""

    chosen: int
    settled: int
    left: int


class Reviews:
    """Actors are Discord user ids. Everything of another guild reads as "does not exist"."""

    def __init__(self, storage: Storage, clock: Clock, *, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._wake = wake

    async def open(self, guild_id: int, *, offset: int = 0, limit: int = 25) -> list[BlacklistRow]:
        """A page of what waits, oldest first."""
        return await self._storage.blacklist.of_guild(guild_id, BlacklistState.OPEN, offset, limit)

    async def card(
        self, guild_id: int, filter_: ReviewFilter, *, after: int = 0, before: int | None = None
    ) -> ReviewCard | None:
        """The next open row behind the row ``after``, or the one in front of ``before``; round the ends of the list."""
        rows = self._storage.review_list
        if before is not None:
            row = await rows.before(guild_id, filter_, before) or await rows.before(guild_id, filter_, LARGEST)
        else:
            row = await rows.after(guild_id, filter_, after) or (await rows.after(guild_id, filter_) if after else None)
        return None if row is None else await self.card_of(guild_id, filter_, row)

    async def card_of(self, guild_id: int, filter_: ReviewFilter, row: BlacklistRow) -> ReviewCard:
        """The card of just this row, with its place in the list."""
        rows = self._storage.review_list
        mapping = await self._storage.mappings.get(row.mapping_id, guild_id)
        return ReviewCard(
            row=row,
            mapping_name=mapping.name if mapping is not None else "",
            source=await self.source(row),
            place=await rows.count(guild_id, filter_, through=row.id),
            total=await rows.count(guild_id, filter_),
        )

    async def sure(self, guild_id: int, filter_: ReviewFilter, minimum: float) -> ReviewFilter:
        """The rows of the list, as it is now, whose unambiguous candidate scores at least ``minimum``."""
        last = await self._storage.review_list.last_id(guild_id, filter_)
        return replace(filter_, minimum=minimum, up_to=last or 1)

    async def source(self, row: BlacklistRow) -> Track | None:
        """What was sought, as the catalogue knows it: with its length and album."""
        return (await self._storage.tracks.get_many(row.service, [row.track_id])).get(row.track_id)

    async def get(self, guild_id: int, blacklist_id: int) -> BlacklistRow:
        row = await self._storage.blacklist.get(blacklist_id, guild_id)
        if row is None:
            raise UserMistake(STALE)
        return row

    async def of_item(self, guild_id: int, item_id: int) -> BlacklistRow | None:
        await self.item(guild_id, item_id)
        return await self._storage.blacklist.of_item(item_id)

    async def item(self, guild_id: int, item_id: int) -> SyncItem:
        item = await self._storage.items.get(item_id, guild_id)
        if item is None:
            raise UserMistake("This item does not exist any more; /logs and /stats show what there is.")
        return item

    async def choose(self, guild_id: int, blacklist_id: int, track_id: str, actor_id: int) -> BlacklistRow:
        """``track_id`` is the counterpart: remembered for the guild, and added at once wherever the track waits."""
        row = await self.unsettled(guild_id, blacklist_id)
        choice = next((one.track for one in row.candidates if one.track.external_id == track_id), None)
        if choice is None:
            raise UserMistake("That is none of the candidates any more; open /review again.")
        return await self.take(guild_id, row, choice, actor_id)

    async def take(self, guild_id: int, row: BlacklistRow, choice: Track, actor_id: int) -> BlacklistRow:
        """``choice`` is the counterpart, whether it stood among the candidates or not."""
        settled = await self._decide(guild_id, row, choice.external_id, actor_id, track=choice)
        for each in settled:
            await self._again(each)
        self._wake()
        self._log(Event.REVIEW_CHOSEN, guild_id, row, actor_id, choice=f"{choice.title} ({choice.byline})")
        return settled[0]

    async def accept_all(self, guild_id: int, filter_: ReviewFilter, actor_id: int) -> Accepted:
        """Take the unambiguous candidate of each row of the list, one decision after the other.

        ``filter_.minimum`` says how sure the candidate must be. A row that somebody decides meanwhile keeps that.
        """
        if filter_.minimum is None:
            raise UserMistake("How sure a candidate must be was not said, so nothing was accepted.")
        chosen = settled = 0
        place = (0, 0)
        decided: set[tuple[Service, str]] = set()  # a decision settles the track's rows in other mappings too
        while chosen + settled < MOST_AT_ONCE:
            rows = await self._storage.review_list.page(guild_id, filter_, place, _TOGETHER)
            if not rows:
                break
            for row in rows[: MOST_AT_ONCE - chosen - settled]:
                track = (row.service, row.track_id)
                taken = track in decided or await self._accepted(guild_id, row, filter_.minimum, actor_id)
                decided.add(track)
                chosen, settled = chosen + taken, settled + (not taken)
            place = (rows[-1].mapping_id, rows[-1].id)
        left = await self._storage.review_list.count(guild_id, filter_)
        log.info(
            Event.REVIEW_BULK,
            extra={"count": chosen, "minimum": f"{filter_.minimum:.2f}", "guild_id": guild_id, "actor_id": actor_id},
        )
        return Accepted(chosen=chosen, settled=settled, left=left)

    async def _accepted(self, guild_id: int, row: BlacklistRow, minimum: float, actor_id: int) -> bool:
        candidate = unambiguous(row.candidates)
        if candidate is None or candidate.score.total < minimum:
            return False
        try:
            await self.take(guild_id, row, candidate.track, actor_id)
        except UserMistake:  # somebody was faster: their decision stands
            return False
        return True

    async def never(self, guild_id: int, blacklist_id: int, actor_id: int) -> BlacklistRow:
        """The track is not on the other service: remembered for the guild, and not asked again."""
        row = await self.unsettled(guild_id, blacklist_id)
        settled = await self._decide(guild_id, row, "", actor_id)
        self._log(Event.REVIEW_NEVER, guild_id, row, actor_id, service=row.service.other.label)
        return settled[0]

    async def retry(self, guild_id: int, blacklist_id: int, actor_id: int) -> BlacklistRow:
        """Look for it again now; an earlier "not on that service" of the guild is taken back."""
        row = await self.get(guild_id, blacklist_id)
        if row.state is BlacklistState.RESOLVED:
            raise UserMistake(STALE)
        if row.reason is BlacklistReason.REJECTED_BY_USER:
            await self._storage.matches.forget(row.service, row.track_id, row.service.other, guild_id)
        await self._storage.blacklist.look_now(row.id, self._clock.now())
        await self._again(row)
        self._wake()
        self._log(Event.REVIEW_RETRIED, guild_id, row, actor_id)
        return await self.get(guild_id, blacklist_id)

    async def dismiss(self, guild_id: int, blacklist_id: int, actor_id: int) -> BlacklistRow:
        """Leave the track out of this mapping and do not show it again."""
        row = await self.unsettled(guild_id, blacklist_id)
        if not await self._storage.blacklist.dismiss(row.id):
            raise UserMistake(STALE)
        self._log(Event.REVIEW_DISMISSED, guild_id, row, actor_id)
        return await self.get(guild_id, blacklist_id)

    async def retry_item(self, guild_id: int, item_id: int, actor_id: int) -> SyncItem:
        """Put an item that failed or was left out back into the queue."""
        item = await self.item(guild_id, item_id)
        row = await self._storage.blacklist.of_item(item_id)
        if row is not None and row.state is not BlacklistState.RESOLVED:
            await self._storage.blacklist.look_now(row.id, self._clock.now())
        if not await self._storage.items.retry(item_id, guild_id):
            raise UserMistake(
                "There is nothing to retry: the item is done, in the queue already, or nobody asks for it any more. "
                "Details tells which."
            )
        self._wake()
        log.info(
            Event.ITEM_RETRIED,
            extra={
                "title": item.source_track_title,
                "item_id": item_id,
                "mapping_id": item.mapping_id,
                "guild_id": guild_id,
                "actor_id": actor_id,
            },
        )
        return await self.item(guild_id, item_id)

    async def unsettled(self, guild_id: int, blacklist_id: int) -> BlacklistRow:
        """The row, which is open. Raises UserMistake."""
        row = await self.get(guild_id, blacklist_id)
        if row.state is not BlacklistState.OPEN:
            raise UserMistake(STALE)
        return row

    async def _decide(
        self, guild_id: int, row: BlacklistRow, track_id: str, actor_id: int, *, track: Track | None = None
    ) -> list[BlacklistRow]:
        """The row and its twins in the guild's other mappings, settled. Raises UserMistake: somebody was faster."""
        answer = MatchRow(
            source_service=row.service,
            source_id=row.track_id,
            destination_service=row.service.other,
            destination_id=track_id,
            guild_id=guild_id,
            found_by="person",
            decided_by=DecidedBy.PERSON,
            decided_by_user=actor_id,
            decided_at=self._clock.now(),
            track=track,
        )
        settled = await self._storage.decisions.settle(row.id, answer)
        if settled is None:
            raise UserMistake(STALE)
        return settled

    async def _again(self, row: BlacklistRow) -> None:
        """Its item takes it up at once; where that is gone, the next analysis looks even if no playlist changed."""
        if row.item_id is None or not await self._storage.items.retry(row.item_id):
            await self._storage.mappings.update(row.mapping_id, last_analysed_at=None)

    def _log(self, event: Event, guild_id: int, row: BlacklistRow, actor_id: int, **fields: Any) -> None:
        log.info(
            event,
            extra={
                "title": row.title,
                "mapping_id": row.mapping_id,
                "item_id": row.item_id,
                "guild_id": guild_id,
                "actor_id": actor_id,
            }
            | fields,
        )
