"""YouTube as a ``MusicService``."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.clock import Clock
from bot.model.errors import Bug, Forbidden, NotFound, Refused, RetryLater, UnknownOutcome
from bot.model.music import PlaylistContent, PlaylistEntry, PlaylistInfo, Profile, Service, Track
from bot.model.quota import Bucket
from bot.services.protocol import Capabilities, DetailOf, Details
from bot.services.sending import Sending
from bot.services.transport import Outlet
from bot.services.youtube import wire
from bot.services.youtube.client import OneRequest, resource

WRITE_UNITS = 50
PAGE = 50
SEARCH_RESULTS = 10
_PLAYLIST_FIELDS = "nextPageToken,items(id,etag,snippet(title,channelId),contentDetails/itemCount)"
_ENTRY_FIELDS = (
    "nextPageToken,items(id,snippet(title,publishedAt,resourceId,videoOwnerChannelTitle),contentDetails/videoId,"
    "status/privacyStatus)"
)
_COPY_FIELDS = "nextPageToken,items(id,snippet/resourceId)"
_LENGTH_FIELDS = "items(id,contentDetails/duration,status(uploadStatus,privacyStatus))"
_VIDEO_FIELDS = (
    "items(id,snippet(title,channelTitle),contentDetails/duration,status(uploadStatus,privacyStatus),"
    "statistics/viewCount)"
)
# Refusals of a place in the list; the same video can still go to its end.
_NO_POSITION = frozenset({"invalidPlaylistItemPosition", "manualSortRequired"})

CAPABILITIES = Capabilities(
    max_batch=1,
    removes_all_copies=False,
    searches_isrc=False,
    write_cost={Bucket.YOUTUBE_UNITS: WRITE_UNITS},
    read_page=PAGE,
    search_cost={Bucket.YOUTUBE_SEARCH: 1, Bucket.YOUTUBE_UNITS: 1},
)
# With the search of YouTube Music, which costs no quota.
FREE_SEARCH = Capabilities(
    max_batch=1,
    removes_all_copies=False,
    searches_isrc=True,
    write_cost={Bucket.YOUTUBE_UNITS: WRITE_UNITS},
    read_page=PAGE,
    search_cost={},
)


class FreeSearch(Protocol):
    """The unofficial search, where the owner has chosen it."""

    async def search(self, text: str, *, isrc: bool) -> list[Track]: ...


class YouTubeAdapter:
    """One linked YouTube account. ``account`` is its channel id as we stored it."""

    service = Service.YOUTUBE

    def __init__(
        self, outlet: Outlet, *, account: str, api_url: str, clock: Clock, free_search: FreeSearch | None = None
    ) -> None:
        self.capabilities = CAPABILITIES if free_search is None else FREE_SEARCH
        self._outlet = outlet
        self._account = account
        self._api_url = api_url
        self._clock = clock
        self._free_search = free_search

    async def whoami(self) -> Profile:
        answer = await self._read(
            "channels.list",
            lambda youtube: youtube.channels().list(part="snippet", mine=True, fields="items(id,snippet/title)"),
        )
        found = wire.items(answer)
        if not found:
            raise Forbidden(
                "channels.list: this Google account has no YouTube channel yet", code="youtubeSignupRequired"
            )
        return wire.profile(found[0])

    async def playlists(self) -> list[PlaylistInfo]:
        found: list[PlaylistInfo] = []
        page_token: str | None = None
        while True:
            answer = await self._read(
                "playlists.list",
                lambda youtube, token=page_token: youtube.playlists().list(
                    part="snippet,contentDetails", mine=True, maxResults=PAGE, pageToken=token, fields=_PLAYLIST_FIELDS
                ),
            )
            found += [wire.playlist(item, self._account, self._clock.now()) for item in wire.items(answer)]
            page_token = answer.get("nextPageToken")
            if not page_token:
                return found

    async def playlist(self, playlist_id: str) -> PlaylistInfo:
        found = await self._playlist_item(playlist_id, "snippet,contentDetails", _PLAYLIST_FIELDS)
        return wire.playlist(found, self._account, self._clock.now())

    async def content(self, playlist_id: str, info: PlaylistInfo | None = None) -> PlaylistContent:
        # The info first: where somebody edits while the pages are read, the older token makes us look again.
        info = info or await self.playlist(playlist_id)
        entries, skipped = await self._entries(playlist_id)
        tracks = [entry.track for entry in entries]
        details = await self._videos([track.external_id for track in tracks if track.available], lengths_only=True)
        full = wire.completed(tracks, details)
        return PlaylistContent(
            info=info,
            entries=tuple(replace(entry, track=track) for entry, track in zip(entries, full, strict=True)),
            skipped=skipped,
        )

    async def add(self, playlist_id: str, track_ids: Sequence[str], position: int | None = None) -> None:
        """One video; one that the playlist says it has already counts as added."""
        if len(track_ids) != 1:
            raise Bug(f"playlistItems.insert: {len(track_ids)} videos in one call")
        try:
            await self._insert(playlist_id, track_ids[0], position)
        except Refused as no:
            if no.code not in _NO_POSITION or position is None:
                raise
            # Certain: nothing was put in. The end of the list is better than nothing, and a call of its own.
            await self._insert(playlist_id, track_ids[0], None)

    async def remove(self, playlist_id: str, track_id: str, entry_id: str = "") -> None:
        """The one entry; where it is not named, the last one of the video. Raises NotFound where it is not there."""
        if not entry_id:
            held = await self._entry_ids(playlist_id, track_id)
            if not held:
                raise NotFound(
                    "playlistItems.delete: the playlist does not hold this video", code="playlistItemNotFound"
                )
            entry_id = held[-1]
        await self._write("playlistItems.delete", lambda youtube: youtube.playlistItems().delete(id=entry_id))

    async def move(self, playlist_id: str, track_id: str, entry_id: str, origin: int, position: int) -> None:
        body = {"id": entry_id, "snippet": _snippet(playlist_id, track_id) | {"position": position}}
        await self._named(
            "playlistItems.update", lambda youtube: youtube.playlistItems().update(part="snippet", body=body)
        )

    async def rename(self, playlist_id: str, name: str) -> None:
        # An update replaces the whole snippet: what is not sent along is wiped.
        found = await self._playlist_item(
            playlist_id, "snippet", "items(id,snippet(title,description,defaultLanguage))"
        )
        kept = {key: found["snippet"][key] for key in ("description", "defaultLanguage") if found["snippet"].get(key)}
        body = {"id": playlist_id, "snippet": kept | {"title": name}}
        await self._named("playlists.update", lambda youtube: youtube.playlists().update(part="snippet", body=body))

    async def create(self, name: str, description: str = "") -> PlaylistInfo:
        body = {"snippet": {"title": name, "description": description}, "status": {"privacyStatus": "private"}}
        answer = await self._named(
            "playlists.insert",
            lambda youtube: youtube.playlists().insert(part="snippet,status,contentDetails", body=body),
        )
        return wire.playlist(answer, self._account, self._clock.now())

    async def search(self, text: str, *, isrc: bool = False) -> list[Track]:
        """Up to ten videos with their lengths: one search and one unit, or YouTube Music for nothing."""
        if self._free_search is not None:
            return await self._free_search.search(text, isrc=isrc)
        answer = await self._read(
            "search.list",
            lambda youtube: youtube.search().list(
                part="snippet",
                q=text,
                type="video",
                maxResults=SEARCH_RESULTS,
                fields="items(id/videoId,snippet(title,channelTitle))",
            ),
            bucket=Bucket.YOUTUBE_SEARCH,
        )
        found = wire.found_videos(answer, self._clock.now())
        details = await self._videos([track.external_id for track in found])
        return wire.completed(found, details)

    async def copies(self, playlist_id: str, track_ids: Sequence[str]) -> dict[str, int]:
        return {track_id: len(await self._entry_ids(playlist_id, track_id)) for track_id in track_ids}

    async def details(self, of: DetailOf, ids: Sequence[str]) -> dict[str, Details] | None:
        return None  # its entries carry all that it tells

    async def tracks(self, track_ids: Sequence[str]) -> list[Track]:
        """A unit for 50. Unknown ones are left out."""
        details = await self._videos(list(track_ids))
        return [details[track_id] for track_id in track_ids if track_id in details]

    async def _insert(self, playlist_id: str, video_id: str, position: int | None) -> None:
        place = {} if position is None else {"position": position}
        body = {"snippet": _snippet(playlist_id, video_id) | place}
        try:
            await self._named(
                "playlistItems.insert", lambda youtube: youtube.playlistItems().insert(part="snippet", body=body)
            )
        except Refused as no:
            if no.code != "videoAlreadyInPlaylist":
                raise

    async def _entries(self, playlist_id: str) -> tuple[list[PlaylistEntry], int]:
        entries: list[PlaylistEntry] = []
        skipped, offset = 0, 0
        page_token: str | None = None
        while True:
            answer = await self._read(
                "playlistItems.list",
                lambda youtube, token=page_token: youtube.playlistItems().list(
                    part="snippet,contentDetails,status",
                    playlistId=playlist_id,
                    maxResults=PAGE,
                    pageToken=token,
                    fields=_ENTRY_FIELDS,
                ),
            )
            page = wire.page(answer, offset, self._clock.now())
            entries += page.entries
            skipped += page.skipped
            offset += page.size
            page_token = page.next_token
            if not page_token:
                return entries, skipped

    async def _entry_ids(self, playlist_id: str, video_id: str) -> list[str]:
        """The entries of one video, by the filter that makes a read-back cost one unit."""
        found: list[str] = []
        page_token: str | None = None
        while True:
            answer = await self._read(
                "playlistItems.list",
                lambda youtube, token=page_token: youtube.playlistItems().list(
                    part="id,snippet",
                    playlistId=playlist_id,
                    videoId=video_id,
                    maxResults=PAGE,
                    pageToken=token,
                    fields=_COPY_FIELDS,
                ),
            )
            found += [str(item["id"]) for item in wire.items(answer) if item.get("id")]
            page_token = answer.get("nextPageToken")
            if not page_token:
                return found

    async def _videos(self, video_ids: list[str], *, lengths_only: bool = False) -> dict[str, Track]:
        part = "contentDetails,status" if lengths_only else "snippet,contentDetails,status,statistics"
        fields = _LENGTH_FIELDS if lengths_only else _VIDEO_FIELDS
        known: dict[str, Track] = {}
        wanted = list(Counter(video_ids))
        for start in range(0, len(wanted), PAGE):
            some = ",".join(wanted[start : start + PAGE])
            answer = await self._read(
                "videos.list",
                lambda youtube, ids=some: youtube.videos().list(part=part, id=ids, fields=fields),
            )
            for item in wire.items(answer):
                video = wire.video(item, self._clock.now())
                known[video.external_id] = video
        return known

    async def _playlist_item(self, playlist_id: str, part: str, fields: str) -> dict[str, Any]:
        answer = await self._read(
            "playlists.list", lambda youtube: youtube.playlists().list(part=part, id=playlist_id, fields=fields)
        )
        found = wire.items(answer)
        if not found:
            raise NotFound("playlists.list: YouTube does not know this playlist (any more)", code="playlistNotFound")
        return dict(found[0])

    async def _read(
        self, operation: str, ask: Callable[..., Any], *, bucket: Bucket = Bucket.YOUTUBE_UNITS
    ) -> dict[str, Any]:
        answer = await self._call(operation, ask, bucket=bucket, units=1, write=False)
        if not isinstance(answer, dict):
            raise RetryLater(f"{operation}: the answer is not what was asked for", code="garbage")
        return answer

    async def _named(self, operation: str, ask: Callable[..., Any]) -> dict[str, Any]:
        """A write whose answer names what was written."""
        answer = await self._write(operation, ask)
        if not isinstance(answer, dict) or not answer.get("id"):
            raise UnknownOutcome(f"{operation}: the answer names nothing", code="garbage")
        return answer

    async def _write(self, operation: str, ask: Callable[..., Any]) -> object:
        return await self._call(operation, ask, bucket=Bucket.YOUTUBE_UNITS, units=WRITE_UNITS, write=True)

    async def _call(
        self, operation: str, ask: Callable[..., Any], *, bucket: Bucket, units: int, write: bool
    ) -> object:
        def send(sending: Sending, token: str) -> object:
            request = ask(resource(self._api_url))
            return request.execute(http=OneRequest(sending, token), num_retries=0)

        return await self._outlet.call(operation, send, bucket=bucket, units=units, write=write)


def _snippet(playlist_id: str, video_id: str) -> dict[str, Any]:
    return {"playlistId": playlist_id, "resourceId": {"kind": "youtube#video", "videoId": video_id}}
