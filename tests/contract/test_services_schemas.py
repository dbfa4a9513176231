"""What is sent agrees with the official descriptions: Spotify's OpenAPI document and Google's discovery document."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest
import yaml
from googleapiclient.discovery_cache import get_static_doc

from bot.model.music import Service
from bot.services.config import ServiceConfig
from bot.services.protocol import MusicService
from tests.contract.misbehaving import Misbehaving, Seen
from tests.contract.music_room import Room, music_room
from tests.contract.test_transport_writes import PLAYLIST, READS, TRACK, WRITES, linked

SPOTIFY = Path(__file__).parents[2] / ".." / "shared" / "data" / "schemas" / "spotify.yml"
TYPES: dict[str, Callable[[str], object]] = {"integer": int, "string": str, "array": lambda text: text.split(",")}
EVERYTHING = {
    **WRITES,
    **READS,
    "add a hundred": lambda service: service.add(PLAYLIST, [TRACK] * service.capabilities.max_batch, position=0),
    "search by isrc": lambda service: service.search("USRC11301695", isrc=True),
    "tracks": lambda service: service.tracks([TRACK]),
}
# Taken away in 2026, although the document still lists some of them (PLATFORM.md).
DEAD_ENDS = re.compile(r"^/(playlists/[^/]+/tracks|users/|tracks/?\?ids|artists/?\?ids|albums/?\?ids|audio-|recommend)")


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    opened = Misbehaving()
    opened.read_answer = {
        "items": [{"id": PLAYLIST, "snippet": {"title": "Old", "description": "Kept"}, "owner": {"id": "alice"}}],
        "id": "alice",
    }
    yield opened
    opened.close()


@pytest.fixture
async def room(sqlite_url: str, server: Misbehaving) -> AsyncIterator[Room]:
    config = ServiceConfig(
        spotify_client_id="id",
        google_client_id="id",
        spotify_api_url=f"{server.url}/v1",
        youtube_api_url=server.url,
    )
    async with music_room(sqlite_url, config) as opened:
        yield opened


async def asked(room: Room, server: Misbehaving, service: Service, what: str) -> list[Seen]:
    adapter: MusicService = await room.services.for_account(await linked(room, service))
    await EVERYTHING[what](adapter)
    return server.seen


def read_parameter(schema: dict[str, Any], text: str) -> object:
    return TYPES[schema.get("type", "string")](text)


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    if not SPOTIFY.is_file():
        pytest.skip("Spotify's OpenAPI document (../shared/data/schemas) is not here")
    document: dict[str, Any] = yaml.load(SPOTIFY.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return document


def resolved(document: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in found:
        target: Any = document
        for step in found["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found = target
    return found


def operation_of(document: dict[str, Any], request: Seen) -> tuple[str, dict[str, Any]]:
    path = urlsplit(request.path).path.removeprefix("/v1").rstrip("/")
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and request.method.lower() in operations:
            return template, operations[request.method.lower()]
    raise AssertionError(f"Spotify describes no {request.method} {path}")


@pytest.mark.parametrize("what", EVERYTHING)
async def test_requests_to_spotify_agree_with_its_openapi_document(
    room: Room, server: Misbehaving, openapi: dict[str, Any], what: str
) -> None:
    for request in await asked(room, server, Service.SPOTIFY, what):
        assert not DEAD_ENDS.match(request.path.removeprefix("/v1"))
        template, operation = operation_of(openapi, request)
        described = {one["name"]: one for one in (resolved(openapi, one) for one in operation.get("parameters", []))}
        for name, value in parse_qsl(urlsplit(request.path).query):
            if (template, name) == ("/playlists/{playlist_id}/items", "position"):
                assert int(value) >= 0
                continue
            assert name in described, f"{request.method} {template} has no parameter {name}"
            schema = described[name]["schema"]
            jsonschema.validate(read_parameter(schema, value), {k: v for k, v in schema.items() if k != "example"})
        if request.body:
            body = json.loads(request.body)
            if isinstance(body, list):  # spotipy sends the bare list, which the service takes as well
                body = {"uris": body}
                assert len(body["uris"]) <= 100
            jsonschema.validate(body, operation["requestBody"]["content"]["application/json"]["schema"])
            assert request.headers["content-type"] == "application/json"


@pytest.fixture(scope="module")
def discovery() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(get_static_doc("youtube", "v3"))
    return document


def methods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in document["resources"].values():
        yield from resource.get("methods", {}).values()


@pytest.mark.parametrize("what", [name for name in EVERYTHING if "isrc" not in name])
async def test_requests_to_youtube_agree_with_googles_discovery_document(
    room: Room, server: Misbehaving, discovery: dict[str, Any], what: str
) -> None:
    for request in await asked(room, server, Service.YOUTUBE, what):
        parts = urlsplit(request.path)
        (method,) = (
            one for one in methods(discovery) if f"/{one['path']}" == parts.path and one["httpMethod"] == request.method
        )
        described = {**discovery["parameters"], **method["parameters"]}
        given = dict(parse_qsl(parts.query))
        assert given.keys() <= described.keys()
        assert {name for name, one in method["parameters"].items() if one.get("required")} <= given.keys()
        for name, value in given.items():
            one = described[name]
            if "minimum" in one:
                assert int(one["minimum"]) <= int(value) <= int(one["maximum"])
        if request.method == "GET":
            assert given["part"]
            assert given["fields"]  # what nobody reads is not fetched
        if request.body:
            check(discovery, json.loads(request.body), method["request"]["$ref"])


def check(document: dict[str, Any], body: dict[str, Any], name: str) -> None:
    """The body holds nothing that the schema does not know, down to the leaves."""
    properties = document["schemas"][name]["properties"]
    for key, value in body.items():
        assert key in properties, f"{name} has no {key}"
        if "$ref" in properties[key]:
            check(document, value, properties[key]["$ref"])
        else:
            expected = {"string": str, "integer": int, "boolean": bool, "array": list}[properties[key]["type"]]
            assert isinstance(value, expected)


def test_what_we_ask_google_for_are_fields_that_it_has(discovery: dict[str, Any]) -> None:
    from bot.services.youtube import adapter

    for fields, name in (
        (adapter._PLAYLIST_FIELDS, "PlaylistListResponse"),
        (adapter._ENTRY_FIELDS, "PlaylistItemListResponse"),
        (adapter._COPY_FIELDS, "PlaylistItemListResponse"),
        (adapter._LENGTH_FIELDS, "VideoListResponse"),
        (adapter._VIDEO_FIELDS, "VideoListResponse"),
    ):
        known(discovery, tree(fields), name)


def tree(fields: str) -> dict[str, Any]:
    """A field mask as nested objects: ``a(b,c/d)``."""
    found: dict[str, Any] = {}
    for part in at_top_level(fields):
        name, inner = re.fullmatch(r"(\w+)[(/]?(.*?)\)?", part).groups()  # type: ignore[union-attr]
        found[name] = tree(inner) if inner else {}
    return found


def at_top_level(fields: str) -> list[str]:
    """The mask cut at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for sign in fields:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def known(document: dict[str, Any], wanted: dict[str, Any], name: str) -> None:
    properties = document["schemas"][name]["properties"]
    for key, inner in wanted.items():
        assert key in properties, f"{name} has no {key}"
        target = properties[key].get("items", properties[key])
        if inner:
            known(document, inner, target["$ref"])
