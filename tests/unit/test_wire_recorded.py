"""Both parsers read every recorded answer, in the old and the new shape, and lose nothing of what they must keep."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model.errors import Forbidden, Refused
from bot.services.sending import Rejection
from bot.services.spotify import wire as spotify
from bot.services.youtube import refusals
from bot.services.youtube import wire as youtube

PAYLOADS = Path(__file__).parents[2] / ".." / "shared" / "data" / "payloads"
AT = datetime(2026, 11, 20, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recorded answers (../shared/data) are not here")


def recorded(*folders: str) -> list[Any]:
    """One parameter for each file that holds JSON."""
    found = []
    for folder in folders:
        for file in sorted((PAYLOADS / folder).rglob("*")):
            if file.suffix in (".json", ".txt"):
                found.append(pytest.param(file, id=str(file.relative_to(PAYLOADS))))
    return found


def objects(found: object) -> Iterator[dict[str, Any]]:
    """Every object of an answer, at any depth."""
    if isinstance(found, dict):
        yield found
        for value in found.values():
            yield from objects(value)
    elif isinstance(found, list):
        for value in found:
            yield from objects(value)


def loaded(file: Path) -> Any:
    """One recording has a stray sign behind its JSON."""
    return json.JSONDecoder().raw_decode(file.read_text(encoding="utf-8").lstrip())[0]


@pytest.mark.parametrize("file", recorded("spotify_2026", "spotify_old"))
def test_every_recorded_spotify_track_is_read_whole(file: Path) -> None:
    for found in objects(loaded(file)):
        if found.get("type") != "track" or not isinstance(found.get("name"), str):
            continue
        track = spotify.track(found, AT)
        if found.get("is_local") or not found.get("id"):
            assert track is None
            continue
        assert track is not None
        assert track.title == found["name"]
        assert track.external_id == (found.get("linked_from") or {}).get("id", found["id"])
        assert [*track.artists] == [artist["name"] for artist in found["artists"]]
        if found.get("duration_ms"):
            assert track.duration == pytest.approx(found["duration_ms"] / 1000)
        isrc = (found.get("external_ids") or {}).get("isrc")
        assert track.isrc == (isrc.upper() if isrc else None)
        assert track.album == (found.get("album") or {}).get("name")


@pytest.mark.parametrize("file", recorded("spotify_2026", "spotify_old"))
def test_every_entry_of_a_recorded_spotify_page_is_read_or_counted_as_skipped(file: Path) -> None:
    for found in objects(loaded(file)):
        items = found.get("items")
        if not isinstance(items, list) or not any(isinstance(one, dict) and "added_at" in one for one in items):
            continue
        page = spotify.page(found, 100, AT)
        assert len(page.entries) + page.skipped == page.size == len(items)
        for entry in page.entries:
            item = items[entry.position - 100]
            raw = item["item"] if isinstance(item.get("item"), dict) else item["track"]
            assert entry.track.title == raw["name"]
            assert raw["type"] == "track"
            assert entry.added_by == (item.get("added_by") or {}).get("id", "")
            at = item["added_at"]
            assert (entry.added_at.isoformat() if entry.added_at else None) == (at and at.replace("Z", "+00:00"))


@pytest.mark.parametrize("file", recorded("spotify_2026", "spotify_old"))
def test_every_recorded_spotify_playlist_is_read(file: Path) -> None:
    for found in objects(loaded(file)):
        if found.get("type") != "playlist" or "owner" not in found:
            continue
        info = spotify.playlist(found, frozenset({found["owner"]["id"]}), AT)
        assert (info.external_id, info.name) == (found["id"], found["name"])
        assert info.change_token == found.get("snapshot_id", "")
        assert info.writable
        assert spotify.playlist(found, frozenset(), AT).writable is (found.get("collaborative") is True)
        listed = found.get("items") or found.get("tracks") or {}
        assert info.item_count == listed.get("total")


@pytest.mark.parametrize("file", recorded("youtube", "youtube_more"))
def test_every_recorded_youtube_thing_is_read(file: Path) -> None:
    for found in objects(loaded(file)):
        snippet = found.get("snippet")
        match found.get("kind"):
            case "youtube#video" if "id" in found:  # without one it is what an entry points to
                video = youtube.video(found, AT)
                assert video.external_id == found["id"]
                assert video.title == (snippet or {}).get("title", "")
                raw = (found.get("contentDetails") or {}).get("duration")
                assert (video.duration is None) is (raw in (None, "P0D", "PT0S"))
            case "youtube#playlistItem" if snippet is not None and "resourceId" in snippet:
                track = youtube.entry_track(found, AT)
                assert track is not None
                assert (track.external_id, track.title) == (snippet["resourceId"]["videoId"], snippet["title"])
            case "youtube#playlist" if snippet is not None:
                info = youtube.playlist(found, snippet["channelId"], AT)
                assert (info.external_id, info.name, info.change_token) == (
                    found["id"],
                    snippet["title"],
                    found["etag"],
                )
                assert info.writable
                assert not youtube.playlist(found, "somebody else", AT).writable
            case "youtube#channel" if snippet is not None:
                assert youtube.profile(found).display_name == snippet["title"]
            case "youtube#searchListResponse":
                videos = [one for one in found["items"] if "videoId" in one["id"]]
                assert [track.external_id for track in youtube.found_videos(found, AT)] == [
                    one["id"]["videoId"] for one in videos
                ]


def test_the_recorded_playlists_hold_episodes_which_are_skipped() -> None:
    both = spotify.page(loaded(PAYLOADS / "spotify_old" / "playlist_items_episodes_and_tracks.json"), 0, AT)
    assert both.skipped > 0
    assert both.entries
    assert not spotify.page(loaded(PAYLOADS / "spotify_old" / "playlist_items_episodes.json"), 0, AT).entries


def test_the_person_of_an_older_answer_is_linked_by_id() -> None:
    me = loaded(PAYLOADS / "spotify_2026" / "current_user.json")
    assert spotify.profile(me).account_id == me["id"]
    assert spotify.profile({**me, "account_id": "immutable"}).account_id == "immutable"


@pytest.mark.parametrize(
    ("file", "error", "code"),
    [
        ("youtube_more/youtube_not_activated.json", Forbidden, "accessNotConfigured"),
        ("youtube/apidata/error_permission_resp.json", Forbidden, "SERVICE_UNAVAILABLE"),
        ("youtube/error_response.json", Refused, "keyInvalid"),
    ],
)
def test_recorded_refusals_of_youtube_are_named_by_their_reason(file: str, error: type[Exception], code: str) -> None:
    body = loaded(PAYLOADS / file)
    no = Rejection(body["error"]["code"], body, retry_after=None, operation="playlists.list")
    explained = refusals.explain(no, write=False)
    assert type(explained) is error
    assert explained.code == code
