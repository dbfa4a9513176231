"""Reading the two playlists of a mapping: change tokens first, and whole only what changed."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.engine.analysis.guards import source_collapsed
from bot.engine.destination import Destinations
from bot.model.errors import Forbidden, NotFound
from bot.model.mapping import Mapping, Playlist, Side
from bot.model.music import Part, PlaylistContent, PlaylistInfo, Service
from bot.model.plan import Guard
from bot.services.registry import MusicServices
from storage import Storage

log = logging.getLogger(__name__)

# YouTube's etag and item count are hints only (PLATFORM.md), and so is what stands for Spotify's liked songs, which
# have no snapshot id: read them whole at least once a day.
WHOLE_READ_EVERY = timedelta(hours=24)


class PlaylistGone(Exception):
    """The playlist on ``side`` cannot be read any more: deleted, made private, or no longer this account's."""

    def __init__(self, playlist: Playlist, cause: NotFound | Forbidden) -> None:
        super().__init__(str(cause))
        self.playlist = playlist
        self.cause = cause


class Listings:
    """The accounts' lists of playlists, each asked for once while this object lives (one tick of the scheduler)."""

    def __init__(self, storage: Storage, services: MusicServices) -> None:
        self._storage = storage
        self._services = services
        self._lists: dict[int, dict[str, PlaylistInfo]] = {}
        self._unlisted: dict[int, PlaylistInfo] = {}  # by our playlist's id
        self.shared = 0  # answers that cost no call

    async def info(self, playlist: Playlist, mapping_id: int) -> PlaylistInfo:
        """The playlist's name and change token now. Raises PlaylistGone."""
        # Liked songs stand in no list.
        listed = {} if playlist.liked else await self._listed(playlist.account_id, mapping_id)
        found = listed.get(playlist.external_id)
        found = found or self._unlisted.get(playlist.id)
        if found is not None:
            return found
        service = await self._services.for_account(playlist.account_id, mapping_id=mapping_id)
        try:
            found = await service.playlist(playlist.external_id)
        except (NotFound, Forbidden) as error:
            raise PlaylistGone(playlist, error) from error
        self._unlisted[playlist.id] = found
        return found

    async def _listed(self, account_id: int, mapping_id: int) -> dict[str, PlaylistInfo]:
        if account_id in self._lists:
            self.shared += 1
            return self._lists[account_id]
        service = await self._services.for_account(account_id, mapping_id=mapping_id)
        infos = await service.playlists()
        await self._storage.playlists.remember_list(account_id, infos)  # autocomplete lives on it
        self._lists[account_id] = {info.external_id: info for info in infos}
        return self._lists[account_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both playlists whole, how many entries they held before, and how many reads the change tokens saved."""

    left: PlaylistContent
    right: PlaylistContent
    previous_left: int | None = None
    previous_right: int | None = None
    saved: int = 0
    veiled: frozenset[Side] = frozenset()  # sides with more unreadable entries than before: a track may hide in them
    guard: Guard | None = None  # one of several sources looks broken

    def of(self, side: Side) -> PlaylistContent:
        return self.left if side is Side.LEFT else self.right

    @property
    def tokens(self) -> tuple[str, str]:
        return (self.left.info.change_token, self.right.info.change_token)


class Reader:
    """Reads through the accounts that the playlists belong to, and lets ``destinations`` know what was read."""

    def __init__(self, storage: Storage, services: MusicServices, clock: Clock, destinations: Destinations) -> None:
        self._storage = storage
        self._services = services
        self._clock = clock
        self._destinations = destinations
        self._analysed: dict[tuple[int, Side], PlaylistInfo] = {}

    async def tokens(
        self, mapping: Mapping, listings: Listings, left: PlaylistContent | None = None
    ) -> tuple[str, str]:
        """``left``: what stands in for the left playlist: chosen by the router, or merged from several sources."""
        info = left.info if left is not None else await listings.info(mapping.left, mapping.id)
        right = await listings.info(mapping.right, mapping.id)
        return info.change_token, right.change_token

    async def unchanged(self, mapping: Mapping, tokens: tuple[str, str]) -> bool:
        """Whether both playlists are as the last analysis of this mapping read them, as far as tokens tell."""
        for side, token in zip(Side, tokens, strict=True):
            before = await self._last(mapping, side)
            if before is None or not token or token != before.change_token or self._too_old(before):
                return False
        return True

    async def read(
        self,
        mapping: Mapping,
        tokens: tuple[str, str],
        listings: Listings,
        *,
        full: bool = False,
        left: PlaylistContent | None = None,
    ) -> Sides:
        """Both sides whole; a Spotify side that its snapshot id vouches for comes from our snapshot. PlaylistGone.

        ``full``: both are read from the services, whatever the tokens say. ``left``: what stands in for the left
        playlist; how many tracks the router chose says nothing about a broken read, and of several sources each is
        looked at by itself.
        """
        contents: list[PlaylistContent] = []
        counts: list[int | None] = []
        veiled: set[Side] = set()
        saved = 0
        guard: Guard | None = None
        for side, token in zip(Side, tokens, strict=True):
            if left is not None and side is Side.LEFT:
                contents.append(left)
                counts.append(None)
                if mapping.more and (before := await self._storage.snapshots.latest(mapping.id, side)) is not None:
                    guard = source_collapsed(mapping, _parts(mapping, before), left.info)
                    veiled |= {side} if left.skipped > before.skipped else set()
                continue
            before = await self._storage.snapshots.latest(mapping.id, side)
            counts.append(None if before is None else _held(mapping.playlist(side), before))
            kept = before if before is not None and not full and self._vouched(before.info, token) else None
            saved += kept is not None
            contents.append(kept or await self._content(mapping, side, listings))
            if before is not None and contents[-1].skipped > before.skipped:
                veiled.add(side)
        return Sides(
            left=contents[0],
            right=contents[1],
            previous_left=counts[0],
            previous_right=counts[1],
            saved=saved,
            veiled=frozenset(veiled),
            guard=guard,
        )

    @property
    def settle(self) -> timedelta:
        """How long a service may take to show what we have written."""
        return self._destinations.recent.settle

    def shown(self, mapping: Mapping, sides: Sides) -> dict[Side, PlaylistContent]:
        """Both sides as they will read once the services show what we have just written."""
        now, recent = self._clock.now(), self._destinations.recent
        return {side: recent.shown(mapping.playlist(side), sides.of(side), now) for side in Side}

    async def keep(self, mapping: Mapping, run_id: int, sides: Sides) -> None:
        """What was read is what later analyses compare with; called once the queue holds what follows from it."""
        for side in Side:
            content = sides.of(side)
            taken_at = content.info.fetched_at or self._clock.now()
            await self._storage.snapshots.add(mapping.id, run_id, side, content, taken_at)
            self._analysed[mapping.id, side] = content.info

    def unsettled(self, mapping: Mapping) -> frozenset[tuple[Service, str]]:
        """Tracks that we wrote within the settle time: a read says nothing about them yet."""
        now = self._clock.now()
        recent = self._destinations.recent
        return frozenset(
            (one.service, track_id) for one in mapping.playlists for track_id in recent.unsettled(one, now)
        )

    async def _content(self, mapping: Mapping, side: Side, listings: Listings) -> PlaylistContent:
        playlist = mapping.playlist(side)
        service = await self._services.for_account(playlist.account_id, mapping_id=mapping.id)
        info = await listings.info(playlist, mapping.id)
        began = self._clock.now()
        try:
            content = await service.content(playlist.external_id, info)
        except (NotFound, Forbidden) as error:
            raise PlaylistGone(playlist, error) from error
        self._destinations.note(playlist, content, began)
        return replace(content, info=replace(content.info, fetched_at=began))

    async def _last(self, mapping: Mapping, side: Side) -> PlaylistInfo | None:
        """What the last analysis of this mapping read; from the database only the first time."""
        if (mapping.id, side) not in self._analysed:
            content = await self._storage.snapshots.latest(mapping.id, side)
            if content is None:
                return None
            self._analysed[mapping.id, side] = content.info
        return self._analysed[mapping.id, side]

    def _too_old(self, info: PlaylistInfo) -> bool:
        return info.token_is_hint and _older(info.fetched_at, self._clock.now() - WHOLE_READ_EVERY)

    def _vouched(self, before: PlaylistInfo, token: str) -> bool:
        same = bool(token) and before.change_token == token
        return same and before.service is Service.SPOTIFY and not self._too_old(before)


def _parts(mapping: Mapping, before: PlaylistContent) -> tuple[Part, ...]:
    """What each source held; before there were several, the left playlist held all."""
    alone = Part(playlist_id=mapping.left.id, external_id=mapping.left.external_id, count=len(before.entries))
    return before.info.parts or (alone,)


def _held(playlist: Playlist, before: PlaylistContent) -> int:
    """How many tracks the playlist itself held, where it was merged with others then."""
    parts = {part.playlist_id: part.count for part in before.info.parts}
    return parts.get(playlist.id, len(before.entries))


def _older(moment: datetime | None, limit: datetime) -> bool:
    return moment is None or moment <= limit
