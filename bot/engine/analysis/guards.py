"""What stops a plan whole: reads that look broken, and more removals than a person allowed."""

from collections.abc import Iterable

from bot.model.mapping import Mapping, Side
from bot.model.music import Part, PlaylistContent, PlaylistInfo
from bot.model.plan import Guard, GuardKind, Remove

# Below two fifths of what was there a read is more probably broken than true (DESIGN.md section 5).
LEAST_SHARE = 0.4
# Of fewer tracks than this two fifths are hardly any: small playlists change whole every day.
SMALLEST = 5


def collapsed(mapping: Mapping, side: Side, content: PlaylistContent, expected: int) -> Guard | None:
    """``expected``: how many tracks the side held at the last read, or has to hold by its links if those are more."""
    read = len(content.entries)
    if expected < SMALLEST or read >= LEAST_SHARE * expected:
        return None
    name = mapping.playlist(side).name or content.info.name
    return _collapsed(name, read, expected)


def source_collapsed(mapping: Mapping, before: Iterable[Part], now: PlaylistInfo) -> Guard | None:
    """The first of several sources that was read with too little, by what each held when they were last merged."""
    names = {playlist.id: playlist.name for playlist in mapping.playlists}
    held = {part.playlist_id: part.count for part in before}
    for part in now.parts:
        expected = held.get(part.playlist_id, 0)
        if expected >= SMALLEST and part.count < LEAST_SHARE * expected:
            return _collapsed(names.get(part.playlist_id, now.name), part.count, expected)
    return None


def too_many_removals(mapping: Mapping, removes: Iterable[Remove]) -> Guard | None:
    """Surplus copies of our own making do not count: they are nobody's tracks."""
    count = sum(not remove.surplus for remove in removes)
    if count <= mapping.max_removals:
        return None
    return Guard(
        kind=GuardKind.TOO_MANY_REMOVALS,
        sentence=f"{count} tracks would be removed, more than the {mapping.max_removals} allowed: nothing was changed.",
    )


def _collapsed(name: str, read: int, expected: int) -> Guard:
    return Guard(
        kind=GuardKind.COLLAPSED_READ,
        sentence=f"{name} was read with {read} tracks, but held {expected} before: nothing was changed.",
    )
