"""The simulated Spotify behaves over HTTP as the real one does for an app in development mode."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
import spotipy
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox import Hand, Sandbox

SCHEMA = Path(__file__).parents[2] / ".." / "shared" / "data" / "schemas" / "spotify.yml"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.open(clock=lambda: datetime(2026, 11, 3, 12, tzinfo=UTC)) as opened:
        yield opened


class Api:
    """Raw calls in the name of one person."""

    def __init__(self, sandbox: Sandbox, person: str = "alice", scopes: list[str] | None = None) -> None:
        self._root = sandbox.spotify_api_url
        self.token, _ = sandbox.world.sign_in(person, "spotify", scopes)

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, f"{self._root}/{path}", json=body, params=query, headers=headers, timeout=5)


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)


@pytest.fixture
def empty(sandbox: Sandbox) -> str:
    return sandbox.world.create_spotify_playlist("alice", "Fresh")


def uris(sandbox: Sandbox, *numbers: int) -> list[str]:
    return [sandbox.world.tracks[number].uri for number in numbers]


def held(sandbox: Sandbox, playlist: str) -> list[int]:
    """Catalogue numbers of what a playlist holds."""
    return [sandbox.world.track(track).number for track in sandbox.world.spotify_items(playlist)]


def error(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()["error"]
    assert body["status"] == answer.status_code
    return answer.status_code, body["message"]


# Shapes


GONE_SINCE_2026 = {"available_markets", "popularity", "label"}


def _component(name: str) -> dict[str, Any]:
    document = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return {"$ref": f"#/components/schemas/{name}", "components": _json_schema(document["components"])}


def _json_schema(node: Any) -> Any:
    """OpenAPI's ``nullable`` in JSON Schema's words, and nothing required that is gone."""
    if isinstance(node, list):
        return [_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _json_schema(value) for key, value in node.items()}
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("required"), list):
        found["required"] = [name for name in found["required"] if name not in GONE_SINCE_2026]
    return found


@pytest.mark.skipif(not SCHEMA.exists(), reason="../shared/data is not here")
@pytest.mark.parametrize(
    ("path", "component"),
    [
        ("me", "PrivateUserObject"),
        ("me/playlists", "PagingPlaylistObject"),
        ("me/tracks", "PagingSavedTrackObject"),
        ("playlists/{road_trip}", "PlaylistObject"),
        ("playlists/{road_trip}/items", "PagingPlaylistTrackObject"),
        ("tracks/{track}", "TrackObject"),
        ("artists/{artist}", "ArtistObject"),
        ("albums/{album}", "AlbumObject"),
    ],
)
def test_answers_fit_the_official_schema(sandbox: Sandbox, api: Api, path: str, component: str) -> None:
    track = sandbox.world.tracks[0]
    artist = api("GET", f"tracks/{track.id}").json()["artists"][0]["id"]
    address = path.format(road_trip=sandbox.world.known.road_trip, track=track.id, artist=artist, album=track.album_id)
    body = api("GET", address).json()
    jsonschema.validate(body, _component(component))


def test_rows_are_called_item_and_rows_of_a_playlist_items(sandbox: Sandbox, api: Api) -> None:
    body = api("GET", f"playlists/{sandbox.world.known.road_trip}").json()
    assert "tracks" not in body
    assert body["items"]["total"] == 100
    assert body["items"]["items"][0]["item"]["name"] == "Bohemian Rhapsody - Remastered 2011"


def test_the_older_shape_calls_them_track_and_tracks(sandbox: Sandbox, api: Api) -> None:
    sandbox.world.switches.legacy_shape = True
    try:
        body = api("GET", f"playlists/{sandbox.world.known.road_trip}").json()
    finally:
        sandbox.world.switches.legacy_shape = False
    assert "items" not in body
    assert "popularity" in body["tracks"]["items"][0]["track"]


def test_a_playlist_may_hold_a_null_an_episode_and_a_local_file(sandbox: Sandbox, api: Api) -> None:
    rows = api("GET", f"playlists/{sandbox.world.known.odd_ones}/items").json()["items"]
    kinds = [row["item"] and row["item"]["type"] for row in rows]
    assert kinds == ["track", "track", None, "episode", "track", "track"]
    assert [row["is_local"] for row in rows] == [False, False, False, False, True, False]
    assert rows[4]["item"]["id"] is None


def test_a_person_is_known_by_an_account_id_and_tells_no_mail_address(api: Api) -> None:
    body = api("GET", "me").json()
    assert len(body["account_id"]) == 22
    assert not {"email", "country", "product"} & body.keys()


# Reading


def test_pages_of_fifty_lead_through_a_whole_playlist(sandbox: Sandbox, api: Api) -> None:
    path, seen = f"playlists/{sandbox.world.known.everything}/items", []
    answer = api("GET", path, limit=50).json()
    while True:
        seen += [row["item"]["id"] for row in answer["items"]]
        if answer["next"] is None:
            break
        answer = requests.get(answer["next"], headers={"Authorization": f"Bearer {api.token}"}, timeout=5).json()
    assert seen == sandbox.world.spotify_items(sandbox.world.known.everything)
    assert len(seen) > 320


def test_a_limit_above_fifty_is_refused(sandbox: Sandbox, api: Api) -> None:
    assert error(api("GET", f"playlists/{sandbox.world.known.road_trip}/items", limit=51)) == (400, "Invalid limit")


def test_items_of_a_followed_playlist_are_forbidden_but_its_name_is_not(sandbox: Sandbox, api: Api) -> None:
    followed = sandbox.world.known.followed
    assert api("GET", f"playlists/{followed}/items").status_code == 403
    body = api("GET", f"playlists/{followed}").json()
    assert body["name"] == "Dora's dinner"
    assert "items" not in body


def test_an_editorial_playlist_is_not_found_though_it_is_listed(sandbox: Sandbox, api: Api) -> None:
    editorial = sandbox.world.known.editorial
    assert editorial in [row["id"] for row in api("GET", "me/playlists", limit=50).json()["items"]]
    assert api("GET", f"playlists/{editorial}").status_code == 404
    assert api("GET", f"playlists/{editorial}/items").status_code == 404


def test_a_strangers_private_playlist_is_not_found(sandbox: Sandbox) -> None:
    bob = Api(sandbox, "bob")
    assert bob("GET", f"playlists/{sandbox.world.known.road_trip}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "tracks?ids=a,b",
        "artists?ids=a",
        "albums?ids=a",
        "recommendations",
        "audio-features/abc",
        "playlists/abc/tracks",
        "users/alice/playlists",
        "artists/abc/top-tracks",
    ],
)
def test_removed_endpoints_are_forbidden(api: Api, path: str) -> None:
    assert error(api("GET", path)) == (403, "Forbidden")


def test_apps_with_extended_quota_keep_the_batch_get(sandbox: Sandbox, api: Api) -> None:
    sandbox.world.switches.extended_quota = True
    try:
        body = api("GET", "tracks", ids=f"{sandbox.world.tracks[3].id},{'0' * 22}").json()
    finally:
        sandbox.world.switches.extended_quota = False
    assert body["tracks"][0]["name"] == "Never Gonna Give You Up"
    assert body["tracks"][1] is None


# Search


def test_search_answers_at_most_ten_and_five_by_default(api: Api) -> None:
    assert error(api("GET", "search", q="love", type="track", limit=11)) == (400, "Invalid limit")
    assert len(api("GET", "search", q="love", type="track").json()["tracks"]["items"]) == 5
    assert len(api("GET", "search", q="love", type="track", limit=10).json()["tracks"]["items"]) == 10


def test_search_by_isrc_finds_that_recording_only_in_either_case(api: Api) -> None:
    for isrc in ("GBAYE0000267", "gbaye0000267"):
        found = api("GET", "search", q=f"isrc:{isrc}", type="track").json()["tracks"]["items"]
        assert [track["name"] for track in found] == ["Yellow"]


def test_search_finds_nearly_every_track_by_artist_and_title(sandbox: Sandbox, api: Api) -> None:
    wanted = sandbox.world.tracks[::10]
    missed = [
        track.title
        for track in wanted
        if track.id
        not in {
            found["id"]
            for found in api("GET", "search", q=f"{track.artists[0]} {track.title}", type="track", limit=10).json()[
                "tracks"
            ]["items"]
        }
    ]
    assert not missed


# Writing


def test_an_add_answers_201_and_a_new_snapshot(sandbox: Sandbox, api: Api, empty: str) -> None:
    before = api("GET", f"playlists/{empty}").json()["snapshot_id"]
    answer = api("POST", f"playlists/{empty}/items", {"uris": uris(sandbox, 1, 2)})
    assert answer.status_code == 201
    assert answer.json()["snapshot_id"] == api("GET", f"playlists/{empty}").json()["snapshot_id"] != before


def test_a_change_of_one_playlist_leaves_the_snapshot_of_others_alone(sandbox: Sandbox, api: Api, empty: str) -> None:
    def snapshots() -> dict[str, str]:
        return {row["id"]: row["snapshot_id"] for row in api("GET", "me/playlists", limit=50).json()["items"]}

    before = snapshots()
    api("POST", f"playlists/{empty}/items", {"uris": uris(sandbox, 1)})
    assert {name for name, value in snapshots().items() if before[name] != value} == {empty}


def test_adds_keep_their_order_and_their_position(sandbox: Sandbox, api: Api, empty: str) -> None:
    api("POST", f"playlists/{empty}/items", {"uris": uris(sandbox, 1, 2, 3)})
    api("POST", f"playlists/{empty}/items", {"uris": uris(sandbox, 4, 5), "position": 1})
    assert held(sandbox, empty) == [1, 4, 5, 2, 3]


def test_a_hundred_uris_are_taken_and_one_more_is_refused(sandbox: Sandbox, api: Api, empty: str) -> None:
    assert api("POST", f"playlists/{empty}/items", uris(sandbox, *range(101))).status_code == 400
    assert held(sandbox, empty) == []
    assert api("POST", f"playlists/{empty}/items", uris(sandbox, *range(100))).status_code == 201
    assert held(sandbox, empty) == list(range(100))


@pytest.mark.parametrize(
    "uri", ["spotify:local:a:b:c:3", "spotify:track:short", "nonsense", f"spotify:track:{'0' * 22}"]
)
def test_what_cannot_be_added_is_refused_with_the_whole_batch(sandbox: Sandbox, api: Api, empty: str, uri: str) -> None:
    assert api("POST", f"playlists/{empty}/items", {"uris": [*uris(sandbox, 1), uri]}).status_code == 400
    assert held(sandbox, empty) == []


def test_a_delete_takes_every_occurrence_whatever_positions_say(sandbox: Sandbox, api: Api, empty: str) -> None:
    api("POST", f"playlists/{empty}/items", uris(sandbox, 7, 8, 7, 9, 7))
    row = {"uri": uris(sandbox, 7)[0], "positions": [0]}
    assert api("DELETE", f"playlists/{empty}/items", {"tracks": [row]}).status_code == 200
    assert held(sandbox, empty) == [8, 9]


def test_a_reorder_out_of_bounds_is_refused(sandbox: Sandbox, api: Api, empty: str) -> None:
    api("POST", f"playlists/{empty}/items", uris(sandbox, 1, 2))
    answer = api("PUT", f"playlists/{empty}/items", {"range_start": 2, "insert_before": 0})
    assert error(answer) == (400, "Index out of bounds")


def test_a_playlist_of_somebody_else_is_not_written_to(sandbox: Sandbox, api: Api) -> None:
    followed = sandbox.world.known.followed
    before = sandbox.world.spotify_items(followed)
    assert api("POST", f"playlists/{followed}/items", uris(sandbox, 1)).status_code == 403
    assert api("PUT", f"playlists/{followed}", {"name": "Mine"}).status_code == 403
    assert sandbox.world.spotify_items(followed) == before


def test_a_collaborator_reads_and_writes(sandbox: Sandbox, api: Api) -> None:
    shared = sandbox.world.create_spotify_playlist("bob", "Ours", [sandbox.world.tracks[0].id])
    sandbox.world.adjust(shared, collaborators=("alice",), collaborative=True)
    assert api("GET", f"playlists/{shared}/items").status_code == 200
    assert api("POST", f"playlists/{shared}/items", uris(sandbox, 1)).status_code == 201


@pytest.mark.parametrize(
    ("lacking", "method", "path", "body"),
    [
        ("playlist-read-private", "GET", "me/playlists", None),
        ("playlist-read-private", "GET", "playlists/{mine}/items", None),
        ("playlist-modify-private", "POST", "playlists/{mine}/items", ["{uri}"]),
        ("playlist-modify-public", "POST", "me/playlists", {"name": "Loud", "public": True}),
        ("user-library-read", "GET", "me/tracks", None),
    ],
)
def test_each_right_is_checked(sandbox: Sandbox, lacking: str, method: str, path: str, body: Any) -> None:
    every = ["playlist-read-private", "playlist-modify-private", "playlist-modify-public", "user-library-read"]
    api = Api(sandbox, scopes=[scope for scope in every if scope != lacking])
    if isinstance(body, list):
        body = uris(sandbox, 0)
    answer = api(method, path.format(mine=sandbox.world.known.road_trip), body)
    assert error(answer) == (403, "Insufficient client scope")


def test_an_unlisted_person_signs_in_and_gets_403_on_every_call(sandbox: Sandbox) -> None:
    carol = Api(sandbox, "carol")
    assert {carol("GET", path).status_code for path in ("me", "me/playlists", "search?q=a&type=track")} == {403}


def test_an_unknown_and_an_old_token_are_told_apart(sandbox: Sandbox, api: Api) -> None:
    stranger = {"Authorization": "Bearer nobody"}
    unknown = requests.get(f"{sandbox.spotify_api_url}/me", headers=stranger, timeout=5)
    assert error(unknown) == (401, "Invalid access token")
    sandbox.world.expire_tokens()
    assert error(api("GET", "me")) == (401, "The access token expired")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_row_of_writes_does_to_the_playlist_what_it_does_to_a_list(sandbox: Sandbox, api: Api, data: Any) -> None:
    playlist = sandbox.world.create_spotify_playlist("alice", "Model")
    model: list[int] = []
    path = f"playlists/{playlist}/items"
    for _ in range(data.draw(st.integers(1, 6))):
        action = data.draw(st.sampled_from(["add", "remove", "move", "replace"]))
        numbers = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
        if action == "add":
            at = data.draw(st.integers(0, len(model)))
            api("POST", path, {"uris": uris(sandbox, *numbers), "position": at}).raise_for_status()
            model[at:at] = numbers
        elif action == "replace":
            api("PUT", path, {"uris": uris(sandbox, *numbers)}).raise_for_status()
            model = numbers
        elif action == "remove":
            api("DELETE", path, {"items": [{"uri": uri} for uri in uris(sandbox, *numbers)]}).raise_for_status()
            model = [number for number in model if number not in numbers]
        elif model:
            start = data.draw(st.integers(0, len(model) - 1))
            length = data.draw(st.integers(1, len(model) - start))
            before = data.draw(st.integers(0, len(model)))
            order = {"range_start": start, "range_length": length, "insert_before": before}
            api("PUT", path, order).raise_for_status()
            moved = range(start, start + length)
            left = [place for place in range(before) if place not in moved]
            right = [place for place in range(before, len(model)) if place not in moved]
            model = [model[place] for place in (*left, *moved, *right)]
        assert held(sandbox, playlist) == model


# With the client library


def test_spotipy_works_against_it(sandbox: Sandbox) -> None:
    token, _ = sandbox.world.sign_in("alice", "spotify")
    client = spotipy.Spotify(auth=token, requests_session=requests.Session(), requests_timeout=5)
    client.prefix = f"{sandbox.spotify_api_url}/"
    created = client.current_user_playlist_create("By spotipy", public=False)
    playlist = created["id"]
    assert created["public"] is False
    client.playlist_add_items(playlist, uris(sandbox, 1, 2, 3, 1))
    client.playlist_add_items(playlist, uris(sandbox, 4), position=0)
    client.playlist_remove_all_occurrences_of_items(playlist, uris(sandbox, 1))
    client.playlist_reorder_items(playlist, range_start=0, insert_before=3)
    client.playlist_change_details(playlist, name="Renamed")
    assert held(sandbox, playlist) == [2, 3, 4]
    assert client.me()["display_name"] == "Alice Marlow"
    assert "Renamed" in [row["name"] for row in client.current_user_playlists()["items"]]
    assert client.playlist_items(playlist)["total"] == 3
    assert client.search("isrc:GBARL9300135")["tracks"]["items"][0]["name"] == "Never Gonna Give You Up"
    assert {write.hand for write in sandbox.books.writes(playlist)} == {Hand.APP}


# Limits


def test_the_rolling_limit_says_when_to_come_back(sandbox: Sandbox, api: Api) -> None:
    sandbox.world.advance(60)
    sandbox.world.switches.spotify_calls_per_30s = 2
    try:
        answers = [api("GET", "me") for _ in range(3)]
        sandbox.world.advance(31)
        later = api("GET", "me")
    finally:
        sandbox.world.switches.spotify_calls_per_30s = None
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "30"
    assert later.status_code == 200


def test_the_developers_quota_answers_with_a_wait_of_hours(sandbox: Sandbox) -> None:
    sandbox.world.advance(90_000)
    sandbox.world.switches.spotify_calls_per_day = 1
    api = Api(sandbox)
    try:
        api("GET", "me")
        refused = api("GET", "me")
    finally:
        sandbox.world.switches.spotify_calls_per_day = None
    assert refused.status_code == 429
    assert refused.json()["error"]["reason"] == "QUOTA_EXCEEDED"
    assert int(refused.headers["Retry-After"]) > 80_000
