"""What an undo stands on while it is planned: the playlists, the merge base, and what is decided so far."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.engine.analysis.links import Base, id_on
from bot.engine.analysis.seats import Seats, free
from bot.engine.undoing.effects import Effect
from bot.model.item import Action
from bot.model.mapping import Link, LinkState, Side
from bot.model.mapping import Mapping as PlaylistMapping
from bot.model.music import PlaylistContent, PlaylistEntry, Track
from bot.model.plan import Conflict, LinkChange

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Going:
    """A copy of ours that goes, and how the merge base changes once it is gone."""

    effect: Effect
    entry: PlaylistEntry
    change: LinkChange


@dataclass(frozen=True, slots=True)
class Coming:
    """A copy that comes back; ``source_id`` and ``occurrence`` name it in the queue."""

    effect: Effect
    source_id: str
    occurrence: int
    change: LinkChange


class Ground:
    """``going`` and ``coming`` are filled by side as effects are decided; changes of ``base`` hold at once."""

    def __init__(
        self,
        mapping: PlaylistMapping,
        effects: Sequence[Effect],
        links: Sequence[Link],
        now: Mapping[Side, PlaylistContent],
        before: Mapping[Side, PlaylistContent | None],
    ) -> None:
        self.mapping = mapping
        self.now = now
        self.before = before
        self.base = Base(links)
        self.links = {key_of(link): index for index, link in self.base.live()}
        self.seats = {side: Seats(side, now[side], self.base, frozenset()) for side in Side}
        self.taken: dict[Side, set[int]] = {side: set() for side in Side}  # positions spoken for by this undo
        self.going: dict[Side, list[Going]] = {side: [] for side in Side}
        self.coming: dict[Side, list[Coming]] = {side: [] for side in Side}
        self.conflicts: list[Conflict] = []
        self.settled: set[Key] = set()  # pairs whose future stands already
        self._had = {side: _by_track(content.entries if content else ()) for side, content in before.items()}
        self._pairs = self._found_pairs(effects)
        self._ours = frozenset(self._pairs.values())

    def had(self, side: Side, track_id: str) -> list[PlaylistEntry]:
        """The copies that the run had found there."""
        return self._had[side].get(track_id, [])

    def pair_of(self, effect: Effect) -> int | None:
        """The index of the pair that an add made, if it still is what the run has left."""
        return self._pairs.get(id(effect))

    def is_ours(self, index: int) -> bool:
        """Whether the pair is one whose add this undo takes back."""
        return index in self._ours

    def go(self, effect: Effect, entry: PlaylistEntry, change: LinkChange) -> None:
        self.taken[effect.side].add(entry.position)
        self.going[effect.side].append(Going(effect, entry, change))
        if change.before is not None:
            self.settled.add(key_of(change.before))

    def free_occurrence(self, side: Side, track_id: str) -> int:
        """One that no pair of the track on that side has, nor what comes back."""
        coming = {one.occurrence for one in self.coming[side] if one.effect.track_id == track_id}
        return free(self.seats[side].occurrences(track_id), coming)

    def settle(self, index: int, after: Link | None) -> None:
        """Give the pair its future at once; None: it is forgotten."""
        self.settled.add(key_of(self.base[index]))
        if after is None:
            self.base.drop(index)
        else:
            self.base.put(index, after)

    def put(self, link: Link) -> None:
        index = self.links.get(key_of(link))
        if index is not None:
            self.base.put(index, link)
        else:
            self.links[key_of(link)] = self.base.add(link)

    def held(self, side: Side, here: str, there: str, occurrence: int, *, written: bool) -> Link:
        """A pair that no merge touches; ``written``: the copy on ``side`` is one that we put there."""
        left, right = (here, there) if side is Side.LEFT else (there, here)
        return Link(
            mapping_id=self.mapping.id,
            left_track_id=left,
            right_track_id=right,
            occurrence=occurrence,
            state=LinkState.HELD,
            written_side=side if written else None,
        )

    def place(self, side: Side, track_id: str) -> None:
        """Let the order leave a track alone, and those that would follow its counterpart in its stead."""
        led = {id_on(link, side.other) for _, link in self.base.live() if id_on(link, side) == track_id}
        for index, link in list(self.base.live()):
            concerned = id_on(link, side.other) in led and key_of(link) not in self.settled
            if concerned and link.state is LinkState.ACTIVE:
                self.base.put(index, replace(link, state=LinkState.PLACED))

    def leave(self, effect: Effect, why: str) -> None:
        """Say why an effect stays."""
        item = effect.item
        track = Track(service=item.service, external_id=effect.track_id, title=item.source_track_title)
        self.conflicts.append(Conflict(track=track, sentence=f"{item.source_track_title}: {why}."))

    def _found_pairs(self, effects: Sequence[Effect]) -> dict[int, int]:
        """By the identity of an add's effect, the pair that it made."""
        made: dict[tuple[Side, Side, str, int], list[int]] = defaultdict(list)
        for index, link in self.base.live():
            if link.written_side is not None and link.state is not LinkState.HELD:
                for side in Side:
                    made[link.written_side, side, id_on(link, side), link.occurrence].append(index)
        found: dict[int, int] = {}
        for effect in effects:
            pair = self._found_pair(effect, made) if effect.item.action is Action.ADD_TRACK else None
            if pair is not None:
                found[id(effect)] = pair
        return found

    def _found_pair(self, effect: Effect, made: Mapping[tuple[Side, Side, str, int], list[int]]) -> int | None:
        item, side = effect.item, effect.side
        if effect.change is not None:
            after = effect.change.after
            index = None if after is None else self.links.get(key_of(after))
            return index if index is not None and after is not None and same(self.base[index], after) else None
        if effect.shared:
            pair = (effect.track_id, item.source_track_id)
            return self.links.get((*(pair if side is Side.LEFT else pair[::-1]), item.occurrence))
        here = made.get((side, side, effect.track_id, item.occurrence), [])
        there = made.get((side, side.other, item.source_track_id, item.occurrence), [])
        both = [index for index in here if index in there]
        # A track may have got another id since, on either side.
        return next(iter([*both, *here, *there]), None)


def key_of(link: Link) -> Key:
    return (link.left_track_id, link.right_track_id, link.occurrence)


def same(link: Link, kept: Link) -> bool:
    """Whether the pair is still as it was left; the doubt about a write may have ended meanwhile."""
    return key_of(link) == key_of(kept) and link.state is kept.state and link.written_side is kept.written_side


def _by_track(entries: Iterable[PlaylistEntry]) -> dict[str, list[PlaylistEntry]]:
    found: dict[str, list[PlaylistEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.track.external_id].append(entry)
    return found
