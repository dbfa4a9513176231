"""The genres of the simulated world's artists, read from ``genres.tsv``; nobody knows any for the rest."""

from functools import cache
from importlib import resources

from bot.sandbox.catalogue import Track


@cache
def _by_artist() -> dict[str, tuple[str, ...]]:
    text = resources.files("bot.sandbox").joinpath("genres.tsv").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        genre, artists = line.split("\t")
        for artist in artists.split(";"):
            found.setdefault(artist, []).append(genre)
    return {artist: tuple(genres) for artist, genres in found.items()}


def of_artist(name: str) -> tuple[str, ...]:
    return _by_artist().get(name, ())


def of_track(track: Track) -> tuple[str, ...]:
    """Those of all its artists, each once."""
    return tuple(dict.fromkeys(genre for artist in track.artists for genre in of_artist(artist)))
