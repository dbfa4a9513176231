"""The simulated YouTube behaves over HTTP as the Data API v3 does, with its units and error bodies."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import googleapiclient.discovery
import httplib2
import pytest
import requests
from google.oauth2.credentials import Credentials
from googleapiclient.discovery_cache import get_static_doc
from ytmusicapi import YTMusic

from bot.sandbox import Kind, Sandbox, Video

MORNING = datetime(2026, 11, 3, 12, tzinfo=UTC)  # four in the morning in Los Angeles


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.open(clock=lambda: MORNING) as opened:
        yield opened


class Api:
    """Raw calls in the name of one person."""

    def __init__(self, sandbox: Sandbox, person: str = "alice", scopes: list[str] | None = None) -> None:
        self._root = f"{sandbox.youtube_api_url}/youtube/v3"
        self._token, _ = sandbox.world.sign_in(person, "google", scopes)

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        query = {"part": "snippet"} | query if method != "DELETE" else query
        return requests.request(method, f"{self._root}/{path}", json=body, params=query, headers=headers, timeout=5)

    def insert(self, playlist: str, video: str, **more: Any) -> requests.Response:
        resource = {"kind": "youtube#video", "videoId": video}
        body = {"snippet": {"playlistId": playlist, "resourceId": resource, **more}}
        return self("POST", "playlistItems", body)


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)


@pytest.fixture
def empty(sandbox: Sandbox) -> str:
    return sandbox.world.known.empty_youtube


def some_videos(sandbox: Sandbox, count: int) -> list[str]:
    return [sandbox.world.videos_of(track.id)[0].id for track in sandbox.world.tracks[:count]]


def error(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()["error"]
    assert body["code"] == answer.status_code
    assert body["errors"][0]["message"] == body["message"]
    return answer.status_code, body["errors"][0]["reason"]


# Shapes


def _unfit(value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str = "") -> list[str]:
    """Where a JSON value leaves the discovery document: unknown names and wrong types."""
    if "$ref" in schema:
        return _unfit(value, schemas[schema["$ref"]], schemas, at)
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "number": (int, float),
    }
    kind = schema.get("type")
    if kind in kinds and not isinstance(value, kinds[str(kind)]):
        return [f"{at}: {value!r} is no {kind}"]
    found: list[str] = []
    if kind == "array":
        for number, item in enumerate(value):
            found += _unfit(item, schema["items"], schemas, f"{at}[{number}]")
    if kind == "object" and "properties" in schema:
        for name, item in value.items():
            if name in schema["properties"]:
                found += _unfit(item, schema["properties"][name], schemas, f"{at}.{name}")
            else:
                found.append(f"{at}.{name} is unknown")
    return found


@pytest.mark.parametrize(
    ("path", "query", "schema"),
    [
        ("channels", {"mine": "true", "part": "snippet,contentDetails"}, "ChannelListResponse"),
        ("playlists", {"mine": "true", "part": "snippet,status,contentDetails"}, "PlaylistListResponse"),
        (
            "playlistItems",
            {"playlistId": "{watched}", "part": "snippet,contentDetails,status"},
            "PlaylistItemListResponse",
        ),
        ("videos", {"id": "{video}", "part": "snippet,contentDetails,status,statistics"}, "VideoListResponse"),
        ("search", {"q": "love", "type": "video", "part": "snippet"}, "SearchListResponse"),
    ],
)
def test_answers_fit_the_discovery_document(
    sandbox: Sandbox, api: Api, path: str, query: dict[str, str], schema: str
) -> None:
    known = {"{watched}": sandbox.world.known.watched, "{video}": some_videos(sandbox, 1)[0]}
    body = api("GET", path, **{name: known.get(value, value) for name, value in query.items()}).json()
    schemas = json.loads(get_static_doc("youtube", "v3"))["schemas"]
    schemas["SearchResultSnippet"]["properties"]["publishTime"] = {"type": "string"}  # sent, but not in the document
    assert body["items"]
    assert _unfit(body, schemas[schema], schemas) == []


def test_only_the_parts_that_were_asked_for_come(sandbox: Sandbox, api: Api) -> None:
    item = api("GET", "videos", part="contentDetails", id=some_videos(sandbox, 1)[0]).json()["items"][0]
    assert set(item) == {"kind", "etag", "id", "contentDetails"}
    assert error(api("GET", "videos", part="", id="x")) == (400, "required")


def test_etags_change_with_the_playlist_and_save_the_body(sandbox: Sandbox, api: Api, empty: str) -> None:
    first = api("GET", "playlists", id=empty).json()["etag"]
    token, _ = sandbox.world.sign_in("alice", "google")
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": first}
    address = f"{sandbox.youtube_api_url}/youtube/v3/playlists?part=snippet&id={empty}"
    assert requests.get(address, headers=headers, timeout=5).status_code == 304
    api.insert(empty, some_videos(sandbox, 1)[0])
    assert requests.get(address, headers=headers, timeout=5).json()["etag"] != first


def test_a_channel_is_who_one_is(sandbox: Sandbox, api: Api) -> None:
    items = api("GET", "channels", mine="true").json()["items"]
    assert [item["snippet"]["title"] for item in items] == ["Alice Marlow"]
    assert items[0]["id"].startswith("UC")


# Playlists and items


def test_a_playlist_is_made_renamed_and_deleted(sandbox: Sandbox, api: Api) -> None:
    body = {"snippet": {"title": "Made here"}, "status": {"privacyStatus": "private"}}
    made = api("POST", "playlists", body, part="snippet,status").json()
    assert made["status"]["privacyStatus"] == "private"
    mine = api("GET", "playlists", mine="true", maxResults=50).json()["items"]
    assert made["id"] in [item["id"] for item in mine]
    api("PUT", "playlists", {"id": made["id"], "snippet": {"title": "Renamed"}})
    assert api("GET", "playlists", id=made["id"]).json()["items"][0]["snippet"]["title"] == "Renamed"
    assert api("DELETE", "playlists", id=made["id"]).status_code == 204
    assert api("GET", "playlists", id=made["id"]).json()["items"] == []


def test_inserts_go_to_the_end_or_to_their_position_and_duplicates_are_accepted(
    sandbox: Sandbox, api: Api, empty: str
) -> None:
    one, two, three = some_videos(sandbox, 3)
    assert api.insert(empty, one).json()["snippet"]["position"] == 0
    assert api.insert(empty, two).json()["snippet"]["position"] == 1
    assert api.insert(empty, three, position=0).json()["snippet"]["position"] == 0
    assert api.insert(empty, one).status_code == 200
    assert sandbox.world.youtube_items(empty) == [three, one, two, one]


def test_some_playlists_refuse_a_second_copy(sandbox: Sandbox, api: Api, empty: str) -> None:
    sandbox.world.adjust(empty, refuses_duplicates=True)
    (one,) = some_videos(sandbox, 1)
    assert api.insert(empty, one).status_code == 200
    assert error(api.insert(empty, one)) == (409, "videoAlreadyInPlaylist")
    assert sandbox.world.youtube_items(empty) == [one]


def test_a_read_back_by_video_finds_each_copy_with_its_position(sandbox: Sandbox, api: Api, empty: str) -> None:
    one, two = some_videos(sandbox, 2)
    for video in (one, two, one):
        api.insert(empty, video)
    items = api("GET", "playlistItems", playlistId=empty, videoId=one).json()["items"]
    assert [item["snippet"]["position"] for item in items] == [0, 2]
    assert api("GET", "playlistItems", playlistId=empty, videoId="unknown").json()["items"] == []


def test_a_move_puts_the_item_where_it_was_asked_to(sandbox: Sandbox, api: Api, empty: str) -> None:
    videos = some_videos(sandbox, 4)
    keys = [api.insert(empty, video).json()["id"] for video in videos]

    def move(number: int, position: int) -> requests.Response:
        resource = {"kind": "youtube#video", "videoId": videos[number]}
        snippet = {"playlistId": empty, "resourceId": resource, "position": position}
        return api("PUT", "playlistItems", {"id": keys[number], "snippet": snippet})

    assert move(0, 3).json()["snippet"]["position"] == 3
    assert sandbox.world.youtube_items(empty) == [videos[number] for number in (1, 2, 3, 0)]
    move(3, 0)
    assert sandbox.world.youtube_items(empty) == [videos[number] for number in (3, 1, 2, 0)]
    assert error(move(3, 4)) == (400, "invalidPlaylistItemPosition")


def test_a_delete_takes_one_copy_by_the_items_id(sandbox: Sandbox, api: Api, empty: str) -> None:
    (one,) = some_videos(sandbox, 1)
    first, _ = (api.insert(empty, one).json()["id"] for _ in range(2))
    assert api("DELETE", "playlistItems", id=first).status_code == 204
    assert sandbox.world.youtube_items(empty) == [one]
    assert error(api("DELETE", "playlistItems", id=first)) == (404, "playlistItemNotFound")
    assert error(api("DELETE", "playlistItems", id="%%%")) == (404, "playlistItemNotFound")


def test_pages_of_fifty_lead_through_a_long_playlist(sandbox: Sandbox, api: Api) -> None:
    videos = some_videos(sandbox, 120)
    playlist = sandbox.world.create_youtube_playlist("alice", "Long", videos)
    seen, token = [], None
    while True:
        page = api("GET", "playlistItems", playlistId=playlist, maxResults=50, pageToken=token).json()
        seen += [item["snippet"]["resourceId"]["videoId"] for item in page["items"]]
        token = page.get("nextPageToken")
        if token is None:
            break
    assert seen == videos
    refused = api("GET", "playlistItems", playlistId=playlist, pageToken="nonsense")
    assert error(refused) == (400, "invalidPageToken")


def test_deleted_and_private_videos_leave_a_row_that_says_so(sandbox: Sandbox, api: Api) -> None:
    watched = sandbox.world.known.watched
    gone, hidden = sandbox.world.youtube_items(watched)[:2]
    sandbox.world.set_video(gone, "deleted")
    sandbox.world.set_video(hidden, "private")
    items = api("GET", "playlistItems", playlistId=watched, part="snippet,status").json()["items"]
    assert [item["snippet"]["title"] for item in items[:2]] == ["Deleted video", "Private video"]
    assert [item["status"]["privacyStatus"] for item in items[:2]] == ["privacyStatusUnspecified", "private"]
    assert api("GET", "videos", id=f"{gone},{hidden}").json()["items"] == []


# Refusals


def test_a_missing_video_a_private_one_and_a_missing_playlist_are_told_apart(
    sandbox: Sandbox, api: Api, empty: str
) -> None:
    one, two = some_videos(sandbox, 2)
    sandbox.world.set_video(one, "deleted")
    sandbox.world.set_video(two, "private")
    assert error(api.insert(empty, one)) == (404, "videoNotFound")
    assert error(api.insert(empty, "neverthere1")) == (404, "videoNotFound")
    assert error(api.insert(empty, two)) == (400, "failedPrecondition")
    assert error(api.insert("PLnothing", some_videos(sandbox, 3)[2])) == (404, "playlistNotFound")
    assert error(api("GET", "playlistItems", playlistId="PLnothing")) == (404, "playlistNotFound")


@pytest.mark.parametrize("special", ["WL", "LL"])
def test_watch_later_and_likes_read_empty_and_take_nothing(sandbox: Sandbox, api: Api, special: str) -> None:
    assert api("GET", "playlistItems", playlistId=special).json()["items"] == []
    assert error(api.insert(special, some_videos(sandbox, 1)[0])) == (400, "playlistOperationUnsupported")


def test_a_position_is_refused_beyond_the_end_and_where_youtube_sorts(sandbox: Sandbox, api: Api, empty: str) -> None:
    (one,) = some_videos(sandbox, 1)
    assert error(api.insert(empty, one, position=1)) == (400, "invalidPlaylistItemPosition")
    sandbox.world.adjust(empty, sorted_by_service=True)
    assert error(api.insert(empty, one, position=0)) == (400, "manualSortRequired")
    assert api.insert(empty, one).status_code == 200


def test_playlists_of_others_are_read_only_when_public(sandbox: Sandbox, api: Api) -> None:
    (one,) = some_videos(sandbox, 1)
    public = sandbox.world.known.bobs_videos
    private = sandbox.world.create_youtube_playlist("bob", "Secret")
    assert api("GET", "playlistItems", playlistId=public).status_code == 200
    assert error(api("GET", "playlistItems", playlistId=private)) == (403, "playlistItemsNotAccessible")
    assert api("GET", "playlists", id=private).json()["items"] == []
    assert error(api.insert(public, one)) == (403, "playlistItemsNotAccessible")


def test_an_account_without_a_channel_is_asked_to_sign_up(sandbox: Sandbox) -> None:
    carol = Api(sandbox, "carol")
    assert carol("GET", "channels", mine="true").json()["items"] == []
    assert error(carol("GET", "playlists", mine="true")) == (401, "youtubeSignupRequired")
    assert error(carol("POST", "playlists", {"snippet": {"title": "x"}})) == (401, "youtubeSignupRequired")


def test_tokens_and_rights_are_checked(sandbox: Sandbox, empty: str) -> None:
    stranger = requests.get(f"{sandbox.youtube_api_url}/youtube/v3/videos?part=id&id=x", timeout=5)
    assert error(stranger) == (401, "required")
    reader = Api(sandbox, scopes=["https://www.googleapis.com/auth/youtube.readonly"])
    assert reader("GET", "playlists", mine="true").status_code == 200
    assert error(reader.insert(empty, some_videos(sandbox, 1)[0])) == (403, "insufficientPermissions")


# Quota


def test_a_write_costs_fifty_a_read_one_and_a_search_its_own_bucket(sandbox: Sandbox, api: Api, empty: str) -> None:
    api.insert(empty, some_videos(sandbox, 1)[0])
    api("GET", "playlistItems", playlistId=empty)
    api("GET", "search", q="yellow", type="video")
    assert (sandbox.books.units(), sandbox.books.searches()) == (51, 1)


def test_refused_calls_cost_the_same(sandbox: Sandbox, api: Api, empty: str) -> None:
    api.insert(empty, "neverthere1")
    api("GET", "playlistItems", playlistId="PLnothing")
    assert sandbox.books.units() == 51


def test_the_units_are_spent_at_ten_thousand_and_back_at_midnight_in_los_angeles(
    sandbox: Sandbox, api: Api, empty: str
) -> None:
    sandbox.world.switches.youtube_units = 100
    one, two, three = some_videos(sandbox, 3)
    assert [api.insert(empty, video).status_code for video in (one, two)] == [200, 200]
    assert error(api.insert(empty, three)) == (403, "quotaExceeded")
    assert error(api("GET", "videos", id=one)) == (403, "quotaExceeded")
    assert api("GET", "search", q="yellow", type="video").status_code == 200
    sandbox.world.advance(20 * 3600 - 1)
    api = Api(sandbox)
    assert error(api.insert(empty, three)) == (403, "quotaExceeded")
    sandbox.world.advance(1)
    assert api.insert(empty, three).status_code == 200
    assert sandbox.books.days() == {date(2026, 11, 3): (100, 1), date(2026, 11, 4): (50, 0)}


def test_the_hundred_and_first_search_of_a_day_is_refused_and_costs_nothing(sandbox: Sandbox, api: Api) -> None:
    answers = [api("GET", "search", q=f"song {number}", type="video") for number in range(101)]
    assert {answer.status_code for answer in answers[:100]} == {200}
    assert error(answers[100]) == (403, "quotaExceeded")
    assert sandbox.books.searches() == 100
    assert api("GET", "videos", id="x").status_code == 200


def test_a_day_of_the_clock_change_has_twenty_five_hours() -> None:
    before = datetime(2026, 11, 1, 7, tzinfo=UTC)  # midnight at the beginning of that Sunday
    with Sandbox.open(clock=lambda: before, youtube_units=1) as sandbox:
        assert Api(sandbox)("GET", "videos", id="x").status_code == 200
        sandbox.world.advance(25 * 3600 - 1)
        assert error(Api(sandbox)("GET", "videos", id="x")) == (403, "quotaExceeded")
        sandbox.world.advance(1)
        assert Api(sandbox)("GET", "videos", id="x").status_code == 200


# Search


def test_search_results_are_escaped_and_tell_no_duration(sandbox: Sandbox, api: Api) -> None:
    items = api("GET", "search", q="Guns N' Roses Sweet Child O' Mine", type="video", maxResults=20).json()["items"]
    titles = [item["snippet"]["title"] for item in items]
    assert any("O&#39; Mine" in title for title in titles)
    assert not any("'" in title for title in titles)
    assert not any("contentDetails" in item for item in items)


def test_durations_come_for_fifty_videos_in_one_call(sandbox: Sandbox, api: Api) -> None:
    videos = some_videos(sandbox, 50)
    items = api("GET", "videos", part="contentDetails", id=",".join(videos)).json()["items"]
    assert [item["id"] for item in items] == videos
    assert all(item["contentDetails"]["duration"].startswith("PT") for item in items)
    assert error(api("GET", "videos", id=",".join(some_videos(sandbox, 51)))) == (400, "invalidFilters")


def _ranks(sandbox: Sandbox, api: Api, step: int) -> list[int | None]:
    """Where the first right video stands for every ``step``-th track that has one; None if not among the first ten."""
    sandbox.world.switches.youtube_searches = 1000
    ranks: list[int | None] = []
    for track in sandbox.world.tracks[::step]:
        if right := sandbox.world.right_videos(track.id):
            query = f"{track.artists[0]} {track.title}"
            items = api("GET", "search", q=query, type="video", maxResults=10).json()["items"]
            places = [place for place, item in enumerate(items) if item["id"]["videoId"] in right]
            ranks.append(min(places, default=None))
    return ranks


def test_the_right_video_is_nearly_always_found_but_often_not_the_first(sandbox: Sandbox, api: Api) -> None:
    ranks = _ranks(sandbox, api, 6)
    assert sum(rank is None for rank in ranks) <= len(ranks) * 0.05
    assert len(ranks) * 0.2 <= sum(rank == 0 for rank in ranks) <= len(ranks) * 0.8


# With the client libraries


def test_googles_client_works_against_it(sandbox: Sandbox, empty: str) -> None:
    token, _ = sandbox.world.sign_in("alice", "google")
    client = googleapiclient.discovery.build(
        "youtube",
        "v3",
        credentials=Credentials(token),
        static_discovery=True,
        client_options={"api_endpoint": sandbox.youtube_api_url},
    )
    found = client.search().list(part="snippet", q="Rick Astley", type="video", maxResults=5).execute()
    video = found["items"][0]["id"]["videoId"]
    resource = {"kind": "youtube#video", "videoId": video}
    body = {"snippet": {"playlistId": empty, "resourceId": resource}}
    item = client.playlistItems().insert(part="snippet", body=body).execute()
    assert (
        client.playlistItems().list(part="id", playlistId=empty, videoId=video).execute()["items"][0]["id"]
        == item["id"]
    )
    assert len(client.videos().list(part="contentDetails", id=[video]).execute()["items"]) == 1
    client.playlistItems().delete(id=item["id"]).execute()
    assert sandbox.world.youtube_items(empty) == []
    with pytest.raises(googleapiclient.errors.HttpError) as refused:
        client.playlistItems().list(part="id", playlistId="PLnothing").execute()
    assert refused.value.error_details[0]["reason"] == "playlistNotFound"


class _Elsewhere(requests.Session):
    """ytmusicapi's session, pointed at the sandbox; the library announces a packed body that it does not pack."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._sandbox = root

    def request(self, method: Any, url: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        given["headers"] = {k: v for k, v in given["headers"].items() if k.lower() != "content-encoding"}
        path = url.removeprefix("https://music.youtube.com").removeprefix("/youtubei/v1/")
        return super().request(method, self._sandbox + path, **given)


def _of_kind(sandbox: Sandbox, title: str, kind: Kind) -> list[Video]:
    track = next(track for track in sandbox.world.tracks if track.title == title)
    return [video for video in sandbox.world.videos_of(track.id) if video.kind is kind]


def test_the_unofficial_music_client_finds_songs_and_videos_without_quota(sandbox: Sandbox) -> None:
    client = YTMusic(requests_session=_Elsewhere(sandbox.ytmusic_api_url))
    (topic,) = _of_kind(sandbox, "Yellow", Kind.TOPIC)
    song = next(row for row in client.search("Coldplay Yellow", filter="songs") if row["videoId"] == topic.id)
    assert ([artist["name"] for artist in song["artists"]], song["album"]["name"]) == (["Coldplay"], "Parachutes")
    assert (song["title"], song["duration_seconds"]) == ("Yellow", topic.seconds)
    assert client.search("GBAYE0000267", filter="songs")[0]["videoId"] == topic.id
    videos = client.search("Coldplay Yellow", filter="videos")
    assert videos
    assert topic.id not in [row["videoId"] for row in videos]
    assert (sandbox.books.units(), sandbox.books.searches()) == (0, 0)


def test_httplib2_sends_a_write_twice_after_a_clean_close(sandbox: Sandbox, empty: str) -> None:
    """Why the adapter must bring an http object of its own: two rows, and an answer that looks fine."""
    token, _ = sandbox.world.sign_in("alice", "google")
    (video,) = some_videos(sandbox, 1)
    body = {"snippet": {"playlistId": empty, "resourceId": {"kind": "youtube#video", "videoId": video}}}
    sandbox.faults.next("youtube", "POST", "playlistItems", "close", when="after")
    answer, _ = httplib2.Http(timeout=5).request(
        f"{sandbox.youtube_api_url}/youtube/v3/playlistItems?part=snippet",
        method="POST",
        body=json.dumps(body),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert answer.status == 200
    assert sandbox.world.youtube_items(empty) == [video, video]
    assert sandbox.books.duplicates() == {(empty, video): 1}
