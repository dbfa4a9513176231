"""Which copy in a playlist each link stands for, and which copies stand for nothing yet."""

from collections import defaultdict

from bot.engine.analysis.known import Key, key_of
from bot.engine.analysis.links import Base, gone, id_on, stands
from bot.model.mapping import LinkState, Side
from bot.model.music import PlaylistContent, PlaylistEntry


class Seats:
    """One playlist seen through the links.

    Links that name the same track with the same occurrence share one copy; different occurrences need a copy each.
    ``seated`` maps a link's index in the base to its entry, ``loose`` are the other entries in playlist order.
    """

    def __init__(self, side: Side, content: PlaylistContent, base: Base, unsettled: frozenset[Key]) -> None:
        self.side = side
        self.copies: dict[str, list[PlaylistEntry]] = defaultdict(list)
        for entry in content.entries:
            if entry.track.external_id:
                self.copies[entry.track.external_id].append(entry)
        self.groups: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, link in base.live():
            self.groups[id_on(link, side)][link.occurrence].append(index)
        self.seated: dict[int, PlaylistEntry] = {}
        taken = self._seat(base)
        self.loose = [
            entry
            for entry in content.entries
            if entry.track.external_id and entry.position not in taken and key_of(entry.track) not in unsettled
        ]

    def _seat(self, base: Base) -> set[int]:
        taken: set[int] = set()
        for track_id, by_occurrence in self.groups.items():
            copies = self.copies.get(track_id)
            if not copies:
                continue
            for indexes, entry in zip(self._by_claim(by_occurrence, base), copies, strict=False):
                taken.add(entry.position)
                for index in self._seatable(indexes, base):
                    self.seated[index] = entry
        return taken

    def _seatable(self, indexes: list[int], base: Base) -> list[int]:
        """A copy that serves another track does not bring back the pair whose copy a person or an undo took out."""
        expected = [index for index in indexes if stands(base[index], self.side)]
        return expected or indexes

    def _by_claim(self, by_occurrence: dict[int, list[int]], base: Base) -> list[list[int]]:
        """When copies are too few, those that nobody expects to be here go without one first."""
        if len(by_occurrence) == 1:
            return list(by_occurrence.values())

        def claim(occurrence: int) -> tuple[int, int]:
            return min(_claim(base[index].state, self.side) for index in by_occurrence[occurrence]), occurrence

        return [by_occurrence[occurrence] for occurrence in sorted(by_occurrence, key=claim)]

    def holds(self, index: int) -> bool:
        return index in self.seated

    def serves(self, track_id: str, occurrence: int) -> bool:
        """Whether a copy is here for some link of this track and occurrence."""
        return any(index in self.seated for index in self.groups[track_id].get(occurrence, ()))

    def occurrences(self, track_id: str) -> set[int]:
        """The occurrences of a track that links already stand for, whether their copy is here or not."""
        return set(self.groups[track_id]) if track_id in self.groups else set()

    def claim(self, track_id: str, occurrence: int, *indexes: int) -> None:
        """Take an occurrence for links that were made or rewritten since; who sits where is told by new seats."""
        self.groups[track_id][occurrence].extend(indexes)


def _claim(state: LinkState, side: Side) -> int:
    if state is gone(side):
        return 2
    return 1 if state is LinkState.HELD else 0


def free(*taken: set[int]) -> int:
    """The smallest occurrence that none of the sets holds."""
    occurrence = 0
    while any(occurrence in occurrences for occurrences in taken):
        occurrence += 1
    return occurrence
