"""How people may name a playlist, and what they are told when they name none."""

import pytest

from bot.engine.addresses import NewPlaylist, PlaylistAddress, address_of, create_value, liked_value, playlist_value
from bot.model.errors import UserMistake
from bot.model.music import LIKED, Service

SPOTIFY = "37i9dQZF1DXcBWIGoYBM5M"
YOUTUBE = "PLr_y0S9hLy0nDAmLZDyUxKop6AgxajnHr"


@pytest.mark.parametrize(
    "text",
    [
        f"https://open.spotify.com/playlist/{SPOTIFY}",
        f"https://open.spotify.com/playlist/{SPOTIFY}?si=abc&pi=x",
        f"https://open.spotify.com/intl-de/playlist/{SPOTIFY}",
        f"https://open.spotify.com/user/alice/playlist/{SPOTIFY}",
        f"open.spotify.com/playlist/{SPOTIFY}",
        f"<https://open.spotify.com/playlist/{SPOTIFY}>",
        f"  spotify:playlist:{SPOTIFY} ",
        f"spotify:user:alice:playlist:{SPOTIFY}",
    ],
)
def test_spotify_playlists_are_known_by_link_and_uri(text: str) -> None:
    assert address_of(text) == PlaylistAddress(service=Service.SPOTIFY, external_id=SPOTIFY)


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.youtube.com/playlist?list={YOUTUBE}",
        f"https://youtube.com/playlist?list={YOUTUBE}&si=abc",
        f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&list={YOUTUBE}&index=3",
        f"https://music.youtube.com/playlist?list={YOUTUBE}",
        f"https://music.youtube.com/browse?list=VL{YOUTUBE}",
        f"https://m.youtube.com/playlist?list={YOUTUBE}",
        f"https://youtu.be/dQw4w9WgXcQ?list={YOUTUBE}",
        f"youtube:playlist:{YOUTUBE}",
    ],
)
def test_youtube_playlists_are_known_by_every_form_of_their_link(text: str) -> None:
    assert address_of(text) == PlaylistAddress(service=Service.YOUTUBE, external_id=YOUTUBE)


@pytest.mark.parametrize(
    "text",
    [
        "https://open.spotify.com/collection/tracks",
        "<https://open.spotify.com/collection/tracks?si=abc>",
        "https://open.spotify.com/intl-de/collection/tracks",
        "spotify:collection",
        "spotify:collection:tracks",
        "spotify:user:alice:collection",
        "liked",
        " Liked Songs ",
    ],
)
def test_liked_songs_are_known_by_link_uri_and_word(text: str) -> None:
    assert address_of(text) == PlaylistAddress(service=Service.SPOTIFY, external_id=LIKED)


def test_the_choice_of_liked_songs_says_whose() -> None:
    assert address_of(liked_value(12)) == PlaylistAddress(service=Service.SPOTIFY, external_id=LIKED, account_id=12)


@pytest.mark.parametrize("text", ["spotify:liked:x", "spotify:collection:episodes", "youtube:liked", "liked videos"])
def test_what_only_looks_like_liked_songs_is_refused(text: str) -> None:
    with pytest.raises(UserMistake):
        address_of(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no link"),
        ("Road trip", "no link"),
        ("https://example.org/playlist/1", "no link"),
        (f"https://evil.example/open.spotify.com/playlist/{SPOTIFY}", "no link"),
        ("https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC", "not to a playlist"),
        ("https://open.spotify.com/intl-de/album/4uLU6hMCjMI75M1A2tKUQC", "not to a playlist"),
        ("https://open.spotify.com/playlist/short", "cut off"),
        ("https://open.spotify.com/", "names no playlist"),
        ("spotify:track:4uLU6hMCjMI75M1A2tKUQC", "names no playlist"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "no `list=…`"),
        ("https://www.youtube.com/playlist?list=WL", "lets no program"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=RDdQw4w9WgXcQ", "lets no program"),
        ("https://www.youtube.com/playlist?list=a/b", "cut off"),
        ("http://[::1", "no link"),
        ("create:tidal:Mix", "needs a service"),
        ("create:youtube:", "needs a service"),
    ],
)
def test_what_names_no_playlist_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        address_of(text)


def test_values_of_choices_read_back() -> None:
    assert address_of(playlist_value(Service.YOUTUBE, YOUTUBE)).service is Service.YOUTUBE
    assert address_of(create_value(Service.SPOTIFY, "Road trip: south")) == NewPlaylist(
        service=Service.SPOTIFY, name="Road trip: south"
    )
    assert len(create_value(Service.SPOTIFY, "x" * 300)) == 100
