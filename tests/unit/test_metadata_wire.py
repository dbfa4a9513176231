"""Whatever the wire or the cache holds, reading it tells what is there and never breaks."""

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.facts import subject_of
from bot.model.music import Service, Track
from bot.services.cache_packing import LARGEST, Garbage, pack, unpack
from bot.services.metadata import listenbrainz, musicbrainz
from bot.services.metadata.source import Told

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(string.ascii_letters, max_size=8), each),
    max_leaves=12,
)
NAMES = st.sampled_from(
    "tag recording artist release_group release year name count genre_mbid tags isrcs first-release-date id".split()
)
SHAPED = st.recursive(
    JSON, lambda each: st.dictionaries(NAMES, each, max_size=5) | st.lists(each, max_size=4), max_leaves=20
)


@given(JSON)
def test_what_is_packed_is_unpacked(value: Any) -> None:
    packed = unpack(pack(value, NOW))
    assert (packed.value, packed.stored_at) == (value, NOW)


@given(st.text(min_size=600, max_size=3000))
def test_long_values_lie_there_compressed(text: str) -> None:
    assert pack(text * 4, NOW)[:1] == b"Z"
    assert unpack(pack(text * 4, NOW)).value == text * 4


@given(st.binary() | st.binary(max_size=40).map(lambda rest: b"J" + b"\0" * 8 + rest) | st.none() | st.text())
def test_foreign_bytes_are_garbage_or_plain_json(found: object) -> None:
    try:
        unpack(found)
    except Garbage:
        return
    assert isinstance(found, bytes)
    json.loads(found[9:])


@given(st.integers(min_value=0, max_value=400))
def test_a_cut_entry_is_garbage(length: int) -> None:
    whole = pack({"genres": ["pop"] * 200}, NOW)
    with pytest.raises(Garbage):
        unpack(whole[: min(length, len(whole) - 1)])


def test_an_entry_that_would_unfold_to_more_than_any_of_ours_is_garbage() -> None:
    with pytest.raises(Garbage):
        unpack(pack("x" * (LARGEST + 1), NOW))


@given(SHAPED)
def test_no_answer_of_listenbrainz_breaks_the_reading(answer: Any) -> None:
    told = listenbrainz.told(answer if isinstance(answer, dict) else {"tag": answer})
    assert all(genre == genre.casefold() for genre in told.genres)


@given(st.lists(st.dictionaries(NAMES, SHAPED, max_size=5), max_size=3))
def test_no_answer_of_musicbrainz_breaks_the_reading(answer: list[dict[str, Any]]) -> None:
    musicbrainz.told(answer)


@given(SHAPED)
def test_what_lies_in_the_cache_tells_something_or_nothing(kept: Any) -> None:
    Told.from_json(kept)


@given(st.lists(st.text()), st.none() | st.text(min_size=1), st.none() | st.text(min_size=1))
def test_what_a_source_told_is_kept_as_it_was(genres: list[str], album: str | None, released: str | None) -> None:
    told = Told(genres=tuple(genres), album=album, released=released)
    assert Told.from_json(json.loads(json.dumps(told.as_json()))) == told


def test_genres_are_what_musicbrainz_calls_so_the_surest_first_and_the_artists_only_where_nothing_else_is() -> None:
    """The shape is that of the example in ListenBrainz's documentation."""
    tag = {
        "recording": [
            {"tag": "trip hop", "count": 8, "genre_mbid": "45eb1d9c-588c-4dc8-9394-a14b7c8f02bc"},
            {"tag": "electronic", "count": 3, "genre_mbid": "89255676-1f14-4dd8-bbad-fca839d6aff4"},
            {"tag": "trip-hop", "count": 4},
        ],
        "artist": [{"tag": "british", "count": 13, "genre_mbid": "x", "artist_mbid": "y"}],
        "release_group": [{"tag": "Electronic", "count": 18, "genre_mbid": "x"}, {"tag": "mysterious", "count": 1}],
    }
    release = {"name": "Dummy", "year": 1994}
    told = listenbrainz.told({"tag": tag, "release": release})
    assert told == Told(genres=("electronic", "trip hop"), album="Dummy", released="1994")
    assert listenbrainz.told({"tag": {"artist": tag["artist"]}}).genres == ("british",)


def test_several_recordings_of_an_isrc_speak_together() -> None:
    told = musicbrainz.told(
        [
            {"tags": [{"name": "Rock", "count": 1}], "first-release-date": "1999-05"},
            {"tags": [{"name": "rock", "count": 2}, {"name": "pop", "count": 0}], "first-release-date": "1987"},
        ]
    )
    assert told == Told(genres=("rock",), released="1987")


@pytest.mark.parametrize(
    ("title", "channel", "artist", "read"),
    [
        ("Queen - Under Pressure (Official Video)", "Queen Official", "Queen", "Under Pressure"),
        ("Enter Sandman [Remastered]", "Metallica - Topic", "Metallica", "Enter Sandman"),
        ("夜に駆ける", "YOASOBI - Topic", "YOASOBI", "夜に駆ける"),
        ("AC/DC – Thunderstruck", "somebody", "AC/DC", "Thunderstruck"),
        ("my cat", "somebody", "", "my cat"),
        ("(Everything)", "A - Topic", "A", "(Everything)"),
    ],
)  # fmt: skip
def test_a_videos_artist_and_title_are_read_from_what_it_shows(
    title: str, channel: str, artist: str, read: str
) -> None:
    subject = subject_of(Track(service=Service.YOUTUBE, external_id="v", title=title, channel=channel))
    assert (subject.artist, subject.title) == (artist, read)
