"""What holds for the matcher whatever the titles are."""

import random
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.engine.matching import Shelf, identity, match
from bot.engine.matching.text import cut, fold, latin
from bot.model.matching import MatchPolicy, Verdict
from bot.model.music import CandidateKind, Service, Track

WORDS = ["Love", "Night", "Song", "Камин", "夜に駆ける", "عمري", "אהבה", "กันและกัน", "사랑", "Élan", "2", "P!nk", "the"]
SAID = [
    "",
    " (Live)",
    " - Remix",
    " (feat. Somebody)",
    " [Official Video]",
    " - 2011 Remaster",
    " (Acoustic)",
    ", Pt. 2",
]
NAMES = ["Artist", "Somebody Else", "YOASOBI", "טונה", "AC/DC", "Ke$ha"]

written = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() != "")
made_up = st.builds(
    lambda words, said: " ".join(words) + said,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    st.sampled_from(SAID),
)
titles = made_up | written
lengths = st.none() | st.integers(30, 600).map(float)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    return Track(
        service=Service.SPOTIFY,
        external_id="wanted",
        title=draw(titles),
        artists=tuple(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))),
        album=draw(st.none() | made_up),
        duration=draw(lengths),
    )


@st.composite
def lists(draw: st.DrawFn, of: Track) -> list[Track]:
    """Candidates near the track: its title or another, its artists or others, as releases and as videos."""
    count = draw(st.integers(1, 7))
    found = []
    for number in range(count):
        title = draw(st.just(of.title) | st.sampled_from(SAID).map(lambda said: of.title + said) | titles)
        release = draw(st.booleans())
        artists = draw(st.just(of.artists) | st.sampled_from(NAMES).map(lambda name: (name,)))
        near = [] if of.duration is None else [of.duration, of.duration + 2, of.duration + 10, of.duration + 60]
        found.append(
            Track(
                service=Service.YOUTUBE,
                external_id=f"video{number}",
                title=title if release else f"{artists[0]} - {title}",
                artists=artists if release else (),
                channel=None if release else artists[0],
                duration=draw(st.sampled_from([*near, None, 123.0])),
                kind=CandidateKind.SONG if release else CandidateKind.VIDEO,
                views=draw(st.none() | st.integers(0, 10**9)),
            )
        )
    return found


policies = st.sampled_from(list(MatchPolicy))
often = settings(max_examples=200, deadline=None)  # a busy machine is no failure


@often
@given(track=tracks(), policy=policies)
def test_a_track_always_matches_itself(track: Track, policy: MatchPolicy) -> None:
    assert match(track, [track], policy).verdict is Verdict.ACCEPT


@often
@given(track=tracks())
def test_a_track_matches_the_same_titles_and_artists_under_another_id(track: Track) -> None:
    twin = replace(track, service=Service.YOUTUBE, external_id="found", available=True)
    assert match(track, [twin]).verdict is Verdict.ACCEPT


@often
@given(data=st.data(), track=tracks(), policy=policies, seed=st.integers(0, 99))
def test_the_decision_does_not_depend_on_the_order_of_candidates(
    data: st.DataObject, track: Track, policy: MatchPolicy, seed: int
) -> None:
    candidates = data.draw(lists(track))
    turned = list(candidates)
    random.Random(seed).shuffle(turned)
    assert match(track, candidates, policy) == match(track, turned, policy)


@often
@given(data=st.data(), track=tracks(), policy=policies)
def test_adding_a_worse_candidate_never_changes_an_accept_into_another_accept(
    data: st.DataObject, track: Track, policy: MatchPolicy
) -> None:
    """Worse: not accepted when it is the only one, or with a lower score than the one chosen."""
    *candidates, added = data.draw(lists(track).filter(lambda found: len(found) > 1))
    before = match(track, candidates, policy)
    assume(before.chosen is not None)
    assert before.chosen is not None
    alone = match(track, [added], policy)
    assume(alone.chosen is None or alone.chosen.score.total < before.chosen.score.total)
    after = match(track, [*candidates, added], policy)
    assert after.chosen is None or after.chosen.track == before.chosen.track


@often
@given(data=st.data(), track=tracks())
def test_an_accept_has_passed_every_gate_and_known_lengths_agree(data: st.DataObject, track: Track) -> None:
    decision = match(track, data.draw(lists(track)))
    if decision.chosen is not None:
        assert decision.chosen.score.gates == ()
        gap = decision.chosen.score.length_gap
        assert gap is None or -10 <= gap <= 20


@often
@given(data=st.data(), track=tracks(), policy=policies)
def test_every_candidate_is_scored_within_bounds_and_says_why(
    data: st.DataObject, track: Track, policy: MatchPolicy
) -> None:
    candidates = data.draw(lists(track))
    decision = match(track, candidates, policy)
    assert sorted(c.track.external_id for c in decision.candidates) == sorted(c.external_id for c in candidates)
    for candidate in decision.candidates:
        assert 0.0 <= candidate.score.total <= 1.0
        assert 0.0 <= candidate.score.title <= 1.0
        assert 0.0 <= candidate.score.artist <= 1.0
        assert candidate.score.reason.endswith(("accepted", "to be reviewed", "rejected"))


@often
@given(text=written)
def test_text_never_normalises_to_nothing(text: str) -> None:
    assert any(cut(text).words)


@often
@given(
    text=st.sampled_from(
        ["夜に駆ける", "عمرو دياب", "אבי אבורומי", "Камин", "กันและกัน", "사랑했지만", "ककरी भईल", "李荣浩"]
    )
)
def test_every_script_is_kept_and_has_a_latin_reading(text: str) -> None:
    assert "".join(cut(text).words) == fold(text).replace(" ", "")
    assert latin(fold(text))
    assert not fold(text).isascii()


@often
@given(text=written)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@often
@given(track=tracks())
def test_identity_is_the_same_for_a_reissue_and_another_for_a_version(track: Track) -> None:
    again = replace(track, external_id="reissued", album="Greatest Hits", duration=None, artists=track.artists[::-1])
    assert identity(again) == identity(track)
    assert identity(replace(track, title=f"{track.title} - Karaoke Version")) != identity(track)


@often
@given(data=st.data(), track=tracks())
def test_a_shelf_finds_what_matching_the_whole_list_accepts(data: st.DataObject, track: Track) -> None:
    candidates = data.draw(lists(track))
    whole = match(track, candidates)
    found = Shelf(candidates).best(track)
    assert found.chosen == whole.chosen
