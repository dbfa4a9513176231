"""``crossfade run`` as a whole process, against a Discord and music services that are simulated at the wire."""

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest

import cogs
from bot.config import Settings
from bot.sandbox import Sandbox
from tests.fake_discord import GUILD, FakeDiscord, open_discord

ROOT = Path(__file__).parents[2]
DOWN_SECONDS = 10.0


class Bot:
    """A running ``crossfade run``."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    async def up(self, discord: FakeDiscord) -> None:
        """Returns once Discord has taken the session; fails with what the bot said when it ended instead."""
        taken = asyncio.create_task(discord.until(lambda: discord.identified == 1))
        ended = asyncio.create_task(self.process.wait())
        await asyncio.wait([taken, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if self.process.returncode is not None:
            taken.cancel()
            pytest.fail(f"ended with {await self.end()}")
        await taken

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, await response.text()

    async def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Exit code, seconds that it took, and everything that the bot said."""
        began = time.monotonic()
        self.process.send_signal(number)
        code, said = await self.end()
        return code, time.monotonic() - began, said

    async def end(self, seconds: float = DOWN_SECONDS) -> tuple[int, str]:
        said, _ = await asyncio.wait_for(self.process.communicate(), seconds)
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.open(seed=1) as opened:
        yield opened


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with open_discord() as opened:
        yield opened


@asynccontextmanager
async def running(folder: Path, discord: FakeDiscord, sandbox: Sandbox, **more: str) -> AsyncIterator[Bot]:
    """``crossfade run`` in ``folder``, with these settings and nothing else of ours in its environment."""
    port = _free_port()
    ours = {name.upper() for name in Settings.model_fields}
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    environment |= discord.settings | _services(sandbox)
    environment |= {"HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"} | more
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run",
        cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Bot(process, f"http://127.0.0.1:{port}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _services(sandbox: Sandbox) -> dict[str, str]:
    names = (
        "spotify_client_id", "spotify_client_secret", "google_client_id", "google_client_secret", "spotify_api_url",
        "spotify_accounts_url", "youtube_api_url", "google_auth_url", "google_token_url", "ytmusic_api_url",
        "listenbrainz_api_url", "musicbrainz_api_url",
    )  # fmt: skip
    return {name.upper(): getattr(sandbox, name) for name in names}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_bot_comes_up_answers_and_goes_when_it_is_told(
    tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox
) -> None:
    async with running(tmp_path, discord, sandbox) as bot:
        await bot.up(discord)
        assert discord.synced_to == "everywhere"
        assert len(discord.commands) >= len(cogs.NAMES) - 2  # two cogs have buttons only
        assert (await bot.get("/healthz"))[0] == 200
        assert (await bot.get("/readyz"))[0] == 200
        assert (await bot.get("/api/dashboard/stats"))[0] == 200
        for command in ("help", "stats", "quota"):
            answer = await discord.press(command)
            assert answer.seconds < 1.0, command
            assert answer.message["embeds"], command
            assert "wrong" not in str(answer.message["embeds"]).lower(), command
        await discord.until(lambda: discord.beats >= 3)
        code, seconds, said = await bot.stop()
    assert (code, discord.unknown) == (0, [])
    assert seconds < 5.0
    assert "Traceback" not in said
    assert discord.token not in said


async def test_with_a_sync_guild_the_commands_go_there(tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox) -> None:
    async with running(tmp_path, discord, sandbox, SYNC_GUILD_ID=str(GUILD)) as bot:
        await bot.up(discord)
        assert discord.synced_to == "guild"
        assert (await bot.stop(signal.SIGINT))[0] == 0


async def test_a_refused_token_is_one_sentence(tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox) -> None:
    async with running(tmp_path, discord, sandbox, DISCORD_TOKEN="wrong.token", LOG_LEVEL="error") as bot:
        code, said = await bot.end(30.0)
    assert code == 1
    assert said.strip() == (
        "Discord refused DISCORD_TOKEN; copy it anew from the developer portal (Bot → Reset Token)."
    )
    assert discord.identified == 0


@pytest.mark.parametrize(("close_code", "word"), [(4004, "DISCORD_TOKEN"), (4014, "intents"), (4013, "4013")])
async def test_a_gateway_that_refuses_the_session_ends_the_bot_with_a_sentence(
    tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox, close_code: int, word: str
) -> None:
    discord.close_code = close_code
    async with running(tmp_path, discord, sandbox, LOG_LEVEL="error") as bot:
        code, said = await bot.end(30.0)
    assert code == 1
    assert word in said
    assert len(said.strip().splitlines()) == 1


async def test_an_unreachable_discord_is_one_sentence(tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox) -> None:
    nowhere = f"http://127.0.0.1:{_free_port()}/api/v10"
    async with running(tmp_path, discord, sandbox, DISCORD_API_URL=nowhere, LOG_LEVEL="error") as bot:
        code, said = await bot.end(30.0)
    assert code == 1
    assert said.startswith("Discord cannot be reached now")
    assert len(said.strip().splitlines()) == 1


async def test_a_lost_gateway_is_found_again_and_the_bot_answers_on(
    tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox
) -> None:
    async with running(tmp_path, discord, sandbox) as bot:
        await bot.up(discord)
        await discord.ask_to_reconnect()
        await discord.until(lambda: discord.resumed == 1)
        await discord.drop()
        await discord.until(lambda: discord.resumed == 2)
        assert (await discord.press("help")).message["embeds"]
        code, _, said = await bot.stop()
    assert (code, discord.identified) == (0, 1)
    assert "Traceback" not in said


async def test_a_bot_whose_database_is_gone_is_not_ready(
    tmp_path: Path, discord: FakeDiscord, sandbox: Sandbox
) -> None:
    async with running(tmp_path, discord, sandbox) as bot:
        await bot.up(discord)
        assert (await bot.get("/readyz"))[0] == 200
        with closing(sqlite3.connect(tmp_path / "data" / "crossfade.db")) as database:
            database.execute("DROP TABLE meta")
        async with asyncio.timeout(10):
            while (await bot.get("/readyz"))[0] == 200:
                pass  # an answer is shared for a second
        assert (await bot.get("/healthz"))[0] == 200
        assert (await bot.stop())[0] == 0
