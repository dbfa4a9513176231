"""The merge over real playlists as they changed in two years: re-issues, reorders, replacements, empties, doubles."""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.engine.matching import identity
from bot.model.mapping import Direction, Order, Removals, Side
from bot.model.music import Service, Track
from bot.model.plan import GuardKind, Plan
from tests.unit.applying import World, is_empty, mapping_of

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "playlists"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the archive of playlist versions is not here")
PLAYLISTS, VERSIONS = 10, 25  # as many of the archive's as are replayed in a few seconds
Name = tuple[str, tuple[str, ...]]


def rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@cache
def catalogue() -> dict[str, Track]:
    return {
        row["id"]: Track(
            service=Service.SPOTIFY,
            external_id=row["id"],
            title=row["title"],
            artists=tuple(row["artists"]),
            album=row["album"],
            duration=row["length_s"],
        )
        for row in rows("tracks.jsonl.gz")
    }


@cache
def histories() -> dict[str, list[list[Track]]]:
    """The versions of each playlist, oldest first."""
    found = defaultdict(list)
    for row in sorted(rows("versions.jsonl.gz"), key=lambda row: row["time"]):
        found[row["file"]].append([catalogue()[one] for one in row["track_ids"] if one in catalogue()])
    return dict(found)


@cache
def eventful() -> list[list[list[Track]]]:
    """The playlists in which the most happens, with the versions between which it happens."""
    short = [at_turns(versions)[:VERSIONS] for _, versions in sorted(histories().items())]
    return sorted(short, key=lambda versions: -len(turns(versions)))[:PLAYLISTS]


def at_turns(versions: list[list[Track]]) -> list[list[Track]]:
    steps = list(pairwise(versions))
    return [one for at, one in enumerate(versions) if any(kinds(*step) for step in steps[max(at - 1, 0) : at + 1])]


def turns(versions: list[list[Track]]) -> list[str]:
    return [kind for old, new in pairwise(versions) for kind in kinds(old, new)]


def kinds(old: list[Track], new: list[Track]) -> list[str]:
    """Which of the known traps lie between two versions."""
    before, after = {one.external_id for one in old}, {one.external_id for one in new}
    found = []
    if len(before & after) < 0.2 * len(before):
        found.append("replaced")
    if before == after and old != new:
        found.append("reordered")
    if reissues(old, new):
        found.append("reissued")
    return found


def name(track: Track) -> Name:
    return (track.title, track.artists)


def reissues(old: list[Track], new: list[Track]) -> dict[str, str]:
    """New ids by old ones, where just one track of a name went and just one of that name came."""
    before, after = {one.external_id: one for one in old}, {one.external_id: one for one in new}
    names = Counter(name(one) for one in {**before, **after}.values())
    gone = {name(one): key for key, one in before.items() if key not in after}
    came = {name(one): key for key, one in after.items() if key not in before}
    return {gone[one]: came[one] for one in gone.keys() & came.keys() if names[one] == 2 and one[1]}


def video(track: Track, held: list[Track]) -> Track:
    """Every release of a recording has the same counterpart."""
    return Track(
        service=Service.YOUTUBE,
        external_id="y " + identity(track),
        title=track.title,
        artists=track.artists,
        duration=track.duration,
    )


@dataclass
class Replay:
    """One playlist's history, synced version by version into another playlist."""

    world: World

    def show(self, version: list[Track]) -> None:
        self.world.lists[Side.LEFT] = [("", track) for track in version]
        self.world.catalogue.update({(track.service, track.external_id): track for track in version})

    def sync(self, version: list[Track]) -> Plan:
        self.show(version)
        plan = self.world.sync()
        again = self.world.merge()
        assert is_empty(again), again
        return plan


def replay(**fields: Any) -> Replay:
    return Replay(World(mapping_of(max_adds=10_000, **fields), counterpart=video))


def test_the_archive_holds_the_traps() -> None:
    found = Counter(kind for versions in eventful() for kind in turns(versions))
    assert set(found) == {"replaced", "reordered", "reissued"}
    assert found["reordered"] > 50
    assert found["reissued"] > 30


@pytest.mark.parametrize("direction", [Direction.LEFT_TO_RIGHT, Direction.TWO_WAY])
def test_a_mirror_in_order_ends_as_the_source_after_every_version(direction: Direction) -> None:
    for versions in eventful():
        mirror = replay(removals=Removals.MIRROR, order=Order.KEEP, direction=direction)
        for version in versions:
            mirror.sync(version)
            assert mirror.world.ids(Side.LEFT) == [track.external_id for track in version]
            assert in_order(mirror.world), "the destination is not in the source's order"
            held = Counter(mirror.world.ids(Side.RIGHT))
            assert set(held) == {video(track, []).external_id for track in version}


def in_order(world: World) -> bool:
    """Whether the destination's tracks stand as the first of their sources do."""
    first: dict[str, int] = {}
    for place, (_, track) in enumerate(world.lists[Side.LEFT]):
        first.setdefault(video(track, []).external_id, place)
    singles = [one for one in world.ids(Side.RIGHT) if world.ids(Side.RIGHT).count(one) == 1]
    # A recording with two releases in the source may stand where either of them does.
    sources = Counter(video(track, []).external_id for _, track in world.lists[Side.LEFT])
    places = [first[one] for one in singles if sources[one] == 1]
    return places == sorted(places)


def test_a_reissue_is_neither_removed_nor_added() -> None:
    seen = 0
    for versions in eventful():
        mirror = replay(removals=Removals.MIRROR)
        for old, new in pairwise([[], *versions]):
            plan = mirror.sync(new)
            reissued = reissues(old, new)
            touched = {add.source.external_id for add in plan.adds} | {one.source_track_id for one in plan.removes}
            assert not touched & (set(reissued) | set(reissued.values()))
            seen += len(reissued)
    assert seen > 30


def test_with_removals_kept_nothing_ever_leaves_the_destination() -> None:
    for versions in eventful():
        archive = replay(removals=Removals.KEEP)
        for version in versions:
            held = Counter(archive.world.ids(Side.RIGHT))
            archive.sync(version)
            assert not held - Counter(archive.world.ids(Side.RIGHT))
            agreed = {link.left_track_id: link.right_track_id for link in archive.world.links.values()}
            for track in version:
                assert agreed[track.external_id] in archive.world.ids(Side.RIGHT)


def test_a_read_with_less_than_two_fifths_of_the_tracks_stops_the_plan() -> None:
    for versions in eventful():
        mirror = replay(removals=Removals.MIRROR)
        mirror.sync(versions[0])
        for cut in (versions[0][: len(versions[0]) // 3], []):
            mirror.show(cut)
            guard = mirror.world.merge(force=False).guard
            assert guard is not None
            assert guard.kind is GuardKind.COLLAPSED_READ


def test_an_emptied_playlist_empties_its_mirror_when_forced_and_fills_it_again() -> None:
    for versions in eventful():
        mirror = replay(removals=Removals.MIRROR)
        mirror.sync(versions[0])
        mirror.sync([])
        assert mirror.world.ids(Side.RIGHT) == []
        mirror.sync(versions[0])
        assert set(mirror.world.ids(Side.RIGHT)) == {video(track, []).external_id for track in versions[0]}


@pytest.mark.parametrize("order", list(Order))
def test_doubled_tracks_stay_as_they_are(order: Order) -> None:
    for versions in eventful():
        doubled = versions[0] + versions[0][::3] + versions[0][::7]
        exact = replay(removals=Removals.EXACT, order=order)
        exact.sync(doubled)
        held = Counter(exact.world.ids(Side.RIGHT))
        copies = Counter(track.external_id for track in doubled)
        for track in versions[0]:
            assert held[video(track, []).external_id] == max(
                copies[one.external_id] for one in versions[0] if identity(one) == identity(track)
            )
        exact.sync(versions[0])
        assert max(Counter(exact.world.ids(Side.RIGHT)).values()) == 1
