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

from collections import Counter, defaultdict
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.engine.analysis.links import Base, gone, id_on, nobody, stands
from bot.engine.analysis.seats import Seats, free
from bot.engine.analysis.waiting import side_of
from bot.engine.undoing.effects import Effect, effects_of
from bot.engine.undoing.places import Places
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Direction, Link, LinkState, Mapping, Removals, Side
from bot.model.music import PlaylistContent, PlaylistEntry, Service, Track
from bot.model.plan import Add, Conflict, LinkChange, Move, Plan, Remove

# A service's clock may differ from ours by this much; what was put there later than our write is a person's.
SKEW = timedelta(seconds=10)
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


@dataclass(frozen=True, slots=True)
class _Going:
    """A copy of ours that goes."""

    effect: Effect
    entry: PlaylistEntry
    change: LinkChange


@dataclass(frozen=True, slots=True)
class _Coming:
    """A copy that comes back; ``source_id`` and ``occurrence`` name it in the queue."""

    effect: Effect
    source_id: str
    occurrence: int
    change: LinkChange


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
        self._now = now
        self._before = before
        self._queue = queue
        self._effects = effects_of(mapping, items)
        self._waiting = [item for item in items if item.status is ItemStatus.PENDING]
        self._base = Base(links)
        self._links = {_key(link): index for index, link in self._base.live()}
        self._seats = {side: Seats(side, now[side], self._base, frozenset()) for side in Side}
        self._taken: dict[Side, set[int]] = {side: set() for side in Side}  # positions spoken for by this undo
        self._going: dict[Side, list[_Going]] = defaultdict(list)
        self._coming: dict[Side, list[_Coming]] = defaultdict(list)
        self._conflicts: list[Conflict] = []
        self._settled: set[tuple[str, str, int]] = set()  # pairs whose future stands already

    def inverse(self, restores: Sequence[LinkChange]) -> Inverse:
        for effect in self._effects:
            if not self._mapping.direction.writes(effect.side):
                self._leave(effect, "that playlist is the source now and is only read")
            elif effect.item.action is Action.ADD_TRACK:
                self._take_back(effect)
            elif effect.item.action is Action.REMOVE_TRACK:
                self._put_back(effect)
        for item in self._waiting:
            self._hold(item)
        self._spare_copies()
        moves, adds, coming = self._placed()
        for change in restores:
            self._restore(change)
        going = [(side, one) for side in Side for one in self._going[side]]
        plan = Plan(
            mapping_id=self._mapping.id,
            removes=tuple(_remove(side, one) for side, one in going),
            moves=moves,
            adds=adds,
            renames=self._renames(),
            conflicts=tuple(self._conflicts),
            links=self._base.changes(),
            cancels=tuple(item.id for item in self._waiting),
        )
        return Inverse(
            plan=plan,
            removes=tuple(one.change for _, one in going),
            adds=tuple(one.change for one in coming),
            copies=self._copies(),
        )

    # Adds of the run

    def _take_back(self, effect: Effect) -> None:
        side = effect.side
        index = self._pair_of(effect)
        if index is None:
            if effect.change is not None and effect.change.after is None:
                self._take_unlinked(effect)
            return  # people ended or took over the pair: what is there is theirs
        link = self._base[index]
        after = self._afterwards(effect, link)
        change = LinkChange(before=link, after=after)
        seat = self._seats[side].seated.get(index)
        if effect.shared:
            if seat is not None and seat.position in self._taken[side]:
                self._go(effect, seat, change)
            return
        mine = self._own_copy(effect, id_on(link, side), seat)
        if mine is None and seat is None:
            if link.state is not gone(side):  # people took it out; it stays out
                self._settle(index, after)
        elif mine is None:
            self._base.put(index, replace(link, written_side=None))
            self._leave(effect, "people put it there again themselves")
        elif self._needed(effect, id_on(link, side)):
            self._leave(effect, "another track of the other playlist needs it now")
        else:
            self._go(effect, mine, change)
            for sharer in self._unserved(effect, id_on(link, side)):
                held = replace(sharer, state=LinkState.HELD, written_side=None, suspect=False)
                self._go(effect, mine, LinkChange(before=sharer, after=held))

    def _go(self, effect: Effect, entry: PlaylistEntry, change: LinkChange) -> None:
        self._taken[effect.side].add(entry.position)
        self._going[effect.side].append(_Going(effect, entry, change))
        if change.before is not None:
            self._settled.add(_key(change.before))

    def _needed(self, effect: Effect, track_id: str) -> bool:
        """Whether every copy that is left serves pairs that this undo does not concern."""
        seats = self._seats[effect.side]
        unserved = self._unserved(effect, track_id)
        serving = {link.occurrence for link in self._sharers(effect, track_id) if link not in unserved}
        left = [one for one in seats.copies[track_id] if one.position not in self._taken[effect.side]]
        return len(left) <= len(serving)

    def _sharers(self, effect: Effect, track_id: str) -> list[Link]:
        """The other pairs for which a copy of the track is there."""
        side = effect.side
        return [
            self._base[index]
            for index, seat in self._seats[side].seated.items()
            if seat.track.external_id == track_id
            and stands(self._base[index], side)
            and _key(self._base[index]) not in self._settled
            and not self._ours(index)
        ]

    def _unserved(self, effect: Effect, track_id: str) -> list[Link]:
        """Those of them that were there before the run, when no copy was: it was put there for them as well."""
        sources = {entry.track.external_id for entry in self._found(effect.side.other)}
        if any(entry.track.external_id == track_id for entry in self._found(effect.side)):
            return []
        return [one for one in self._sharers(effect, track_id) if id_on(one, effect.side.other) in sources]

    def _pair_of(self, effect: Effect) -> int | None:
        """The pair that the add made, if it still is what the run has left."""
        item, side = effect.item, effect.side
        if effect.change is not None:
            after = effect.change.after
            index = None if after is None else self._links.get(_key(after))
            return index if index is not None and after is not None and _same(self._base[index], after) else None
        if effect.shared:
            pair = (effect.track_id, item.source_track_id)
            return self._links.get((*(pair if side is Side.LEFT else pair[::-1]), item.occurrence))
        found = [
            (id_on(link, side) != effect.track_id, id_on(link, side.other) != item.source_track_id, index)
            for index, link in self._base.live()
            if link.occurrence == item.occurrence
            and link.written_side is side
            and link.state is not LinkState.HELD
            and (id_on(link, side) == effect.track_id or id_on(link, side.other) == item.source_track_id)
        ]
        return min(found)[2] if found else None

    def _afterwards(self, effect: Effect, link: Link) -> Link | None:
        if effect.change is not None:
            return effect.change.before
        index = self._links[_key(link)]
        held = replace(link, state=LinkState.HELD, written_side=None, suspect=False)
        return held if self._seats[effect.side.other].holds(index) else None

    def _ours(self, index: int) -> bool:
        """Whether the pair is one whose add this undo takes back."""
        return any(index == self._pair_of(one) for one in self._effects if one.item.action is Action.ADD_TRACK)

    def _own_copy(self, effect: Effect, track_id: str, seat: PlaylistEntry | None) -> PlaylistEntry | None:
        """The copy that our write put there: not one that the run had found there, nor one of after the write.

        Copies are interchangeable: whichever of them pairs stand for, as many stay as are needed.
        """
        side, ended = effect.side, effect.item.completed_at
        copies = self._seats[side].copies.get(track_id, [])
        old = [one for one in self._found(side) if one.track.external_id == track_id]
        named = {one.entry_id for one in old if one.entry_id}
        # Spotify's entries have no names: the first are those that were there.
        unnamed = {one.position for one in copies[: len(old)] if not one.entry_id}
        ours = [
            one
            for one in copies
            if one.position not in self._taken[side] | unnamed
            and one.entry_id not in named
            and (ended is None or one.added_at is None or one.added_at <= ended + SKEW)
        ]
        return max(
            ours, key=lambda one: (one.added_at is not None and one.added_at.timestamp(), one is seat), default=None
        )

    def _found(self, side: Side) -> Sequence[PlaylistEntry]:
        before = self._before[side]
        return before.entries if before else ()

    def _take_unlinked(self, effect: Effect) -> None:
        for entry in self._seats[effect.side].loose:
            if entry.track.external_id == effect.track_id and entry.position not in self._taken[effect.side]:
                self._go(effect, entry, LinkChange(before=None, after=None))
                return

    def _spare_copies(self) -> None:
        """Spotify's delete takes every copy: where some have to stay, all of them do."""
        for side, going in self._going.items():
            if self._mapping.playlist(side).service is not Service.SPOTIFY:
                continue
            entries = {one.entry.position: one.entry.track.external_id for one in going}
            counted = Counter(entries.values())
            kept = {one for one, count in counted.items() if count < len(self._seats[side].copies[one])}
            for one in [one for one in going if one.entry.track.external_id in kept]:
                going.remove(one)
                self._taken[side].discard(one.entry.position)
                self._leave(one.effect, "Spotify would remove every copy of it at once")

    # Removals of the run

    def _put_back(self, effect: Effect) -> None:
        side, change = effect.side, effect.change
        if change is not None and change.after is not None:
            index = self._links.get(_key(change.after))
            if index is None:
                self._leave(effect, f"{self._mapping.playlist(side.other).service.label} has it no longer")
                return
            if not _same(self._base[index], change.after):
                return  # people completed the pair themselves, or ended it
        elif change is None and not (effect.unlinked or effect.extra) and self._dealt_with(effect):
            return
        if effect.shared:
            there = all(one.effect.track_id != effect.track_id for one in self._coming[side])
        else:
            there = self._already_back(effect)
        source_id, occurrence, after = self._returning(effect)
        if there:
            exact = self._mapping.removals is Removals.EXACT and self._mapping.direction is not Direction.TWO_WAY
            if after is not None and (change is not None or exact):
                self._put_link(after)
            return
        held = self._links.get(_key(after)) if after is not None else None
        before = self._base[held] if held is not None else None
        self._coming[side].append(_Coming(effect, source_id, occurrence, LinkChange(before=before, after=after)))
        if after is not None:
            self._settled.add(_key(after))

    def _dealt_with(self, effect: Effect) -> bool:
        """Whether the source has the track again, and a later merge has seen to it."""
        item = effect.item
        return any(
            id_on(link, effect.side.other) == item.source_track_id
            and link.occurrence == item.occurrence
            and self._seats[effect.side.other].holds(index)
            and not self._ours(index)
            for index, link in self._base.live()
        )

    def _already_back(self, effect: Effect) -> bool:
        """Whether people put a copy there themselves; each such copy counts for one effect."""
        old = {entry.entry_id for entry in self._found(effect.side) if entry.entry_id}
        for entry in self._seats[effect.side].loose:
            new = entry.track.external_id == effect.track_id and entry.entry_id not in old
            if new and entry.position not in self._taken[effect.side]:
                self._taken[effect.side].add(entry.position)
                return True
        return False

    def _returning(self, effect: Effect) -> tuple[str, int, Link | None]:
        """By which source track and occurrence the copy comes back, and the pair that it then stands in."""
        side, item = effect.side, effect.item
        if effect.change is not None:
            after = effect.change.before
            if after is not None:
                return id_on(after, side.other), after.occurrence, after
            return nobody(effect.track_id), self._free(effect), None
        if effect.extra:  # it belongs to no pair; whether it is mirrored is the next merge's question
            return nobody(effect.track_id), self._free(effect), None
        if effect.unlinked:
            source_id, occurrence = nobody(effect.track_id), self._free(effect)
        else:
            source_id, occurrence = item.source_track_id, item.occurrence
        left, right = (effect.track_id, source_id) if side is Side.LEFT else (source_id, effect.track_id)
        link = Link(
            mapping_id=self._mapping.id,
            left_track_id=left,
            right_track_id=right,
            occurrence=occurrence,
            state=LinkState.HELD,
            written_side=side,
        )
        return source_id, occurrence, link

    def _free(self, effect: Effect) -> int:
        coming = {one.occurrence for one in self._coming[effect.side] if one.effect.track_id == effect.track_id}
        return free(self._seats[effect.side].occurrences(effect.track_id), coming)

    # What the run still waits for

    def _hold(self, item: SyncItem) -> None:
        """The pair of a change that is cancelled: the next merge must not want it again."""
        if "undo" in item.payload:
            return  # its pair has not changed yet
        side = side_of(self._mapping, item)
        if item.action is Action.ADD_TRACK:
            there = item.destination_id or nobody(item.source_track_id)
            for index, link in list(self._base.live()):  # pairs that share the copy that was to come
                same = (id_on(link, side), link.occurrence) == (there, item.occurrence)
                if same and not self._seats[side].holds(index):
                    self._base.put(index, replace(link, state=LinkState.HELD, written_side=None))
            left, right = (there, item.source_track_id) if side is Side.LEFT else (item.source_track_id, there)
            self._put_link(
                Link(
                    mapping_id=self._mapping.id,
                    left_track_id=left,
                    right_track_id=right,
                    occurrence=item.occurrence,
                    state=LinkState.HELD,
                )
            )
        elif item.action is Action.REMOVE_TRACK and item.payload.get("surplus"):
            return
        elif item.action is Action.REMOVE_TRACK and item.payload.get("linked", True):
            for index, link in list(self._base.live()):
                pair = (id_on(link, side), id_on(link, side.other), link.occurrence)
                if pair == (item.destination_id, item.source_track_id, item.occurrence):
                    self._base.put(index, replace(link, state=LinkState.HELD))
        elif item.action is Action.REMOVE_TRACK:
            there, stranger = item.destination_id, nobody(item.destination_id)
            left, right = (there, stranger) if side is Side.LEFT else (stranger, there)
            occurrence = free(self._seats[side].occurrences(there))
            self._put_link(
                Link(
                    mapping_id=self._mapping.id,
                    left_track_id=left,
                    right_track_id=right,
                    occurrence=occurrence,
                    state=LinkState.HELD,
                    written_side=side,
                )
            )
            self._seats[side].claim(there, occurrence)
        elif item.action is Action.MOVE_TRACK:
            self._place(side, item.destination_id)

    # The order of things

    def _placed(self) -> tuple[tuple[Move, ...], tuple[Add, ...], list[_Coming]]:
        moves: list[Move] = []
        adds: list[Add] = []
        coming: list[_Coming] = []
        for side in Side:
            effects = [effect for effect in self._effects if effect.side is side]
            going = {one.entry.position for one in self._going[side]}
            moved = [effect for effect in effects if effect.item.action is Action.MOVE_TRACK]
            busy = any(one.action is Action.MOVE_TRACK and side_of(self._mapping, one) is side for one in self._queue)
            places = Places(side, self._now[side], self._before[side], () if busy else effects, going)
            if moved and not busy and self._mapping.direction.writes(side):
                moves += places.moves
            for effect in moved:
                if busy or effect.track_id not in places.untouched:
                    self._leave(effect, "it was moved again since, or other moves wait")
                elif effect.change is None:
                    self._place(side, effect.track_id)
            written = [one for one in self._coming[side] if not one.effect.shared]
            seats = places.seats([one.effect.track_id for one in written])
            seated = [(written[number], position) for number, position in seats]
            for one, position in [*seated, *((one, None) for one in self._coming[side] if one.effect.shared)]:
                coming.append(one)
                adds.append(self._add(side, one, position))
        return tuple(moves), tuple(adds), coming

    def _place(self, side: Side, track_id: str) -> None:
        """Let the order leave a track alone, and those that would follow its counterpart in its stead."""
        led = {id_on(link, side.other) for _, link in self._base.live() if id_on(link, side) == track_id}
        for index, link in list(self._base.live()):
            concerned = id_on(link, side.other) in led and _key(link) not in self._settled
            if concerned and link.state is LinkState.ACTIVE:
                self._base.put(index, replace(link, state=LinkState.PLACED))

    def _add(self, side: Side, one: _Coming, position: int | None) -> Add:
        item = one.effect.item
        service = self._mapping.playlist(side.other).service
        source = Track(service=service, external_id=one.source_id, title=item.source_track_title)
        return Add(
            side=side, source=source, occurrence=one.occurrence, destination_id=one.effect.track_id, position=position
        )

    def _renames(self) -> tuple[tuple[Side, str], ...]:
        renames = []
        for effect in self._effects:
            before = self._before[effect.side]
            given = effect.item.payload.get("name")
            if effect.item.action is Action.RENAME_PLAYLIST and before and self._now[effect.side].info.name == given:
                renames.append((effect.side, before.info.name))
        return tuple(renames)

    # The merge base

    def _settle(self, index: int, after: Link | None) -> None:
        self._settled.add(_key(self._base[index]))
        if after is None:
            self._base.drop(index)
        else:
            self._base.put(index, after)

    def _put_link(self, link: Link) -> None:
        index = self._links.get(_key(link))
        if index is not None:
            self._base.put(index, link)
        else:
            self._links[_key(link)] = self._base.add(link)

    def _restore(self, change: LinkChange) -> None:
        """Take back what an undo did to the merge base at once, where nothing has changed the pair since."""
        kept = change.after or change.before
        assert kept is not None, "a change of nothing"
        if _key(kept) in self._settled:
            return
        index = self._links.get(_key(kept))
        if change.after is None:
            if index is None and change.before is not None:
                self._put_link(change.before)
        elif index is not None and _same(self._base[index], change.after):
            self._settle(index, change.before)

    def _copies(self) -> dict[tuple[Side, Action, str], int]:
        copies: dict[tuple[Side, Action, str], int] = {}
        for side in Side:
            held = Counter(entry.track.external_id for entry in self._now[side].entries)
            gone_ids = {one.entry.position: one.entry.track.external_id for one in self._going[side]}
            for track_id in gone_ids.values():
                copies[side, Action.REMOVE_TRACK, track_id] = held[track_id]
            leaving = Counter(gone_ids.values())
            coming = Counter(one.effect.track_id for one in self._coming[side] if not one.effect.shared)
            for track_id, count in coming.items():
                copies[side, Action.ADD_TRACK, track_id] = held[track_id] - leaving[track_id] + count
        return copies

    def _leave(self, effect: Effect, why: str) -> None:
        item = effect.item
        track = Track(service=item.service, external_id=effect.track_id, title=item.source_track_title)
        self._conflicts.append(Conflict(track=track, sentence=f"{item.source_track_title}: {why}."))


def _remove(side: Side, one: _Going) -> Remove:
    link = one.change.before
    return Remove(
        side=side,
        track=one.entry.track,
        entry_id=one.entry.entry_id,
        source_track_id=id_on(link, side.other) if link is not None else "",
        occurrence=link.occurrence if link is not None else one.effect.item.occurrence,
        linked=link is not None,
    )


def _same(link: Link, kept: Link) -> bool:
    """Whether the pair is still as it was left; the doubt about a write may have ended meanwhile."""
    return _key(link) == _key(kept) and link.state is kept.state and link.written_side is kept.written_side


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)
