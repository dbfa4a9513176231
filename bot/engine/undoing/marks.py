"""What the items of an undo carry: how the merge base changes once each of them is done.

``payload["undo"]`` is ``{"before": [left, right, occurrence, state, written side], "after": …}``, either of them null;
both null: nobody linked that copy. An undo of the undo finds there what to restore.
"""

from collections.abc import Iterator
from typing import Any

from bot.engine.queueing import items_of
from bot.engine.undoing.inverting import Inverse
from bot.model.item import Action, NewItem
from bot.model.mapping import Link, Mapping, Side
from bot.model.plan import LinkChange

NO_CHANGE = LinkChange(before=None, after=None)


def queued(inverse: Inverse, mapping: Mapping) -> tuple[NewItem, ...]:
    """The items of an inverse in the order that its places hold for, each with what it does to the merge base."""
    return tuple(_marked(inverse, mapping))


def _marked(inverse: Inverse, mapping: Mapping) -> Iterator[NewItem]:
    removes, adds = iter(inverse.removes), iter(inverse.adds)
    for item in items_of(inverse.plan, mapping):
        change, copies = NO_CHANGE, {}
        if item.action is Action.REMOVE_TRACK:
            change = next(removes)
        elif item.action is Action.ADD_TRACK:
            change = next(adds)
        if item.action in (Action.REMOVE_TRACK, Action.ADD_TRACK):
            copies = {"copies": inverse.copies[Side(item.payload["side"]), item.action, item.payload["track_id"]]}
        mark = {"before": _json(change.before), "after": _json(change.after)}
        yield NewItem(
            service=item.service,
            action=item.action,
            source_service=item.source_service,
            source_track_id=item.source_track_id,
            occurrence=item.occurrence,
            source_track_title=item.source_track_title,
            payload=item.payload | copies | {"undo": mark},
            position=item.position,
        )


def _json(link: Link | None) -> list[Any] | None:
    if link is None:
        return None
    written = link.written_side.value if link.written_side else None
    return [link.left_track_id, link.right_track_id, link.occurrence, link.state.value, written]
