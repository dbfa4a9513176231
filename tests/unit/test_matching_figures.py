"""The figures that matching promises on real answers of YouTube, where the shared data is at hand."""

import pytest

from bot.engine.matching import Shelf
from tests.benchmarks.matching import DATA, Case, Tally, crossfade, decide, load, tally, to_candidate, to_track

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="../shared/data/matching is not here")


def measured(name: str, *, away: bool = False) -> Tally:
    cases = load(DATA / f"{name}.jsonl")
    if away:
        cases = [left for case in cases if case.right and (left := case.taken_away()).candidates]
    return tally(cases, crossfade)


def test_recorded_answers_are_matched_without_a_wrong_one() -> None:
    result = measured("recorded")
    assert (result.right >= 22, result.wrong) == (True, 0)


def test_with_the_right_answers_taken_away_at_most_one_is_accepted() -> None:
    assert measured("recorded", away=True).wrong <= 1


def test_hard_cases_fail_at_most_once() -> None:
    assert measured("hard_cases").right >= 27


def test_titles_without_lengths_are_matched() -> None:
    result = measured("titles_clean")
    assert result.right >= 0.97 * result.lists
    assert result.wrong <= 0.005 * result.lists
    assert measured("titles_clean", away=True).wrong <= 0.005 * result.lists


def test_unclean_titles_are_rarely_matched_wrongly() -> None:
    result = measured("titles_all")
    assert result.wrong <= 0.015 * result.lists


def test_lookalikes_are_not_accepted() -> None:
    assert measured("lookalikes").wrong <= 3


def test_videos_are_matched_back_to_their_tracks_among_all_of_the_set() -> None:
    cases = load(DATA / "titles_clean.jsonl")
    shelf = Shelf([to_track(case.track) for case in cases])
    right = wrong = 0
    for case in cases:
        video = next((row for row in case.candidates if row["video_id"] in case.right), None)
        chosen = shelf.best(to_candidate(video)).chosen if video else None
        right += chosen is not None and chosen.track.external_id == case.track["id"]
        wrong += chosen is not None and chosen.track.external_id != case.track["id"]
    assert right >= 0.97 * len(cases)
    assert wrong <= 0.005 * len(cases)


def test_decide_answers_with_an_id_or_none_and_takes_missing_fields() -> None:
    track = {"title": "Song Name", "artists": ["Artist"]}
    right = {"video_id": "v", "title": "Artist - Song Name", "channel": "ArtistVEVO"}
    assert decide(track, [right]) == "v"
    assert decide(track, [{**right, "title": "Artist - Song Name (Live)"}]) is None
    assert decide(track, [{"video_id": "w"}]) is None


def test_taking_away_leaves_no_right_answer() -> None:
    rows = [{"video_id": "a"}, {"video_id": "b"}, {"video_id": "c"}]
    case = Case(track={}, candidates=rows, right=frozenset("a"), neutral=frozenset("b"))
    assert [row["video_id"] for row in case.taken_away().candidates] == ["c"]
