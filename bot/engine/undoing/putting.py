"""Removals of a run taken back: what it took away comes again, unless people or a later sync saw to it."""

from bot.engine.analysis.links import id_on, nobody
from bot.engine.undoing.effects import Effect
from bot.engine.undoing.ground import Coming, Ground, key_of, same
from bot.model.mapping import Direction, Link, Removals
from bot.model.plan import LinkChange


def put_back(ground: Ground, effect: Effect) -> None:
    """Decide whether the copy that a removal took comes back, and in which pair it then stands."""
    side, change = effect.side, effect.change
    if change is not None and change.after is not None:
        index = ground.links.get(key_of(change.after))
        if index is None:
            ground.leave(effect, f"{ground.mapping.playlist(side.other).service.label} has it no longer")
            return
        if not same(ground.base[index], change.after):
            return  # people completed the pair themselves, or ended it
    elif change is None and not (effect.unlinked or effect.extra) and _dealt_with(ground, effect):
        return
    if effect.shared:
        there = all(one.effect.track_id != effect.track_id for one in ground.coming[side])
    else:
        there = _already_back(ground, effect)
    source_id, occurrence, after = _returning(ground, effect)
    if there:
        exact = ground.mapping.removals is Removals.EXACT and ground.mapping.direction is not Direction.TWO_WAY
        if after is not None and (change is not None or exact):
            ground.put(after)
        return
    held = ground.links.get(key_of(after)) if after is not None else None
    before = ground.base[held] if held is not None else None
    ground.coming[side].append(Coming(effect, source_id, occurrence, LinkChange(before=before, after=after)))
    if after is not None:
        ground.settled.add(key_of(after))


def _dealt_with(ground: Ground, effect: Effect) -> bool:
    """Whether the source has the track again, and a later merge has seen to it."""
    other, item = effect.side.other, effect.item
    indexes = ground.seats[other].groups.get(item.source_track_id, {}).get(item.occurrence, [])
    return any(ground.seats[other].holds(index) and not ground.is_ours(index) for index in indexes)


def _already_back(ground: Ground, effect: Effect) -> bool:
    """Whether people put a copy there themselves; each such copy counts for one effect."""
    old = {entry.entry_id for entry in ground.had(effect.side, effect.track_id) if entry.entry_id}
    for entry in ground.seats[effect.side].loose:
        new = entry.track.external_id == effect.track_id and entry.entry_id not in old
        if new and entry.position not in ground.taken[effect.side]:
            ground.taken[effect.side].add(entry.position)
            return True
    return False


def _returning(ground: Ground, effect: Effect) -> tuple[str, int, Link | None]:
    """By which source track and occurrence the copy comes back, and the pair that it then stands in."""
    side, item = effect.side, effect.item
    if effect.change is not None and effect.change.before is not None:
        after = effect.change.before
        return id_on(after, side.other), after.occurrence, after
    if effect.change is not None or effect.extra:
        # It belongs to no pair; whether it is mirrored is the next merge's question.
        return nobody(effect.track_id), ground.free_occurrence(side, effect.track_id), None
    if effect.unlinked:
        source_id, occurrence = nobody(effect.track_id), ground.free_occurrence(side, effect.track_id)
    else:
        source_id, occurrence = item.source_track_id, item.occurrence
    return source_id, occurrence, ground.held(side, effect.track_id, source_id, occurrence, written=True)
