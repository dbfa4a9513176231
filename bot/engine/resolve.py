"""Which track of the destination is the counterpart of a source track, asked from the cheapest source first."""

import asyncio
from dataclasses import dataclass

from bot.clock import Clock
from bot.engine.destination import Destination
from bot.engine.matching import match, queries, settled
from bot.engine.memory import usable
from bot.model.item import SyncItem
from bot.model.mapping import Mapping
from bot.model.matching import Candidate, Decision, Verdict
from bot.model.music import Service, Track
from bot.model.review import BlacklistReason, DecidedBy, MatchRow
from bot.services.protocol import MusicService
from storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``how``: person, payload, source, memory, playlist, isrc or text; ``searched``: it took a search."""

    track: Track
    how: str
    searched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """Why there is no counterpart to write, and what a person could choose from."""

    reason: BlacklistReason
    explanation: str
    candidates: tuple[Candidate, ...] = ()


class Resolver:
    """``official_search``: YouTube is searched through its API, where each search is dear."""

    def __init__(self, storage: Storage, clock: Clock, *, official_search: bool = True) -> None:
        self._storage = storage
        self._clock = clock
        self._official_search = official_search

    async def resolve(
        self, item: SyncItem, source: Track, mapping: Mapping, service: MusicService, destination: Destination
    ) -> Found | NotFound:
        """A person's decision, payload, memory, what the playlist holds, then search. Raises the service's errors."""
        known = await self._known(item, source, mapping)
        if known is not None:
            return known
        decision = await asyncio.to_thread((await destination.shelf()).best, source, mapping.policy)
        if decision.verdict is Verdict.ACCEPT and decision.chosen is not None:
            return await self._remembered(source, item, decision.chosen, "playlist", searched=False)
        return await self._searched(item, source, mapping, service)

    async def _known(self, item: SyncItem, source: Track, mapping: Mapping) -> Found | NotFound | None:
        if "undo" in item.payload:  # the very track that was there, whatever was decided since
            return Found(track=await self._catalogued(item), how="payload")
        rows = await self._storage.matches.find(
            item.source_service, [source.external_id], mapping.guild_id, item.destination_service
        )
        row = rows.get(source.external_id)
        if row is not None and row.decided_by is DecidedBy.PERSON:
            if not row.destination_id:
                return NotFound(
                    reason=BlacklistReason.REJECTED_BY_USER,
                    explanation=f"A person decided that it is not on {item.destination_service.label}.",
                )
            return Found(track=_track(row, item), how="person")
        if item.destination_id:
            return Found(track=await self._catalogued(item), how="payload")
        if item.source_service is item.destination_service:
            return Found(track=source, how="source")
        if row is not None and usable(row, mapping.policy, self._clock.now()):
            return Found(track=_track(row, item), how="memory")
        return None

    async def _catalogued(self, item: SyncItem) -> Track:
        service, track_id = item.destination_service, item.destination_id
        known = await self._storage.tracks.get_many(service, [track_id])
        return known.get(track_id) or Track(service=service, external_id=track_id, title=item.source_track_title)

    async def _searched(
        self, item: SyncItem, source: Track, mapping: Mapping, service: MusicService
    ) -> Found | NotFound:
        found: dict[str, Track] = {}
        decision = match(source, (), mapping.policy)
        for query in queries(source, item.destination_service, official_search=self._is_dear(item.destination_service)):
            for track in await service.search(query.text, isrc=query.isrc):
                found.setdefault(track.external_id, track)
            decision = match(source, tuple(found.values()), mapping.policy)
            if settled(decision):
                break
        if decision.verdict is Verdict.ACCEPT and decision.chosen is not None:
            how = "isrc" if decision.chosen.track.from_isrc else "text"
            return await self._remembered(source, item, decision.chosen, how, searched=True)
        return _not_found(decision)

    def _is_dear(self, service: Service) -> bool:
        return self._official_search and service is Service.YOUTUBE

    async def _remembered(self, source: Track, item: SyncItem, chosen: Candidate, how: str, *, searched: bool) -> Found:
        row = MatchRow(
            source_service=item.source_service,
            source_id=source.external_id,
            destination_service=item.destination_service,
            destination_id=chosen.track.external_id,
            score=chosen.score.total,
            parts=chosen.score.parts,
            found_by=how,
            explanation=chosen.score.reason,
            decided_at=self._clock.now(),
            track=chosen.track,
        )
        await self._storage.matches.remember(row)
        return Found(track=chosen.track, how=how, searched=searched)


def _not_found(decision: Decision) -> NotFound:
    review = decision.verdict is Verdict.REVIEW
    return NotFound(
        reason=BlacklistReason.LOW_CONFIDENCE if review else BlacklistReason.SEARCH_FAILED,
        explanation=decision.reason,
        candidates=decision.candidates,
    )


def _track(row: MatchRow, item: SyncItem) -> Track:
    if row.track is not None:
        return row.track
    return Track(service=row.destination_service, external_id=row.destination_id, title=item.source_track_title)
