"""A rebuild leads to the same playlist as the fewest changes, touches nothing dead, and stops at a broken read."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.analysis.rebuilding import rebuild
from bot.model.mapping import Direction, Order, Removals, Side
from bot.model.music import Service, Track
from bot.model.plan import GuardKind, Plan
from tests.unit.applying import World, mapping_of

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def song(name: str) -> Track:
    return Track(service=Service.SPOTIFY, external_id=name, title=f"Title of {name} {name * 7}", artists=(name * 5,))


def video(name: str) -> Track:
    return Track(service=Service.YOUTUBE, external_id=f"v{name}", title=f"Title of {name} {name * 7}", channel=name * 5)


def a_world(names: Sequence[str]) -> World:
    mapping = mapping_of(
        direction=Direction.LEFT_TO_RIGHT, removals=Removals.EXACT, order=Order.KEEP, hidden=True, max_adds=5_000
    )
    world = World(mapping, counterpart=lambda track, held: video(track.external_id))
    _fill(world, names)
    world.sync()
    return world


def _fill(world: World, names: Sequence[str]) -> None:
    world.lists[Side.LEFT] = []
    for name in names:
        world.put(Side.LEFT, song(name))


def rebuilt(world: World, previous: int | None = None) -> Plan:
    return rebuild(
        world.mapping,
        world.content(Side.LEFT),
        world.content(Side.RIGHT),
        tuple(world.links.values()),
        replace(world.known, tracks=world.catalogue),
        previous_right=previous,
        every_copy=False,
    )


@settings(deadline=None, max_examples=300, derandomize=True)
@given(NAMES, NAMES, st.lists(st.sampled_from("abcdefgh"), max_size=3), st.lists(st.sampled_from("xyz"), max_size=3))
def test_a_rebuild_leads_where_the_fewest_changes_lead(
    before: list[str], after: list[str], taken: list[str], strangers: list[str]
) -> None:
    few = a_world(before)
    for name in taken:
        few.lists[Side.RIGHT] = [row for row in few.lists[Side.RIGHT] if row[1].external_id != f"v{name}"]
    for name in strangers:
        few.put(Side.RIGHT, video(name), 0)
    _fill(few, after)
    anew = deepcopy(few)
    few.sync()
    anew.apply(rebuilt(anew))
    assert anew.ids(Side.RIGHT) == few.ids(Side.RIGHT) == [f"v{name}" for name in after]
    again = anew.sync()
    assert (again.adds, again.removes, again.moves) == ((), (), ()), "nothing is left to do"


def test_what_can_no_longer_be_played_is_not_thrown_away_since_it_could_not_come_back() -> None:
    world = a_world("abc")
    entry_id, track = world.lists[Side.RIGHT][1]
    world.lists[Side.RIGHT][1] = (entry_id, replace(track, available=False))
    world.apply(rebuilt(world))
    assert sorted(world.ids(Side.RIGHT)) == ["va", "vb", "vc"]
    again = world.sync()
    assert (again.adds, again.removes) == ((), ())


def test_a_rebuild_of_what_was_hardly_read_is_stopped() -> None:
    world = a_world("abcdefgh")
    world.lists[Side.RIGHT] = world.lists[Side.RIGHT][:2]
    guard = rebuilt(world, previous=8).guard
    assert guard is not None
    assert guard.kind is GuardKind.COLLAPSED_READ


def test_rules_may_choose_hardly_anything_of_what_they_chose_before() -> None:
    world = a_world("abcdefgh")
    _fill(world, "a")
    plan = world.merge(force=False, previous_right=8)
    assert plan.guard is None
    assert len(plan.removes) == 7
