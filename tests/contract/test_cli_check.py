"""``crossfade check`` against a local Discord, Spotify and Google: each failure has its remedy."""

import base64
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.check import Finding, find_out
from bot.config import Settings, settings_from
from bot.sandbox import Sandbox

TOKEN = "discord-token"


class Outside:
    """The three services; ``google`` is the word with which the token endpoint refuses."""

    def __init__(self) -> None:
        self.url = ""
        self.google = "invalid_grant"
        self.broken: web.Response | None = None
        self.redirects: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.broken is not None:
            return web.Response(status=self.broken.status, text=self.broken.text)
        return await {"users": self._discord, "guilds": self._discord, "api": self._spotify, "token": self._google}[
            request.path.split("/")[1]
        ](request)

    async def _discord(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)
        if request.path == "/users/@me":
            return web.json_response({"id": "1", "username": "Crossfade"})
        if request.path == "/guilds/42":
            return web.json_response({"id": "42", "name": "Friends"})
        return web.json_response({"message": "Unknown Guild", "code": 10004}, status=404)

    async def _spotify(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        good = base64.b64encode(b"spot:fy").decode()
        if request.headers.get("Authorization") != f"Basic {good}" or form["grant_type"] != "client_credentials":
            return web.json_response({"error": "invalid_client"}, status=400)
        return web.json_response({"access_token": "a", "token_type": "Bearer", "expires_in": 3600})

    async def _google(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.redirects.append(str(form["redirect_uri"]))
        return web.json_response({"error": self.google}, status=401 if self.google == "invalid_client" else 400)


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    world = Outside()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", world.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield world
    await runner.cleanup()


def settings(world: Outside, folder: Path, **values: Any) -> Settings:
    given = {
        "discord_token": TOKEN, "spotify_client_id": "spot", "spotify_client_secret": "fy", "google_client_id": "goo",
        "google_client_secret": "gle", "discord_api_url": world.url, "spotify_accounts_url": world.url,
        "google_token_url": f"{world.url}/token", "http_port": 0,
        "database_url": f"sqlite+aiosqlite:///{folder}/crossfade.db",
    }  # fmt: skip
    return settings_from(given | values, key_file=folder / "secret.key")


def finding(findings: list[Finding], subject: str) -> Finding:
    (found,) = [one for one in findings if one.subject.startswith(subject)]
    return found


async def test_with_everything_right_nothing_needs_a_remedy(outside: Outside, tmp_path: Path) -> None:
    findings = await find_out(settings(outside, tmp_path, sync_guild_id=42))
    assert [one for one in findings if one.remedy] == []
    assert finding(findings, "DISCORD_TOKEN").result == "logs in as Crossfade"
    assert finding(findings, "SYNC_GUILD_ID").result == "the bot is in Friends"
    assert "http://127.0.0.1:8080/oauth/youtube/callback" in finding(findings, "PUBLIC_URL").result
    assert outside.redirects == ["http://127.0.0.1:8080/oauth/youtube/callback"]


@pytest.mark.parametrize(
    ("values", "subject", "remedy"),
    [
        ({"discord_token": "wrong"}, "DISCORD_TOKEN", "Reset the token"),
        ({"discord_token": None}, "DISCORD_TOKEN", "Make a bot"),
        ({"sync_guild_id": 43}, "SYNC_GUILD_ID", "Invite the bot"),
        ({"spotify_client_secret": "wrong"}, "SPOTIFY_CLIENT_ID", "developer.spotify.com"),
        ({"http_port": 9000}, "PUBLIC_URL", "http://127.0.0.1:9000"),
        ({"discord_api_url": "http://127.0.0.1:9"}, "DISCORD_TOKEN", "way to 127.0.0.1"),
        ({"redis_url": "redis://127.0.0.1:9/0"}, "REDIS_URL", "a Redis server that runs"),
        ({"redis_url": "localhost"}, "REDIS_URL", "redis://user:password@host"),
    ],
)
async def test_each_wrong_credential_has_its_remedy(
    outside: Outside, tmp_path: Path, values: dict[str, object], subject: str, remedy: str
) -> None:
    findings = await find_out(settings(outside, tmp_path, **values))
    assert remedy in finding(findings, subject).remedy
    assert [one.subject for one in findings if one.remedy] == [finding(findings, subject).subject]


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("invalid_client", "console.cloud.google.com"),
        ("redirect_uri_mismatch", "/oauth/youtube/callback"),
        ("temporarily_unavailable", "try again"),
    ],
)
async def test_googles_refusals_are_told_apart(outside: Outside, tmp_path: Path, word: str, remedy: str) -> None:
    outside.google = word
    findings = await find_out(settings(outside, tmp_path))
    assert remedy in finding(findings, "GOOGLE_CLIENT_ID").remedy


@pytest.mark.parametrize("broken", [(503, "{}"), (200, "<html>a proxy's page</html>"), (500, "[1]")])
async def test_a_service_that_is_down_is_not_called_a_wrong_credential(
    outside: Outside, tmp_path: Path, broken: tuple[int, str]
) -> None:
    outside.broken = web.Response(status=broken[0], text=broken[1])
    findings = await find_out(settings(outside, tmp_path))
    for subject in ("DISCORD_TOKEN", "SPOTIFY_CLIENT_ID", "GOOGLE_CLIENT_ID"):
        assert "try again" in finding(findings, subject).remedy


async def test_absent_services_are_no_failure(outside: Outside, tmp_path: Path) -> None:
    nothing = dict.fromkeys(
        ("spotify_client_id", "spotify_client_secret", "google_client_id", "google_client_secret"), None
    )
    findings = await find_out(settings(outside, tmp_path, **nothing))
    assert [one for one in findings if one.remedy] == []


async def test_a_port_in_use_is_found(outside: Outside, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        findings = await find_out(
            settings(outside, tmp_path, http_port=port, public_url=f"http://127.0.0.1:{port}", discord_token=None)
        )
    assert f"Port {port}" in finding(findings, "HTTP_HOST").remedy


async def test_a_database_that_cannot_be_used_is_found(outside: Outside, tmp_path: Path) -> None:
    (tmp_path / "crossfade.db").write_text("not a database, " * 100)
    findings = await find_out(settings(outside, tmp_path))
    assert "DATABASE_URL" in finding(findings, "DATABASE_URL").remedy
    assert (tmp_path / "crossfade.db").read_text().startswith("not a database")


async def test_the_sandbox_accepts_its_own_clients_and_no_others(tmp_path: Path) -> None:
    with Sandbox.open(seed=1) as sandbox:
        given = {
            "spotify_client_id": sandbox.spotify_client_id, "spotify_client_secret": sandbox.spotify_client_secret,
            "google_client_id": sandbox.google_client_id, "google_client_secret": sandbox.google_client_secret,
            "spotify_accounts_url": sandbox.spotify_accounts_url, "google_token_url": sandbox.google_token_url,
            "http_port": 0, "database_url": f"sqlite+aiosqlite:///{tmp_path}/crossfade.db",
        }  # fmt: skip
        wrong = given | {"spotify_client_secret": "guess", "google_client_secret": "guess"}
        right_findings = await find_out(settings_from(given, key_file=tmp_path / "secret.key"))
        wrong_findings = await find_out(settings_from(wrong, key_file=tmp_path / "secret.key"))
    for subject in ("SPOTIFY_CLIENT_ID", "GOOGLE_CLIENT_ID"):
        assert finding(right_findings, subject).remedy == ""
        assert "refuses them" in finding(wrong_findings, subject).result


async def test_no_finding_repeats_a_secret(outside: Outside, tmp_path: Path) -> None:
    secret = "s3cr3t-v4lue-of-somebody"
    findings = await find_out(
        settings(outside, tmp_path, discord_token=secret, spotify_client_secret=secret, google_client_secret=secret)
    )
    assert secret not in repr(findings)
