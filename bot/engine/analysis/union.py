"""Several playlists as one: their tracks in order, each once."""

from collections.abc import Iterable
from dataclasses import replace

from bot.engine.analysis.pairing import strict_keys
from bot.model.music import PlaylistEntry, Track


def union(sources: Iterable[Iterable[PlaylistEntry]]) -> tuple[PlaylistEntry, ...]:
    """The entries of all sources, one source after the other, without doubles, at places counted anew.

    A double has the id, the ISRC, or the title with its artists of an earlier track; where that one can no longer be
    played and the double can, the double takes its place.
    """
    kept: list[PlaylistEntry] = []
    seats: dict[str, int] = {}
    for entry in (entry for source in sources for entry in source):
        keys = _keys(entry.track)
        seat = next((seats[key] for key in keys if key in seats), len(kept))
        if seat == len(kept):
            kept.append(entry)
        elif entry.track.available and not kept[seat].track.available:
            kept[seat] = entry
        for key in keys:
            seats.setdefault(key, seat)
    return tuple(replace(entry, position=place) for place, entry in enumerate(kept))


def _keys(track: Track) -> list[str]:
    return [f"id {track.external_id}", *strict_keys(track)]
