"""The room of the journeys: simulated Discord, Spotify and YouTube around the real runtime and the real bot."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import simcord

from bot.app import web_app
from bot.client import CrossfadeBot
from bot.config import settings_from
from bot.engine.mappings import NewMapping
from bot.logs.setup import open_logs
from bot.model.account import Account, AccountStatus
from bot.model.logline import LogLine
from bot.model.mapping import Mapping, Removals
from bot.model.music import Service
from bot.runtime import Runtime, open_runtime
from bot.sandbox import Sandbox
from bot.web.server import open_web
from tests.clock import FakeClock

SETTLE = 30.0  # seconds of real time that an action may take on a busy machine; none waits for it to pass


@dataclass(slots=True, kw_only=True)
class Room:
    """One server with three people: an admin (Manage Server), a moderator (Manage Messages) and a member."""

    sandbox: Sandbox
    runtime: Runtime
    clock: FakeClock
    env: Any
    guild: Any
    channel: Any
    log_channel: Any
    admin: Any
    moderator: Any
    member: Any

    async def link(self, person: Any, service: Service = Service.SPOTIFY) -> Account:
        """The person's account of the sandbox's ``default_account``, linked and confirmed without Discord."""
        state = await self.runtime.oauth.begin(service, person.id, self.guild.id)
        await self.browse(f"{self.runtime.settings.public_url}/oauth/{service.value}/start?state={state}")
        for account in await self.runtime.accounts.of_user(person.id):
            if account.service is service and account.status is AccountStatus.PENDING:
                confirmed = await self.runtime.accounts.confirm(account.id, person.id)
                await self.runtime.accounts.refresh_playlists(
                    account.id
                )  # for the autocomplete; known when this returns
                return confirmed
        raise AssertionError("the consent brought no account")

    async def browse(self, url: str) -> tuple[int, str]:
        """Open ``url`` as a browser does; consent pages say yes at once. Status and page, when all is settled."""
        async with aiohttp.ClientSession() as browser, browser.get(url) as page:
            status, text = page.status, await page.text()
        await self.env.settle()
        return status, text

    async def mapping(
        self, tracks: int = 5, *, name: str = "Trip", lost: int = 0, first: int = 0, **fields: Any
    ) -> Mapping:
        """A mapping of the admin's new Spotify playlist with so many tracks onto a new, empty YouTube playlist.

        ``lost``: so many tracks without a right video come first.
        """
        world = self.sandbox.world
        for service in Service:
            if not [one for one in await self.runtime.accounts.of_user(self.admin.id) if one.service is service]:
                await self.link(self.admin, service)
        missing = [track.id for track in world.tracks if not world.right_videos(track.id)][:lost]
        found = [track.id for track in world.tracks if world.right_videos(track.id)]
        chosen = missing + found[first : first + tracks - lost]
        left = world.create_spotify_playlist("alice", f"{name} left", chosen)
        right = world.create_youtube_playlist("alice", f"{name} right", [])
        new = NewMapping(
            guild_id=self.guild.id,
            actor_id=self.admin.id,
            name=name,
            left=f"https://open.spotify.com/playlist/{left}",
            right=f"https://www.youtube.com/playlist?list={right}",
            removals=fields.pop("removals", Removals.KEEP),
            **fields,
        )
        return await self.runtime.mappings.create(new)

    async def work(self, mapping_id: int | None = None) -> None:
        """Let the engine work until nothing is due, and Discord show it."""
        await self.runtime.executor.drain(mapping_id)
        await self.env.settle()

    async def until(self, condition: Callable[[], object]) -> None:
        """Let what runs in the background (the log feed) go on until ``condition`` holds."""
        async with asyncio.timeout(SETTLE):
            while not condition():  # noqa: ASYNC110 - the feed's tasks have no event of ours to wait for
                await asyncio.sleep(0)

    async def restart(self) -> None:
        """A new process of the bot in the same Discord; the database stays."""
        await self.env.bot.close()
        await self.env.restart_bot(CrossfadeBot(self.runtime))

    async def lines(self) -> list[LogLine]:
        """The log of all servers, newest first."""
        await self.runtime.log.flush()
        return await self.runtime.storage.logs.query(None, limit=500)

    async def forge(self, channel: Any, *custom_ids: str) -> Any:
        """A message of the bot's in ``channel`` with buttons that carry these ids, whatever they mean."""
        view = discord.ui.View(timeout=None)
        for custom_id in custom_ids:
            view.add_item(discord.ui.Button(label="Press", custom_id=custom_id))
        return await self.env.bot.get_channel(channel.id).send(view=view)

    def last(self, channel: Any | None = None) -> Any:
        return (channel or self.channel).last_message


@asynccontextmanager
async def open_room(tmp_path: Path, *, bugs: bool = False, **settings: Any) -> AsyncIterator[Room]:
    """Everything opened in the order of the program. The engine works when ``Room.work`` says so.

    Unless ``bugs``, the log must hold no error that nobody expected when the journey ends.
    """
    clock = FakeClock()
    async with AsyncExitStack() as stack:
        sandbox = stack.enter_context(Sandbox.open(clock=clock.now))
        chosen = settings_from(_settings(sandbox, tmp_path) | settings, key_file=tmp_path / "secret.key")
        logs = stack.enter_context(open_logs(level="info", now=clock.now, stream=io.StringIO()))
        runtime = await stack.enter_async_context(open_runtime(chosen, logs, clock=clock))
        address = await stack.enter_async_context(open_web(web_app(runtime), host="127.0.0.1", port=chosen.http_port))
        assert address == chosen.public_url
        for service in Service:
            sandbox.world.register_redirect(service.value, chosen.redirect_uri(service.value))
        # Runtime, web and engine stand outside the simulated Discord: their work is not the bot's own.
        env = await stack.enter_async_context(simcord.run(CrossfadeBot(runtime), settle_timeout=SETTLE))
        guild = env.create_guild("Friends")
        moderators = guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
        admins = guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
        room = Room(
            sandbox=sandbox,
            runtime=runtime,
            clock=clock,
            env=env,
            guild=guild,
            channel=guild.create_text_channel("music"),
            log_channel=guild.create_text_channel("log"),
            admin=guild.add_member(env.create_user("ada"), roles=[admins]),
            moderator=guild.add_member(env.create_user("max"), roles=[moderators]),
            member=guild.add_member(env.create_user("mia")),
        )
        yield room
        assert bugs or not [line for line in await room.lines() if line.event == "bug"]


def said(message: Any) -> str:
    """Everything that a message shows: content, embeds, labels."""
    parts = [message.content or ""]
    for embed in message.embeds:
        parts += [embed.title or "", embed.description or "", embed.footer.text or ""]
        parts += [f"{field.name}\n{field.value}" for field in embed.fields]
    return "\n".join(parts)


def custom_ids(message: Any) -> list[str]:
    """The custom ids of the message's buttons and selects, in order."""
    found = []
    for row in message.components:
        children = row["components"] if isinstance(row, dict) else row.children
        for child in children:
            custom_id = child.get("custom_id") if isinstance(child, dict) else getattr(child, "custom_id", None)
            if custom_id:
                found.append(custom_id)
    return found


def answer(result: Any) -> Any:
    """What the person reads in the end: the answer, else the last follow-up."""
    return result.followups[-1] if result.followups else result.response


def link_url(message: Any) -> str:
    """The address behind the message's link button."""
    for row in message.components:
        for child in row["components"]:
            if child.get("url"):
                return str(child["url"])
    raise AssertionError("no link button")


def _settings(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    port = _free_port()
    return {
        "public_url": f"http://127.0.0.1:{port}",
        "http_port": port,
        "database_url": f"sqlite+aiosqlite:///{folder / 'crossfade.db'}",
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
        "settle_seconds": 1,
    }


def _free_port() -> int:
    """A port for the redirect addresses, which must be known before the server listens."""

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
