"""The stage of the demo: simulated services, settings that point at them, and people who are already linked."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.app import web_app
from bot.clock import Clock, SystemClock
from bot.config import Settings, settings_from
from bot.logs.setup import open_logs
from bot.model.account import Account, AccountStatus
from bot.model.errors import UserMistake
from bot.model.music import Service
from bot.runtime import Runtime, open_runtime
from bot.sandbox import Sandbox
from bot.web.server import open_web
from storage import Storage, open_storage

GUILD = 1_100_000_000_000_000_001
ALICE = 1_100_000_000_000_000_101
MAPPING = "Road trip"
MARK = "demo"  # the note in the database, and the file beside it, that say whose it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    sandbox: Sandbox
    runtime: Runtime


@asynccontextmanager
async def open_stage(
    data: Path, seed: int, *, log_level: str = "error", log: Path | None = None, clock: Clock | None = None
) -> AsyncIterator[Stage]:
    """Services, runtime and web server over the folder ``data``; nothing works by itself yet.

    ``log``: a file in place of the terminal for what is logged. ``clock``: the time of the program and of the services
    alike, the system's if not given.

    Raises UserMistake for a folder whose database is not a demo's, or whose world has another seed.
    """
    async with AsyncExitStack() as stack:
        await _refuse_foreign(data)
        clock = clock or SystemClock()
        sandbox = stack.enter_context(_open_sandbox(data, seed, clock))
        port = _free_port()
        settings = _settings(sandbox, data, port, log_level)
        for service in Service:
            sandbox.world.register_redirect(service.value, settings.redirect_uri(service.value))
        stream = None if log is None else stack.enter_context(log.open("a", encoding="utf-8"))
        logs = stack.enter_context(
            open_logs(level=log_level, secrets=settings.secret_values, now=clock.now, stream=stream)
        )
        runtime = await stack.enter_async_context(open_runtime(settings, logs, clock=clock))
        await runtime.storage.meta.put(MARK, "1")
        await stack.enter_async_context(open_web(web_app(runtime), host="127.0.0.1", port=port))
        yield Stage(sandbox=sandbox, runtime=runtime)


async def link(stage: Stage, discord_user_id: int, guild_id: int) -> list[Account]:
    """The person's accounts on both services, linked through the real consent pages where they are not yet."""
    runtime = stage.runtime
    for service in Service:
        if not await _connected(runtime.storage, discord_user_id, service):
            await _consent(runtime, service, discord_user_id, guild_id)
    return await runtime.accounts.of_user(discord_user_id)


async def _connected(storage: Storage, discord_user_id: int, service: Service) -> bool:
    accounts = await storage.accounts.of_user(discord_user_id)
    return any(one.service is service and one.status is AccountStatus.CONNECTED for one in accounts)


async def _consent(runtime: Runtime, service: Service, discord_user_id: int, guild_id: int) -> None:
    """What a browser does after the press on the link button; the simulated consent page says yes at once."""
    state = await runtime.oauth.begin(service, discord_user_id, guild_id)
    start = f"{runtime.settings.public_url}/oauth/{service.value}/start"
    async with aiohttp.ClientSession() as browser, browser.get(start, params={"state": state}) as page:
        if page.status != 200:
            raise UserMistake(f"The simulated login at {service.label} failed with status {page.status}.")
    for account in await runtime.accounts.of_user(discord_user_id):
        if account.service is service and account.status is AccountStatus.PENDING:
            await runtime.accounts.confirm(account.id, discord_user_id)


def _open_sandbox(data: Path, seed: int, clock: Clock) -> Sandbox:
    try:
        return Sandbox.open(seed=seed, data=data / "world", clock=clock.now)
    except ValueError as error:
        raise UserMistake(f"{data} holds a demo with another seed: give its --seed, or another --data.") from error


async def _refuse_foreign(data: Path) -> None:
    """Leave a database that is not a demo's as it is, unmigrated even.

    The file of the mark is written before the database: a first start that died between the two is still a demo's.
    """
    database, mark = data / "crossfade.db", data / MARK
    if database.exists() and not mark.exists():
        raise UserMistake(f"The database in {data} is not a demo's; give the demo another folder with --data.")
    mark.write_text("This folder belongs to the demo.\n", encoding="utf-8")
    if database.exists():
        await _refuse_in_use(database, data)


async def _refuse_in_use(database: Path, data: Path) -> None:
    """A database that somebody copied over the demo's has accounts but no mark of its own."""
    async with open_storage(_url(database), clock=SystemClock(), migrate=False) as storage:
        if not await storage.meta.get(MARK) and await storage.accounts.connected():
            raise UserMistake(f"The database in {data} is not a demo's; give the demo another folder with --data.")


def _url(database: Path) -> str:
    return f"sqlite+aiosqlite:///{database}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(sandbox: Sandbox, data: Path, port: int, log_level: str) -> Settings:
    return settings_from(
        {
            "public_url": f"http://127.0.0.1:{port}",
            "http_port": port,
            "database_url": _url(data / "crossfade.db"),
            "spotify_client_id": sandbox.spotify_client_id,
            "spotify_client_secret": sandbox.spotify_client_secret,
            "google_client_id": sandbox.google_client_id,
            "google_client_secret": sandbox.google_client_secret,
            "spotify_api_url": sandbox.spotify_api_url,
            "spotify_accounts_url": sandbox.spotify_accounts_url,
            "youtube_api_url": sandbox.youtube_api_url,
            "google_auth_url": sandbox.google_auth_url,
            "google_token_url": sandbox.google_token_url,
            "ytmusic_api_url": sandbox.ytmusic_api_url,
            "listenbrainz_api_url": sandbox.listenbrainz_api_url,
            "musicbrainz_api_url": sandbox.musicbrainz_api_url,
            "settle_seconds": 2,
            "log_level": log_level,
        },
        key_file=data / "secret.key",
    )
