"""Which copies on the two sides are the same track although no link says so."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.engine.analysis.known import Known, key_of
from bot.engine.analysis.links import Base, id_on, with_id
from bot.engine.analysis.seats import Seats, free
from bot.engine.matching import Shelf, identity
from bot.model.mapping import Direction, Link, LinkState, Mapping, Removals, Side
from bot.model.matching import Verdict
from bot.model.music import PlaylistEntry, Track

Keys = Callable[[Track], Iterable[str]]


def strict_keys(track: Track) -> Iterator[str]:
    """The words under which a track is certainly the same: its ISRC, its title with versions and artists."""
    if track.isrc:
        yield "isrc:" + track.isrc.upper().replace("-", "")
    if name := identity(track):
        yield "name:" + name


def follow_reissues(base: Base, seats: Seats, known: Known, mapping: Mapping) -> None:
    """Rewrite the id of linked tracks that left the side of ``seats`` and came back to it under a new id."""
    side = seats.side
    service = mapping.playlist(side).service
    missing: dict[tuple[str, int], list[int]] = defaultdict(list)
    for index, link in base.live():
        if not seats.holds(index):
            missing[id_on(link, side), link.occurrence].append(index)
    if not missing or not seats.loose:
        return
    fresh = _by_keys(seats.loose)
    used: set[int] = set()
    for (track_id, _), indexes in missing.items():
        track = known.tracks.get((service, track_id))
        if track is None:
            continue
        for entry in _under(fresh, strict_keys(track)):
            if entry.position not in used and _rename(base, seats, indexes, entry.track.external_id):
                used.add(entry.position)
                break


def _rename(base: Base, seats: Seats, indexes: Sequence[int], new_id: str) -> bool:
    """Let pairs that share a copy on the side of ``seats`` name another track there.

    False where copies of that track stand for other pairs under the same occurrence.
    """
    old = base[indexes[0]]
    if old.occurrence in seats.occurrences(new_id):
        return False
    del seats.groups[id_on(old, seats.side)][old.occurrence]
    seats.claim(new_id, old.occurrence, *indexes)
    for index in indexes:
        base.put(index, with_id(base[index], seats.side, new_id))
    return True


def _by_keys(entries: Sequence[PlaylistEntry]) -> dict[str, list[PlaylistEntry]]:
    found: dict[str, list[PlaylistEntry]] = defaultdict(list)
    for entry in entries:
        if entry.track.available:
            for key in strict_keys(entry.track):
                found[key].append(entry)
    return found


def _under(found: dict[str, list[PlaylistEntry]], keys: Iterable[str]) -> Iterator[PlaylistEntry]:
    return (entry for key in keys for entry in found.get(key, ()))


@dataclass(frozen=True, slots=True)
class End:
    """An open end: a copy that lacks its counterpart. ``links`` are indexes of pairs whose other copy went away."""

    entry: PlaylistEntry
    links: tuple[int, ...] = ()

    @property
    def track(self) -> Track:
        return self.entry.track

    @property
    def id(self) -> str:
        return self.entry.track.external_id


class Adoption:
    """Pairs what is open on the side of ``seek`` with what is open on the other: what is there need not be added.

    ``hints`` names the counterpart's ids that are known for a track of the seeking side, surest first. ``barred`` (ids
    on the seeking side) and ``spoken_for`` (ids on the other) are concerned by writes under way and take no part.
    """

    def __init__(
        self,
        mapping: Mapping,
        base: Base,
        seek: Seats,
        target: Seats,
        known: Known,
        hints: Callable[[Track], Sequence[str]],
        *,
        barred: frozenset[str],
        spoken_for: frozenset[str],
    ) -> None:
        self._mapping = mapping
        self._base = base
        self._seek = seek
        self._target = target
        self._known = known
        self._hints = hints
        two_way = mapping.direction is Direction.TWO_WAY
        self._ends = [
            end
            for end in _open_ends(seek, target)
            if end.id not in barred and not known.refused(end.track) and (end.track.available or not two_way)
        ]
        self._open = {
            end.entry.position: end
            for end in _open_ends(target, seek)
            if end.track.available and end.id not in spoken_for and not known.refused(end.track)
        }

    def run(self) -> None:
        """Pair by what people decided, by what is known, by ISRC and identity, and by match, in this order."""
        self._by_key(lambda end: self._hints(end.track), lambda end: [end.id])
        self._by_key(lambda end: [end.id], lambda end: self._known_from_there(end.track))
        self._leave_out_decided()
        self._by_key(lambda end: strict_keys(end.track), lambda end: strict_keys(end.track))
        self._by_match()

    def _known_from_there(self, track: Track) -> list[str]:
        key = key_of(track)
        return [found for found in (self._known.decided.get(key) or self._known.remembered.get(key),) if found]

    def _leave_out_decided(self) -> None:
        """Whom a person gave a counterpart takes no other one."""
        decided = self._known.decided
        self._ends = [end for end in self._ends if key_of(end.track) not in decided]
        self._open = {at: end for at, end in self._open.items() if key_of(end.track) not in decided}

    def _by_key(self, wanted: Callable[[End], Iterable[str]], offered: Callable[[End], Iterable[str]]) -> None:
        if not self._ends or not self._open:
            return
        shelf: dict[str, deque[End]] = defaultdict(deque)
        for end in self._open.values():
            for key in offered(end):
                shelf[key].append(end)
        self._ends = [end for end in self._ends if not self._take(end, (shelf.get(key, ()) for key in wanted(end)))]

    def _take(self, end: End, offers: Iterable[Iterable[End]]) -> bool:
        candidates = [offer for offered in offers for offer in offered]
        return any(self._pair(end, offer) for offer in candidates)

    def _by_match(self) -> None:
        if not self._ends or not self._open:
            return
        shelf = Shelf(list({end.id: end.track for end in self._open.values()}.values()))
        found: list[tuple[float, int, End, str]] = []
        for number, end in enumerate(self._ends):
            for candidate in shelf.best(end.track, self._mapping.policy).candidates:
                if candidate.score.verdict is Verdict.ACCEPT:
                    found.append((-candidate.score.total, number, end, candidate.track.external_id))
        offers: dict[str, list[End]] = defaultdict(list)
        for end in self._open.values():
            offers[end.id].append(end)
        done: set[int] = set()
        # The surest pairs first: a good match must not lose its counterpart to a middling one that came earlier.
        for _, number, end, track_id in sorted(found, key=lambda row: row[:2]):
            if number not in done and any(self._pair(end, offer) for offer in offers[track_id]):
                done.add(number)

    def _pair(self, end: End, offer: End) -> bool:
        """Make one pair of two open ends where that is possible."""
        if self._open.get(offer.entry.position) is not offer or (end.links and offer.links):
            return False
        seek, target = self._seek, self._target
        if end.links:
            paired = self._relink(end.links, target, offer.id)
        elif offer.links:
            paired = self._relink(offer.links, seek, end.id)
        else:
            paired = self._link(end, offer)
        if paired:
            del self._open[offer.entry.position]
        return paired

    def _relink(self, indexes: Sequence[int], seats: Seats, new_id: str) -> bool:
        """Give pairs a new id on the side of ``seats``: a person swapped one upload or release for another."""
        side = seats.side
        lost = {(id_on(self._base[index], side), self._base[index].occurrence) for index in indexes}
        if len(lost) != 1:
            return False
        [(track_id, occurrence)] = lost
        moved = list(seats.groups[track_id][occurrence])
        if not _rename(self._base, seats, moved, new_id):
            return False
        for index in moved:
            link = self._base[index]
            if link.written_side is side:
                self._base.put(index, replace(link, written_side=None))
        return True

    def _link(self, end: End, offer: End) -> bool:
        seek, target = self._seek, self._target
        occurrence = free(seek.occurrences(end.id), target.occurrences(offer.id))
        index = self._base.add(new_link(self._mapping, seek.side, end.id, offer.id, occurrence))
        seek.claim(end.id, occurrence, index)
        target.claim(offer.id, occurrence, index)
        return True


def share(
    mapping: Mapping,
    base: Base,
    fresh: Sequence[PlaylistEntry],
    source: Seats,
    destination: Seats,
    known: Known,
    hints: Callable[[Track], Sequence[str]],
) -> None:
    """Link new tracks of ``source`` whose counterpart serves another track already: one copy is enough for both.

    Copies of one and the same track are no case of this: they stay copies.
    """
    serving: dict[str, list[tuple[str, int]]] = defaultdict(list)
    tracks: dict[str, Track] = {}
    service = mapping.playlist(destination.side).service
    # An exact destination gets back what people took out of it, so that it serves as well.
    returning = mapping.removals is Removals.EXACT and mapping.direction is not Direction.TWO_WAY
    for index, link in base.live():
        there = id_on(link, destination.side)
        entry = destination.seated.get(index)
        if source.holds(index) and (entry is not None or (returning and link.state is not LinkState.HELD)):
            serving[there].append((id_on(link, source.side), link.occurrence))
            served = entry.track if entry is not None else known.tracks.get((service, there))
            if served is not None:
                tracks[there] = served
    alike = _Alike(list(tracks.values())) if mapping.left.service is not mapping.right.service else None
    for entry in fresh:
        track = entry.track
        if known.refused(track):
            continue
        found = list(hints(track))
        if alike is not None and key_of(track) not in known.decided:
            found += alike.ids(track)
        occurrence = free(source.occurrences(track.external_id))
        for there in found:
            if any(taken == occurrence and here != track.external_id for here, taken in serving.get(there, ())):
                base.add(new_link(mapping, source.side, track.external_id, there, occurrence))
                source.claim(track.external_id, occurrence)
                break


class _Alike:
    """Tracks by their strict keys, made when first asked for."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = tracks
        self._by_key: dict[str, list[str]] | None = None

    def ids(self, track: Track) -> list[str]:
        if self._by_key is None:
            self._by_key = defaultdict(list)
            for one in self._tracks:
                for key in strict_keys(one):
                    self._by_key[key].append(one.external_id)
        return [found for key in strict_keys(track) for found in self._by_key.get(key, ())]


def _open_ends(seats: Seats, other: Seats) -> list[End]:
    """The copies on one side that nothing stands for on the other, in playlist order."""
    ends = [End(entry) for entry in seats.loose]
    widowed: dict[int, list[int]] = defaultdict(list)
    entries: dict[int, PlaylistEntry] = {}
    for index, entry in seats.seated.items():
        if not other.holds(index):
            widowed[entry.position].append(index)
            entries[entry.position] = entry
    ends += [End(entry, tuple(widowed[position])) for position, entry in entries.items()]
    return sorted(ends, key=lambda end: end.entry.position)


def new_link(mapping: Mapping, side: Side, id_here: str, id_there: str, occurrence: int) -> Link:
    """A pair of what ``side`` holds with what the other side holds already."""
    left, right = (id_here, id_there) if side is Side.LEFT else (id_there, id_here)
    return Link(
        mapping_id=mapping.id,
        left_track_id=left,
        right_track_id=right,
        occurrence=occurrence,
        state=LinkState.ACTIVE,
    )
