"""What is searched for, what is found on a shelf, and by which key a re-issued track is known."""

import time

import pytest

from bot.engine.matching import Query, Shelf, identity, match, queries, settled
from bot.model.matching import Verdict
from bot.model.music import CandidateKind, Service, Track


def song(title: str, *artists: str, external_id: str = "id", isrc: str | None = None, duration: float = 200.0) -> Track:
    return Track(
        service=Service.SPOTIFY, external_id=external_id, title=title, artists=artists, isrc=isrc, duration=duration
    )


def video(title: str, channel: str, external_id: str = "id", duration: float | None = 200.0) -> Track:
    return Track(
        service=Service.YOUTUBE,
        external_id=external_id,
        title=title,
        channel=channel,
        duration=duration,
        kind=CandidateKind.VIDEO,
    )


def texts(track: Track, service: Service, *, official_search: bool) -> list[str]:
    plan = queries(track, service, official_search=official_search)
    return [f"isrc:{query.text}" if query.isrc else query.text for query in plan]


@pytest.mark.parametrize(
    ("track", "service", "official", "expected"),
    [
        (song("Love", "Lana", isrc="gbum71"), Service.YOUTUBE, True, ["Lana Love"]),
        (song("Love", "Lana", isrc="gbum71"), Service.YOUTUBE, False, ["isrc:GBUM71", "Lana Love"]),
        (song("Love", "Lana", isrc="gbum71"), Service.SPOTIFY, True, ["isrc:GBUM71", "Lana Love"]),
        (song("夜に駆ける", "YOASOBI"), Service.YOUTUBE, True, ["YOASOBI 夜に駆ける", "夜に駆ける"]),
        (song("Stay (with Justin Bieber)", "LAROI", "Justin Bieber"), Service.YOUTUBE, True, ["LAROI Stay"]),
        (song("Heroes - 2017 Remaster", "David Bowie"), Service.YOUTUBE, True, ["David Bowie Heroes"]),
        (song("Song - Live at Wembley", "Queen"), Service.YOUTUBE, True, ["Queen Song Live at Wembley"]),
        (song("Song (Galantis Remix)", "X"), Service.YOUTUBE, True, ["X Song (Galantis Remix)"]),
        (video("Daft Punk - Aerodynamic (Official Video) [HD]", "DaftPunkVEVO"), Service.SPOTIFY, False,
         ["Daft Punk Aerodynamic"]),
        (video("Aerodynamic", "Daft Punk - Topic"), Service.SPOTIFY, False, ["Daft Punk Aerodynamic"]),
        (video("Official Video", "Somebody"), Service.SPOTIFY, False, ["Somebody Official Video"]),
    ],
)  # fmt: skip
def test_the_query_plan_asks_by_isrc_where_it_is_understood_then_by_artist_and_title(
    track: Track, service: Service, official: bool, expected: list[str]
) -> None:
    assert texts(track, service, official_search=official) == expected


def test_a_search_stops_at_an_accept_only() -> None:
    wanted = song("Song Name", "Artist")
    assert settled(match(wanted, [song("Song Name", "Artist", external_id="x")]))
    assert not settled(match(wanted, [song("Song Name - Live", "Artist", external_id="x")]))
    assert not settled(match(wanted, []))


def test_a_query_is_a_value() -> None:
    assert Query(text="a") == Query(text="a", isrc=False)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (song("Heroes", "David Bowie"), song("Heroes - 2017 Remaster", "David Bowie"), True),
        (song("Song (feat. B)", "A", "B"), song("song feat. B", "B", "A"), True),
        (song("Part One", "A"), song("Part 1", "A"), True),
        (song("Heroes", "David Bowie"), song("Heroes - Live", "David Bowie"), False),
        (song("Song - X Remix", "A"), song("Song - Y Remix", "A"), False),
        (song("Song, Pt. 1", "A"), song("Song, Pt. 2", "A"), False),
        (song("Song", "A"), song("Song", "B"), False),
        (video("Song", "A - Topic"), video("Song", "A - Topic", external_id="y"), True),
    ],
)
def test_identity_holds_through_a_reissue_and_not_through_a_version(one: Track, other: Track, equal: bool) -> None:
    assert (identity(one) == identity(other)) is equal


@pytest.mark.parametrize("track", [song("Song"), song("  ", "Artist")])
def test_identity_is_empty_when_it_cannot_be_told(track: Track) -> None:
    assert identity(track) == ""


def test_a_shelf_finds_by_isrc_whatever_the_title_is() -> None:
    shelf = Shelf([song("Песня", "Другой", external_id="right", isrc="AA1"), song("Song", "X", external_id="wrong")])
    found = shelf.best(song("Song", "Y", isrc="aa1")).chosen
    assert found is not None
    assert found.track.external_id == "right"


def test_an_empty_shelf_rejects() -> None:
    assert Shelf([]).best(song("Song", "A")).verdict is Verdict.REJECT


@pytest.mark.parametrize(
    "title", ["(a" * 2000, "- " * 2000, "feat. " * 700, "夜に駆" * 1300, '"' * 4000, "live " * 800]
)
def test_titles_of_thousands_of_characters_cost_no_time(title: str) -> None:
    hostile = video(f"Artist - {title}", "c" * 3000)
    begun = time.process_time()
    match(song(title, "Artist"), [hostile])
    match(hostile, [song(title, "Artist")])
    assert time.process_time() - begun < 1.0


def test_a_shelf_of_five_thousand_answers_within_twenty_milliseconds() -> None:
    """The words are few, so that every track shares several with hundreds of others: the worst case of an index."""
    words = ["love", "night", "fire", "river", "gold", "dream", "heart", "rain", "city", "light"]
    titles = [f"{a} {b} {c} {d}" for a in words for b in words for c in words for d in words][:5000]
    shelf = Shelf([video(f"Artist - {t} (Official Video)", "Artist", external_id=t) for t in titles])
    spent = []
    for title in titles[::500]:
        begun = time.process_time()
        decision = shelf.best(song(title, "Artist"))
        spent.append(time.process_time() - begun)
        assert decision.chosen is not None
        assert decision.chosen.track.external_id == title
    assert sorted(spent)[len(spent) // 2] < 0.020
