"""Which of the wanted changes stand in the queue already, and which queued ones nobody wants any more."""

from collections import defaultdict
from collections.abc import Sequence

from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Mapping, Side
from bot.model.plan import Move


class Waiting:
    """The open items of a mapping. What the merge asks for is marked; ``stale()`` is what it never asked for.

    The items of an undo were asked for by a person: a merge neither misses nor cancels them.
    """

    def __init__(self, mapping: Mapping, items: Sequence[SyncItem]) -> None:
        self._items = [item for item in items if item.action is not Action.RENAME_PLAYLIST]
        self._wanted: set[int] = set()
        self._asked_by_people = {item.id for item in self._items if "undo" in item.payload}
        self._by_key: dict[tuple[Action, Side, str], dict[int, SyncItem]] = defaultdict(dict)
        self._moves: dict[Side, list[SyncItem]] = {Side.LEFT: [], Side.RIGHT: []}
        self._adds: dict[Side, list[SyncItem]] = {Side.LEFT: [], Side.RIGHT: []}
        for item in self._items:
            side = side_of(mapping, item)
            if item.action is Action.MOVE_TRACK:
                self._moves[side].append(item)
                continue
            self._by_key[item.action, side, item.source_track_id][item.occurrence] = item
            if item.action is Action.ADD_TRACK:
                self._adds[side].append(item)

    def occurrences(self, action: Action, side: Side, source_id: str) -> set[int]:
        return set(self._by_key.get((action, side, source_id), ()))

    def has(self, action: Action, side: Side, source_id: str, occurrence: int) -> bool:
        """Whether exactly this change is queued; then it is wanted."""
        item = self._by_key.get((action, side, source_id), {}).get(occurrence)
        if item is None:
            return False
        self._wanted.add(item.id)
        return True

    def has_any(self, action: Action, side: Side, source_id: str) -> bool:
        """Whether such a change of any occurrence is queued that was not asked for yet; then it is wanted."""
        queued = self._by_key.get((action, side, source_id), {})
        for _, item in sorted(queued.items()):
            if item.id not in self._wanted:
                self._wanted.add(item.id)
                return True
        return False

    def destinations(self, side: Side) -> dict[str, str]:
        """The counterparts that queued adds have found so far, by source track id."""
        return {item.source_track_id: item.destination_id for item in self._adds[side] if item.destination_id}

    def busy(self, side: Side) -> frozenset[str]:
        """Source ids whose add is being made or may have been made."""
        return frozenset(item.source_track_id for item in self._adds[side] if item.status is not ItemStatus.PENDING)

    def spoken_for(self, side: Side) -> frozenset[str]:
        """Destination ids that such adds put there, or may have put there."""
        started = (item for item in self._adds[side] if item.status is not ItemStatus.PENDING)
        return frozenset(item.destination_id for item in started if item.destination_id)

    def moves(self, side: Side, wanted: Sequence[Move]) -> tuple[Move, ...]:
        """The moves to enqueue. Indexes hold only for a whole series: queued moves stay whole, or give way whole."""
        queued = self._moves[side]
        under_way = any(item.status is not ItemStatus.PENDING or "undo" in item.payload for item in queued)
        same = [(item.source_track_id, item.position) for item in sorted(queued, key=lambda item: item.id)] == [
            (move.track.external_id, move.position) for move in wanted
        ]
        if under_way or same:
            self._wanted.update(item.id for item in queued)
            return ()
        return tuple(wanted)

    def stale(self) -> tuple[int, ...]:
        """Ids of items not yet begun that nothing in the playlists asks for any more."""
        wanted = self._wanted | self._asked_by_people
        return tuple(item.id for item in self._items if item.status is ItemStatus.PENDING and item.id not in wanted)


def side_of(mapping: Mapping, item: SyncItem) -> Side:
    """The playlist an item writes to: named in its payload, else told by the service."""
    if named := item.payload.get("side"):
        return Side(named)
    return Side.LEFT if mapping.left.service is item.destination_service else Side.RIGHT
