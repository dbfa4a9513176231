"""How a plan becomes items of the queue, in the order in which its positions were counted."""

from collections import Counter
from collections.abc import Iterator

from bot.model.item import Action, NewItem
from bot.model.mapping import Mapping, Side
from bot.model.plan import Add, Move, Plan, Remove


def items_of(plan: Plan, mapping: Mapping) -> tuple[NewItem, ...]:
    """Removes, moves, adds, renames. ``payload["side"]`` tells two playlists of one service apart."""
    return tuple(_items(plan, mapping))


def _items(plan: Plan, mapping: Mapping) -> Iterator[NewItem]:
    for remove in plan.removes:
        yield _remove(remove, mapping)
    moved: Counter[str] = Counter()
    for move in plan.moves:
        yield _move(move, mapping, moved[move.track.external_id])
        moved[move.track.external_id] += 1
    for add in plan.adds:
        yield add_item(add, mapping)
    for side, name in plan.renames:
        yield _item(mapping, side, Action.RENAME_PLAYLIST, title=name, payload={"name": name})


def add_item(add: Add, mapping: Mapping) -> NewItem:
    return _item(
        mapping,
        add.side,
        Action.ADD_TRACK,
        track_id=add.source.external_id,
        occurrence=add.occurrence,
        title=add.source.title,
        payload={"track_id": add.destination_id} if add.destination_id else {},
        position=add.position,
    )


def _remove(remove: Remove, mapping: Mapping) -> NewItem:
    return _item(
        mapping,
        remove.side,
        Action.REMOVE_TRACK,
        track_id=remove.source_track_id or remove.track.external_id,
        occurrence=remove.occurrence,
        title=remove.track.title,
        payload={
            "track_id": remove.track.external_id,
            "entry_id": remove.entry_id,
            "surplus": remove.surplus,
            "linked": remove.linked,
        },
    )


def _move(move: Move, mapping: Mapping, occurrence: int) -> NewItem:
    return _item(
        mapping,
        move.side,
        Action.MOVE_TRACK,
        track_id=move.track.external_id,
        occurrence=occurrence,
        title=move.track.title,
        payload={"track_id": move.track.external_id, "entry_id": move.entry_id, "origin": move.origin},
        position=move.position,
    )


def _item(
    mapping: Mapping,
    side: Side,
    action: Action,
    *,
    title: str,
    payload: dict[str, object],
    track_id: str = "",
    occurrence: int = 0,
    position: int | None = None,
) -> NewItem:
    return NewItem(
        service=mapping.playlist(side).service,
        action=action,
        source_service=mapping.playlist(side.other).service,
        source_track_id=track_id,
        occurrence=occurrence,
        source_track_title=title,
        payload={"v": 1, "side": side.value, **payload},
        position=position,
    )
