"""The key under which a track that came back with a new id is still the same track."""

from functools import lru_cache

from bot.engine.matching.names import channel_key
from bot.engine.matching.reading import read
from bot.engine.matching.text import squeeze
from bot.model.music import Track


@lru_cache(maxsize=65536)
def identity(track: Track) -> str:
    """Title, versions and artists in one normalised string; '' when the track does not tell who made it.

    Strict: another version word, part number or artist makes another identity. A remaster keeps it, for Spotify
    re-issues tracks so. The order of artists does not matter.
    """
    names = sorted({squeeze(name) for name in track.artists} - {""})
    if not names and track.channel:
        names = [f"@{channel_key(track.channel)}"]
    if not names or not track.title.strip():
        return ""
    reading = read(track)
    tags = sorted(f"{tag}:{'-'.join(sorted(whose))}" for tag, whose in reading.tags.items())
    return "|".join([" ".join(reading.variants[0]), ",".join(tags), ",".join(names)])
