"""What people paste when they name one track."""

import pytest

from bot.engine.track_addresses import track_of
from bot.model.errors import UserMistake
from bot.model.music import Service

VIDEO = "dQw4w9WgXcQ"
TRACK = "4cOdK2wGLETKBW3PvgPWqT"


@pytest.mark.parametrize(
    "text",
    [
        VIDEO,
        f"https://www.youtube.com/watch?v={VIDEO}",
        f"http://youtube.com/watch?feature=share&v={VIDEO}&t=42s",
        f"https://m.youtube.com/watch?v={VIDEO}&list=PLabc",
        f"https://music.youtube.com/watch?v={VIDEO}&si=x",
        f"<https://youtu.be/{VIDEO}?si=abcdef>",
        f"youtu.be/{VIDEO}",
        f"  www.youtube.com/shorts/{VIDEO} ",
        f"https://www.youtube.com/embed/{VIDEO}",
        f"https://www.youtube.com/live/{VIDEO}?feature=share",
        f"https://www.youtube-nocookie.com/embed/{VIDEO}",
        f"https://www.youtube.com/v/{VIDEO}",
        f"HTTPS://WWW.YOUTUBE.COM/watch?v={VIDEO}#comments",
        f"youtube:video:{VIDEO}",
    ],
)
def test_every_usual_form_of_a_video_is_understood(text: str) -> None:
    assert track_of(text, Service.YOUTUBE) == VIDEO


@pytest.mark.parametrize(
    "text",
    [
        TRACK,
        f"spotify:track:{TRACK}",
        f"https://open.spotify.com/track/{TRACK}",
        f"https://open.spotify.com/intl-de/track/{TRACK}?si=1234",
        f"open.spotify.com/embed/track/{TRACK}",
        f"<https://play.spotify.com/track/{TRACK}>",
        f"http://open.spotify.com/track/{TRACK}/",
    ],
)
def test_every_usual_form_of_a_track_is_understood(text: str) -> None:
    assert track_of(text, Service.SPOTIFY) == TRACK


@pytest.mark.parametrize(
    ("text", "wanted", "sentence"),
    [
        (f"https://open.spotify.com/track/{TRACK}", Service.YOUTUBE, "what lacks is the track on YouTube"),
        (f"https://youtu.be/{VIDEO}", Service.SPOTIFY, "what lacks is the track on Spotify"),
        (f"spotify:album:{TRACK}", Service.SPOTIFY, "a Spotify album"),
        (f"https://open.spotify.com/playlist/{TRACK}", Service.SPOTIFY, "a Spotify playlist"),
        (f"https://open.spotify.com/intl-fr/episode/{TRACK}", Service.SPOTIFY, "a Spotify episode"),
        ("https://spotify.link/abc", Service.SPOTIFY, "short link"),
        ("https://open.spotify.com/", Service.SPOTIFY, "names no track"),
        ("https://www.youtube.com/playlist?list=PLx", Service.YOUTUBE, "a YouTube playlist"),
        ("https://www.youtube.com/@somebody", Service.YOUTUBE, "a YouTube channel"),
        ("https://www.youtube.com/channel/UCx", Service.YOUTUBE, "a YouTube channel"),
        ("https://www.youtube.com/", Service.YOUTUBE, "names no video"),
        (f"https://youtu.be/{VIDEO[:-1]}", Service.YOUTUBE, "11 characters"),
        (f"spotify:track:{TRACK}x", Service.SPOTIFY, "22 characters"),
        ("https://evil.example/watch?v=" + VIDEO, Service.YOUTUBE, "no link to a track"),
        ("https://youtube.com.evil.example/watch?v=" + VIDEO, Service.YOUTUBE, "no link to a track"),
        ("http://[::1", Service.YOUTUBE, "no link to a track"),
        ("", Service.YOUTUBE, "no link to a track"),
        ("x" * 501, Service.YOUTUBE, "no link to a track"),
    ],
)
def test_what_names_no_track_there_is_refused_with_what_to_paste(text: str, wanted: Service, sentence: str) -> None:
    with pytest.raises(UserMistake, match=r"Nothing was changed\. Paste a link such as") as refused:
        track_of(text, wanted)
    assert sentence in str(refused.value)
