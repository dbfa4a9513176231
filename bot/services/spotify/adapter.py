"""Spotify as a ``MusicService``."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import spotipy

from bot.clock import Clock
from bot.model.errors import Bug, CrossfadeError, Forbidden, NotFound, Refused, RetryLater, UnknownOutcome
from bot.model.music import LIKED, PlaylistContent, PlaylistEntry, PlaylistInfo, Profile, Service, Track
from bot.model.quota import Bucket
from bot.services.protocol import Capabilities, DetailOf, Details
from bot.services.spotify import wire
from bot.services.spotify.client import client
from bot.services.transport import Outlet
from storage.notes import Notes

T = TypeVar("T")

MAX_BATCH = 100  # uris one POST may carry
PAGE = 50
BATCHES = {DetailOf.TRACKS: 50, DetailOf.ARTISTS: 50, DetailOf.ALBUMS: 20}  # ids that one batch get may name
SEARCH_LIMIT = 10  # since 2026
QUERY_LENGTH = 250
_INFO_FIELDS = "id,name,collaborative,snapshot_id,external_urls,owner(id,account_id),items(total),tracks(total)"
_TRACK_FIELDS = (
    "id,type,name,is_local,is_playable,duration_ms,explicit,track_number,linked_from(id),external_ids(isrc),"
    "artists(id,name),album(id,name,release_date)"
)
_ITEM_FIELDS = f"total,next,items(added_at,added_by(id),is_local,item({_TRACK_FIELDS}),track({_TRACK_FIELDS}))"
_ID_FIELDS = "total,next,items(is_local,item(id,type,is_local,linked_from(id)),track(id,type,is_local,linked_from(id)))"

CAPABILITIES = Capabilities(
    max_batch=MAX_BATCH,
    removes_all_copies=True,
    searches_isrc=True,
    write_cost={Bucket.SPOTIFY_CALLS: 1},
    read_page=PAGE,
    search_cost={Bucket.SPOTIFY_CALLS: 1},
)


class Memory:
    """What the adapters learn of the app and its people; the people's ids outlive the program."""

    def __init__(self, notes: Notes) -> None:
        self.batch_gets: bool | None = None  # None: not tried yet; only apps with extended quota have them
        self.details: dict[DetailOf, bool] = {}  # the same for each kind of details
        self._notes = notes
        self._own_ids: dict[str, frozenset[str]] = {}
        self._kept: set[str] = set()

    def heard(self, account: str, ids: frozenset[str]) -> None:
        """Remember until the program ends: a login that is only being looked at leaves no trace in the database."""
        self._own_ids[account] = ids

    async def own_ids(self, account: str) -> frozenset[str]:
        """The ids of a linked account's person, kept from now on; empty where they were never asked for."""
        if account not in self._own_ids and (noted := await self._notes.own_ids(account)):
            self._own_ids[account] = noted
            self._kept.add(account)
        ids = self._own_ids.get(account, frozenset())
        if ids and account not in self._kept:
            await self._notes.keep_own_ids(account, ids)
            self._kept.add(account)
        return ids


class SpotifyAdapter:
    """One linked Spotify account. ``account`` is its external id as we stored it."""

    service = Service.SPOTIFY
    capabilities = CAPABILITIES

    def __init__(self, outlet: Outlet, *, account: str, api_url: str, clock: Clock, memory: Memory) -> None:
        self._outlet = outlet
        self._account = account
        self._api_url = api_url
        self._clock = clock
        self._memory = memory

    async def whoami(self) -> Profile:
        return wire.profile(await self._me())

    async def playlists(self) -> list[PlaylistInfo]:
        found: list[dict[str, Any]] = []
        while True:
            offset = len(found)
            answer = await self._read(
                "me.playlists", lambda spotify, at=offset: spotify.current_user_playlists(PAGE, at)
            )
            page = answer.get("items") or []
            found += page
            if not page or not answer.get("next"):
                break
        usable = [one for one in found if isinstance(one, dict) and one.get("id")]
        own = await self._own_ids(usable)
        return [wire.playlist(one, own, self._clock.now()) for one in usable]

    async def playlist(self, playlist_id: str) -> PlaylistInfo:
        if playlist_id == LIKED:
            return wire.liked(await self._liked_page(0), self._account, self._clock.now())
        answer = await self._read("playlist", lambda spotify: spotify.playlist(playlist_id, fields=_INFO_FIELDS))
        return wire.playlist(answer, await self._own_ids([answer]), self._clock.now())

    async def content(self, playlist_id: str, info: PlaylistInfo | None = None) -> PlaylistContent:
        # The info first: where somebody edits while the pages are read, the older token makes us look again.
        info = info or await self.playlist(playlist_id)
        if playlist_id == LIKED:
            entries, skipped = await self._pages(self._liked_page)
            entries = wire.oldest_first(entries, len(entries) + skipped)
        else:
            entries, skipped = await self._entries(playlist_id, _ITEM_FIELDS)
        return PlaylistContent(info=info, entries=entries, skipped=skipped)

    async def add(self, playlist_id: str, track_ids: Sequence[str], position: int | None = None) -> None:
        if not 0 < len(track_ids) <= MAX_BATCH:
            raise Bug(f"playlist.items.add: {len(track_ids)} tracks in one call")
        ids = list(track_ids)
        await self._write("playlist.items.add", lambda spotify: spotify.playlist_add_items(playlist_id, ids, position))

    async def remove(self, playlist_id: str, track_id: str, entry_id: str = "") -> None:
        """Takes every copy, since Spotify ignores positions."""
        await self._write(
            "playlist.items.remove",
            lambda spotify: spotify.playlist_remove_all_occurrences_of_items(playlist_id, [track_id]),
        )

    async def move(self, playlist_id: str, track_id: str, entry_id: str, origin: int, position: int) -> None:
        # insert_before counts in the list as it is before the entry is lifted out.
        before = position if position < origin else position + 1
        await self._write(
            "playlist.items.reorder", lambda spotify: spotify.playlist_reorder_items(playlist_id, origin, before)
        )

    async def rename(self, playlist_id: str, name: str) -> None:
        await self._call(
            "playlist.change_details",
            lambda spotify: spotify.playlist_change_details(playlist_id, name=name),
            write=True,
            empty_ok=True,
        )

    async def create(self, name: str, description: str = "") -> PlaylistInfo:
        answer = await self._call(
            "me.playlists.create",
            lambda spotify: spotify.current_user_playlist_create(name, public=False, description=description),
            write=True,
        )
        if not isinstance(answer, dict) or not answer.get("id"):
            raise UnknownOutcome("me.playlists.create: the answer names no playlist", code="garbage")
        return wire.playlist(answer, wire.owner_ids(answer) or frozenset({self._account}), self._clock.now())

    async def search(self, text: str, *, isrc: bool = False) -> list[Track]:
        query = f"isrc:{text}" if isrc else text[:QUERY_LENGTH]
        answer = await self._read(
            "search.isrc" if isrc else "search.text",
            lambda spotify: spotify.search(query, limit=SEARCH_LIMIT, type="track"),
        )
        return wire.found_tracks(answer, self._clock.now(), from_isrc=isrc)

    async def copies(self, playlist_id: str, track_ids: Sequence[str]) -> dict[str, int]:
        entries, _ = await self._entries(playlist_id, _ID_FIELDS)
        held = Counter(entry.track.external_id for entry in entries)
        return {track_id: held[track_id] for track_id in track_ids}

    async def tracks(self, track_ids: Sequence[str]) -> list[Track]:
        """One call for each, or one for 50 where the app still has batch gets. Unknown ones are left out."""
        found: list[Track] = []
        for start in range(0, len(track_ids), PAGE):
            found += await self._some_tracks(list(track_ids[start : start + PAGE]))
        return found

    async def _some_tracks(self, track_ids: list[str]) -> list[Track]:
        if len(track_ids) > 1 and self._memory.batch_gets is not False:
            batch = await self._batch(track_ids)
            if batch is not None:
                return batch
        found = [await self._one_track(track_id) for track_id in track_ids]
        return [track for track in found if track is not None]

    async def _batch(self, track_ids: list[str]) -> list[Track] | None:
        """None: this app has no batch gets, which a refusal tells once."""
        try:
            answer = await self._read("tracks.batch", lambda spotify: spotify.tracks(track_ids))
        except (Forbidden, NotFound, Refused):
            if self._memory.batch_gets:
                raise
            self._memory.batch_gets = False
            return None
        self._memory.batch_gets = True
        found = (wire.track(one, self._clock.now()) for one in answer.get("tracks") or [])
        return [track for track in found if track is not None]

    async def details(self, of: DetailOf, ids: Sequence[str]) -> dict[str, Details] | None:
        """Only by batch gets, since single ones for thousands would eat up the day's calls."""
        found: dict[str, Details] = {}
        size = BATCHES[of]
        for start in range(0, len(ids), size):
            part = list(ids[start : start + size])
            answer = await self._details(of, part)
            if answer is None:
                return None
            found.update(wire.details(of, answer))
        return found

    async def _details(self, of: DetailOf, ids: list[str]) -> dict[str, Any] | None:
        """None: this app has no such batch get, which a refusal tells once."""
        has = self._memory.batch_gets if of is DetailOf.TRACKS else self._memory.details.get(of)
        if has is False:
            return None
        try:
            answer = await self._read(f"{of}.batch", lambda spotify: getattr(spotify, of.value)(ids))
        except (Forbidden, NotFound, Refused):
            if has:
                raise
            self._learned(of, has=False)
            return None
        self._learned(of, has=True)
        return answer

    def _learned(self, of: DetailOf, *, has: bool) -> None:
        if of is DetailOf.TRACKS:
            self._memory.batch_gets = has
        self._memory.details[of] = has

    async def _one_track(self, track_id: str) -> Track | None:
        try:
            answer = await self._read("tracks.get", lambda spotify: spotify.track(track_id))
        except (NotFound, Refused):  # 400 for an id that cannot be one
            return None
        return wire.track(answer, self._clock.now())

    async def _entries(self, playlist_id: str, fields: str) -> tuple[tuple[PlaylistEntry, ...], int]:
        return await self._pages(
            lambda offset: self._read(
                "playlist.items.list",
                lambda spotify: spotify.playlist_items(playlist_id, fields=fields, limit=PAGE, offset=offset),
            )
        )

    async def _liked_page(self, offset: int) -> dict[str, Any]:
        return await self._read("me.tracks", lambda spotify: spotify.current_user_saved_tracks(PAGE, offset))

    async def _pages(
        self, page_at: Callable[[int], Awaitable[dict[str, Any]]]
    ) -> tuple[tuple[PlaylistEntry, ...], int]:
        """Usable entries in the order of the service, and how many were none. Raises RetryLater where they moved."""
        entries: list[PlaylistEntry] = []
        skipped, offset = 0, 0
        total: int | None = None
        while True:
            page = wire.page(await page_at(offset), offset, self._clock.now())
            if total is not None and page.total != total:
                raise RetryLater("The playlist changed while it was read", code="changed")
            entries += page.entries
            skipped += page.skipped
            offset += page.size
            total = page.total
            if page.size == 0 or not (page.more if total is None else offset < total):
                return tuple(entries), skipped

    async def _own_ids(self, playlists: Sequence[dict[str, Any]]) -> frozenset[str]:
        """Every id of our person. Asked for only where a playlist's owner is not the id that we know already."""
        known = await self._memory.own_ids(self._account)
        if known:
            return known
        if all(self._account in wire.owner_ids(one) for one in playlists):
            return frozenset({self._account})
        await self._me()
        return await self._memory.own_ids(self._account)

    async def _me(self) -> dict[str, Any]:
        me = await self._read("me", lambda spotify: spotify.me())
        ids = wire.user_ids(me)
        for one in {*ids, self._account} - {""}:
            self._memory.heard(one, ids)
        return me

    async def _read(self, operation: str, ask: Callable[..., Any]) -> dict[str, Any]:
        answer = await self._call(operation, ask)
        if not isinstance(answer, dict):
            raise RetryLater(f"{operation}: the answer is not what was asked for", code="garbage")
        return answer

    async def _write(self, operation: str, ask: Callable[..., Any]) -> None:
        answer = await self._call(operation, ask, write=True)
        if not isinstance(answer, dict) or not answer.get("snapshot_id"):
            raise UnknownOutcome(f"{operation}: the answer names no snapshot", code="garbage")

    async def _call(
        self, operation: str, ask: Callable[..., Any], *, write: bool = False, empty_ok: bool = False
    ) -> object:
        def send(sending: Any, token: str) -> object:
            try:
                return ask(client(sending, token, self._api_url))
            except spotipy.SpotifyException as error:  # raised before sending: an id that is none
                raise _unusable(operation) from error

        return await self._outlet.call(operation, send, bucket=Bucket.SPOTIFY_CALLS, write=write, empty_ok=empty_ok)


def _unusable(operation: str) -> CrossfadeError:
    return Refused(f"{operation}: that is not an id of Spotify", code="bad_id")
