"""What a mapping with several sources has on its left: their tracks in order, each once."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from bot.clock import Clock
from bot.engine.analysis.union import union
from bot.engine.reading import WHOLE_READ_EVERY, Listings, PlaylistGone
from bot.engine.sync import Chosen
from bot.model.errors import Forbidden, NotFound
from bot.model.mapping import Mapping, Playlist, Side
from bot.model.music import Part, PlaylistContent, PlaylistInfo
from bot.services.registry import MusicServices
from storage import Storage


class Sources:
    """``routed`` says what the router chose, for mappings that are its own."""

    def __init__(self, storage: Storage, services: MusicServices, clock: Clock, routed: Chosen) -> None:
        self._storage = storage
        self._services = services
        self._clock = clock
        self._routed = routed

    async def content_of(self, mapping: Mapping, listings: Listings, full: bool = False) -> PlaylistContent | None:
        """What stands in for the left playlist; None where that stands for itself. Raises PlaylistGone.

        Several sources are read whole together as soon as the change token of one is another; until then, and unless
        ``full``, what they gave is known.
        """
        if not mapping.more:
            return await self._routed(mapping, listings, full)
        sources = mapping.sources(Side.RIGHT)
        infos = [await listings.info(one, mapping.id) for one in sources]
        token = _token(sources, infos)
        before = await self._storage.snapshots.latest(mapping.id, Side.LEFT)
        if before is not None and not full and self._vouched(before.info, token):
            return before
        began = self._clock.now()
        contents = [await self._read(*one, mapping) for one in zip(sources, infos, strict=True)]
        entries = union(content.entries for content in contents)
        parts = tuple(
            Part(playlist_id=one.id, external_id=one.external_id, count=len(content.entries))
            for one, content in zip(sources, contents, strict=True)
        )
        info = replace(infos[0], item_count=len(entries), change_token=token, fetched_at=began, parts=parts)
        return PlaylistContent(info=info, entries=entries, skipped=sum(content.skipped for content in contents))

    async def _read(self, playlist: Playlist, info: PlaylistInfo, mapping: Mapping) -> PlaylistContent:
        service = await self._services.for_account(playlist.account_id, mapping_id=mapping.id)
        try:
            return await service.content(playlist.external_id, info)
        except (NotFound, Forbidden) as error:
            raise PlaylistGone(playlist, error) from error

    def _vouched(self, before: PlaylistInfo, token: str) -> bool:
        old = before.fetched_at is None or before.fetched_at <= self._clock.now() - WHOLE_READ_EVERY
        return bool(token) and before.change_token == token and not (before.token_is_hint and old)


def _token(sources: Sequence[Playlist], infos: Sequence[PlaylistInfo]) -> str:
    """One change token for all; '' where one of them has none."""
    if not all(info.change_token for info in infos):
        return ""
    told = "\n".join(f"{one.id} {info.change_token}" for one, info in zip(sources, infos, strict=True))
    return f"sources:{hashlib.sha256(told.encode()).hexdigest()[:32]}"
