"""The merge itself: pairs are recognised first, then each pair and each track without one meets its rule."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.engine.analysis import guards
from bot.engine.analysis.hints import Hints
from bot.engine.analysis.known import Known, key_of
from bot.engine.analysis.links import Base, Fate, fate, gone, id_on, stands
from bot.engine.analysis.ordering import Follower, layout, places_in_leader
from bot.engine.analysis.pairing import Adoption, follow_reissues, share
from bot.engine.analysis.seats import Seats, free
from bot.engine.analysis.waiting import Waiting
from bot.model.item import Action, SyncItem
from bot.model.mapping import Direction, Link, LinkState, Mapping, Order, Removals, Side
from bot.model.music import PlaylistContent, PlaylistEntry, Service, Track
from bot.model.plan import Add, Conflict, Guard, Move, Plan, Remove

SIDES = (Side.LEFT, Side.RIGHT)


def merge(
    mapping: Mapping,
    left: PlaylistContent,
    right: PlaylistContent,
    links: Sequence[Link],
    known: Known,
    *,
    previous_left: int | None,
    previous_right: int | None,
    open_items: Sequence[SyncItem] = (),
    force: bool = False,
) -> Plan:
    """What has to change so that both playlists agree, by the mapping's direction, removals and order.

    ``links`` are the last agreed state, ``previous_*`` the number of entries in each side's latest snapshot (None: no
    snapshot). The plan's indexes hold when it is carried out as links, removes, moves, adds. With ``force`` no guard
    stops it. Merging again after the plan was carried out gives an empty plan.
    """
    contents = {Side.LEFT: left, Side.RIGHT: right}
    previous = {Side.LEFT: previous_left, Side.RIGHT: previous_right}
    guard = None if force else _collapsed(mapping, contents, links, previous, known)
    plan = _Merge(mapping, contents, links, known, Waiting(mapping, open_items)).plan()
    if not force and guard is None:
        guard = guards.too_many_removals(mapping, plan.removes)
    return replace(plan, guard=guard)


def _collapsed(
    mapping: Mapping,
    contents: dict[Side, PlaylistContent],
    links: Sequence[Link],
    previous: dict[Side, int | None],
    known: Known,
) -> Guard | None:
    # What the router chose may be few by right: its base has its own guard.
    for side in (Side.RIGHT,) if mapping.hidden else SIDES:
        service = mapping.playlist(side).service
        expected = {
            (id_on(link, side), link.occurrence)
            for link in links
            if stands(link, side) and (service, id_on(link, side)) not in known.unsettled
        }
        guard = guards.collapsed(mapping, side, contents[side], max(previous[side] or 0, len(expected)))
        if guard is not None:
            return guard
    return None


@dataclass(frozen=True, slots=True)
class _Doomed:
    """A copy that has to go; ``link`` is the index of the pair it belongs to."""

    entry: PlaylistEntry
    link: int | None = None
    surplus: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An add, and the place of its source."""

    add: Add
    place: int


class _Merge:
    """One merge. Each step reads what the earlier ones made of the base; ``plan()`` runs them in order."""

    def __init__(
        self,
        mapping: Mapping,
        contents: dict[Side, PlaylistContent],
        links: Sequence[Link],
        known: Known,
        waiting: Waiting,
    ) -> None:
        self._mapping = mapping
        self._contents = contents
        self._known = known
        self._waiting = waiting
        self._base = Base(links)
        self._written = tuple(side for side in SIDES if mapping.direction.writes(side))
        self._two_way = mapping.direction is Direction.TWO_WAY
        self._exact = mapping.removals is Removals.EXACT and not self._two_way
        self._conflicts: list[Conflict] = []
        self._in_review = 0
        # Positions of tracks whose counterpart is to be added, is being added, or is held back, on the other side.
        self._coming: dict[Side, set[int]] = {Side.LEFT: set(), Side.RIGHT: set()}
        self._seated_at = -1
        self._seat()

    def plan(self) -> Plan:
        for side in SIDES:
            self._seat()
            follow_reissues(self._base, self._seats[side], self._known, self._mapping)
        self._part()
        self._adopt()
        self._share()
        again, doomed = self._settle()
        removes: list[Remove] = []
        leaving: dict[Side, set[int]] = {Side.LEFT: set(), Side.RIGHT: set()}
        for side in self._written:
            doomed[side] += self._surplus(side) + self._strangers(side)
            removes += self._removes(side, doomed[side], leaving[side])
        wanted = [
            want
            for side in self._written
            for want in sorted(again[side] + self._new(side), key=lambda want: want.place)
        ]
        chosen = wanted[: max(self._mapping.max_adds, 0)]
        moves: tuple[Move, ...] = ()
        if self._mapping.order is Order.KEEP:
            moves, chosen = self._arrange(chosen, leaving)
        return Plan(
            mapping_id=self._mapping.id,
            adds=tuple(want.add for want in chosen),
            removes=tuple(removes),
            moves=moves,
            conflicts=(*self._conflicts, *self._dead()),
            links=self._base.changes(),
            held_back=len(wanted) - len(chosen),
            unchanged=max(sum(1 for _ in self._agreed()) - len(moves), 0),
            in_review=self._in_review,
            cancels=self._waiting.stale(),
        )

    # Who is who

    def _seat(self) -> None:
        """Look again who stands for which copy, where the base has changed since the last look."""
        if self._seated_at == self._base.revision:
            return
        self._seated_at = self._base.revision
        self._seats = {side: Seats(side, self._contents[side], self._base, self._known.unsettled) for side in SIDES}

    def _key(self, link: Link, side: Side) -> tuple[Service, str]:
        return (self._mapping.playlist(side).service, id_on(link, side))

    def _agreed(self) -> Iterator[tuple[int, Link]]:
        """The pairs that both sides hold."""
        left, right = self._seats[Side.LEFT], self._seats[Side.RIGHT]
        return ((index, link) for index, link in self._base.live() if left.holds(index) and right.holds(index))

    def _halved(self) -> Iterator[tuple[int, Link, Side]]:
        """The pairs that only one side holds, with the side that lacks its copy."""
        for index, link in list(self._base.live()):
            lacking = [side for side in SIDES if not self._seats[side].holds(index)]
            if len(lacking) == 1 and not self._unsettled(link):
                yield index, link, lacking[0]

    def _unsettled(self, link: Link) -> bool:
        return any(self._key(link, side) in self._known.unsettled for side in SIDES)

    def _hints(self, side: Side) -> Hints:
        return Hints(self._mapping, self._base, self._known, self._waiting, side)

    def _part(self) -> None:
        """End the pairs whose remaining copy counts as newly found."""
        self._seat()
        for index, link, lacking in self._halved():
            if fate(self._mapping, link.state, lacking) is Fate.PART:
                self._base.drop(index)

    def _adopt(self) -> None:
        """Pair what is new on one side with what the other side holds already."""
        self._seat()
        target = self._written[-1]
        seek = target.other
        Adoption(
            self._mapping,
            self._base,
            self._seats[seek],
            self._seats[target],
            self._known,
            self._hints(seek),
            barred=self._waiting.busy(target) | self._waiting.spoken_for(seek),
            spoken_for=self._waiting.spoken_for(target) | self._waiting.busy(seek),
        ).run()
        self._seat()

    def _share(self) -> None:
        for side in self._written:
            barred = self._waiting.busy(side)
            fresh = [entry for entry in self._new_entries(side) if entry.track.external_id not in barred]
            if fresh:
                share(
                    self._mapping,
                    self._base,
                    fresh,
                    self._seats[side.other],
                    self._seats[side],
                    self._known,
                    self._hints(side.other),
                )
                self._seat()

    def _new_entries(self, side: Side) -> list[PlaylistEntry]:
        """New tracks of the other side that ``side`` may lack."""
        mid_write = self._waiting.spoken_for(side.other)
        loose = self._seats[side.other].loose
        return [entry for entry in loose if entry.track.available and entry.track.external_id not in mid_write]

    # What becomes of the pairs

    def _settle(self) -> tuple[dict[Side, list[_Wanted]], dict[Side, list[_Doomed]]]:
        """Give every pair its state; returns what is to be added again and what is to go, by the side written to."""
        for index, link in self._agreed():
            if link.state is not LinkState.ACTIVE and not self._rests(link):
                self._base.put(index, replace(link, state=LinkState.ACTIVE))
        again: dict[Side, list[_Wanted]] = {Side.LEFT: [], Side.RIGHT: []}
        leaving: dict[tuple[Side, int], list[int]] = defaultdict(list)
        taken: dict[tuple[Side, str, int], list[int]] = defaultdict(list)
        for index, link, lacking in list(self._halved()):
            entry = self._seats[lacking.other].seated[index]
            match fate(self._mapping, link.state, lacking):
                case Fate.HOLD if link.state is LinkState.HELD:
                    self._coming[lacking.other].add(entry.position)  # it leads nothing and follows nothing
                case Fate.MARK:
                    self._base.put(index, replace(link, state=gone(lacking)))
                case Fate.REMOVE if not entry.track.available:
                    # What cannot be played is never touched; the pair rests until its other half is back.
                    self._base.put(index, replace(link, state=gone(lacking)))
                case Fate.REMOVE:
                    leaving[lacking.other, entry.position].append(index)
                case Fate.ADD_AGAIN:
                    taken[lacking, id_on(link, lacking), link.occurrence].append(index)
        for (side, _, _), indexes in taken.items():
            again[side] += self._again(side, indexes)
        self._drop_vanished()
        return again, self._doomed(leaving)

    def _rests(self, link: Link) -> bool:
        """Whether an agreed pair keeps what an undo made of it: its place, or a removal that no read shows yet."""
        if link.state is LinkState.PLACED:
            return self._key(link, self._written[-1].other) not in self._known.reordered
        return link.state is LinkState.HELD and self._unsettled(link)

    def _drop_vanished(self) -> None:
        for index, link in list(self._base.live()):
            if not any(seats.holds(index) for seats in self._seats.values()) and not self._unsettled(link):
                self._base.drop(index)

    def _doomed(self, leaving: dict[tuple[Side, int], list[int]]) -> dict[Side, list[_Doomed]]:
        """One removal for each copy that no pair needs any more; pairs that shared a copy go with the first of them."""
        sharers: dict[tuple[Side, int], set[int]] = defaultdict(set)
        for side in self._written:
            for index, entry in self._seats[side].seated.items():
                sharers[side, entry.position].add(index)
        doomed: dict[Side, list[_Doomed]] = {Side.LEFT: [], Side.RIGHT: []}
        for (side, position), indexes in leaving.items():
            first, *others = indexes
            if sharers[side, position] - set(indexes):
                others.append(first)
            else:
                doomed[side].append(_Doomed(self._seats[side].seated[first], first))
            for index in others:
                self._base.drop(index)
        return doomed

    def _again(self, side: Side, indexes: Sequence[int]) -> list[_Wanted]:
        """The add that brings back a copy that people took out of an exact destination, where its pairs need one."""
        sources = self._seats[side.other].seated
        pairs = [(self._base[index], sources[index]) for index in indexes if sources[index].track.available]
        for index in indexes:
            if sources[index].track.available:
                self._base.put(index, replace(self._base[index], state=LinkState.ACTIVE))
        if not pairs or self._seats[side].serves(id_on(pairs[0][0], side), pairs[0][0].occurrence):
            return []
        for link, source in pairs:
            if self._waiting.has(Action.ADD_TRACK, side, source.track.external_id, link.occurrence):
                self._coming[side.other].add(source.position)
                return []
        for link, source in pairs:
            if not self._known.refused(source.track) and key_of(source.track) not in self._known.passed_over:
                self._coming[side.other].add(source.position)
                there = id_on(link, side)
                add = Add(side=side, source=source.track, occurrence=link.occurrence, destination_id=there)
                return [_Wanted(add, source.position)]
        self._in_review += 1
        return []

    # What has to go

    def _surplus(self, side: Side) -> list[_Doomed]:
        """The last copies beyond those that links stand for, at most one for each write whose outcome was in doubt."""
        doubts = Counter(id_on(link, side) for _, link in self._agreed() if link.suspect and link.written_side is side)
        seats = self._seats[side]
        found: list[_Doomed] = []
        for track_id, doubt in doubts.items():
            copies = seats.copies[track_id]
            spare = [entry for entry in seats.loose if entry.track.external_id == track_id and self._may_be_ours(entry)]
            needed = len(copies) - sum(entry.track.external_id == track_id for entry in seats.loose)
            beyond = min(doubt, sum(map(self._may_be_ours, copies)) - needed)
            found += [_Doomed(entry, surplus=True) for entry in spare[::-1][: max(beyond, 0)]]
        for doomed in found:
            seats.loose.remove(doomed.entry)
        return found

    def _may_be_ours(self, entry: PlaylistEntry) -> bool:
        """Whether a write of ours whose outcome was in doubt may have put this copy there."""
        until = self._known.sent_until.get(key_of(entry.track))
        return until is None or entry.added_at is None or entry.added_at <= until

    def _strangers(self, side: Side) -> list[_Doomed]:
        """In an exact destination, the tracks that have no counterpart in the source."""
        if not self._exact:
            return []
        mid_write = self._waiting.spoken_for(side)
        return [
            _Doomed(entry)
            for entry in self._seats[side].loose
            if entry.track.available and entry.track.external_id not in mid_write
        ]

    def _removes(self, side: Side, doomed: Sequence[_Doomed], leaving: set[int]) -> list[Remove]:
        """The removals to enqueue; ``leaving`` collects the positions that these and the queued ones will empty."""
        seats = self._seats[side]
        going = Counter(one.entry.track.external_id for one in doomed)
        used: dict[str, set[int]] = defaultdict(set)
        told: set[str] = set()
        made = []
        for one in sorted(doomed, key=lambda one: (one.link is None, one.entry.position)):
            track = one.entry.track
            if track.service is Service.SPOTIFY and going[track.external_id] < len(seats.copies[track.external_id]):
                if track.external_id not in told:
                    self._conflicts.append(_copies_conflict(track))
                told.add(track.external_id)
                continue
            leaving.add(one.entry.position)
            remove = self._remove(side, one, used)
            if remove is not None:
                made.append(remove)
        return made

    def _remove(self, side: Side, one: _Doomed, used: dict[str, set[int]]) -> Remove | None:
        track, source_id = one.entry.track, ""
        if one.link is not None:
            link = self._base[one.link]
            source_id, occurrence = id_on(link, side.other), link.occurrence
            if self._waiting.has(Action.REMOVE_TRACK, side, source_id, occurrence):
                return None
        else:
            if self._waiting.has_any(Action.REMOVE_TRACK, side, track.external_id):
                return None
            queued = self._waiting.occurrences(Action.REMOVE_TRACK, side, track.external_id)
            occurrence = free(queued, used[track.external_id])
        used[source_id or track.external_id].add(occurrence)
        return Remove(
            side=side,
            track=track,
            entry_id=one.entry.entry_id,
            source_track_id=source_id,
            occurrence=occurrence,
            linked=one.link is not None or one.surplus,
            surplus=one.surplus,
        )

    # What has to come

    def _new(self, side: Side) -> list[_Wanted]:
        """Adds to ``side`` for what only the other side holds."""
        hints = self._hints(side.other)
        dead = {entry.track.external_id for entry in self._contents[side].entries if not entry.track.available}
        used: dict[str, set[int]] = defaultdict(set)
        wanted = []
        for entry in self._new_entries(side):
            track = entry.track
            if self._known.refused(track):
                self._in_review += 1
                continue
            queued = self._waiting.has_any(Action.ADD_TRACK, side, track.external_id)
            if key_of(track) in self._known.passed_over and not queued:
                self._in_review += 1
                continue
            self._coming[side.other].add(entry.position)
            if queued:
                continue
            occurrence = free(
                self._seats[side.other].occurrences(track.external_id),
                self._waiting.occurrences(Action.ADD_TRACK, side, track.external_id),
                used[track.external_id],
            )
            used[track.external_id].add(occurrence)
            destination = next((found for found in hints(track) if found not in dead), "")
            add = Add(side=side, source=track, occurrence=occurrence, destination_id=destination)
            wanted.append(_Wanted(add, entry.position))
        return wanted

    # The order of things

    def _arrange(
        self, adds: Sequence[_Wanted], leaving: dict[Side, set[int]]
    ) -> tuple[tuple[Move, ...], list[_Wanted]]:
        """Moves and places by which the following side takes the leading side's order; two-way, the left one leads."""
        side = self._written[-1]
        leader = layout(self._contents[side.other], leaving[side.other])
        at = {token.entry.position: token for token in leader if token.entry}
        follower = Follower(side, layout(self._contents[side], leaving[side]), leader)
        counterparts = {
            track_id: [at[place] for place in places if place in at]
            for track_id, places in self._counterparts(side).items()
        }
        moves = self._waiting.moves(side, follower.moves(counterparts, fixed=self._coming[side]))
        places = {(side, want.place): follower.place(at[want.place]) for want in adds if want.add.side is side}
        back = [want.place for want in adds if want.add.side is not side]
        for place, position in places_in_leader(leader, follower.tokens, back).items():
            places[side.other, place] = position
        return moves, [
            replace(want, add=replace(want.add, position=places[want.add.side, want.place])) for want in adds
        ]

    def _counterparts(self, side: Side) -> dict[str, list[int]]:
        """By track id on ``side``, where the tracks that it is the counterpart of stand on the other side.

        Copies are interchangeable, whichever of them the links stand for; only those that get a new copy follow none.
        """
        partners: dict[str, set[str]] = defaultdict(set)
        for index, link in self._agreed():
            if self._seats[side].seated[index].track.available and link.state is not LinkState.PLACED:
                partners[id_on(link, side)].add(id_on(link, side.other))
        copies, coming = self._seats[side.other].copies, self._coming[side.other]
        return {
            track_id: sorted(
                {entry.position for partner in theirs for entry in copies[partner] if entry.position not in coming}
            )
            for track_id, theirs in partners.items()
        }

    def _dead(self) -> Iterator[Conflict]:
        """Linked copies that can no longer be played: they count as present, and people are told."""
        for index, _ in self._agreed():
            for side in self._written:
                track = self._seats[side].seated[index].track
                if not track.available:
                    yield Conflict(
                        track=track,
                        sentence=f"{track.title} is no longer available on {track.service.label}; it is left in place.",
                    )


def _copies_conflict(track: Track) -> Conflict:
    return Conflict(
        track=track,
        sentence=f"One copy of {track.title} should go, but Spotify removes every copy at once: it is left in place.",
    )
