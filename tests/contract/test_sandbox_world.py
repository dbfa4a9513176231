"""The simulated world holds real tracks with the traps of real catalogues, and the same videos for the same seed."""

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from bot.sandbox import Kind, World
from bot.sandbox.videos import RIGHT


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.close()


def test_there_are_more_than_320_tracks_in_more_than_twenty_languages(world: World) -> None:
    assert len(world.tracks) > 320
    assert len({track.language for track in world.tracks}) > 20
    assert len({track.id for track in world.tracks}) == len(world.tracks)


def test_each_line_of_the_catalogue_is_well_formed(world: World) -> None:
    for track in world.tracks:
        assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", track.released), track
        assert track.isrc is None or re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", track.isrc), track
        assert all((track.title.strip(), track.album.strip(), *map(str.strip, track.artists))), track
        assert 5_000 <= track.length_ms <= 3_600_000, track
    isrcs = [track.isrc for track in world.tracks if track.isrc]
    assert len(isrcs) == len(set(isrcs)) >= 20


@pytest.mark.parametrize("script", ["Ѐ-ӿ", "Ͱ-Ͽ", "぀-ヿ", "가-힣", "一-鿿", "؀-ۿ", "֐-׿", "ऀ-ॿ", "฀-๿"])
def test_titles_come_in_many_scripts_with_a_romanised_form(world: World, script: str) -> None:
    native = [track for track in world.tracks if re.search(f"[{script}]", track.title)]
    assert native
    assert all(track.romanised for track in native)


@pytest.mark.parametrize(
    "trap", [r"feat\.", "Remaster", r"\bLive\b", "Remix", "Taylor's Version", r"Pt\. 2", r"Op\. \d"]
)
def test_titles_hold_the_traps_of_real_ones(world: World, trap: str) -> None:
    assert any(re.search(trap, track.title) for track in world.tracks)


def test_titles_are_shared_by_several_artists_and_lengths_reach_from_seconds_to_an_hour(world: World) -> None:
    shared = [title for title, count in Counter(track.title for track in world.tracks).items() if count > 1]
    assert len(shared) >= 8
    assert {"P!nk", "Ke$ha", "AC/DC"} <= {artist for track in world.tracks for artist in track.artists}
    assert min(track.length_ms for track in world.tracks) < 10_000
    assert max(track.length_ms for track in world.tracks) > 3_000_000


def test_one_track_in_twenty_five_has_lookalikes_only(world: World) -> None:
    without = [track for track in world.tracks if not world.right_videos(track.id)]
    assert len(without) == pytest.approx(len(world.tracks) / 25, abs=1)
    assert all(world.videos_of(track.id) for track in world.tracks)
    road_trip = world.spotify_items(world.known.road_trip)
    assert len(road_trip) >= 90
    assert 2 <= sum(not world.right_videos(track) for track in road_trip) <= 7


def test_every_kind_of_upload_occurs_and_ids_look_like_youtubes(world: World) -> None:
    every = [video for track in world.tracks for video in world.videos_of(track.id)]
    assert {video.kind for video in every} == set(Kind)
    assert all(re.fullmatch(r"[\w-]{11}", video.id) for video in every)
    assert len({video.id for video in every}) == len(every)
    assert len(every) / len(world.tracks) > 4


def test_a_right_video_is_as_long_as_the_track_but_for_its_intro(world: World) -> None:
    for track in world.tracks:
        for video in world.videos_of(track.id):
            beyond = video.seconds - track.length_ms / 1000
            if video.kind is Kind.TOPIC:
                assert abs(beyond) <= 0.5 or track.length_ms < 1000, (track.title, video)
            elif video.kind in RIGHT:
                assert -2 <= beyond <= 26, (track.title, video)


def test_some_tracks_have_only_their_topic_upload(world: World) -> None:
    alone = [track for track in world.tracks if [video.kind for video in world.videos_of(track.id)] == [Kind.TOPIC]]
    assert len(alone) >= 5


def test_right_tracks_is_the_inverse_of_right_videos(world: World) -> None:
    for track in world.tracks[::7]:
        assert all(world.right_tracks(video) == {track.id} for video in world.right_videos(track.id))
        assert all(world.right_tracks(video) == frozenset() for video in world.lookalikes(track.id))


def test_the_same_seed_makes_the_same_world_and_another_seed_another(world: World) -> None:
    def uploads(of: World) -> list[str]:
        return [video.id + video.title for track in of.tracks for video in of.videos_of(track.id)]

    same, other = World(seed=1), World(seed=2)
    assert uploads(same) == uploads(world) != uploads(other)
    assert same.known == world.known
    same.close()
    other.close()


def test_people_edit_playlists_of_both_services_in_their_own_apps(world: World) -> None:
    one, two, three = (track.id for track in world.tracks[:3])
    playlist = world.create_spotify_playlist("bob", "Edits", [one, two])
    world.add(playlist, three, 0)
    world.add(playlist, [one])
    assert world.spotify_items(playlist) == [three, one, two, one]
    world.remove(playlist, one, occurrence=1)
    world.move(playlist, 0, 3)
    assert world.spotify_items(playlist) == [one, two, three]
    world.rename(playlist, "Edited")
    assert world.playlist(playlist).name == "Edited"  # type: ignore[union-attr]
    world.delete(playlist)
    assert world.playlist(playlist) is None
    with pytest.raises(KeyError):
        world.remove(world.known.watched, "neverthere1")


def test_reading_three_hundred_tracks_and_searching_take_milliseconds(world: World) -> None:
    started = time.perf_counter()
    for _ in range(20):
        world.search_videos("Coldplay Yellow", 10)
        world.spotify_items(world.known.everything)
    assert (time.perf_counter() - started) / 20 < 0.02
