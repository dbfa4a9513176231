"""Whether mappings that pass removals on would pass them round in a circle."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bot.model.mapping import Mapping, Playlist, Removals, Side
from bot.model.music import Service

Key = tuple[Service, str]
Edge = tuple[Key, Key]


def circle(edges: Sequence[Edge], others: Iterable[Mapping]) -> bool:
    """Whether ``edges`` (source, destination) of a new mapping close a circle of mappings that mirror removals.

    The two ways of one two-way mapping are no circle: its merge base keeps them apart.
    """
    onward: dict[Key, set[Key]] = defaultdict(set)
    for mapping in others:
        if mapping.removals is Removals.KEEP:
            continue
        for side in Side:
            if mapping.direction.writes(side):
                for source in mapping.sources(side):
                    onward[_key(source)].add(_key(mapping.playlist(side)))
    return any(
        source in _reached(onward, destination) for source, destination in edges if all(source) and all(destination)
    )


def _reached(onward: dict[Key, set[Key]], start: Key) -> set[Key]:
    seen: set[Key] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += onward[key]
    return seen


def _key(playlist: Playlist) -> Key:
    return (playlist.service, playlist.external_id)
