"""Counterparts that people look for themselves: a search in their own words, or a link that they give."""

import asyncio
import logging
from dataclasses import dataclass

from bot.clock import Clock
from bot.engine.matching import match
from bot.engine.review import STALE, Reviews
from bot.engine.track_addresses import track_of
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.mapping import Mapping, Side
from bot.model.matching import Decision, Verdict
from bot.model.music import Service, Track
from bot.model.quota import Bucket
from bot.model.review import BlacklistReason, BlacklistRow
from bot.services.protocol import MusicService
from bot.services.registry import MusicServices
from storage import Storage

log = logging.getLogger(__name__)

QUERY = 200  # characters of a search that a service takes
KEPT = 10  # candidates that a row holds


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPrice:
    """What one search for a row takes out of ``bucket``; None: nothing that is counted."""

    service: Service
    bucket: Bucket | None


class ReviewSearch:
    """Actors are Discord user ids; every call goes through the account of the row's mapping and is charged to it."""

    def __init__(self, storage: Storage, services: MusicServices, reviews: Reviews, clock: Clock) -> None:
        self._storage = storage
        self._services = services
        self._reviews = reviews
        self._clock = clock

    async def price(self, guild_id: int, row_id: int) -> SearchPrice:
        """What a search for this row will cost. No call is made. Raises UserMistake where the row is not open."""
        row, mapping = await self._open(guild_id, row_id)
        service = await self._service(row, mapping)
        return SearchPrice(service=service.service, bucket=next(iter(service.capabilities.search_cost), None))

    async def search(self, guild_id: int, row_id: int, words: str, actor_id: int) -> BlacklistRow:
        """The row with what the service finds for ``words`` as its candidates, best first; one search is spent.

        Raises UserMistake where nothing is found (the row stays as it is) and the service's errors, QuotaSpent too.
        """
        words = " ".join(words.split())[:QUERY]
        if not words:
            raise UserMistake("A search needs a word or two: the title and the artist find most.")
        row, mapping = await self._open(guild_id, row_id)
        service = await self._service(row, mapping)
        found = await service.search(words)
        self._log(Event.REVIEW_SEARCHED, guild_id, row, actor_id, words=words)
        if not found:
            raise UserMistake(
                f"{service.service.label} finds nothing for “{words}”, so the candidates stay as they were. "
                "Fewer words, or the original spelling, often find more."
            )
        decision = await self._judged(row, mapping, found)
        offered = await self._storage.blacklist.offer(
            row.id, decision.candidates[:KEPT], _reason(decision), decision.reason
        )
        if offered is None:
            raise UserMistake(STALE)
        return offered

    async def link(self, guild_id: int, row_id: int, text: str, actor_id: int) -> tuple[BlacklistRow, Track]:
        """The track behind a link is the counterpart: checked with the service, remembered and added like a choice."""
        row, mapping = await self._open(guild_id, row_id)
        wanted = row.service.other
        track_id = track_of(text, wanted)
        service = await self._service(row, mapping)
        found = await service.tracks([track_id])
        if not found:
            raise UserMistake(
                f"{wanted.label} does not know this {_noun(wanted)}: it was deleted, is private, or the link is "
                "mistyped. Nothing was changed; give another link."
            )
        track = found[0]
        if not track.available:
            raise UserMistake(
                f"This {_noun(wanted)} cannot be added: {wanted.label} has it blocked, private or deleted. Nothing was "
                "changed; give another link."
            )
        return await self._reviews.take(guild_id, row, track, actor_id), track

    async def _open(self, guild_id: int, row_id: int) -> tuple[BlacklistRow, Mapping]:
        row = await self._reviews.unsettled(guild_id, row_id)
        mapping = await self._storage.mappings.get(row.mapping_id, guild_id)
        if mapping is None:
            raise UserMistake(STALE)
        return row, mapping

    async def _service(self, row: BlacklistRow, mapping: Mapping) -> MusicService:
        for side in Side:
            playlist = mapping.playlist(side)
            if playlist.service is row.service.other:
                return await self._services.for_account(playlist.account_id, mapping_id=mapping.id)
        raise UserMistake(
            f"Neither playlist of “{mapping.name}” is on {row.service.other.label}, so nothing is sought."
        )

    async def _judged(self, row: BlacklistRow, mapping: Mapping, found: list[Track]) -> Decision:
        source = (await self._reviews.source(row)) or Track(
            service=row.service, external_id=row.track_id, title=row.title, artists=row.artists
        )
        return await asyncio.to_thread(match, source, found, mapping.policy)

    def _log(self, event: Event, guild_id: int, row: BlacklistRow, actor_id: int, **fields: str) -> None:
        about = {"title": row.title, "mapping_id": row.mapping_id, "item_id": row.item_id}
        log.info(event, extra=about | {"guild_id": guild_id, "actor_id": actor_id} | fields)


def _reason(decision: Decision) -> BlacklistReason:
    rejected = decision.verdict is Verdict.REJECT
    return BlacklistReason.SEARCH_FAILED if rejected else BlacklistReason.LOW_CONFIDENCE


def _noun(service: Service) -> str:
    return "video" if service is Service.YOUTUBE else "track"
