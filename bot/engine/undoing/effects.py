"""What the items of a run have changed by writes of ours; what was there already is no effect."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.engine.analysis.waiting import side_of
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Link, LinkState, Mapping, Side
from bot.model.music import Service
from bot.model.plan import LinkChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One write that happened. ``change``: of an undo's item, how it changed the merge base.

    ``unlinked``: a stranger that an exact playlist lost; ``extra``: a copy that nobody asked to remove, but Spotify
    took along; ``shared``: a change that needed no write, since the run had just made it for another track.
    """

    item: SyncItem
    side: Side
    change: LinkChange | None = None
    unlinked: bool = False
    extra: bool = False
    shared: bool = False

    @property
    def track_id(self) -> str:
        return self.item.destination_id


def effects_of(mapping: Mapping, items: Sequence[SyncItem]) -> tuple[Effect, ...]:
    """The effects of a run's items, in the order in which they were asked for.

    Spotify's delete takes every copy at once: the removals of one track count as one write of as many copies as there
    were. Surplus copies of our own making are no effect: nobody misses them.
    """
    found: list[Effect] = []
    taken: dict[tuple[Side, str], list[SyncItem]] = defaultdict(list)
    made: set[tuple[Side, Action, str]] = set()
    for item in sorted(items, key=lambda item: item.id):
        side = side_of(mapping, item)
        same = (side, item.action, item.destination_id)
        if item.status is not ItemStatus.DONE or item.payload.get("surplus"):
            continue
        if item.action is Action.REMOVE_TRACK and item.service is Service.SPOTIFY:
            taken[side, item.destination_id].append(item)
        elif item.wrote:
            found.append(_effect(item, side))
            made.add(same)
        elif same in made and (item.action is Action.ADD_TRACK or "undo" in item.payload):
            found.append(_effect(item, side, shared=True))
    for (side, _), removals in taken.items():
        copies = max((item.copies_before or 0 for item in removals if item.wrote), default=0)
        found += [_effect(item, side) for item in removals[:copies]]
        found += [_effect(item, side, shared=True) for item in removals[copies:] if copies and "undo" in item.payload]
        found += [Effect(item=removals[0], side=side, extra=True)] * (copies - len(removals))
    return tuple(sorted(found, key=lambda effect: effect.item.id))


def change_of(item: SyncItem) -> LinkChange | None:
    """How the merge base changes once the item of an undo is done; None for any other item."""
    mark = item.payload.get("undo")
    if mark is None:
        return None
    return LinkChange(before=_link(item.mapping_id, mark["before"]), after=_link(item.mapping_id, mark["after"]))


def _effect(item: SyncItem, side: Side, *, shared: bool = False) -> Effect:
    unlinked = not item.payload.get("linked", True) and "undo" not in item.payload
    return Effect(item=item, side=side, change=change_of(item), unlinked=unlinked, shared=shared)


def _link(mapping_id: int, kept: list[Any] | None) -> Link | None:
    if kept is None:
        return None
    left, right, occurrence, state, written = kept
    return Link(
        mapping_id=mapping_id,
        left_track_id=left,
        right_track_id=right,
        occurrence=occurrence,
        state=LinkState(state),
        written_side=Side(written) if written else None,
    )
