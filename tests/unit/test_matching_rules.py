"""The matcher's rules, each as a table: what is the same recording, what is another, and what a person must see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.engine.matching import match, remembered_well
from bot.model.matching import MatchPolicy, Verdict
from bot.model.music import CandidateKind, Service, Track
from bot.model.review import MatchRow

ACCEPT, REVIEW, REJECT = Verdict.ACCEPT, Verdict.REVIEW, Verdict.REJECT


def song(title: str, *artists: str, **more: Any) -> Track:
    values: dict[str, Any] = {"external_id": "wanted", "duration": 200.0, **more}
    return Track(service=Service.SPOTIFY, title=title, artists=artists, **values)


def video(title: str, channel: str, **more: Any) -> Track:
    values: dict[str, Any] = {"external_id": "found", "duration": 200.0, "kind": CandidateKind.VIDEO, **more}
    return Track(service=Service.YOUTUBE, title=title, channel=channel, **values)


def release(title: str, *artists: str, **more: Any) -> Track:
    values: dict[str, Any] = {"external_id": "found", "duration": 200.0, **more}
    return Track(service=Service.YOUTUBE, title=title, artists=artists, **values)


def verdict(track: Track, candidate: Track, policy: MatchPolicy = MatchPolicy.BALANCED) -> Verdict:
    return match(track, [candidate], policy).verdict


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Hoppípolla", "Hoppipolla"),
        ("KICK BACK", "Kickback"),
        ("P Q P", "PQP"),
        ("Dog Days Are Over", "The Dog Days Are Over"),
        ("Rock & Roll", "Rock and Roll"),
        ("Smokin' In The Boys Room", "Smoking in the Boys Room"),
        ("Another Brick in the Wall, Pt. 2", "Another Brick In The Wall (Part Two)"),
        ("Hayloft II", "Hayloft 2"),
        ("Shine On You Crazy Diamond, Pts. 1-5", "Shine On You Crazy Diamond (Parts I-V)"),
        ("G.O.A.T.", "GOAT"),
        ("Камин", "Kamin"),
        ("夜に駆ける", "Yoru ni Kakeru"),
        ("Heroes - 2017 Remaster", '"Heroes"'),
        ("Sunflower - Spider-Man: Into the Spider-Verse", "Sunflower (Spider-Man: Into the Spider-Verse)"),
        ('Moon River (From "Breakfast at Tiffany\'s")', "Moon River"),
        ("Song (feat. Somebody)", "Song"),
        ("La Niña de la Escuela", "Niña de la Escuela"),
        ("Suburban", "La Suburban"),
        ("Strobe - Radio Edit", "Strobe (Radio Edit)"),
        ("Brahms: Piano Trio No. 1 in B Major, Op. 8: II. Scherzo", "Piano Trio No. 1 in B Major, Op. 8: II. Scherzo"),
    ],
)
def test_titles_written_otherwise_are_the_same_song(ours: str, theirs: str) -> None:
    assert verdict(song(ours, "Artist"), release(theirs, "Artist")) is ACCEPT


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Love", "Loveless"),
        ("Está Dañado", "Está Dañada"),
        ("Hayloft", "Hayloft II"),
        ("Hayloft II", "Hayloft I"),
        ("Alone", "Alone, Pt. II"),
        ("Shine On You Crazy Diamond, Pts. 1-5", "Shine On You Crazy Diamond, Pts. 6-9"),
        ("Catfish Billy 2", "Catfish Billy"),
        ("HOT", "Hotel Room Service"),
        ("Perfect", "Perfect Duet"),
        ("夜に駆ける", "Into The Night"),
        ("Brother Louie", "Brother Louie '98"),
        ("Numb", "Numb/Encore"),
        ("Symphony", 'Symphony "9"'),
        ("上の景色", "進化"),
        ("Song 2", "Song 3"),
        ("Gymnopédie No. 1", "Gymnopédie No. 3"),
        ("Untitled", "Untitled #2"),
        ("Brahms: Piano Concerto No. 1: I. Maestoso", "Liszt: Piano Concerto No. 1: I. Maestoso"),
        ("Symphony No. 5 in C Minor, Op. 67: I. Allegro", "Symphony No. 5 in C Minor, Op. 67: II. Andante"),
    ],
)
def test_titles_that_only_look_alike_are_never_accepted(ours: str, theirs: str) -> None:
    assert verdict(song(ours, "Artist"), release(theirs, "Artist")) is not ACCEPT
    assert verdict(song(theirs, "Artist"), release(ours, "Artist")) is not ACCEPT


VERSIONS = [
    "Live",
    "Live at Wembley, 1986",
    "Ao Vivo",
    "En Vivo",
    "ライブ",
    "Unplugged",
    "Acoustic",
    "Acústico",
    "Galantis Remix",
    "Remix",
    "Instrumental",
    "Karaoke Version",
    "Cover",
    "8-Bit Version",
    "Sped Up",
    "slowed + reverb",
    "Nightcore",
    "8D Audio",
    "Mashup",
    "Demo",
    "Extended Mix",
    "English Version",
    "Versión en Español",
    "Taylor's Version",
    "Lullaby Version",
    "Full Album",
    "1 Hour Loop",
    "Reprise",
    "Type Beat",
    "Originally Performed by Artist",
    "432Hz",
    "Pitched Up",
    "Isolated Vocals",
    "Empty Arena",
]


@pytest.mark.parametrize("said", VERSIONS)
def test_a_version_that_only_one_side_names_is_another_recording(said: str) -> None:
    assert verdict(song("Song Name", "Artist"), release(f"Song Name ({said})", "Artist")) is REJECT
    assert verdict(song(f"Song Name - {said}", "Artist"), release("Song Name", "Artist")) is REJECT


@pytest.mark.parametrize("said", VERSIONS)
def test_a_version_that_both_sides_name_is_the_same_recording(said: str) -> None:
    assert verdict(song(f"Song Name - {said}", "Artist"), release(f"Song Name ({said})", "Artist")) is ACCEPT


@pytest.mark.parametrize(
    "said",
    ["Official Video", "Official Audio", "Lyric Video", "Visualizer", "Clip Officiel", "4K", "2011 Remaster", "M/V",
     "Official Music Video] [HD", "Album Version", "Explicit", "Letra", "公式"],
)  # fmt: skip
def test_words_of_the_upload_and_of_the_master_make_no_difference(said: str) -> None:
    assert verdict(song("Song Name", "Artist"), video(f"Artist - Song Name ({said})", "Artist")) is ACCEPT


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Song - PNAU Remix", "Song (PNAU Remix)", ACCEPT),
        ("Song - Vintage Culture & Slow Motion Remix", "Song (Slow Motion & Vintage Culture Official Remix)", ACCEPT),
        ("Song - PNAU Remix", "Song (Claptone Remix)", REJECT),
        ("Song - North African Remix", "Song (Remix)", REVIEW),
        ("Song", "Song (Aurora Version)", REVIEW),
        ("Song", "Song (At The Grammys 2018)", REVIEW),
    ],
)
def test_remixes_differ_by_whose_they_are(ours: str, theirs: str, expected: Verdict) -> None:
    assert verdict(song(ours, "Artist"), release(theirs, "Artist")) is expected


@pytest.mark.parametrize(
    ("gap", "kind", "expected"),
    [
        (2, "release", ACCEPT),
        (-3, "release", ACCEPT),
        (9, "release", REVIEW),
        (40, "release", REJECT),
        (-40, "release", REJECT),
        (15, "own video", ACCEPT),
        (60, "own video", REVIEW),
        (200, "own video", REJECT),
        (-20, "own video", REJECT),
        (1, "upload", ACCEPT),
        (8, "upload", REVIEW),
        (40, "upload", REJECT),
    ],
)
def test_the_length_is_a_gate_with_room_for_the_intro_of_an_artists_video(
    gap: float, kind: str, expected: Verdict
) -> None:
    candidates = {
        "release": release("Song Name", "Artist", duration=200.0 + gap),
        "own video": video("Artist - Song Name (Official Video)", "ArtistVEVO", duration=200.0 + gap),
        "upload": video("Artist - Song Name", "Somebody", duration=200.0 + gap),
    }
    assert verdict(song("Song Name", "Artist"), candidates[kind]) is expected


@pytest.mark.parametrize(
    ("title", "channel", "gap", "expected"),
    [
        ("Artist - Song Name (Lyrics)", "Somebody", 3, ACCEPT),
        ("Artist - Song Name", "Somebody", 3, REVIEW),
        ("Artist - Song Name (Official Video)", "ArtistVEVO", 25, ACCEPT),
        ("Artist - Song Name", "ArtistVEVO", 25, REVIEW),
        ("Artist - Song Name (Official Video)", "ArtistVEVO", 60, REVIEW),
    ],
)
def test_a_video_that_somebody_has_may_have_screens_and_scenes_that_a_copy_to_be_added_may_not(
    title: str, channel: str, gap: float, expected: Verdict
) -> None:
    """Sought from a playlist, the question is which song it holds; as an answer, whether it is a good copy."""
    held = video(title, channel, duration=200.0 + gap)
    assert verdict(held, song("Song Name", "Artist")) is expected
    assert verdict(song("Song Name", "Artist"), held) is REVIEW


@pytest.mark.parametrize(
    ("gates", "gap", "score", "kept_by"),
    [
        ([], 1.0, 0.97, {MatchPolicy.EXACT, MatchPolicy.BALANCED, MatchPolicy.BEST_EFFORT}),
        ([], None, 0.9, {MatchPolicy.BALANCED, MatchPolicy.BEST_EFFORT}),
        (["length-near"], 9.0, 0.92, {MatchPolicy.BEST_EFFORT}),
        ([], None, 1.0, {MatchPolicy.EXACT, MatchPolicy.BALANCED, MatchPolicy.BEST_EFFORT}),
    ],
)
def test_what_one_policy_accepted_is_remembered_for_those_that_would_accept_it_too(
    gates: list[str], gap: float | None, score: float, kept_by: set[MatchPolicy]
) -> None:
    row = MatchRow(
        source_service=Service.SPOTIFY,
        source_id="a",
        destination_service=Service.YOUTUBE,
        destination_id="b",
        score=score,
        parts={"gates": gates, "length_gap": gap},
        decided_at=datetime(2026, 11, 20, tzinfo=UTC),
    )
    assert {policy for policy in MatchPolicy if remembered_well(row, policy)} == kept_by


def test_an_unknown_length_is_accepted_by_balanced_but_not_by_exact() -> None:
    unknown = video("Artist - Song Name (Official Video)", "ArtistVEVO", duration=None)
    assert verdict(song("Song Name", "Artist"), unknown) is ACCEPT
    assert verdict(song("Song Name", "Artist"), unknown, MatchPolicy.EXACT) is REVIEW
    assert "length unknown" in match(song("Song Name", "Artist"), [unknown]).reason


@pytest.mark.parametrize(
    ("artist", "candidate", "expected"),
    [
        ("Daft Punk", video("Song Name", "Daft Punk - Topic"), ACCEPT),
        ("Daft Punk", video("Song Name", "DaftPunkVEVO"), ACCEPT),
        ("Daft Punk", video("Daft Punk - Song Name", "Some Label Records"), ACCEPT),
        ("Daft Punk", video("Song Name - Daft Punk", "Some Label Records"), ACCEPT),
        ("Daft Punk", video("Song Name", "Somebody Else - Topic"), REJECT),
        ("Daft Punk", video("Song Name (Daft Punk)", "Somebody Else - Topic"), REJECT),
        ("Daft Punk", video("Somebody Else - Song Name", "Somebody Else"), REJECT),
        ("Daft Punk", release("Song Name", "Daft Punk Tribute Band"), REJECT),
        ("Queen", video("Queen Latifah - Song Name", "Queen Latifah"), REVIEW),
        ("Queen", video("Song Name", "Queen Latifah - Topic"), REJECT),
        ("The Doors", video("Song Name - Snoop Dogg ft. The Doors", "Somebody"), REVIEW),
        ("Luciano", video("Dhurata Dora feat. Luciano - Song Name", "Dhurata Dora"), ACCEPT),
        ("Leonard Cohen", video("Jeff Buckley - Song Name (Leonard Cohen)", "JeffBuckleyVEVO"), REVIEW),
        ("Radiohead", video("Song Name (Radiohead) - Scala & Kolacny Brothers", "Scala"), REVIEW),
        ("Kenshi Yonezu", video("米津玄師  MV「Song Name」", "Kenshi Yonezu  米津玄師"), ACCEPT),
        ("P!nk", release("Song Name", "Pink"), ACCEPT),
        ("Ke$ha", release("Song Name", "Kesha"), ACCEPT),
        ("The Beatles", video("Song Name", "TheBeatlesVEVO"), ACCEPT),
        ("Bob Marley & The Wailers", video("Song Name", "BobMarley&TheWailersVEVO"), ACCEPT),
        ("AC/DC", video("AC/DC - Song Name (Official Video)", "acdcVEVO"), ACCEPT),
        ("Florence + The Machine", release("Song Name", "Florence and the Machine"), ACCEPT),
        ("Tuna", release("Song Name", "טונה"), ACCEPT),
        ("Hikaru Utada", release("Song Name", "Utada Hikaru"), ACCEPT),
        ("Fukaj", release("Song Name", "Fukaj, Mata und Pedro"), ACCEPT),
        ("Sigur Rós", release("Song Name", "Sigur Ros"), ACCEPT),
    ],
)
def test_the_artist_is_a_gate_of_its_own(artist: str, candidate: Track, expected: Verdict) -> None:
    assert verdict(song("Song Name", artist), candidate) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Song Name (feat. A Boogie)", "Artist - Song Name ft. Fat Joe", REVIEW),
        ("Song Name (feat. A Boogie)", "Artist - Song Name ft. A Boogie", ACCEPT),
        ("Song Name", "Artist - Song Name - with Iggy Pop", REVIEW),
        ("Song Name", "Artist - Song Name ft. Somebody", ACCEPT),
    ],
)
def test_another_guest_is_an_open_question(ours: str, theirs: str, expected: Verdict) -> None:
    assert verdict(song(ours, "Artist"), video(theirs, "ArtistVEVO")) is expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Artist - Other Song | Song Name (Original Soundtrack)", REJECT),
        ("Artist - Other Song / Song Name", REJECT),
        ("Artist 'Other Song' (Official Audio) | Song Name - The 2nd Album", REJECT),
        ("Artist 'Song Name' MV", ACCEPT),
        ("Artist (아티스트) '노래 (Song Name)' MV", ACCEPT),
        ("Artist 'Song Name' 【Official Video】", ACCEPT),
        ("Song Name | Film Name | Artist, Somebody | New Punjabi Song 2021", ACCEPT),
    ],
)
def test_the_title_must_stand_where_a_title_stands(title: str, expected: Verdict) -> None:
    assert verdict(song("Song Name", "Artist"), video(title, "Some Label")) is expected


def test_a_song_of_a_karaoke_album_is_karaoke() -> None:
    candidate = release("Song Name", "Artist", album="Pop Karaoke 2019")
    assert verdict(song("Song Name", "Artist", album="Debut"), candidate) is REJECT


def test_a_song_of_a_live_album_is_an_open_question() -> None:
    candidate = release("Song Name", "Artist", album="Live at Wembley")
    assert verdict(song("Song Name", "Artist", album="Debut"), candidate) is REVIEW
    assert verdict(song("Song Name", "Artist", album="Live Your Life"), release("Song Name", "Artist")) is ACCEPT


def test_an_artist_who_recorded_a_song_often_is_not_told_by_length_alone() -> None:
    """Three lengths of one title by one artist in a list: the length of the track is no proof any more."""
    others = [release("Song Name", "Artist", external_id=f"other{n}", duration=140.0 + 25 * n) for n in (0, 1, 4)]
    right = release("Song Name", "Artist")
    assert match(song("Song Name", "Artist", album="Debut"), [right]).verdict is ACCEPT
    assert match(song("Song Name", "Artist", album="Debut"), [*others, right]).verdict is REVIEW
    with_album = release("Song Name", "Artist", album="Debut")
    assert match(song("Song Name", "Artist", album="Debut"), [*others, with_album]).verdict is ACCEPT


def test_the_same_isrc_is_certain_whatever_the_titles_say() -> None:
    decision = match(song("Песня", "Артист", isrc="USABC1234567"), [release("Song", "X", isrc="usabc1234567")])
    assert decision.verdict is ACCEPT
    assert "the same recording by its id" in decision.reason


def test_what_cannot_be_played_is_never_accepted() -> None:
    assert verdict(song("Song Name", "Artist"), release("Song Name", "Artist", available=False)) is REJECT


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(MatchPolicy.EXACT, REVIEW), (MatchPolicy.BALANCED, REVIEW), (MatchPolicy.BEST_EFFORT, ACCEPT)],
)
def test_best_effort_answers_small_questions_itself(policy: MatchPolicy, expected: Verdict) -> None:
    assert verdict(song("Song Name", "Artist"), release("Song Name", "Artist", duration=206.0), policy) is expected


@pytest.mark.parametrize("policy", list(MatchPolicy))
def test_no_policy_accepts_another_version(policy: MatchPolicy) -> None:
    assert verdict(song("Song Name", "Artist"), release("Song Name (Live)", "Artist"), policy) is REJECT


def test_explicit_album_and_views_only_break_ties() -> None:
    clean = release("Song Name", "Artist", external_id="clean", explicit=False, views=10**9)
    explicit = release("Song Name", "Artist", external_id="explicit", explicit=True)
    wanted = song("Song Name", "Artist", explicit=True)
    assert chosen(wanted, clean, explicit) == "explicit"
    assert chosen(wanted, clean) == "clean"
    twice = [release("Song Name", "Artist", external_id=i, views=v) for i, v in (("rare", 10), ("known", 10**6))]
    assert chosen(wanted, *twice) == "known"


def chosen(track: Track, *candidates: Track) -> str | None:
    found = match(track, candidates).chosen
    return found.track.external_id if found else None


@pytest.mark.parametrize(
    ("title", "channel", "expected"),
    [
        ("Artist - Song Name (Official Video)", "ArtistVEVO", "right"),
        ("Song Name", "Artist - Topic", "right"),
        ("Artist - Song Name (Live)", "ArtistVEVO", "live"),
        ("Artist - Song Name (Galantis Remix)", "ArtistVEVO", None),
    ],
)
def test_a_video_is_found_among_tracks_of_spotify(title: str, channel: str, expected: str | None) -> None:
    tracks = [
        song("Song Name", "Artist", external_id="right"),
        song("Song Name - Live", "Artist", external_id="live"),
        song("Song Name", "Somebody Else", external_id="other"),
        song("Name Song", "Artist", external_id="turned"),
    ]
    assert chosen(video(title, channel, duration=201.0), *tracks) == expected


def test_the_length_gap_is_candidate_minus_track_in_both_directions() -> None:
    forth = match(song("Song Name", "Artist"), [release("Song Name", "Artist", duration=202.0)])
    back = match(video("Artist - Song Name", "Artist", duration=202.0), [song("Song Name", "Artist")])
    assert forth.candidates[0].score.length_gap == 2.0
    assert back.candidates[0].score.length_gap == -2.0


def test_a_decision_explains_itself_in_one_sentence() -> None:
    decision = match(song("Song Name", "Artist"), [release("Song Name (Live)", "Artist", duration=202.0)])
    assert decision.reason == "title 1.00, artist 1.00, +2 s, live version: rejected"
    assert decision.candidates[0].score.gates == ("version:live",)


def test_no_candidates_is_a_rejection_that_says_so() -> None:
    decision = match(song("Song Name", "Artist"), [])
    assert (decision.verdict, decision.chosen, decision.reason) == (REJECT, None, "no candidates")
