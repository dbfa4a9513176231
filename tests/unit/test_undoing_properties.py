"""What holds for every undo: the run's own effects go, people's edits stay, and the next sync brings nothing back."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Mapping, Side
from bot.model.plan import Plan
from tests.unit.applying import World, is_empty
from tests.unit.carrying_out import inverse_of, run, undo
from tests.unit.test_analysis_properties import (
    Edit,
    Songs,
    edit,
    edits,
    every_time_the_same,
    mappings,
    playlists,
    song,
    sync,
    world_of,
)


def changes(plan: Plan) -> list[object]:
    """What a plan would write."""
    return [*plan.adds, *plan.removes, *plan.moves]


def order(world: World) -> dict[Side, list[str]]:
    return {side: world.ids(side) for side in Side}


def lived(mapping: Mapping, left: Songs, right: Songs, first: list[Edit]) -> World:
    """A mapping that was synced once and then edited, so that its next run has all kinds of work."""
    world = world_of(mapping, left, right)
    sync(world)
    for done in first:
        edit(world, done)
    world.removed.clear()
    return world


@every_time_the_same(300)
@given(mappings, playlists, playlists, edits)
def test_an_undone_run_leaves_the_playlists_as_they_were(
    mapping: Mapping, left: Songs, right: Songs, first: list[Edit]
) -> None:
    world = lived(mapping, left, right, first)
    before = order(world)
    ran = run(world)
    excused = {conflict.track.external_id for conflict in inverse_of(world, ran).plan.conflicts if conflict.track}
    undo(world, ran)
    if not excused:
        assert order(world) == before


@every_time_the_same(300)
@given(mappings, playlists, playlists, edits)
def test_the_next_syncs_bring_nothing_back(mapping: Mapping, left: Songs, right: Songs, first: list[Edit]) -> None:
    world = lived(mapping, left, right, first)
    ran = run(world)
    excused = inverse_of(world, ran).plan.conflicts
    undo(world, ran)
    before = order(world)
    if excused:
        return
    plan = world.sync()
    assert not changes(plan), plan
    assert order(world) == before
    assert is_empty(world.merge())


@every_time_the_same(300)
@given(mappings, playlists, playlists, edits)
def test_an_undone_undo_is_the_run_again(mapping: Mapping, left: Songs, right: Songs, first: list[Edit]) -> None:
    world = lived(mapping, left, right, first)
    ran = run(world)
    after, links = order(world), dict(world.links)
    excused = inverse_of(world, ran).plan.conflicts
    undone = undo(world, ran)
    excused += inverse_of(world, undone).plan.conflicts
    undo(world, undone)
    if excused:
        return
    assert {key: link.state for key, link in world.links.items()} == {key: link.state for key, link in links.items()}
    assert order(world) == after


@every_time_the_same(300)
@given(mappings, playlists, playlists, edits, st.integers(0, 4))
def test_work_that_still_waits_is_neither_done_nor_wanted_again(
    mapping: Mapping, left: Songs, right: Songs, first: list[Edit], only: int
) -> None:
    world = lived(mapping, left, right, first)
    before = order(world)
    ran = run(world, only=only)
    inverse = inverse_of(world, ran)
    waiting = [item.id for item in ran.items if item.status is ItemStatus.PENDING]
    assert list(inverse.plan.cancels) == waiting
    undo(world, ran)
    if inverse.plan.conflicts:
        return
    assert order(world) == before
    assert not changes(world.sync())
    assert is_empty(world.merge())


@every_time_the_same(300)
@given(mappings, playlists, playlists, edits, edits)
def test_what_people_change_after_the_run_stays(
    mapping: Mapping, left: Songs, right: Songs, first: list[Edit], later: list[Edit]
) -> None:
    world = lived(mapping, left, right, first)
    before = counted(world)
    ran = run(world)
    touched = {number for done in later for number in edit_and_tell(world, done)}
    found = order(world)
    conflicts = inverse_of(world, ran).plan.conflicts
    undo(world, ran)
    for side in Side:
        ours = Counter(item.destination_id for item in ran.items if item.wrote and adds(item, side))
        taken = Counter(found[side]) - Counter(world.ids(side))
        assert not taken - ours, "a copy that the run had not put there was taken"
        if not any(item.action is Action.MOVE_TRACK for item in ran.items):
            stayed = set(found[side]) - set(ours) - set(Counter(world.ids(side)) - Counter(found[side]))
            assert [one for one in world.ids(side) if one in stayed] == [one for one in found[side] if one in stayed]
    for _ in range(4):  # where copies of one track are held, their order needs more than one merge to settle
        world.sync()
    excused = touched | {song(conflict.track.external_id) for conflict in conflicts if conflict.track}
    for side, counts in before.items():
        now = counted(world)[side]
        assert {one: now[one] for one in counts if one not in excused} == {
            one: count for one, count in counts.items() if one not in excused
        }
        assert not set(now) - set(counts) - excused, "what was taken back came again"
    assert is_empty(world.merge())


def adds(item: SyncItem, side: Side) -> bool:
    return item.action is Action.ADD_TRACK and item.payload["side"] == side.value


def counted(world: World) -> dict[Side, Counter[int]]:
    return {side: Counter(song(one) for one in world.ids(side)) for side in Side}


def edit_and_tell(world: World, done: Edit) -> set[int]:
    """Edit, and tell which songs that may concern: those added, taken or renamed."""
    rows = world.lists[done.side]
    concerned = (
        {done.song} if done.act == "add" else {song(rows[done.place % len(rows)][1].external_id)} if rows else set()
    )
    edit(world, done)
    return concerned
