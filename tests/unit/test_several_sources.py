"""Several playlists as one: the ordered union of their tracks without doubles."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.analysis.pairing import strict_keys
from bot.engine.analysis.union import union
from bot.model.music import PlaylistEntry, Service, Track

A, B, C = ("amber night", "bridge song", "candle waltz")


def track(id_: str, title: str, *, isrc: str | None = None, available: bool = True) -> Track:
    return Track(
        service=Service.SPOTIFY, external_id=id_, title=title, artists=("Ada",), isrc=isrc, available=available
    )


def playlist(*tracks: Track) -> tuple[PlaylistEntry, ...]:
    return tuple(PlaylistEntry(position=place, track=one) for place, one in enumerate(tracks))


def ids(entries: tuple[PlaylistEntry, ...]) -> list[str]:
    return [entry.track.external_id for entry in entries]


def test_one_source_comes_after_the_other_and_the_first_of_doubles_stays() -> None:
    first = playlist(track("1", A), track("2", B, isrc="GB1234567890"))
    second = playlist(track("2", B), track("9", "another title", isrc="gb-123-45-67890"), track("3", C), track("1", A))
    merged = union([first, second])
    assert ids(merged) == ["1", "2", "3"]
    assert [entry.position for entry in merged] == [0, 1, 2]


def test_the_same_title_and_artists_under_another_id_is_a_double_and_another_version_is_none() -> None:
    merged = union([playlist(track("1", A)), playlist(track("2", A), track("3", f"{A} (live)"))])
    assert ids(merged) == ["1", "3"]


def test_a_track_that_can_be_played_takes_the_place_of_one_that_cannot() -> None:
    gone = track("1", A, available=False)
    merged = union([playlist(gone, track("2", B)), playlist(track("7", A))])
    assert ids(merged) == ["7", "2"]
    assert ids(union([playlist(gone), playlist(replace(gone, external_id="8"))])) == ["1"]


_tracks = st.builds(
    track,
    st.sampled_from([str(number) for number in range(12)]),
    st.sampled_from([f"song {word}" for word in "amber bridge candle dolphin ember forest".split()]),
    isrc=st.sampled_from([None, None, "GB0000000001", "GB0000000002"]),
    available=st.booleans(),
)
_sources = st.lists(st.lists(_tracks, max_size=8).map(lambda tracks: playlist(*tracks)), max_size=4)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(_sources)
def test_the_union_is_ordered_complete_and_without_doubles(sources: list[tuple[PlaylistEntry, ...]]) -> None:
    merged = union(sources)
    every = [entry.track for source in sources for entry in source]
    assert len(set(ids(merged))) == len(merged)
    assert [entry.position for entry in merged] == list(range(len(merged)))
    assert all(entry.track in every for entry in merged)
    kept: set[str] = set()
    reached: set[str] = set()
    firsts = []  # by the plain definition: a track that shares no word with anything before it
    for one in every:
        words = {f"id {one.external_id}", *strict_keys(one)}
        if not words & reached:
            firsts.append(one)
        reached |= words
    for entry in merged:
        kept |= {f"id {entry.track.external_id}", *strict_keys(entry.track)}
    assert len(merged) == len(firsts), "one for each track that is nobody's double"
    stayed = [entry.track for entry, first in zip(merged, firsts, strict=True) if first.available]
    assert stayed == [first for first in firsts if first.available], "in order, and nobody takes a playable one's place"
