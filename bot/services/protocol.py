"""What the engine may ask of a music service, and what differs between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.model.music import PlaylistContent, PlaylistInfo, Profile, Service, Track
from bot.model.quota import Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """``max_batch``: tracks one add may carry; ``removes_all_copies``: a remove takes every copy of the track."""

    max_batch: int
    removes_all_copies: bool
    searches_isrc: bool
    write_cost: Mapping[Bucket, int]  # of one write call
    read_page: int  # entries a read call returns
    search_cost: Mapping[Bucket, int]  # of one search


class DetailOf(StrEnum):
    """What a service may tell more of than its playlists hold."""

    TRACKS = "tracks"
    ARTISTS = "artists"
    ALBUMS = "albums"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a service tells of one track, artist or album; None is not told, no genres means that it knows of none."""

    popularity: int | None = None  # 0 to 100
    genres: tuple[str, ...] | None = None
    released: str | None = None  # YYYY, YYYY-MM or YYYY-MM-DD


class Accounting(Protocol):
    """Counts calls before they are sent. Implemented by ``bot.engine.quota.Quota``."""

    async def spend(self, bucket: Bucket, operation: str, *, units: int, mapping_id: int, calls: int = 1) -> None:
        """Charge or raise ``QuotaSpent``; what was charged is never given back."""
        ...

    async def exhaust(self, bucket: Bucket) -> datetime:
        """The service itself says that the bucket is empty: hold it to be so until the returned moment (aware UTC)."""
        ...


class MusicService(Protocol):
    """One linked account on one service. Every method is one or more HTTP calls, each charged before it is sent and
    sent exactly once. Errors are those of ``bot.model.errors``; a write whose outcome is not certain raises
    ``UnknownOutcome``.
    """

    service: Service
    capabilities: Capabilities

    async def whoami(self) -> Profile: ...

    async def playlists(self) -> list[PlaylistInfo]:
        """The account's playlists with change tokens, in one call per 50. Followed ones are ``writable=False``."""
        ...

    async def playlist(self, playlist_id: str) -> PlaylistInfo:
        """One playlist's info. Raises NotFound or Forbidden."""
        ...

    async def content(self, playlist_id: str, info: PlaylistInfo | None = None) -> PlaylistContent:
        """Every entry, in order, with durations. ``info``: what was told of it before, which saves one call.

        An older change token is never wrong: it makes us look again.
        """
        ...

    async def add(self, playlist_id: str, track_ids: Sequence[str], position: int | None = None) -> None:
        """Put tracks in, in order, in one write call (at most ``max_batch``)."""
        ...

    async def remove(self, playlist_id: str, track_id: str, entry_id: str = "") -> None:
        """Take a track out: the one entry where the service knows entries, else every copy."""
        ...

    async def move(self, playlist_id: str, track_id: str, entry_id: str, origin: int, position: int) -> None:
        """Bring the entry at index ``origin`` to index ``position`` of the resulting list."""
        ...

    async def rename(self, playlist_id: str, name: str) -> None: ...

    async def create(self, name: str, description: str = "") -> PlaylistInfo:
        """A new private playlist."""
        ...

    async def search(self, text: str, *, isrc: bool = False) -> list[Track]:
        """At most ten (YouTube: up to 10) results with durations where known; ``isrc``: ``text`` is an ISRC."""
        ...

    async def copies(self, playlist_id: str, track_ids: Sequence[str]) -> dict[str, int]:
        """Read-back: how many copies of each track the playlist holds now."""
        ...

    async def tracks(self, track_ids: Sequence[str]) -> list[Track]:
        """Tracks by id; unknown or unavailable ones come back with ``available=False`` or are left out."""
        ...

    async def details(self, of: DetailOf, ids: Sequence[str]) -> dict[str, Details] | None:
        """More about tracks, artists or albums, by id; what is not known is left out.

        None: this service, or this app, does not offer them in batches. Finding that out costs one call.
        """
        ...
