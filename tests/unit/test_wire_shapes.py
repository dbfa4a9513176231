"""How the services' JSON is read: shapes old and new, entries that are no tracks, and whatever else may come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.model.errors import Forbidden, LoginNeeded, NotFound, Refused, RetryLater, UnknownOutcome
from bot.model.music import CandidateKind
from bot.services.sending import Rejection, retry_after_seconds
from bot.services.spotify import refusals as spotify_refusals
from bot.services.spotify import wire as spotify
from bot.services.transport import Exhausted
from bot.services.youtube import refusals as youtube_refusals
from bot.services.youtube import wire as youtube
from bot.services.youtube.ytmusic import song_or_video

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRACK = {
    "id": "4iV5W9uYEdYUVa79Axb7Rh",
    "type": "track",
    "name": "Title",
    "artists": [{"name": "One"}, {"name": "Two"}],
    "album": {"name": "Album", "release_date": "2020-02"},
    "duration_ms": 201_500,
    "explicit": True,
    "external_ids": {"isrc": "gbayE0601498"},
}

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.sampled_from(
        ["id", "items", "item", "track", "tracks", "snippet", "name", "artists", "album", "type", "owner", "total",
         "resourceId", "videoId", "title", "contentDetails", "duration", "status", "external_ids", "isrc", "statistics",
         "viewCount", "is_local", "linked_from", "duration_ms", "resultType", "views", "itemCount", "error", "errors"]
    ), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@pytest.mark.parametrize("key", ["item", "track"])
def test_an_entry_is_read_under_its_new_and_its_old_key(key: str) -> None:
    track = spotify.entry_track({"is_local": False, key: TRACK}, AT)
    assert track is not None
    assert (track.title, track.artists, track.album, track.duration) == ("Title", ("One", "Two"), "Album", 201.5)
    assert (track.isrc, track.explicit, track.release_date) == ("GBAYE0601498", True, "2020-02")


def test_unusable_entries_are_counted_and_the_others_keep_their_places() -> None:
    answer = {
        "total": 6,
        "items": [
            None,
            {"item": None},
            {"item": TRACK},
            {"item": {"type": "episode", "id": "x", "name": "Talk", "track": False}},
            {"is_local": True, "item": {**TRACK, "id": None}},
            {"track": TRACK},
        ],
    }
    page = spotify.page(answer, 50, AT)
    assert [entry.position for entry in page.entries] == [52, 55]
    assert (page.skipped, page.size, page.total) == (4, 6, 6)


def test_a_relinked_track_keeps_the_id_that_the_playlist_holds() -> None:
    track = spotify.track({**TRACK, "id": "played", "linked_from": {"id": "held"}}, AT)
    assert track is not None
    assert track.external_id == "held"


def test_an_unplayable_track_is_not_available() -> None:
    track = spotify.track({**TRACK, "is_playable": False}, AT)
    assert track is not None
    assert not track.available


@pytest.mark.parametrize("key", ["items", "tracks"])
def test_a_playlist_is_counted_under_its_new_and_its_old_key(key: str) -> None:
    found = {"id": "p", "name": "P", "owner": {"id": "me"}, "snapshot_id": "s", key: {"total": 7}}
    info = spotify.playlist(found, frozenset({"me"}), AT)
    assert (info.item_count, info.change_token, info.writable) == (7, "s", True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT3M33S", 213.0),
        ("PT1H2M3S", 3723.0),
        ("PT45S", 45.0),
        ("P1DT1S", 86_401.0),
        ("PT10H", 36_000.0),
        ("P0D", None),
        ("PT0S", None),
        ("", None),
        ("3:33", None),
    ],
)
def test_iso_lengths_become_seconds(text: str, seconds: float | None) -> None:
    assert youtube.seconds(text) == seconds


def test_a_topic_channel_is_an_audio_release_by_the_artist() -> None:
    item = {"snippet": {"title": "Song", "videoOwnerChannelTitle": "Sigur Rós - Topic", "resourceId": {"videoId": "v"}}}
    track = youtube.entry_track(item, AT)
    assert track is not None
    assert (track.kind, track.artists, track.channel) == (CandidateKind.SONG, ("Sigur Rós",), "Sigur Rós - Topic")


def test_other_channels_are_uploaders_not_artists() -> None:
    item = {"snippet": {"title": "Song", "videoOwnerChannelTitle": "Hot Topic", "resourceId": {"videoId": "v"}}}
    track = youtube.entry_track(item, AT)
    assert track is not None
    assert (track.kind, track.artists, track.channel) == (CandidateKind.VIDEO, (), "Hot Topic")


@pytest.mark.parametrize(
    "item",
    [
        {"snippet": {"title": "Deleted video", "resourceId": {"videoId": "v"}}},
        {"snippet": {"title": "Private video", "resourceId": {"videoId": "v"}}},
        {"snippet": {"title": "x", "resourceId": {"videoId": "v"}}, "status": {"privacyStatus": "private"}},
        {
            "snippet": {"title": "x", "resourceId": {"videoId": "v"}},
            "status": {"privacyStatus": "privacyStatusUnspecified"},
        },
    ],
)
def test_deleted_and_private_videos_keep_their_place_but_are_not_available(item: dict[str, Any]) -> None:
    page = youtube.page({"items": [item]}, 3, AT)
    assert [(entry.position, entry.track.available) for entry in page.entries] == [(3, False)]


def test_a_song_that_is_called_deleted_video_is_available() -> None:
    snippet = {"title": "Deleted video", "videoOwnerChannelTitle": "A band", "resourceId": {"videoId": "v"}}
    track = youtube.entry_track({"snippet": snippet}, AT)
    assert track is not None
    assert track.available


def test_search_results_are_unescaped() -> None:
    snippet = {"title": "Don&#39;t Stop &amp; Go", "channelTitle": "Simon &amp; Garfunkel"}
    found = youtube.found_videos({"items": [{"id": {"videoId": "v"}, "snippet": snippet}]}, AT)
    assert (found[0].title, found[0].channel) == ("Don't Stop & Go", "Simon & Garfunkel")


def test_a_video_that_the_service_no_longer_tells_of_is_not_available() -> None:
    found = youtube.found_videos({"items": [{"id": {"videoId": name}, "snippet": {}} for name in "ab"]}, AT)
    details = {"a": youtube.video({"id": "a", "contentDetails": {"duration": "PT1M"}}, AT)}
    full = youtube.completed(found, details)
    assert [(track.duration, track.available) for track in full] == [(60.0, True), (None, False)]


def test_youtube_music_names_artists_of_songs_and_uploaders_of_videos() -> None:
    item = {
        "videoId": "v", "title": "T", "artists": [{"name": "A"}], "album": {"name": "L"}, "duration_seconds": 61,
        "views": "3.8M", "isExplicit": False,
    }  # fmt: skip
    song = song_or_video({**item, "resultType": "song"}, AT, from_isrc=True)
    video = song_or_video({**item, "resultType": "video"}, AT, from_isrc=False)
    assert song is not None
    assert video is not None
    assert (song.artists, song.channel, song.album, song.duration, song.from_isrc) == (("A",), None, "L", 61.0, True)
    assert (video.artists, video.channel, video.kind, video.views) == ((), "A", CandidateKind.VIDEO, 3_800_000)
    assert song_or_video({**item, "resultType": "artist"}, AT, from_isrc=False) is None


@given(json_values)
def test_no_json_makes_a_parser_fail(found: Any) -> None:
    spotify.entry_track(found, AT)
    spotify.track(found, AT)
    if isinstance(found, dict):
        spotify.page(found, 0, AT)
        spotify.playlist(found, frozenset(), AT)
        spotify.profile(found)
        spotify.found_tracks(found, AT, from_isrc=False)
        youtube.page(found, 0, AT)
        youtube.playlist(found, "", AT)
        youtube.video(found, AT)
        youtube.found_videos(found, AT)
        youtube.profile(found)
        song_or_video(found, AT, from_isrc=False)


@given(some.integers(400, 499), json_values, some.booleans())
def test_no_refusal_is_left_unexplained(status: int, body: Any, write: bool) -> None:
    no = Rejection(status, body, retry_after=None, operation="x")
    assert spotify_refusals.explain(no, write=write).code
    assert youtube_refusals.explain(no, write=write).code


def google(status: int, reason: str) -> Rejection:
    body = {"error": {"code": status, "errors": [{"reason": reason, "domain": "youtube"}]}}
    return Rejection(status, body, retry_after=None, operation="playlistItems.insert")


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (403, "quotaExceeded", Exhausted),
        (403, "dailyLimitExceeded", Exhausted),
        (403, "rateLimitExceeded", RetryLater),
        (403, "userRateLimitExceeded", RetryLater),
        (403, "playlistItemsNotAccessible", Forbidden),
        (403, "forbidden", Forbidden),
        (403, "insufficientPermissions", LoginNeeded),
        (403, "playlistContainsMaximumNumberOfVideos", Refused),
        (404, "playlistNotFound", NotFound),
        (404, "playlistItemNotFound", NotFound),
        (404, "videoNotFound", Refused),
        (400, "failedPrecondition", Refused),
        (400, "playlistOperationUnsupported", Refused),
        (400, "invalidPlaylistItemPosition", Refused),
        (400, "manualSortRequired", Refused),
        (409, "videoAlreadyInPlaylist", Refused),
        (409, "SERVICE_UNAVAILABLE", UnknownOutcome),
        (409, "", UnknownOutcome),
        (401, "authError", LoginNeeded),
        (401, "youtubeSignupRequired", Forbidden),
        (400, "somethingNew", Refused),
    ],
)
def test_google_is_understood_by_its_reason(status: int, reason: str, error: type[Exception]) -> None:
    explained = youtube_refusals.explain(google(status, reason), write=True)
    assert type(explained) is error
    if error is Refused:
        assert explained.code == reason


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 403, "status": "RESOURCE_EXHAUSTED", "message": "quota"}, Exhausted),
        ({"code": 429, "errors": [{"reason": "quotaExceeded"}]}, Exhausted),
        (
            {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "errors": [{"reason": "rateLimitExceeded"}],
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.Help"},
                    {"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "SearchesPerDayPerProject"}},
                ],
            },
            Exhausted,
        ),
        (
            {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "QueriesPerMinutePerUser"}}],
            },
            RetryLater,
        ),
        ({"code": 403, "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}, LoginNeeded),
        ({"code": 403, "status": "PERMISSION_DENIED"}, Forbidden),
    ],
)
def test_google_is_understood_in_its_newer_shape_too(error: dict[str, Any], kind: type[Exception]) -> None:
    """Without ``errors``, or with ``details`` that say more."""
    no = Rejection(error["code"], {"error": error}, retry_after=None, operation="search.list")
    assert type(youtube_refusals.explain(no, write=False)) is kind


def test_a_conflict_on_a_read_did_nothing() -> None:
    assert type(youtube_refusals.explain(google(409, ""), write=False)) is RetryLater


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, LoginNeeded),
        (403, Forbidden),
        (404, NotFound),
        (410, NotFound),
        (409, RetryLater),
        (413, Refused),
    ],
)
def test_spotify_is_understood_by_its_status(status: int, error: type[Exception]) -> None:
    body = {"error": {"status": status, "message": "words that nobody searches"}}
    no = Rejection(status, body, retry_after=None, operation="playlist.items.add")
    assert type(spotify_refusals.explain(no, write=True)) is error


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("Fri, 20 Nov 2026 12:01:30 GMT", 90.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, AT) == seconds


@pytest.mark.parametrize(("value", "days"), [("86400", 1), ("1e300", 30), ("inf", 30), ("9" * 400, 30), ("nan", 0)])
def test_a_wait_of_hours_is_kept_and_an_absurd_one_is_cut(value: str, days: int) -> None:
    assert retry_after_seconds(value, AT) == timedelta(days=days).total_seconds()


@given(some.text(max_size=30))
def test_no_retry_after_makes_us_fail(value: str) -> None:
    seconds = retry_after_seconds(value, AT)
    assert seconds is None or 0 <= seconds <= 30 * 86_400
