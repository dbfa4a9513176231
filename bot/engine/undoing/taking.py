"""Adds of a run taken back: its own copies go, unless people or other tracks have come to need them."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from bot.engine.analysis.links import gone, id_on, stands
from bot.engine.undoing.effects import Effect
from bot.engine.undoing.ground import Going, Ground, key_of
from bot.model.mapping import Link, LinkState, Side
from bot.model.music import PlaylistEntry, Service
from bot.model.plan import LinkChange

# A service's clock may differ from ours by this much; what was put there later than our write is a person's.
SKEW = timedelta(seconds=10)


def take_back(ground: Ground, effect: Effect) -> None:
    """Decide what becomes of the copy that an add put there, and of its pair."""
    index = ground.pair_of(effect)
    if index is None:
        if effect.change is not None and effect.change.after is None:
            _take_unlinked(ground, effect)
        return  # people ended or took over the pair: what is there is theirs
    side, link = effect.side, ground.base[index]
    track_id = id_on(link, side)
    change = LinkChange(before=link, after=_afterwards(ground, effect, index))
    seat = ground.seats[side].seated.get(index)
    if effect.shared:
        if seat is not None and seat.position in ground.taken[side]:
            ground.go(effect, seat, change)
        return
    mine = _own_copy(ground, effect, track_id, seat)
    if mine is None and seat is None:
        if link.state is not gone(side):  # people took it out; it stays out
            ground.settle(index, change.after)
    elif mine is None:
        ground.base.put(index, replace(link, written_side=None))
        ground.leave(effect, "people put it there again themselves")
    elif _is_needed(ground, effect, track_id, mine):
        ground.leave(effect, "another track of the other playlist needs it now")
    else:
        ground.go(effect, mine, change)
        for sharer in _unserved(ground, effect, track_id):
            ground.go(effect, mine, LinkChange(before=sharer, after=_let_go(sharer)))


def spare_copies(ground: Ground) -> None:
    """Spotify's delete takes every copy: where some have to stay, all of them do."""
    for side, going in ground.going.items():
        if ground.mapping.playlist(side).service is not Service.SPOTIFY:
            continue
        counted = Counter(entries_of(going).values())
        copies = ground.seats[side].copies
        kept = {track_id for track_id, count in counted.items() if count < len(copies[track_id])}
        for one in [one for one in going if one.entry.track.external_id in kept]:
            going.remove(one)
            ground.taken[side].discard(one.entry.position)
            ground.leave(one.effect, "Spotify would remove every copy of it at once")


def entries_of(going: list[Going]) -> dict[int, str]:
    """The track ids of what goes, by position: pairs that share a copy take it along together."""
    return {one.entry.position: one.entry.track.external_id for one in going}


def _afterwards(ground: Ground, effect: Effect, index: int) -> Link | None:
    if effect.change is not None:
        return effect.change.before
    return _let_go(ground.base[index]) if ground.seats[effect.side.other].holds(index) else None


def _let_go(link: Link) -> Link:
    return replace(link, state=LinkState.HELD, written_side=None, suspect=False)


def _own_copy(ground: Ground, effect: Effect, track_id: str, seat: PlaylistEntry | None) -> PlaylistEntry | None:
    """The copy that our write put there: not one that the run had found there, nor one of after the write.

    Copies are interchangeable: whichever of them pairs stand for, as many stay as are needed.
    """
    side, ended = effect.side, effect.item.completed_at
    copies, old = ground.seats[side].copies.get(track_id, []), ground.had(side, track_id)
    named = {one.entry_id for one in old if one.entry_id}
    # Spotify's entries have no names: the first are those that were there.
    unnamed = {one.position for one in copies[: len(old)] if not one.entry_id}
    ours = [
        one
        for one in copies
        if one.position not in ground.taken[side] | unnamed
        and one.entry_id not in named
        and (ended is None or one.added_at is None or one.added_at <= ended + SKEW)
    ]
    latest_first = sorted(ours, key=lambda one: (_put_at(one), one is seat), reverse=True)
    return next(iter(latest_first), None)


def _put_at(entry: PlaylistEntry) -> float:
    return entry.added_at.timestamp() if entry.added_at is not None else 0.0


def _is_needed(ground: Ground, effect: Effect, track_id: str, mine: PlaylistEntry) -> bool:
    """Whether every copy, ``mine`` included, serves pairs that this undo does not concern."""
    unserved = _unserved(ground, effect, track_id)
    serving = {link.occurrence for link in _sharers(ground, effect, track_id) if link not in unserved}
    taken = ground.taken[effect.side] | {mine.position}
    left = [one for one in ground.seats[effect.side].copies[track_id] if one.position not in taken]
    return len(left) < len(serving)


def _sharers(ground: Ground, effect: Effect, track_id: str) -> list[Link]:
    """The other pairs for which a copy of the track is there."""
    side = effect.side
    seats = ground.seats[side]
    others = [
        ground.base[index]
        for indexes in seats.groups.get(track_id, {}).values()
        for index in indexes
        if seats.holds(index) and not ground.is_ours(index)
    ]
    return [link for link in others if stands(link, side) and key_of(link) not in ground.settled]


def _unserved(ground: Ground, effect: Effect, track_id: str) -> list[Link]:
    """Those of them that were there before the run, when no copy was: it was put there for them as well."""
    if ground.had(effect.side, track_id):
        return []
    other: Side = effect.side.other
    return [one for one in _sharers(ground, effect, track_id) if ground.had(other, id_on(one, other))]


def _take_unlinked(ground: Ground, effect: Effect) -> None:
    for entry in ground.seats[effect.side].loose:
        if entry.track.external_id == effect.track_id and entry.position not in ground.taken[effect.side]:
            ground.go(effect, entry, LinkChange(before=None, after=None))
            return
