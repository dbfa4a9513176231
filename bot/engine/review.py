"""What people decide about tracks that found no certain counterpart; their word holds for the whole guild."""

import logging
from collections.abc import Callable
from typing import Any

from bot.clock import Clock
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.item import SyncItem
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState, DecidedBy, MatchRow
from storage import Storage

log = logging.getLogger(__name__)

STALE = "This entry does not exist any more, or was settled meanwhile; /review shows what is open now."


class Reviews:
    """Actors are Discord user ids. Everything of another guild reads as "does not exist"."""

    def __init__(self, storage: Storage, clock: Clock, *, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._wake = wake

    async def open(self, guild_id: int, *, offset: int = 0, limit: int = 25) -> list[BlacklistRow]:
        """A page of what waits, oldest first."""
        return await self._storage.blacklist.of_guild(guild_id, BlacklistState.OPEN, offset, limit)

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
        row = await self._unsettled(guild_id, blacklist_id)
        choice = next((one.track for one in row.candidates if one.track.external_id == track_id), None)
        if choice is None:
            raise UserMistake("That is none of the candidates any more; open /review again.")
        await self._storage.tracks.remember([choice])
        await self._decide(guild_id, row, track_id, actor_id)
        for twin in await self._twins(guild_id, row):
            await self._storage.blacklist.resolve(twin.id)
            await self._again(twin)
        self._wake()
        self._log(Event.REVIEW_CHOSEN, guild_id, row, actor_id, choice=f"{choice.title} ({choice.byline})")
        return await self.get(guild_id, blacklist_id)

    async def never(self, guild_id: int, blacklist_id: int, actor_id: int) -> BlacklistRow:
        """The track is not on the other service: remembered for the guild, and not asked again."""
        row = await self._unsettled(guild_id, blacklist_id)
        await self._decide(guild_id, row, "", actor_id)
        for twin in await self._twins(guild_id, row):
            await self._storage.blacklist.reject(twin.id)
        self._log(Event.REVIEW_NEVER, guild_id, row, actor_id, service=row.service.other.label)
        return await self.get(guild_id, blacklist_id)

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
        row = await self._unsettled(guild_id, blacklist_id)
        await self._storage.blacklist.dismiss(row.id)
        self._log(Event.REVIEW_DISMISSED, guild_id, row, actor_id)
        return await self.get(guild_id, blacklist_id)

    async def retry_item(self, guild_id: int, item_id: int, actor_id: int) -> SyncItem:
        """Put an item that failed or was left out back into the queue."""
        item = await self.item(guild_id, item_id)
        row = await self._storage.blacklist.of_item(item_id)
        if row is not None and row.state is not BlacklistState.RESOLVED:
            await self._storage.blacklist.look_now(row.id, self._clock.now())
        if not await self._storage.items.retry(item_id, guild_id):
            raise UserMistake("There is nothing to retry: the item is done, or in the queue already.")
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

    async def _unsettled(self, guild_id: int, blacklist_id: int) -> BlacklistRow:
        row = await self.get(guild_id, blacklist_id)
        if row.state is not BlacklistState.OPEN:
            raise UserMistake(STALE)
        return row

    async def _decide(self, guild_id: int, row: BlacklistRow, track_id: str, actor_id: int) -> None:
        await self._storage.matches.remember(
            MatchRow(
                source_service=row.service,
                source_id=row.track_id,
                destination_service=row.service.other,
                destination_id=track_id,
                guild_id=guild_id,
                found_by="person",
                decided_by=DecidedBy.PERSON,
                decided_by_user=actor_id,
                decided_at=self._clock.now(),
            )
        )

    async def _twins(self, guild_id: int, row: BlacklistRow) -> list[BlacklistRow]:
        """The rows of the same track in all mappings of the guild, this one included."""
        return await self._storage.blacklist.of_track(guild_id, row.service, row.track_id)

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
