"""Playlists, tracks and people of the music services, as plain facts."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# Stands for the id of a Spotify account's liked songs, which are no playlist and have none. Only ever a source.
LIKED = "liked"
LIKED_NAME = "Liked Songs"
LIKED_URL = "https://open.spotify.com/collection/tracks"


class Service(StrEnum):
    SPOTIFY = "spotify"
    YOUTUBE = "youtube"

    @property
    def label(self) -> str:
        """How people write the service's name."""
        return "Spotify" if self is Service.SPOTIFY else "YouTube"

    @property
    def other(self) -> "Service":
        return Service.YOUTUBE if self is Service.SPOTIFY else Service.SPOTIFY


class CandidateKind(StrEnum):
    SONG = "song"  # an audio release: a Spotify track, a YouTube Music song, a "– Topic" upload
    VIDEO = "video"  # whatever else somebody uploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One recording on one service. Also a search result: what a service does not tell stays None or empty.

    ``external_id`` is Spotify's track id or YouTube's video id; ``duration`` is in seconds. On YouTube ``artists``
    is empty unless the service names them, and ``channel`` holds the uploader's name.
    """

    service: Service
    external_id: str
    title: str
    artists: tuple[str, ...] = ()
    album: str | None = None
    duration: float | None = None
    isrc: str | None = None
    explicit: bool | None = None
    release_date: str | None = None  # as the service gives it: YYYY, YYYY-MM or YYYY-MM-DD
    track_number: int | None = None
    channel: str | None = None
    kind: CandidateKind = CandidateKind.SONG
    views: int | None = None
    available: bool = True  # False: deleted, private, or blocked; it can be neither played nor added
    artist_ids: tuple[str, ...] = ()  # the service's own, in the order of its artists, where it tells them
    album_id: str | None = None
    from_isrc: bool = False  # True: the service answered this to a search by ISRC
    fetched_at: datetime | None = None

    @property
    def url(self) -> str:
        if self.service is Service.SPOTIFY:
            return f"https://open.spotify.com/track/{self.external_id}"
        return f"https://www.youtube.com/watch?v={self.external_id}"

    @property
    def byline(self) -> str:
        """Who made it, for people: the artists, else the channel."""
        return ", ".join(self.artists) or (self.channel or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistEntry:
    """One place in a playlist, at ``position`` counted from 0 over all entries of the service, unusable ones included.

    ``entry_id`` is YouTube's playlistItem id, which deletes and moves need; Spotify has none. ``added_at`` (aware UTC)
    is when it was put there and ``added_by`` the service's user id of who did it, '' where not told; both only where
    the playlist was just read.
    """

    position: int
    track: Track
    entry_id: str = ""
    added_at: datetime | None = None
    added_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of several sources, as it was read: ``playlist_id`` is our row, ``count`` its entries that are tracks."""

    playlist_id: int
    external_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistInfo:
    """What a service says of a playlist without reading its tracks. ``change_token``: snapshot_id or etag."""

    service: Service
    external_id: str
    name: str
    owner_id: str = ""
    url: str = ""
    item_count: int | None = None
    change_token: str = ""
    writable: bool = True  # False: somebody else's; it can perhaps be read but not changed
    fetched_at: datetime | None = None
    parts: tuple[Part, ...] = ()  # of several sources that were merged; else empty

    @property
    def token_is_hint(self) -> bool:
        """Whether the same token may hide a change, so that it must be read whole now and then."""
        liked = self.external_id == LIKED or any(part.external_id == LIKED for part in self.parts)
        return self.service is Service.YOUTUBE or liked


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistContent:
    """A playlist read whole: its info, its entries in order, and how many entries were no usable track."""

    info: PlaylistInfo
    entries: tuple[PlaylistEntry, ...] = ()
    skipped: int = 0  # null entries, episodes and local files: not readable as tracks, never touched

    @property
    def tracks(self) -> tuple[Track, ...]:
        return tuple(entry.track for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who an access token belongs to: the service's immutable account id and the name people see."""

    service: Service
    account_id: str
    display_name: str
    url: str = field(default="")
