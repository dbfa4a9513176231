"""Faults strike where they were scripted, the books tell what happened all the same, and the world survives SIGKILL."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox import FaultKind, Faults, Hand, Sandbox

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
NO_ANSWER = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.open(clock=lambda: NOON) as opened:
        yield opened


@pytest.fixture
def empty(sandbox: Sandbox) -> str:
    return sandbox.world.known.empty_youtube


def insert(sandbox: Sandbox, playlist: str, video: str, timeout: float = 5) -> requests.Response:
    token, _ = sandbox.world.sign_in("alice", "google")
    body = {"snippet": {"playlistId": playlist, "resourceId": {"kind": "youtube#video", "videoId": video}}}
    return requests.post(
        f"{sandbox.youtube_api_url}/youtube/v3/playlistItems?part=snippet",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=timeout,
    )


def add(sandbox: Sandbox, playlist: str, *numbers: int) -> requests.Response:
    token, _ = sandbox.world.sign_in("alice", "spotify")
    return requests.post(
        f"{sandbox.spotify_api_url}/playlists/{playlist}/items",
        json={"uris": [sandbox.world.tracks[number].uri for number in numbers]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )


def video_of(sandbox: Sandbox, number: int = 0) -> str:
    return sandbox.world.videos_of(sandbox.world.tracks[number].id)[0].id


# Faults


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "kind", ["409", "500", "502", "503", "429", "reset", "close", "truncated", "garbage", "timeout"]
)
def test_a_fault_strikes_once_on_its_side_of_the_commit(sandbox: Sandbox, empty: str, kind: str, when: str) -> None:
    sandbox.faults.next("youtube", "POST", "/playlistItems$", kind, when=when)
    try:
        answer: requests.Response | None = insert(sandbox, empty, video_of(sandbox), timeout=0.2)
    except NO_ANSWER:
        answer = None
    committed = when == "after"
    assert sandbox.world.youtube_items(empty) == [video_of(sandbox)] * committed
    assert answer is None or answer.status_code >= 400 or b"<html>" in answer.content
    entry = sandbox.books.requests("youtube")[-1]
    assert (entry.committed, entry.fault, entry.units) == (committed, f"{kind} {when}", 50)
    assert insert(sandbox, empty, video_of(sandbox, 1)).status_code == 200


def test_each_kind_of_broken_connection_looks_different_to_the_client(sandbox: Sandbox, empty: str) -> None:
    def outcome(kind: str) -> str:
        sandbox.faults.next("youtube", "POST", "playlistItems", kind)
        try:
            insert(sandbox, empty, video_of(sandbox), timeout=0.2).json()
        except (*NO_ANSWER, requests.exceptions.JSONDecodeError) as error:
            return str(error)
        return ""

    assert "Connection reset by peer" in outcome("reset")
    assert "Remote end closed connection without response" in outcome("close")
    assert "IncompleteRead" in outcome("truncated")
    assert "timed out" in outcome("timeout")
    assert "Expecting value" in outcome("garbage") or "decode" in outcome("garbage")


def test_a_rate_limit_says_when_to_come_back_in_the_services_own_words(sandbox: Sandbox, empty: str) -> None:
    sandbox.faults.next("*", "POST", "", "429", retry_after=7, times=2)
    google, spotify = insert(sandbox, empty, video_of(sandbox)), add(sandbox, sandbox.world.known.road_trip, 1)
    assert (google.headers["Retry-After"], spotify.headers["Retry-After"]) == ("7", "7")
    assert google.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    assert spotify.json() == {"error": {"status": 429, "message": "API rate limit exceeded"}}


def test_a_slow_answer_is_the_right_one(sandbox: Sandbox, empty: str) -> None:
    sandbox.faults.next("youtube", "POST", "playlistItems", "slow", delay=0.15)
    answer = insert(sandbox, empty, video_of(sandbox))
    assert answer.elapsed > timedelta(seconds=0.14)
    assert answer.json()["snippet"]["position"] == 0


def test_faults_can_be_limited_to_a_path_and_let_calls_pass_first(sandbox: Sandbox, empty: str) -> None:
    sandbox.faults.next("youtube", "POST", "/playlists$", "500")
    sandbox.faults.next("youtube", "POST", "/playlistItems$", "500", skip=1, times=2)
    statuses = [insert(sandbox, empty, video_of(sandbox, number)).status_code for number in range(4)]
    assert statuses == [200, 500, 500, 200]
    assert sandbox.faults.pending() == 1
    sandbox.faults.clear()
    assert sandbox.faults.pending() == 0


def test_faults_reach_the_sign_in_too(sandbox: Sandbox) -> None:
    sandbox.faults.next("spotify.accounts", "POST", "/api/token", "503")
    sandbox.faults.next("google.accounts", "POST", "/token", "503")
    assert requests.post(f"{sandbox.spotify_accounts_url}/api/token", timeout=5).status_code == 503
    assert requests.post(sandbox.google_token_url, timeout=5).status_code == 503


def test_closing_gives_up_the_calls_that_are_held() -> None:
    sandbox = Sandbox.open()
    sandbox.faults.next("youtube", "POST", "playlistItems", "timeout")
    with pytest.raises(requests.Timeout):
        insert(sandbox, sandbox.world.known.empty_youtube, video_of(sandbox), timeout=0.1)
    started = time.monotonic()
    sandbox.close()
    sandbox.close()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(("kind", "when"), [("nonsense", "before"), ("500", "during")])
def test_a_fault_that_does_not_exist_is_refused(kind: str, when: str) -> None:
    with pytest.raises(ValueError, match=f"{kind}|{when}"):
        Faults().next("youtube", "GET", "", kind, when=when)


CALLS = [(method, f"/v1/{name}") for name in "abc" for method in ("GET", "POST") for _ in range(150)]


def _drawn(faults: Faults, calls: list[tuple[str, str]]) -> list[tuple[str, str, Any]]:
    return sorted(((*call, str(faults.draw("spotify", *call))) for call in calls), key=str)


@settings(max_examples=15, deadline=None)
@given(calls=st.permutations(CALLS), seed=st.integers(0, 3))
def test_random_faults_are_the_same_for_a_seed_whatever_the_order_of_arrival(
    calls: list[tuple[str, str]], seed: int
) -> None:
    one, other = Faults(), Faults()
    one.random(0.3, seed=seed)
    other.random(0.3, seed=seed)
    assert _drawn(one, CALLS) == _drawn(other, calls)


def test_random_faults_keep_to_their_rate_their_kinds_and_to_writes() -> None:
    faults = Faults()
    faults.random(0.2, kinds=["500", "reset"], writes_only=True, when="after")
    drawn = {
        method: [faults.draw("spotify", *call) for call in CALLS if call[0] == method] for method in ("GET", "POST")
    }
    struck = [fault for fault in drawn["POST"] if fault]
    assert not any(drawn["GET"])
    assert 50 < len(struck) < 140  # 90 of 450 are expected
    assert {fault.kind for fault in struck} == {FaultKind.ERROR_500, FaultKind.RESET}
    assert all(fault.after for fault in struck)
    assert faults.draw("spotify.accounts", "POST", "/api/token") is None


# Books


def test_what_people_doubled_is_no_duplicate_and_what_the_app_doubled_is(sandbox: Sandbox) -> None:
    playlist = sandbox.world.create_spotify_playlist("alice", "Twice", [sandbox.world.tracks[0].id] * 2)
    assert sandbox.books.duplicates(playlist) == {}
    add(sandbox, playlist, 0, 1, 1, 1)
    tracks = sandbox.world.tracks
    assert sandbox.books.duplicates(playlist) == {(playlist, tracks[0].uri): 1, (playlist, tracks[1].uri): 2}


def test_two_videos_of_one_recording_are_a_doubled_song(sandbox: Sandbox, empty: str) -> None:
    track = next(track for track in sandbox.world.tracks if len(sandbox.world.right_videos(track.id)) > 1)
    one, two, *_ = sandbox.world.right_videos(track.id)
    for video in (one, two):
        insert(sandbox, empty, video)
    assert sandbox.books.duplicates(empty) == {}
    assert sandbox.books.doubled_songs(empty) == {track.id: 1}


def test_what_the_app_removed_from_peoples_own_is_a_loss_and_what_they_removed_is_not(sandbox: Sandbox) -> None:
    tracks = sandbox.world.tracks
    playlist = sandbox.world.create_spotify_playlist("alice", "Mine", [track.id for track in tracks[:3]])
    sandbox.world.remove(playlist, tracks[0].id)
    assert sandbox.books.losses() == {}
    token, _ = sandbox.world.sign_in("alice", "spotify")
    requests.delete(
        f"{sandbox.spotify_api_url}/playlists/{playlist}/items",
        json={"items": [{"uri": tracks[1].uri}]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )
    assert sandbox.books.losses() == {(playlist, tracks[1].uri): 1}


def test_a_reissue_is_neither_a_loss_nor_a_duplicate(sandbox: Sandbox) -> None:
    tracks = sandbox.world.tracks
    old = tracks[0]
    new = sandbox.world.reissue(old.id)
    assert sandbox.world.spotify_items(sandbox.world.known.road_trip)[0] == new != old.id
    assert (sandbox.books.losses(), sandbox.books.duplicates()) == ({}, {})
    assert sandbox.world.right_videos(new) == sandbox.world.right_videos(old.id)
    assert new in {track.id for track in sandbox.world.search_tracks("Queen Bohemian Rhapsody", 5)}
    assert old.id not in {track.id for track in sandbox.world.search_tracks("Queen Bohemian Rhapsody", 5)}


def test_what_is_missing_is_told_in_both_directions(sandbox: Sandbox, empty: str) -> None:
    with_video = [track.id for track in sandbox.world.tracks if sandbox.world.right_videos(track.id)][:2]
    source = sandbox.world.create_spotify_playlist("alice", "Source", with_video)
    right = min(sandbox.world.right_videos(with_video[0]))
    insert(sandbox, empty, right)
    assert sandbox.books.missing(source, empty) == [with_video[1]]
    assert sandbox.books.missing(empty, source) == []
    insert(sandbox, empty, min(sandbox.world.lookalikes(with_video[1]), default=right))
    assert sandbox.books.missing(source, empty) == [with_video[1]]


def test_every_call_and_every_write_stands_in_the_books(sandbox: Sandbox) -> None:
    playlist = sandbox.world.known.road_trip
    add(sandbox, playlist, 1, 2)
    (entry,) = sandbox.books.requests("spotify", method="POST")
    assert (entry.person, entry.status, entry.committed, entry.at) == ("alice", 201, True, NOON)
    (write,) = sandbox.books.writes(playlist, hand=Hand.APP)
    assert write.media == tuple(track.uri for track in sandbox.world.tracks[1:3])
    assert sandbox.books.spotify_calls() == sandbox.books.spotify_calls(timedelta(hours=24)) == 1
    sandbox.world.advance(86_400)
    assert sandbox.books.spotify_calls(timedelta(hours=24)) == 0


# Lag


def test_a_write_is_seen_by_readers_only_after_the_lag() -> None:
    with Sandbox.open(clock=lambda: NOON, settle_lag=30) as sandbox:
        sandbox.world.advance(60)
        token, _ = sandbox.world.sign_in("alice", "google")
        empty = sandbox.world.known.empty_youtube

        def seen() -> int:
            answer = requests.get(
                f"{sandbox.youtube_api_url}/youtube/v3/playlistItems",
                params={"part": "id", "playlistId": empty},
                headers={"Authorization": f"Bearer {token}"},
                timeout=5,
            )
            return int(answer.json()["pageInfo"]["totalResults"])

        insert(sandbox, empty, video_of(sandbox))
        assert (seen(), sandbox.world.youtube_items(empty)) == (0, [video_of(sandbox)])
        sandbox.world.advance(29)
        assert seen() == 0
        sandbox.world.advance(1)
        assert seen() == 1


# Durability


def test_a_folder_keeps_playlists_consents_reissues_and_what_was_spent(tmp_path: Path) -> None:
    with Sandbox.open(data=tmp_path, clock=lambda: NOON) as sandbox:
        playlist = sandbox.world.known.empty_youtube
        insert(sandbox, playlist, video_of(sandbox))
        _, refresh = sandbox.world.sign_in("alice", "google")
        again = sandbox.world.reissue(sandbox.world.reissue(sandbox.world.tracks[0].id))
        sandbox.world.set_video(video_of(sandbox, 5), "deleted")
        before = sandbox.world.playlist(playlist)
    with Sandbox.open(data=tmp_path, clock=lambda: NOON) as sandbox:
        assert sandbox.world.playlist(playlist) == before
        assert sandbox.books.units() == 50
        assert sandbox.world.track(again).title == sandbox.world.tracks[0].title
        assert sandbox.world.spotify_items(sandbox.world.known.road_trip)[0] == again
        assert sandbox.world.video_status(video_of(sandbox, 5)) == "deleted"
        client = {"client_id": sandbox.google_client_id, "client_secret": sandbox.google_client_secret}
        form = client | {"grant_type": "refresh_token", "refresh_token": refresh}
        assert requests.post(sandbox.google_token_url, data=form, timeout=5).status_code == 200


def test_a_folder_of_another_seed_is_refused(tmp_path: Path) -> None:
    Sandbox.open(data=tmp_path, seed=1).close()
    with pytest.raises(ValueError, match="holds a sandbox of seed 1"):
        Sandbox.open(data=tmp_path, seed=2)


def test_a_taken_port_is_an_error_and_leaves_nothing_running(sandbox: Sandbox) -> None:
    taken = int(sandbox.spotify_accounts_url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address already in use"):
        Sandbox.open(google_port=taken)


@contextmanager
def process(data: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The sandbox as a process of its own, with the addresses that it printed."""
    command = [sys.executable, "-m", "bot.sandbox", "--data", str(data), *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield running, json.loads(running.stdout.readline())
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def test_what_was_answered_survives_a_sigkill_of_the_process(tmp_path: Path) -> None:
    with process(tmp_path, "--youtube-units", "100000") as (running, urls):
        world = requests.get(f"{urls['control_url']}/world", timeout=5).json()
        playlist = world["known"]["empty_youtube"]
        code = (
            requests.get(
                urls["google_auth_url"],
                params={
                    "client_id": Sandbox.google_client_id,
                    "redirect_uri": "http://127.0.0.1:1/",
                    "response_type": "code",
                    "scope": "https://www.googleapis.com/auth/youtube",
                },
                allow_redirects=False,
                timeout=5,
            )
            .headers["Location"]
            .split("code=")[1]
        )
        form = {
            "client_id": Sandbox.google_client_id,
            "client_secret": Sandbox.google_client_secret,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "http://127.0.0.1:1/",
        }
        token = requests.post(urls["google_token_url"], data=form, timeout=5).json()["access_token"]
        watched = next(state["media"] for state in world["playlists"] if state["id"] == world["known"]["watched"])
        for video in watched:
            body = {"snippet": {"playlistId": playlist, "resourceId": {"kind": "youtube#video", "videoId": video}}}
            requests.post(
                f"{urls['youtube_api_url']}/youtube/v3/playlistItems?part=snippet",
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=5,
            ).raise_for_status()
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    with Sandbox.open(data=tmp_path) as sandbox:
        assert sandbox.world.youtube_items(playlist) == watched
        assert sandbox.books.units() == 50 * len(watched)


def test_the_control_door_tells_the_books_and_sets_faults_switches_and_the_clock(sandbox: Sandbox, empty: str) -> None:
    def post(door: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(f"{sandbox.control_url}/{door}", json=body, timeout=5)

    order = {"service": "youtube", "method": "POST", "path_pattern": "playlistItems", "kind": "503", "when": "after"}
    assert post("faults", {"next": order}).json() == {"pending": 1}
    assert insert(sandbox, empty, video_of(sandbox)).status_code == 503
    books = requests.get(f"{sandbox.control_url}/books", timeout=5).json()
    assert (books["youtube_units"], books["duplicates"], len(books["writes"])) == (50, [], 1)
    assert post("switches", {"youtube_units": 60}).json()["youtube_units"] == 60
    assert insert(sandbox, empty, video_of(sandbox)).status_code == 403
    assert post("clock", {"advance": 90}).json() == {"now": "2026-11-03T12:01:30+00:00"}
    assert post("clock", {"now": "2026-11-05T00:00:00+00:00"}).json() == {"now": "2026-11-05T00:00:00+00:00"}
    assert post("switches", {"no_such": 1}).status_code == 400
    assert post("faults", {"next": {"kind": "503"}}).status_code == 400
    assert len(sandbox.books.requests()) == 2
