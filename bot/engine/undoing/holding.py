"""Work of a run that still waits when the run is taken back: it is cancelled, and no merge wants it again."""

from dataclasses import replace

from bot.engine.analysis.links import id_on, nobody
from bot.engine.analysis.waiting import side_of
from bot.engine.undoing.ground import Ground
from bot.model.item import Action, SyncItem
from bot.model.mapping import LinkState


def hold(ground: Ground, item: SyncItem) -> None:
    """Hold the pair of a change that is cancelled, or that failed."""
    if "undo" in item.payload:
        return  # its pair has not changed yet
    match item.action:
        case Action.ADD_TRACK:
            _hold_add(ground, item)
        case Action.REMOVE_TRACK if not item.payload.get("surplus"):
            _hold_removal(ground, item)
        case Action.MOVE_TRACK:
            ground.place(side_of(ground.mapping, item), item.destination_id)


def done_since(ground: Ground, item: SyncItem) -> bool:
    """Whether another run has done by now what this one failed to do: then it is that one's effect."""
    if item.action is not Action.ADD_TRACK:
        return False  # a pair that was removed since is no longer there to be held
    source = side_of(ground.mapping, item).other
    return any(
        (id_on(link, source), link.occurrence) == (item.source_track_id, item.occurrence)
        for _, link in ground.base.live()
    )


def _hold_add(ground: Ground, item: SyncItem) -> None:
    side = side_of(ground.mapping, item)
    here = item.destination_id or nobody(item.source_track_id)
    # Pairs that share the copy that was to come.
    for index in ground.seats[side].groups.get(here, {}).get(item.occurrence, []):
        if not ground.seats[side].holds(index):
            ground.base.put(index, replace(ground.base[index], state=LinkState.HELD, written_side=None))
    ground.put(ground.held(side, here, item.source_track_id, item.occurrence, written=False))


def _hold_removal(ground: Ground, item: SyncItem) -> None:
    side, here = side_of(ground.mapping, item), item.destination_id
    if not item.payload.get("linked", True):
        occurrence = ground.free_occurrence(side, here)
        ground.seats[side].claim(here, occurrence)
        ground.put(ground.held(side, here, nobody(here), occurrence, written=True))
        return
    for index, link in list(ground.base.live()):
        pair = (id_on(link, side), id_on(link, side.other), link.occurrence)
        if pair == (here, item.source_track_id, item.occurrence):
            ground.base.put(index, replace(link, state=LinkState.HELD))
