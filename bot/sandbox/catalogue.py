"""The tracks that exist in the simulated world, read from ``catalogue.tsv``."""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from bot.sandbox import ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One release of a real recording. ``isrc`` is None where the true one was not known for certain."""

    id: str
    number: int  # its line in the catalogue, from 0; a re-issue keeps the number of the recording
    title: str
    artists: tuple[str, ...]
    album: str
    released: str  # YYYY, YYYY-MM or YYYY-MM-DD
    length_ms: int
    isrc: str | None
    explicit: bool
    language: str  # ISO 639-1, or 639-3 where there is none
    romanised: str  # "Artist - Title" in Latin letters, as uploaders add it; empty where it would say the same

    @property
    def uri(self) -> str:
        return f"spotify:track:{self.id}"

    @property
    def album_id(self) -> str:
        return ids.base62("album", self.album, self.artists[0])


class Catalogue:
    """All tracks in the order of the file, and by the ids that the service knows them by."""

    def __init__(self, tracks: list[Track]) -> None:
        self.tracks = tracks
        self.by_id = {track.id: track for track in tracks}

    @cached_property
    def by_album(self) -> dict[str, list[Track]]:
        """Tracks of each album id, in the order of the file."""
        albums: dict[str, list[Track]] = {}
        for track in self.tracks:
            albums.setdefault(track.album_id, []).append(track)
        return albums

    @cached_property
    def artists(self) -> dict[str, str]:
        """Names by artist id."""
        return {artist_id(name): name for track in self.tracks for name in track.artists}


def artist_id(name: str) -> str:
    return ids.base62("artist", name)


def read() -> Catalogue:
    """The catalogue of the package, the caller's own: a re-issue may join it."""
    return Catalogue(list(_packaged()))


@cache
def _packaged() -> tuple[Track, ...]:
    """Lengths are whole seconds in the file; a plausible rest is made up from the title."""
    text = resources.files("bot.sandbox").joinpath("catalogue.tsv").read_text(encoding="utf-8")
    return tuple(_track(number, line) for number, line in enumerate(text.splitlines()[1:]))


def _track(number: int, line: str) -> Track:
    title, artists, album, released, length, isrc, explicit, language, romanised = line.split("\t")
    minutes, seconds = length.split(":")
    rest = int(ids.fraction("length", title, artists) * 1000) - 500
    return Track(
        id=ids.base62("track", title, artists, album),
        number=number,
        title=title,
        artists=tuple(artists.split(";")),
        album=album,
        released=released,
        length_ms=(int(minutes) * 60 + int(seconds)) * 1000 + rest,
        isrc=isrc or None,
        explicit=explicit == "yes",
        language=language,
        romanised=romanised,
    )
