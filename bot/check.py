"""Tests every setting and credential against the world outside, and says what to do about each failure."""

import asyncio
import os
import socket
import stat
from base64 import b64encode
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from rich.table import Table
from rich.text import Text

from bot.clock import SystemClock
from bot.config import KEY_FILE, Settings
from bot.model.errors import CrossfadeError
from bot.services.cache_store import BROKEN, open_store
from bot.web.server import address_error

ANSWER_SECONDS = 10.0
NEIGHBOUR_TIMEOUT = aiohttp.ClientTimeout(total=1.0)  # what listens on our own port answers at once, or is not ours
MADE_UP_CODE = "crossfade-check"  # no consent gave it, so that a good client id is told "invalid_grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result for one thing; ``remedy`` is '' when it is in order."""

    subject: str
    result: str
    remedy: str = ""


async def find_out(settings: Settings) -> list[Finding]:
    """Test everything, the slow things at once; the findings come in a fixed order."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        tests: Sequence[Awaitable[Finding]] = (
            _database(settings),
            _keys(settings),
            _port(settings, session),
            _public_url(settings),
            _discord(settings, session),
            _sync_guild(settings, session),
            _spotify(settings, session),
            _google(settings, session),
            _redis(settings),
        )
        return list(await asyncio.gather(*tests))


def as_table(findings: Sequence[Finding]) -> Table:
    table = Table("", "What", "Result", "What to do")
    for finding in findings:
        mark = Text("failed", style="bold red") if finding.remedy else Text("ok", style="green")
        # As Text: nothing in a finding is markup.
        table.add_row(mark, Text(finding.subject), Text(finding.result), Text(finding.remedy))
    return table


async def _database(settings: Settings) -> Finding:
    # Late: it brings SQLAlchemy along.
    from storage import open_storage
    from storage.errors import DatabaseLocked

    subject = "DATABASE_URL"
    file = _sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        return _new_file(subject, file)
    try:
        async with open_storage(
            settings.database_url, keys=settings.keys, clock=SystemClock(), migrate=False
        ) as storage:
            await storage.db.check_writable()
    except DatabaseLocked:
        return Finding(subject=subject, result="in use by a bot that runs now; it was checked at its start")
    except CrossfadeError as error:
        return Finding(subject=subject, result="cannot be used", remedy=str(error))
    return Finding(subject=subject, result="writable and up to date")


def _sqlite_file(url: str) -> Path | None:
    return Path(url.partition(":///")[2].partition("?")[0]) if url.startswith("sqlite") else None


def _new_file(subject: str, file: Path) -> Finding:
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding(subject=subject, result=f"{file} will be created at the first start")
    return Finding(
        subject=subject,
        result="cannot be created",
        remedy=f"Make {folder} writable for this user, or name another file.",
    )


async def _keys(settings: Settings) -> Finding:
    count = len(settings.keys)
    if KEY_FILE.exists() and stat.S_IMODE(KEY_FILE.stat().st_mode) & 0o077 and os.name == "posix":
        return Finding(subject="SECRET_KEYS", result=f"others may read {KEY_FILE}", remedy=f"Run chmod 600 {KEY_FILE}.")
    return Finding(subject="SECRET_KEYS", result=f"{count} key{'' if count == 1 else 's'} of 32 bytes")


async def _port(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    subject, host, port = "HTTP_HOST, HTTP_PORT", settings.http_host, settings.http_port
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        if await _is_ours(session, host, port):
            return Finding(subject=subject, result=f"port {port} serves a bot that runs now")
        return Finding(
            subject=subject, result=f"cannot listen on {host}:{port}", remedy=str(address_error(error, host, port))
        )
    server.close()
    return Finding(subject=subject, result=f"{host}:{port} is free")


async def _is_ours(session: aiohttp.ClientSession, host: str, port: int) -> bool:
    address = f"[{host}]" if ":" in host else host
    try:
        async with session.get(f"http://{address}:{port}/healthz", timeout=NEIGHBOUR_TIMEOUT) as response:
            return response.headers.get("Server") == "crossfade"
    except (aiohttp.ClientError, TimeoutError, socket.gaierror):
        return False


async def _public_url(settings: Settings) -> Finding:
    parts = urlsplit(settings.public_url)
    direct = parts.scheme == "http"  # plain http is allowed on loopback only, so that no proxy stands between
    named = parts.port or 80
    if direct and settings.http_port and named != settings.http_port:
        return Finding(
            subject="PUBLIC_URL",
            result=f"names port {named}, but the bot listens on {settings.http_port}",
            remedy=f"Set PUBLIC_URL to http://{parts.hostname}:{settings.http_port}, or HTTP_PORT to {named}.",
        )
    addresses = " and ".join(settings.redirect_uri(service) for service in ("spotify", "youtube"))
    return Finding(subject="PUBLIC_URL", result=f"redirect URIs for your apps: {addresses}")


async def _discord(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    subject = "DISCORD_TOKEN"
    if settings.discord_token is None:
        return Finding(
            subject=subject,
            result="is not set",
            remedy="Make a bot at https://discord.com/developers/applications and put its token into .env.",
        )
    answer = await _get_discord(settings, session, "/users/@me")
    if answer.status == 200:
        return Finding(subject=subject, result=f"logs in as {answer.body.get('username', 'a bot')}")
    if answer.status == 401:
        remedy = "Reset the token on the bot's page at https://discord.com/developers/applications and copy it anew."
        return Finding(subject=subject, result="Discord refuses it", remedy=remedy)
    return _no_answer(subject, "Discord", answer, settings.discord_api_url)


async def _sync_guild(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    subject = "SYNC_GUILD_ID"
    if settings.sync_guild_id is None or settings.discord_token is None:
        return Finding(subject=subject, result="not set: commands are synced globally")
    answer = await _get_discord(settings, session, f"/guilds/{settings.sync_guild_id}")
    if answer.status == 200:
        return Finding(subject=subject, result=f"the bot is in {answer.body.get('name', 'that server')}")
    if answer.status in (403, 404):
        remedy = "Invite the bot to that server with the scopes bot and applications.commands, or correct the id."
        return Finding(subject=subject, result="the bot is not in that server", remedy=remedy)
    return _no_answer(subject, "Discord", answer, settings.discord_api_url)


async def _redis(settings: Settings) -> Finding:
    subject = "REDIS_URL"
    if settings.redis_url is None:
        return Finding(subject=subject, result="not set: the cache lies beside the database")
    try:
        store = await open_store(settings.redis_url.get_secret_value(), Path(), 0)
        try:
            await store.ping()
        finally:
            await store.close()
    except BROKEN as error:
        remedy = (
            "Write redis://user:password@host:port/number (rediss:// with TLS) of a Redis server that runs, or leave it"
            " out; until then the bot works without a cache."
        )
        return Finding(subject=subject, result=f"no Redis answers there ({type(error).__name__})", remedy=remedy)
    return Finding(subject=subject, result="the cache lies in Redis")


async def _spotify(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    subject = "SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET"
    if settings.spotify_client_id is None or settings.spotify_client_secret is None:
        return Finding(subject=subject, result="not set: the bot goes without Spotify")
    pair = f"{settings.spotify_client_id}:{settings.spotify_client_secret.get_secret_value()}"
    headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    url = f"{settings.spotify_accounts_url}/api/token"
    answer = await _send(session, "POST", url, data={"grant_type": "client_credentials"}, headers=headers)
    if answer.status == 200:
        return Finding(subject=subject, result="Spotify accepts them")
    if answer.status in (400, 401, 403):
        remedy = "Copy both anew from the app's settings at https://developer.spotify.com/dashboard."
        return Finding(subject=subject, result="Spotify refuses them", remedy=remedy)
    return _no_answer(subject, "Spotify", answer, settings.spotify_accounts_url)


async def _google(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    subject = "GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET"
    if settings.google_client_id is None or settings.google_client_secret is None:
        return Finding(subject=subject, result="not set: the bot goes without YouTube")
    form = {
        "grant_type": "authorization_code",
        "code": MADE_UP_CODE,
        "client_id": settings.google_client_id,
        "client_secret": settings.google_client_secret.get_secret_value(),
        "redirect_uri": settings.redirect_uri("youtube"),
    }
    answer = await _send(session, "POST", settings.google_token_url, data=form)
    word = answer.body.get("error")
    if word == "invalid_grant":
        return Finding(subject=subject, result="Google knows them")
    if word == "redirect_uri_mismatch":
        remedy = f"Add {settings.redirect_uri('youtube')} to the client's authorised redirect URIs."
        return Finding(subject=subject, result="Google does not know the redirect URI", remedy=remedy)
    if word in ("invalid_client", "unauthorized_client"):
        remedy = "Copy both anew from the OAuth client at https://console.cloud.google.com/apis/credentials."
        return Finding(subject=subject, result="Google refuses them", remedy=remedy)
    return _no_answer(subject, "Google", answer, settings.google_token_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int  # 0: none came
    body: dict[str, Any]


async def _get_discord(settings: Settings, session: aiohttp.ClientSession, path: str) -> _Answer:
    assert settings.discord_token is not None
    headers = {"Authorization": f"Bot {settings.discord_token.get_secret_value()}"}
    return await _send(session, "GET", f"{settings.discord_api_url}{path}", headers=headers)


async def _send(session: aiohttp.ClientSession, method: str, url: str, **request: Any) -> _Answer:
    try:
        async with session.request(method, url, allow_redirects=False, **request) as response:
            body = await response.json(content_type=None)
            return _Answer(status=response.status, body=body if isinstance(body, dict) else {})
    except (aiohttp.ClientError, TimeoutError):
        return _Answer(status=0, body={})
    except ValueError:  # not JSON: a proxy's page, or no service of that kind
        return _Answer(status=-1, body={})


def _no_answer(subject: str, service: str, answer: _Answer, address: str) -> Finding:
    if answer.status == 0:
        remedy = f"Check this machine's way to {urlsplit(address).hostname} (network, proxy, firewall), then try again."
        return Finding(subject=subject, result=f"{service} does not answer", remedy=remedy)
    result = f"{service} answers with status {answer.status}" if answer.status > 0 else f"{service}'s answer is garbled"
    return Finding(subject=subject, result=result, remedy="Wait a few minutes and try again.")
