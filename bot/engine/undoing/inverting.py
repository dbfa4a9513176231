"""The inverse of a run: what of its writes is still there goes, what it took away comes back, and the pairs are held.

What people did since stays: what they took out or put back themselves needs no write, what they moved stays where it
is, and a copy of their own is never touched. Of each pair concerned the merge base says what the next merge has to
think:

- an add taken back: the pair is HELD while its source holds the track, so that it is not added again, not even to
  an exact destination. It ends when the track leaves the source (it is forgotten), or people add the copy themselves;
- a removal taken back: the copy is HELD in a pair whose source half is missing, so that it is not removed again. It
  ends when the source holds the track again, or people take the copy out. A stranger's missing half is ``nobody``;
- a move taken back: the pair is PLACED, so that the order leaves the copy alone until it is moved in the source;
- work of the run that still waits is cancelled, and held in the same way.

The inverse of an undo's own effects restores the pairs as they were before that undo.
"""

from collections import Counter
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.engine.analysis.links import id_on
from bot.engine.analysis.waiting import side_of
from bot.engine.undoing.effects import effects_of
from bot.engine.undoing.ground import Coming, Going, Ground, key_of, same
from bot.engine.undoing.holding import done_since, hold
from bot.engine.undoing.places import Places
from bot.engine.undoing.putting import put_back
from bot.engine.undoing.taking import entries_of, spare_copies, take_back
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Link, Mapping, Side
from bot.model.music import PlaylistContent, Track
from bot.model.plan import Add, LinkChange, Move, Plan, Remove

Contents = Map[Side, PlaylistContent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """``plan`` with, for each of its removes and adds in order, how the merge base changes once it is done.

    ``copies``: by side, action and track id, how many copies a playlist holds (removes) or has to hold (adds).
    """

    plan: Plan
    removes: tuple[LinkChange, ...] = ()
    adds: tuple[LinkChange, ...] = ()
    copies: Map[tuple[Side, Action, str], int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to change at all, not even in the merge base."""
        return not (self.plan.diffs or self.plan.links or self.plan.cancels)


def invert(
    mapping: Mapping,
    items: Sequence[SyncItem],
    links: Sequence[Link],
    now: Contents,
    before: Map[Side, PlaylistContent | None],
    *,
    restores: Sequence[LinkChange] = (),
    queue: Sequence[SyncItem] = (),
) -> Inverse:
    """What takes the run of ``items`` back.

    ``links`` are the merge base and ``now`` the playlists as they are; ``before`` what the run had read of each side.
    ``restores``: where the run is an undo, how it changed the merge base apart from its items. ``queue``: what is open
    of other runs.
    """
    return _Inversion(mapping, items, links, now, before, queue).inverse(restores)


class _Inversion:
    """Decides effect by effect, then finds the places."""

    def __init__(
        self,
        mapping: Mapping,
        items: Sequence[SyncItem],
        links: Sequence[Link],
        now: Contents,
        before: Map[Side, PlaylistContent | None],
        queue: Sequence[SyncItem],
    ) -> None:
        self._mapping = mapping
        self._queue = queue
        self._effects = effects_of(mapping, items)
        self._waiting = [item for item in items if item.status is ItemStatus.PENDING]
        self._failed = [item for item in items if item.status is ItemStatus.ERROR]
        self._ground = Ground(mapping, self._effects, links, now, before)

    def inverse(self, restores: Sequence[LinkChange]) -> Inverse:
        ground = self._ground
        for effect in self._effects:
            if not self._mapping.direction.writes(effect.side):
                ground.leave(effect, "that playlist is the source now and is only read")
            elif effect.item.action is Action.ADD_TRACK:
                take_back(ground, effect)
            elif effect.item.action is Action.REMOVE_TRACK:
                put_back(ground, effect)
        for item in (*self._waiting, *self._failed):
            if item.status is ItemStatus.PENDING or not done_since(ground, item):
                hold(ground, item)
        spare_copies(ground)
        moves, adds, coming = self._placed()
        for change in restores:
            self._restore(change)
        going = [(side, one) for side in Side for one in ground.going[side]]
        plan = Plan(
            mapping_id=self._mapping.id,
            removes=tuple(_remove(side, one) for side, one in going),
            moves=moves,
            adds=adds,
            renames=self._renames(),
            conflicts=tuple(ground.conflicts),
            links=ground.base.changes(),
            cancels=tuple(item.id for item in self._waiting),
        )
        return Inverse(
            plan=plan,
            removes=tuple(one.change for _, one in going),
            adds=tuple(one.change for one in coming),
            copies=self._copies(),
        )

    def _placed(self) -> tuple[tuple[Move, ...], tuple[Add, ...], list[Coming]]:
        """The moves and the adds with their places, side by side."""
        moves: list[Move] = []
        adds: list[Add] = []
        coming: list[Coming] = []
        for side in Side:
            places, moved = self._places(side)
            moves += places.moves if moved else ()
            written = [one for one in self._ground.coming[side] if not one.effect.shared]
            seats = places.seats([one.effect.track_id for one in written])
            seated = [(written[number], position) for number, position in seats]
            shared = [(one, None) for one in self._ground.coming[side] if one.effect.shared]
            for one, position in [*seated, *shared]:
                coming.append(one)
                adds.append(self._add(side, one, position))
        return tuple(moves), tuple(adds), coming

    def _places(self, side: Side) -> tuple[Places, bool]:
        """One side's places, and whether moves of the run are taken back there."""
        ground = self._ground
        effects = [effect for effect in self._effects if effect.side is side]
        moved = [effect for effect in effects if effect.item.action is Action.MOVE_TRACK]
        # Places hold only for a whole series of moves: another one that waits must not be cut in two.
        busy = any(one.action is Action.MOVE_TRACK and side_of(self._mapping, one) is side for one in self._queue)
        going = {one.entry.position for one in ground.going[side]}
        places = Places(side, ground.now[side], ground.before[side], () if busy else effects, going)
        if not self._mapping.direction.writes(side):
            return places, False
        for effect in moved:
            if busy or effect.track_id not in places.untouched:
                ground.leave(effect, "it was moved again since, or other moves wait")
            elif effect.change is None:
                ground.place(side, effect.track_id)
        return places, bool(moved) and not busy

    def _add(self, side: Side, one: Coming, position: int | None) -> Add:
        service = self._mapping.playlist(side.other).service
        source = Track(service=service, external_id=one.source_id, title=one.effect.item.source_track_title)
        return Add(
            side=side, source=source, occurrence=one.occurrence, destination_id=one.effect.track_id, position=position
        )

    def _renames(self) -> tuple[tuple[Side, str], ...]:
        ground, renames = self._ground, []
        for effect in self._effects:
            before, given = ground.before[effect.side], effect.item.payload.get("name")
            if effect.item.action is Action.RENAME_PLAYLIST and before and ground.now[effect.side].info.name == given:
                renames.append((effect.side, before.info.name))
        return tuple(renames)

    def _restore(self, change: LinkChange) -> None:
        """Take back what an undo did to the merge base at once, where nothing has changed the pair since."""
        ground, kept = self._ground, change.after or change.before
        if kept is None or key_of(kept) in ground.settled:
            return
        index = ground.links.get(key_of(kept))
        if change.after is None:
            if index is None:
                ground.put(kept)
        elif index is not None and same(ground.base[index], change.after):
            ground.settle(index, change.before)

    def _copies(self) -> dict[tuple[Side, Action, str], int]:
        copies: dict[tuple[Side, Action, str], int] = {}
        for side in Side:
            held = Counter(entry.track.external_id for entry in self._ground.now[side].entries)
            leaving = Counter(entries_of(self._ground.going[side]).values())
            for track_id in leaving:
                copies[side, Action.REMOVE_TRACK, track_id] = held[track_id]
            written = [one for one in self._ground.coming[side] if not one.effect.shared]
            for track_id, count in Counter(one.effect.track_id for one in written).items():
                copies[side, Action.ADD_TRACK, track_id] = held[track_id] - leaving[track_id] + count
        return copies


def _remove(side: Side, one: Going) -> Remove:
    link = one.change.before
    return Remove(
        side=side,
        track=one.entry.track,
        entry_id=one.entry.entry_id,
        source_track_id=id_on(link, side.other) if link is not None else "",
        occurrence=link.occurrence if link is not None else one.effect.item.occurrence,
        linked=link is not None,
    )
