"""The rules of the merge, one by one."""

from dataclasses import replace
from typing import Any

import pytest

from bot.engine.analysis import Known, already_there
from bot.model.item import Action, ItemStatus
from bot.model.mapping import Direction, Link, LinkState, Order, Removals, Side
from bot.model.music import PlaylistEntry, Service, Track
from bot.model.plan import GuardKind, Plan
from tests.unit.applying import World, is_empty, items_of, mapping_of

LEFT, RIGHT = Side.LEFT, Side.RIGHT
TITLES = {"a": "Amber", "b": "Bridge", "c": "Candle", "d": "Dolphin", "e": "Ember", "f": "Forest", "g": "Garnet"}


def track(side: Side, name: str, **fields: Any) -> Track:
    """``name`` begins with its song's letter; the rest tells releases of it apart."""
    service = Service.SPOTIFY if side is LEFT else Service.YOUTUBE
    usual = {"title": TITLES[name[0]], "artists": (f"{TITLES[name[0]]} Band",), "duration": 200.0}
    return Track(service=service, external_id=f"{side.value[0]}{name}", **usual | fields)  # type: ignore[arg-type]


def world(left: str = "", right: str = "", **fields: Any) -> World:
    made = World(
        mapping_of(**fields),
        counterpart=lambda source, held: track(
            RIGHT if source.service is Service.SPOTIFY else LEFT, source.external_id[1:]
        ),
    )
    for side, names in ((LEFT, left), (RIGHT, right)):
        for name in names.split():
            made.put(side, track(side, name))
    return made


def synced(left: str, right: str = "", **fields: Any) -> World:
    made = world(left, right, **fields)
    made.sync()
    return made


def names(made: World, side: Side) -> str:
    return " ".join(track_id[1:] for track_id in made.ids(side))


def show(made: World, side: Side, listed: str) -> None:
    """What people made of a playlist."""
    rows = list(made.lists[side])
    made.lists[side] = []
    for name in listed.split():
        old = next((row for row in rows if row[1].external_id[1:] == name), None)
        if old is not None:
            rows.remove(old)
            made.lists[side].append(old)
        else:
            made.put(side, track(side, name))


def link(made: World, name: str) -> Link:
    return next(one for one in made.links.values() if one.left_track_id == f"l{name}")


def adds(plan: Plan) -> list[tuple[str, int, str]]:
    return [(add.source.external_id, add.occurrence, add.destination_id) for add in plan.adds]


# What is there already


def test_what_the_destination_holds_is_linked_and_not_added() -> None:
    plan = world("a b c", "c a").merge()
    assert adds(plan) == [("lb", 0, "")]
    assert {(one.after.left_track_id, one.after.right_track_id) for one in plan.links if one.after} == {
        ("la", "ra"),
        ("lc", "rc"),
    }
    assert all(one.before is None and one.after and one.after.written_side is None for one in plan.links)
    assert plan.unchanged == 2


def test_the_same_isrc_is_the_same_track_whatever_the_titles_say() -> None:
    made = world()
    made.put(LEFT, track(LEFT, "a", isrc="gb-abc-12-00001"))
    made.put(RIGHT, track(RIGHT, "b", isrc="GBABC1200001"))
    assert adds(made.merge()) == []


def test_copies_stay_copies_and_get_a_copy_each() -> None:
    made = synced("a b a a")
    assert names(made, RIGHT) == "a b a a"
    assert sorted(one.occurrence for one in made.links.values() if one.left_track_id == "la") == [0, 1, 2]


def test_a_new_copy_of_a_linked_track_is_not_searched() -> None:
    made = synced("a")
    show(made, LEFT, "a a")
    assert adds(made.merge()) == [("la", 1, "ra")]


def test_two_releases_with_one_counterpart_share_one_copy() -> None:
    made = synced("a")
    show(made, LEFT, "a a2")
    plan = made.sync()
    assert adds(plan) == []
    assert link(made, "a2").right_track_id == "ra"
    show(made, LEFT, "a2")
    made.mapping = replace(made.mapping, removals=Removals.MIRROR)
    assert made.sync().removes == ()
    assert names(made, RIGHT) == "a"


def test_between_playlists_of_one_service_a_track_is_its_own_counterpart() -> None:
    made = world(right="")
    made.mapping = replace(made.mapping, right=replace(made.mapping.right, service=Service.SPOTIFY))
    made.put(LEFT, track(LEFT, "a"))
    made.put(LEFT, track(LEFT, "a2"))
    assert adds(made.merge()) == [("la", 0, "la"), ("la2", 0, "la2")]


# What people and memory know


def test_a_persons_choice_is_taken_before_any_match() -> None:
    made = world("a", "a b")
    made.known = Known(decided={(Service.SPOTIFY, "la"): "rb"})
    [change] = made.merge().links
    assert change.after is not None
    assert change.after.right_track_id == "rb"


def test_a_persons_choice_that_is_not_there_is_added_rather_than_a_match_adopted() -> None:
    made = world("a", "a")
    made.known = Known(decided={(Service.SPOTIFY, "la"): "rb"}, remembered={(Service.SPOTIFY, "la"): "rc"})
    assert adds(made.merge()) == [("la", 0, "rb")]


def test_what_a_person_said_is_not_there_is_passed_over() -> None:
    made = world("a", "a")
    made.known = Known(decided={(Service.SPOTIFY, "la"): ""}, remembered={(Service.SPOTIFY, "la"): "ra"})
    plan = made.merge()
    assert (adds(plan), plan.links, plan.in_review) == ([], (), 1)


def test_memory_saves_the_search_and_an_automatic_no_says_nothing() -> None:
    made = world("a b")
    made.known = Known(remembered={(Service.SPOTIFY, "la"): "rx", (Service.SPOTIFY, "lb"): ""})
    assert adds(made.merge()) == [("la", 0, "rx"), ("lb", 0, "")]


def test_a_blacklisted_track_is_passed_over_until_the_destination_holds_it() -> None:
    made = world("a b")
    made.known = Known(passed_over=frozenset({(Service.SPOTIFY, "la")}))
    plan = made.merge()
    assert (adds(plan), plan.in_review) == ([("lb", 0, "")], 1)
    made.put(RIGHT, track(RIGHT, "a"))
    assert made.merge().links[0].after is not None
    assert made.merge().in_review == 0


# Removals


@pytest.mark.parametrize(
    ("direction", "removals", "gone", "left", "right"),
    [
        (Direction.LEFT_TO_RIGHT, Removals.KEEP, LEFT, "b", "a b"),
        (Direction.LEFT_TO_RIGHT, Removals.KEEP, RIGHT, "a b", "b"),
        (Direction.LEFT_TO_RIGHT, Removals.MIRROR, LEFT, "b", "b"),
        (Direction.LEFT_TO_RIGHT, Removals.MIRROR, RIGHT, "a b", "b"),
        (Direction.LEFT_TO_RIGHT, Removals.EXACT, LEFT, "b", "b"),
        (Direction.LEFT_TO_RIGHT, Removals.EXACT, RIGHT, "a b", "b a"),
        (Direction.RIGHT_TO_LEFT, Removals.KEEP, LEFT, "b", "a b"),
        (Direction.RIGHT_TO_LEFT, Removals.MIRROR, RIGHT, "b", "b"),
        (Direction.RIGHT_TO_LEFT, Removals.MIRROR, LEFT, "b", "a b"),
        (Direction.RIGHT_TO_LEFT, Removals.EXACT, LEFT, "b a", "a b"),
        (Direction.TWO_WAY, Removals.KEEP, LEFT, "b", "a b"),
        (Direction.TWO_WAY, Removals.KEEP, RIGHT, "a b", "b"),
        (Direction.TWO_WAY, Removals.MIRROR, LEFT, "b", "b"),
        (Direction.TWO_WAY, Removals.MIRROR, RIGHT, "b", "b"),
        (Direction.TWO_WAY, Removals.EXACT, RIGHT, "b", "b"),
    ],
)
def test_what_becomes_of_a_removed_track(
    direction: Direction, removals: Removals, gone: Side, left: str, right: str
) -> None:
    made = synced("a b", "a b", direction=direction, removals=removals)
    show(made, gone, "b")
    made.sync()
    assert (names(made, LEFT), names(made, RIGHT)) == (left, right)
    assert is_empty(made.merge())


def test_a_removed_track_that_people_put_back_is_agreed_again() -> None:
    made = synced("a b")
    show(made, RIGHT, "b")
    made.sync()
    assert link(made, "a").state is LinkState.GONE_RIGHT
    show(made, RIGHT, "b a")
    assert made.sync().diffs == 0
    assert link(made, "a").state is LinkState.ACTIVE


def test_a_track_put_back_in_the_source_after_its_counterpart_went_too_is_added_anew() -> None:
    made = synced("a b")
    show(made, LEFT, "b")
    made.sync()
    assert link(made, "a").state is LinkState.GONE_LEFT
    show(made, LEFT, "b a")
    show(made, RIGHT, "b")
    made.sync()
    assert names(made, RIGHT) == "b a"


def test_what_was_removed_stays_so_when_another_release_brings_its_counterpart() -> None:
    made = synced("a b")
    show(made, RIGHT, "b")
    made.sync()
    made.counterpart = lambda source, held: track(RIGHT, "a")
    made.put(LEFT, track(LEFT, "a2"))
    made.sync()
    assert names(made, RIGHT) == "b a"
    assert (link(made, "a").state, link(made, "a2").state) == (LinkState.GONE_RIGHT, LinkState.ACTIVE)
    assert is_empty(made.merge())


def test_a_track_removed_on_both_sides_is_forgotten() -> None:
    made = synced("a b", direction=Direction.TWO_WAY)
    show(made, LEFT, "b")
    show(made, RIGHT, "b")
    assert made.sync().diffs == 0
    assert len(made.links) == 1


def test_only_an_exact_destination_loses_what_was_never_linked() -> None:
    for removals in Removals:
        made = synced("a", "a g", removals=removals)
        assert names(made, RIGHT) == ("a" if removals is Removals.EXACT else "a g")


def test_what_an_undo_took_back_waits_until_the_source_changes_it() -> None:
    made = synced("a b", "b")
    held = replace(link(made, "a"), state=LinkState.HELD)
    made.links = {key: held if one.left_track_id == "la" else one for key, one in made.links.items()}
    show(made, RIGHT, "b")
    assert is_empty(made.merge())
    show(made, LEFT, "b")
    made.sync()
    show(made, LEFT, "b a")
    made.sync()
    assert names(made, RIGHT) == "b a"


def test_spotify_which_removes_all_copies_is_not_asked_to_remove_one() -> None:
    made = synced("", "a a b", direction=Direction.RIGHT_TO_LEFT, removals=Removals.MIRROR)
    show(made, RIGHT, "a b")
    plan = made.sync()
    assert plan.removes == ()
    assert "every copy" in plan.conflicts[0].sentence
    show(made, RIGHT, "b")
    made.sync()
    assert names(made, LEFT) == "b"


# Re-issues and swaps


@pytest.mark.parametrize("direction", [Direction.LEFT_TO_RIGHT, Direction.TWO_WAY])
@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_a_reissued_track_is_neither_removed_nor_added(direction: Direction, side: Side) -> None:
    made = synced("a b", direction=direction, removals=Removals.MIRROR)
    show(made, side, "b a2")
    plan = made.sync()
    assert plan.diffs == 0
    [change] = plan.links
    assert change.before is not None
    assert change.after is not None
    assert (change.after.left_track_id if side is LEFT else change.after.right_track_id)[1:] == "a2"


def test_a_reissue_is_told_by_its_isrc_when_its_title_changed() -> None:
    made = world()
    made.put(LEFT, track(LEFT, "a", isrc="X1"))
    made.sync()
    made.mapping = replace(made.mapping, removals=Removals.MIRROR)
    made.lists[LEFT] = []
    made.put(LEFT, track(LEFT, "a2", title="Bernstein", artists=("Jemand",), isrc="x1"))
    assert made.sync().diffs == 0
    assert names(made, RIGHT) == "a"


def test_another_version_is_no_reissue() -> None:
    made = synced("a b", removals=Removals.MIRROR)
    made.lists[LEFT] = made.lists[LEFT][1:]
    made.put(LEFT, track(LEFT, "a2", title="Amber (Live at Wembley)"))
    plan = made.merge()
    assert [add.source.external_id for add in plan.adds] == ["la2"]
    assert [remove.track.external_id for remove in plan.removes] == ["ra"]


def test_an_upload_that_a_person_swapped_for_a_better_one_is_adopted() -> None:
    made = synced("a b", direction=Direction.TWO_WAY, removals=Removals.MIRROR)
    made.lists[RIGHT] = [row for row in made.lists[RIGHT] if row[1].external_id != "ra"]
    made.put(
        RIGHT, track(RIGHT, "a9", artists=(), title="Amber Band - Amber (Official Video)", channel="AmberBandVEVO")
    )
    plan = made.sync()
    assert plan.diffs == 0
    assert link(made, "a").right_track_id == "ra9"


# What cannot be played


def test_unavailable_tracks_are_neither_added_nor_removed() -> None:
    made = world("b", removals=Removals.EXACT)
    made.put(LEFT, track(LEFT, "a", available=False))
    made.put(RIGHT, track(RIGHT, "g", available=False))
    made.sync()
    assert names(made, RIGHT) == "g b"


def test_a_linked_video_that_died_counts_as_present_and_is_reported() -> None:
    made = synced("a b")
    made.lists[RIGHT] = [(entry, replace(one, available=one.external_id != "ra")) for entry, one in made.lists[RIGHT]]
    plan = made.merge()
    assert is_empty(plan)
    assert [conflict.track.external_id for conflict in plan.conflicts if conflict.track] == ["ra"]


# Order


@pytest.mark.parametrize("direction", [Direction.LEFT_TO_RIGHT, Direction.TWO_WAY])
def test_order_kept_takes_the_fewest_moves(direction: Direction) -> None:
    made = synced("a b c d e f", order=Order.KEEP, direction=direction)
    show(made, LEFT, "f a b c d e")
    plan = made.sync()
    assert [(move.track.external_id, move.origin, move.position) for move in plan.moves] == [("rf", 5, 0)]
    assert names(made, RIGHT) == "f a b c d e"
    show(made, LEFT, "e d c b a f")
    assert len(made.sync().moves) == 5
    assert names(made, RIGHT) == "e d c b a f"


def test_order_kept_puts_new_tracks_in_their_places() -> None:
    made = synced("a c", order=Order.KEEP)
    show(made, LEFT, "d a b c e f")
    plan = made.sync()
    assert [add.position for add in plan.adds] == [0, 2, None, None]
    assert names(made, RIGHT) == "d a b c e f"


def test_order_kept_leaves_peoples_own_tracks_where_they_are() -> None:
    made = synced("a b", "g a f b", order=Order.KEEP)
    show(made, LEFT, "b a")
    made.sync()
    assert names(made, RIGHT) in ("g b a f", "g f b a")


def test_two_way_order_kept_the_left_side_leads_and_takes_in_new_tracks_in_place() -> None:
    made = synced("a b c", direction=Direction.TWO_WAY, order=Order.KEEP)
    show(made, RIGHT, "c a d b")
    made.sync()
    assert names(made, LEFT) == "a d b c"
    assert names(made, RIGHT) == "a d b c"


def test_order_append_moves_nothing_and_adds_at_the_end_in_the_sources_order() -> None:
    made = synced("a b")
    show(made, LEFT, "d b c a")
    plan = made.sync()
    assert (plan.moves, names(made, RIGHT)) == ((), "a b d c")


def test_places_count_entries_that_are_no_usable_track() -> None:
    made = synced("a b", order=Order.KEEP)
    show(made, LEFT, "a c b")
    content = made.content(RIGHT)
    shifted = tuple(PlaylistEntry(position=one.position + 2, track=one.track) for one in content.entries)
    made.content = lambda side: (  # type: ignore[method-assign]
        replace(content, entries=shifted, skipped=2) if side is RIGHT else World.content(made, side)
    )
    assert [add.position for add in made.merge().adds] == [3]


# Caps and guards


def test_adds_beyond_the_cap_are_held_back() -> None:
    plan = world("a b c d", max_adds=3).merge()
    assert ([one for one, _, _ in adds(plan)], plan.held_back) == (["la", "lb", "lc"], 1)


def test_more_removals_than_allowed_stop_the_plan_but_show_it() -> None:
    made = synced("a b c d", removals=Removals.MIRROR, max_removals=2)
    show(made, LEFT, "c d")
    assert made.merge(force=False).guard is None
    show(made, LEFT, "d")
    plan = made.merge(force=False)
    assert plan.guard is not None
    assert plan.guard.kind is GuardKind.TOO_MANY_REMOVALS
    assert len(plan.removes) == 3
    assert made.merge(force=True).guard is None


@pytest.mark.parametrize("side", [LEFT, RIGHT])
@pytest.mark.parametrize("removals", list(Removals))
def test_a_collapsed_read_stops_the_plan_on_either_side(side: Side, removals: Removals) -> None:
    made = synced("a b c d e", removals=removals)
    show(made, side, "a b")
    assert made.merge(force=False).guard is None
    show(made, side, "a")
    guard = made.merge(force=False).guard
    assert guard is not None
    assert guard.kind is GuardKind.COLLAPSED_READ
    assert made.merge(force=True).guard is None


def test_a_collapsed_read_is_told_by_the_last_snapshot_where_links_are_few() -> None:
    made = world("a")
    assert made.merge(force=False, previous_left=3, previous_right=4).guard is None
    assert made.merge(force=False, previous_left=5).guard is not None
    assert made.merge(force=False, previous_right=5).guard is not None


# Doubts


def suspect(made: World, name: str) -> None:
    made.links = {key: replace(one, suspect=one.left_track_id == f"l{name}") for key, one in made.links.items()}


def test_a_surplus_copy_of_a_doubtful_write_is_removed_and_counts_for_no_cap() -> None:
    made = synced("a b", max_removals=0, direction=Direction.TWO_WAY)
    suspect(made, "a")
    made.put(RIGHT, track(RIGHT, "a"))
    plan = made.merge(force=False)
    assert plan.guard is None
    [remove] = plan.removes
    assert (remove.surplus, remove.entry_id) == (True, "e5")
    made.apply(plan)
    assert (names(made, LEFT), names(made, RIGHT)) == ("a b", "a b")


def test_a_doubtful_write_is_no_longer_doubted_under_a_new_id() -> None:
    made = synced("a b")
    suspect(made, "a")
    show(made, RIGHT, "a2 b")
    made.sync()
    assert not link(made, "a").suspect
    made.put(RIGHT, track(RIGHT, "a2"))
    assert is_empty(made.merge())


def test_a_copy_that_people_added_is_no_surplus() -> None:
    made = synced("a b")
    made.put(RIGHT, track(RIGHT, "a"))
    assert is_empty(made.merge())


def test_on_spotify_a_surplus_copy_is_only_reported() -> None:
    made = synced("", "a b", direction=Direction.RIGHT_TO_LEFT)
    suspect(made, "a")
    made.put(LEFT, track(LEFT, "a"))
    plan = made.merge()
    assert plan.removes == ()
    assert len(plan.conflicts) == 1


def test_nothing_is_concluded_from_what_we_wrote_within_the_settle_time() -> None:
    made = synced("a b", direction=Direction.TWO_WAY, removals=Removals.MIRROR)
    show(made, RIGHT, "b g")
    made.known = Known(unsettled=frozenset({(Service.YOUTUBE, "ra"), (Service.YOUTUBE, "rg")}))
    assert is_empty(made.merge())


# The queue


def test_an_add_under_way_protects_what_it_may_have_written() -> None:
    for direction, removals in ((Direction.LEFT_TO_RIGHT, Removals.EXACT), (Direction.TWO_WAY, Removals.KEEP)):
        made = world("a", direction=direction, removals=removals)
        queue = items_of(made.merge(), status=ItemStatus.UNKNOWN)
        queue = [replace(item, payload=item.payload | {"track_id": "rg"}) for item in queue]
        made.put(RIGHT, track(RIGHT, "g"))
        assert is_empty(made.merge(open_items=queue))


def test_what_a_queued_add_found_is_linked_when_it_is_there_and_the_item_is_cancelled() -> None:
    made = world("a")
    [item] = items_of(made.merge())
    made.put(RIGHT, track(RIGHT, "g"))
    plan = made.merge(open_items=[replace(item, payload=item.payload | {"track_id": "rg"})])
    assert (adds(plan), plan.cancels) == ([], (item.id,))
    assert plan.links[0].after is not None


@pytest.mark.parametrize("status", [ItemStatus.RUNNING, ItemStatus.UNKNOWN])
def test_items_under_way_are_not_cancelled(status: ItemStatus) -> None:
    made = world("a")
    queue = items_of(made.merge(), status=status)
    show(made, LEFT, "")
    assert made.merge(open_items=queue).cancels == ()


def test_queued_moves_stay_while_they_lead_to_the_order_and_give_way_whole() -> None:
    made = synced("a b c d", order=Order.KEEP)
    show(made, LEFT, "d c a b")
    queue = items_of(made.merge())
    assert {item.action for item in queue} == {Action.MOVE_TRACK}
    assert is_empty(made.merge(open_items=queue))
    show(made, LEFT, "b c a d")
    plan = made.merge(open_items=queue)
    assert plan.cancels == tuple(item.id for item in queue)
    assert plan.moves == made.merge().moves
    running = [replace(item, status=ItemStatus.RUNNING) for item in queue]
    assert made.merge(open_items=running).moves == ()


@pytest.mark.parametrize(
    ("held", "occurrence", "copies", "there"),
    [
        ([], 0, 0, False),
        ([], 0, 1, True),
        ([("a", 0)], 0, 1, True),
        ([("a", 0)], 1, 1, False),
        ([("a", 0)], 1, 2, True),
        ([("a", 0), ("a", 1)], 0, 1, False),
    ],
)
def test_an_add_writes_only_when_copies_are_too_few(
    held: list[tuple[str, int]], occurrence: int, copies: int, there: bool
) -> None:
    """A second source with the same counterpart shares its copy; a second copy of the same source does not."""
    links = [Link(mapping_id=1, left_track_id=one, right_track_id="x", occurrence=at) for one, at in held]
    assert already_there(links, RIGHT, "x", occurrence, copies) is there


def test_a_counterpart_that_people_removed_is_not_counted_as_there() -> None:
    gone = Link(mapping_id=1, left_track_id="a", right_track_id="x", occurrence=0, state=LinkState.GONE_RIGHT)
    assert already_there([gone], RIGHT, "x", 1, 1)
