"""The simulated world behind both services: people, tracks, videos, playlists, and what people do to them."""

import functools
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.sandbox import catalogue, ids, people, videos
from bot.sandbox.catalogue import Track
from bot.sandbox.consent import Consents
from bot.sandbox.shelf import Hand, Playlist, Shelf
from bot.sandbox.store import Store
from bot.sandbox.videos import Video
from bot.sandbox.words import Index

EPISODE = "spotify:episode:" + ids.base62("episode", "Kitchen radio")
SCOPES = {  # all that the services offer for what is simulated here
    "spotify": (
        "playlist-read-private",
        "playlist-read-collaborative",
        "playlist-modify-public",
        "playlist-modify-private",
        "user-library-read",
        "user-library-modify",
        "user-read-private",
    ),
    "google": ("https://www.googleapis.com/auth/youtube",),
}
LOCAL = "spotify:local:The+Neighbours:Garage+Tapes:Rehearsal+%233:187"


@dataclass(slots=True, kw_only=True)
class Switches:
    """What a test may change about how the services behave, at any time."""

    legacy_shape: bool = False  # Spotify's JSON before 2026: `track` and `tracks` instead of `item` and `items`
    extended_quota: bool = False  # Spotify apps that keep the batch gets
    listenbrainz_needs_token: bool = False  # its lookups refuse whoever brings no user token
    rotate_refresh_tokens: bool = False  # Spotify: each refresh brings a new refresh token
    deny_consent: bool = False  # people press Cancel on the consent page
    google_testing: bool = True  # Google apps in "Testing": a consent dies after seven days
    spotify_calls_per_30s: int | None = None
    spotify_calls_per_day: int | None = None  # beyond it: 429 with QUOTA_EXCEEDED and a Retry-After of hours
    youtube_units: int = 10_000
    youtube_searches: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Ids of the playlists that every fresh world holds."""

    road_trip: str  # alice's, Spotify: more than 90 tracks in many languages
    everything: str  # alice's, Spotify: the whole catalogue
    odd_ones: str  # alice's, Spotify: three tracks, a null entry, an episode and a local file
    followed: str  # dora's, Spotify, followed by alice: readable by name only
    editorial: str  # Spotify's own, followed by alice: 404
    gym: str  # bob's, Spotify
    empty_youtube: str  # alice's, YouTube
    watched: str  # alice's, YouTube: 12 videos
    bobs_videos: str  # bob's, YouTube, public


@dataclass(frozen=True, slots=True)
class _Common:
    """What every world of a seed begins with; it takes a while to make, and nobody changes it."""

    videos: tuple[Video, ...]
    track_index: Index
    video_index: Index


@functools.lru_cache(maxsize=2)
def _common(seed: int) -> _Common:
    tracks = catalogue.read().tracks
    uploads = tuple(videos.make(tracks, seed))
    track_index, video_index = Index(f"spotify {seed}"), Index(f"youtube {seed}")
    for track in tracks:
        _take_in(track_index, track)
    for video in uploads:
        track = tracks[video.number]
        hidden = " ".join((track.title, *track.artists, track.romanised))  # YouTube knows more than the title says
        fields = ((video.title, 1.0), (video.channel, 0.7), (hidden, 0.5))
        video_index.add(fields, bonus=math.log10(video.views) / 2)
    return _Common(uploads, track_index, video_index)


def _take_in(index: Index, track: Track) -> None:
    index.add(((track.title, 1.0), (" ".join(track.artists), 1.0), (track.romanised, 0.8), (track.album, 0.3)))


class World:
    """Everything that exists. Safe to use from any thread; ``lock`` makes several steps one.

    Edits made through this class are the doing of people in the services' own apps; what comes through the API goes
    to the shelves directly. With ``data`` the world is kept in that folder, and what was answered to survives the
    death of the process. Raises ValueError if the folder holds a world of another seed.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        data: Path | None = None,
        clock: Callable[[], datetime] | None = None,
        settle_lag: float = 0.0,
    ) -> None:
        self.seed = seed
        self.lock = threading.RLock()
        self.switches = Switches()
        self.default_account = "alice"
        self._clock = clock or (lambda: datetime.now(UTC))
        self._ahead = timedelta()
        self.store = Store(None if data is None else data / "sandbox.sqlite3")
        self._check_seed()
        self.catalogue = catalogue.read()
        self._make_videos()
        self._make_indexes()
        self.consents = Consents(self.store, self.now)
        self.spotify = Shelf("spotify", self.store, self.now, settle_lag)
        self.youtube = Shelf("youtube", self.store, self.now, settle_lag)
        self._redirects: dict[str, set[str]] = {}
        self._recall_reissues()
        self.known = self._known() if self.store.load("known") else self._settle_people()

    def close(self) -> None:
        with self.lock:
            self.store.close()

    # Time

    def now(self) -> datetime:
        """The world's time, aware UTC."""
        return self._clock() + self._ahead

    def advance(self, seconds: float) -> datetime:
        """Put the world's clock ahead of the given one; returns the new time."""
        self._ahead += timedelta(seconds=seconds)
        return self.now()

    # Truth

    @property
    def tracks(self) -> list[Track]:
        """The catalogue in its order, re-issues at the end."""
        return self.catalogue.tracks

    def track(self, track_id: str) -> Track:
        """The track with this Spotify id. Raises KeyError."""
        return self.catalogue.by_id[track_id.removeprefix("spotify:track:")]

    def video(self, video_id: str) -> Video:
        """The video with this id, available or not. Raises KeyError."""
        return self._videos[video_id]

    def has_video(self, video_id: str) -> bool:
        return video_id in self._videos

    def videos_of(self, track_id: str) -> list[Video]:
        """All uploads made for a track, right or not."""
        return self._videos_by_number[self.track(track_id).number]

    def right_videos(self, track_id: str) -> frozenset[str]:
        """Ids of the videos that hold this very recording, available or not."""
        return frozenset(video.id for video in self.videos_of(track_id) if video.right)

    def lookalikes(self, track_id: str) -> frozenset[str]:
        """Ids of the videos that were made to be taken for this track by mistake."""
        return frozenset(video.id for video in self.videos_of(track_id) if not video.right)

    def right_tracks(self, video_id: str) -> frozenset[str]:
        """Ids of the tracks whose recording this video holds: none for a look-alike, two after a re-issue."""
        video = self.video(video_id)
        return frozenset(track.id for track in self.tracks if video.right and track.number == video.number)

    def spotify_items(self, playlist_id: str) -> list[str]:
        """Track ids of a Spotify playlist as committed, in order; without null, episode and local entries."""
        prefix = "spotify:track:"
        return [uri.removeprefix(prefix) for uri in self._playlist(playlist_id).media if uri.startswith(prefix)]

    def youtube_items(self, playlist_id: str) -> list[str]:
        """Video ids of a YouTube playlist as committed, in order."""
        return self._playlist(playlist_id).media

    def playlist(self, playlist_id: str) -> Playlist | None:
        """The committed state of a playlist of either service, or None."""
        with self.lock:
            return self.spotify.truth(playlist_id) or self.youtube.truth(playlist_id)

    # What people do

    def create_spotify_playlist(
        self, owner: str, name: str, track_ids: Sequence[str | None] = (), *, public: bool = False
    ) -> str:
        """A new Spotify playlist of ``owner`` with these tracks (ids or uris; None is a null entry); returns its id."""
        return self._create(self.spotify, owner, name, [_uri(t) for t in track_ids], "public" if public else "private")

    def create_youtube_playlist(
        self, owner: str, name: str, video_ids: Sequence[str] = (), *, privacy: str = "private"
    ) -> str:
        """A new YouTube playlist of ``owner`` with these videos; returns its id."""
        return self._create(self.youtube, owner, name, video_ids, privacy)

    def add(self, playlist_id: str, media: str | Iterable[str], position: int | None = None) -> None:
        """The owner adds tracks (ids or uris) or videos, at the end unless told."""
        with self.lock:
            shelf, playlist = self._shelf(playlist_id), self._playlist(playlist_id)
            new = [media] if isinstance(media, str) else list(media)
            at = len(playlist.entries) if position is None else position
            shelf.insert(playlist, self._as_media(shelf, new), at, playlist.owner, Hand.PERSON)

    def remove(self, playlist_id: str, media: str, *, occurrence: int | None = None) -> None:
        """The owner removes a track or video: every copy, or the given one (0 is the first). Raises KeyError."""
        with self.lock:
            shelf, playlist = self._shelf(playlist_id), self._playlist(playlist_id)
            (wanted,) = self._as_media(shelf, [media])
            keys = [entry.key for entry in playlist.entries if entry.media == wanted]
            if not keys:
                raise KeyError(media)
            shelf.remove(playlist, keys if occurrence is None else [keys[occurrence]], Hand.PERSON)

    def move(self, playlist_id: str, start: int, before: int, *, length: int = 1) -> None:
        """The owner puts ``length`` entries from ``start`` in front of what stands at ``before``."""
        with self.lock:
            self._shelf(playlist_id).move(self._playlist(playlist_id), start, length, before, Hand.PERSON)

    def rename(self, playlist_id: str, name: str) -> None:
        with self.lock:
            self._shelf(playlist_id).edit(self._playlist(playlist_id), Hand.PERSON, name=name)

    def delete(self, playlist_id: str) -> None:
        with self.lock:
            self._shelf(playlist_id).delete(self._playlist(playlist_id), Hand.PERSON)

    def touch(self, playlist_id: str) -> None:
        """Change a playlist's change token and nothing else."""
        with self.lock:
            self._shelf(playlist_id).touch(self._playlist(playlist_id))

    def adjust(self, playlist_id: str, **facts: object) -> None:
        """Set other facts: collaborators, followers, refuses_duplicates, sorted_by_service, privacy …"""
        with self.lock:
            self._shelf(playlist_id).edit(self._playlist(playlist_id), Hand.PERSON, **facts)

    def like(self, person: str, track_ids: Iterable[str]) -> None:
        """The person likes songs on Spotify; the newest comes first."""
        with self.lock:
            liked = self.liked(person)
            self.spotify.insert(liked, [_uri(track) for track in track_ids], 0, person, Hand.PERSON)

    def liked(self, person: str) -> Playlist:
        """The person's liked songs, as the hidden playlist that holds them."""
        playlist_id = f"liked.{person}"
        with self.lock:
            found = self.spotify.truth(playlist_id)
            if found is None:
                fresh = self._fresh("spotify", playlist_id, person, "Liked Songs", "private")
                found = self.spotify.create(replace(fresh, liked=True), (), Hand.PERSON)
            return found

    def reissue(self, track_id: str) -> str:
        """The label releases a track anew: every playlist shows the new id from now on; returns it.

        The old id still resolves by itself and is still accepted, but search does not find it any more.
        """
        with self.lock:
            old = self.track(track_id)
            again = sum(track.number == old.number for track in self.tracks)
            new = self._take_in_reissue(old, ids.base62("reissue", old.id, again))
            self.store.save("reissue", new.id, old.id)
            for playlist in self.spotify.all_true():
                if old.uri in playlist.media:
                    self.spotify.reissue(playlist, old.uri, new.uri)
            return new.id

    def set_video(self, video_id: str, status: str) -> None:
        """Let a video be ``deleted``, ``private`` or ``public`` again."""
        if status not in ("deleted", "private", "public"):
            raise ValueError(f"a video is deleted, private or public, not {status!r}")
        with self.lock:
            self.video(video_id)
            self._video_status[video_id] = status
            self.store.save("video", video_id, status)

    def video_status(self, video_id: str) -> str:
        """``public``, ``private`` or ``deleted``."""
        return self._video_status.get(video_id, "public")

    # Consents

    def sign_in(self, person: str, service: str, scopes: Sequence[str] | None = None) -> tuple[str, str]:
        """Consent without a browser, at ``spotify`` or ``google``; returns an access and a refresh token."""
        with self.lock:
            wanted = tuple(SCOPES[service] if scopes is None else scopes)
            code = self.consents.ask(service, person, wanted, redirect_uri="", challenge=None, life=None)
            grant = self.consents.redeem(service, code, "", None)
            return self.consents.issue_access(grant), grant.refresh_token or ""

    def revoke(self, person: str, service: str | None = None) -> None:
        """The person takes the app's access away, at ``spotify``, at ``google``, or at both."""
        with self.lock:
            self.consents.revoke(person, service)

    def expire_tokens(self) -> None:
        """Let every access token be too old now."""
        with self.lock:
            self.consents.expire_access()

    def register_redirect(self, service: str, uri: str) -> None:
        """From now on ``service`` (spotify, google) accepts this redirect address, letter by letter, and no unknown."""
        self._redirects.setdefault(service, set()).add(uri)

    def accepts_redirect(self, service: str, uri: str) -> bool:
        """Exact match with what was registered; with nothing registered any HTTPS or loopback-number address."""
        if registered := self._redirects.get(service):
            return uri in registered
        return uri.startswith(("https://", "http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:"))

    # Search

    def search_tracks(self, query: str, limit: int) -> list[Track]:
        """Current releases by relevance."""
        with self.lock:
            found = (self.tracks[number] for number in self._track_index.search(query, limit * 2))
            return [track for track in found if track.id not in self._retired][:limit]

    def search_videos(self, query: str, limit: int) -> list[Video]:
        """Public videos by what YouTube would take for relevance."""
        with self.lock:
            found = (self._video_list[number] for number in self._video_index.search(query, limit * 2))
            return [video for video in found if self.video_status(video.id) == "public"][:limit]

    def by_isrc(self, isrc: str) -> list[Track]:
        """Current releases with this ISRC, in upper or lower case."""
        wanted = isrc.strip().upper()
        return [track for track in self.tracks if track.isrc == wanted and track.id not in self._retired]

    # Inside

    def _check_seed(self) -> None:
        held = self.store.load("world").get("seed", self.seed)
        if held != self.seed:
            self.store.close()
            raise ValueError(f"this folder holds a sandbox of seed {held}: give that seed or another folder")
        self.store.save("world", "seed", self.seed)

    def _make_videos(self) -> None:
        self._video_list = list(_common(self.seed).videos)
        self._videos = {video.id: video for video in self._video_list}
        self._videos_by_number: dict[int, list[Video]] = {track.number: [] for track in self.catalogue.tracks}
        for video in self._video_list:
            self._videos_by_number[video.number].append(video)
        self._video_status: dict[str, str] = self.store.load("video")

    def _make_indexes(self) -> None:
        self._track_index = _common(self.seed).track_index.copy()  # re-issues join it
        self._video_index = _common(self.seed).video_index

    def _recall_reissues(self) -> None:
        self._retired: set[str] = set()
        waiting: dict[str, str] = self.store.load("reissue")
        while waiting:  # a re-issue of a re-issue needs its predecessor first
            ready = {new: old for new, old in waiting.items() if old in self.catalogue.by_id}
            for new, old in ready.items():
                self._take_in_reissue(self.catalogue.by_id[old], new)
            waiting = {new: old for new, old in waiting.items() if new not in ready}

    def _take_in_reissue(self, old: Track, new_id: str) -> Track:
        new = replace(old, id=new_id)
        self.catalogue.tracks.append(new)
        self.catalogue.by_id[new_id] = new
        self._retired.add(old.id)
        _take_in(self._track_index, new)
        return new

    def _playlist(self, playlist_id: str) -> Playlist:
        playlist = self.playlist(playlist_id)
        if playlist is None:
            raise KeyError(playlist_id)
        return playlist

    def _shelf(self, playlist_id: str) -> Shelf:
        return self.spotify if self.spotify.truth(playlist_id) else self.youtube

    def _as_media(self, shelf: Shelf, media: Iterable[str]) -> list[str]:
        return [_uri(item) or "" for item in media] if shelf is self.spotify else list(media)

    def new_playlist_id(self, service: str) -> str:
        """An id that no playlist had before."""
        count = self.store.execute("SELECT count(*) FROM writes WHERE action = 'create'").fetchone()[0]
        make = ids.base62 if service == "spotify" else ids.youtube_playlist
        return make("new playlist", self.seed, count)

    def _fresh(self, service: str, playlist_id: str, owner: str, name: str, privacy: str) -> Playlist:
        return Playlist(service=service, id=playlist_id, owner=owner, name=name, privacy=privacy, created_at=self.now())

    def _create(self, shelf: Shelf, owner: str, name: str, media: Sequence[str | None], privacy: str) -> str:
        people.PEOPLE[owner]  # a KeyError here names the person nobody knows
        service = "spotify" if shelf is self.spotify else "youtube"
        with self.lock:
            playlist = self._fresh(service, self.new_playlist_id(service), owner, name, privacy)
            return shelf.create(playlist, media, Hand.PERSON).id

    def _known(self) -> Known:
        return Known(**self.store.load("known")["playlists"])

    def _settle_people(self) -> Known:
        """Fill a fresh world."""
        with self.store.transaction():
            known = self._first_playlists()
            self.store.save("known", "playlists", {name: getattr(known, name) for name in Known.__slots__})
            self.like("alice", [track.id for track in self.tracks[5:200:7]])
        return known

    def _first_playlists(self) -> Known:
        every = [track.id for track in self.tracks]
        followed = self.create_spotify_playlist("dora", "Dora's dinner", every[2:60:3], public=True)
        self.adjust(followed, followers=("alice",))
        editorial = self.create_spotify_playlist("spotify", "Morning Coffee", every[1:90:4], public=True)
        self.adjust(editorial, followers=("alice",), editorial=True)
        heard = (sorted(self.right_videos(track)) for track in every[8:60:3])
        return Known(
            followed=followed,
            editorial=editorial,
            everything=self.create_spotify_playlist("alice", "Everything", every),
            odd_ones=self.create_spotify_playlist("alice", "Odd ones", (*every[:2], None, EPISODE, LOCAL, every[4])),
            road_trip=self.create_spotify_playlist(
                "alice", "Road trip", [track.id for track in self.tracks if track.number % 10 in (0, 3, 6)][:100]
            ),
            gym=self.create_spotify_playlist("bob", "Gym", every[4:120:6], public=True),
            empty_youtube=self.create_youtube_playlist("alice", "Road trip on YouTube"),
            watched=self.create_youtube_playlist("alice", "Watched a lot", [found[0] for found in heard if found][:12]),
            bobs_videos=self.create_youtube_playlist(
                "bob", "Bob's videos", [self.videos_of(track)[0].id for track in every[9:90:8]], privacy="public"
            ),
        )


def _uri(track: str | None) -> str | None:
    return track if track is None or ":" in track else f"spotify:track:{track}"
