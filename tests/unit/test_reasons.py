"""A cause has one reason, whatever item, moment or title it met; our own errors land where they should."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bot.engine import accounts, executor
from bot.model.errors import CrossfadeError
from bot.model.reasons import REASON_LIMIT, Cause, cause_of, reason_of
from bot.services.sending import Rejection, Sending
from bot.services.spotify import refusals as spotify
from bot.services.youtube import refusals as youtube

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def refused(status: int, reason: str = "", *, operation: str = "playlistItems.insert") -> Rejection:
    body = {"error": {"errors": [{"reason": reason}]}} if reason else None
    return Rejection(status, body, retry_after=None, operation=operation)


@pytest.mark.parametrize(
    ("status", "reason", "operation", "expected"),
    [
        (403, "quotaExceeded", "search.list", "quota_spent"),
        (403, "rateLimitExceeded", "search.list", "slow_down"),
        (403, "youtubeSignupRequired", "channels.list", "no_channel"),
        (403, "accessNotConfigured", "playlists.list", "api_disabled"),
        (403, "insufficientPermissions", "playlistItems.insert", "login_needed"),
        (401, "", "playlists.list", "login_needed"),
        (403, "", "playlistItems.insert", "no_permission"),
        (403, "", "search.list", "forbidden"),
        (404, "playlistNotFound", "playlistItems.insert", "playlist_gone"),
        (404, "", "videos.list", "not_found"),
        (404, "videoNotFound", "playlistItems.insert", "unavailable"),
        (400, "failedPrecondition", "playlistItems.insert", "unavailable"),
        (403, "playlistContainsMaximumNumberOfVideos", "playlistItems.insert", "playlist_full"),
        (400, "manualSortRequired", "playlistItems.update", "refused:manualSortRequired"),
        (400, "somethingNew", "playlistItems.insert", "refused:somethingNew"),
        (400, "", "playlistItems.insert", "refused:http_400"),
        (409, "", "playlistItems.insert", "unknown_outcome"),
    ],
)
def test_what_youtube_refuses_has_its_reason(status: int, reason: str, operation: str, expected: str) -> None:
    error = youtube.explain(refused(status, reason, operation=operation), write=True)
    assert reason_of(str(error)) == expected


@pytest.mark.parametrize(
    ("status", "operation", "expected"),
    [
        (401, "playlist.items.list", "login_needed"),
        (403, "playlist.items.add", "no_permission"),
        (403, "search.isrc", "forbidden"),
        (404, "playlist.items.list", "playlist_gone"),
        (404, "tracks.get", "not_found"),
        (423, "playlist.items.add", "slow_down"),
        (400, "playlist.items.add", "refused:http_400"),
        (413, "playlist.items.add", "refused:http_413"),
    ],
)
def test_what_spotify_refuses_has_its_reason(status: int, operation: str, expected: str) -> None:
    assert reason_of(str(spotify.explain(refused(status, operation=operation), write=True))) == expected


class _Session:
    """Answers every request with one outcome."""

    def __init__(self, outcome: Any) -> None:
        self._outcome = outcome

    def request(self, *_: Any, **__: Any) -> requests.Response:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        response = requests.Response()
        response.status_code, content = self._outcome
        response._content = content
        return response


@pytest.mark.parametrize(
    ("outcome", "write", "expected"),
    [
        ((503, b""), True, "unknown_outcome"),
        ((503, b""), False, "service_failing"),
        ((200, b""), True, "unknown_outcome"),
        ((200, b"<html>"), False, "service_failing"),
        (requests.ConnectTimeout("slow"), True, "unreachable"),
        (requests.ReadTimeout("slow"), True, "unknown_outcome"),
        (requests.exceptions.InvalidURL("x"), True, "bug"),
    ],
)
def test_what_goes_wrong_on_the_wire_has_its_reason(outcome: Any, write: bool, expected: str) -> None:
    operation = "playlist.items.add" if write else "playlist.items.list"
    session: Any = _Session(outcome)
    sending = Sending(session, operation=operation, timeout=(1, 1), now=lambda: NOW, write=write, empty_ok=False)
    with pytest.raises(CrossfadeError) as raised:
        sending.send("POST", "https://example.org")
    assert reason_of(str(raised.value)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("youtube.units is spent until 2026-11-21 08:00 UTC", "quota_spent"),
        ("Spotify asked for silence until 2026-11-21 08:00 UTC", "service_paused"),
        ("YouTube keeps failing", "service_failing"),
        ("This account is not logged in", "login_needed"),
        ("The login of this account is no longer good", "login_needed"),
        (accounts.GONE, "login_needed"),
        ("low_confidence: title 0.81, artist 1.00: review", "low_confidence"),
        ("search_failed: nothing on YouTube is “Rice Field”", "search_failed"),
        ("unavailable: playlistItems.insert: YouTube refuses this (failedPrecondition)", "unavailable"),
        ("rejected_by_user: A person decided that it is not on YouTube.", "rejected_by_user"),
        ("playlist.items.list: the playlist changed while it was read", "playlist_changed"),
        ("The YouTube playlist “Trip” is gone, or this account may no longer use it.", "playlist_gone"),
        ("The mapping was removed.", "mapping_removed"),
        (executor.STOPPED, "stopped"),
        ("It gave no sign of life.", "stopped"),
        ("Bug: ValueError('x')", "bug"),
        ("playlist.items.add: the service answered 502 (given up after 8 attempts)", "unknown_outcome"),
        ("", ""),
    ],
)
def test_our_own_sentences_have_their_reason(said: str, expected: str) -> None:
    assert reason_of(said) == expected
    assert cause_of(expected) is (Cause(expected) if expected else None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Track 12 of 40 went wrong", "Track 3 of 1,800 went wrong"),
        ("“Bohemian Rhapsody” does not fit", "“Rice Field” does not fit"),
        ("The entry dQw4w9WgXcQ2 has no place", "The entry 4cOdK2wGLETKBW3PvgPWqT has no place"),
        ("Nothing before 2026-11-20T12:00:01Z", "Nothing before 2026-11-21 08:30 UTC"),
        ("See https://example.org/a?b=1 for more", "See https://example.net for more"),
    ],
)
def test_what_is_particular_makes_no_other_group(one: str, other: str) -> None:
    assert reason_of(one) == reason_of(other)
    assert cause_of(reason_of(one)) is None


def test_sentences_that_say_something_else_stay_apart() -> None:
    assert reason_of("The first thing broke") != reason_of("The second thing broke")
    assert reason_of("playlist.items.add: odd") != reason_of("playlist.items.list: odd")


@given(st.text(max_size=2000))
def test_every_sentence_has_a_reason_that_fits_and_is_its_own_reason(said: str) -> None:
    reason = reason_of(said)
    assert len(reason) <= REASON_LIMIT
    assert bool(reason) == bool(said.strip())
