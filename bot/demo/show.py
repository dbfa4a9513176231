"""The demo in a browser page: the real bot in a simulated Discord, with people, playlists and work under way."""

import asyncio
import json
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import simcord

from bot.app import at_work
from bot.client import CrossfadeBot
from bot.demo.once import first_mapping
from bot.demo.stage import GUILD, Stage, link, open_stage
from bot.engine.mappings import NewMapping
from bot.web.server import address_error

REFRESH_SECONDS = 1.0  # what the bot posts by itself appears after a refresh
WRITE_SECONDS = 0.7  # each simulated write takes so long, so that a sync can be watched
HARD = "Hard to find"

WELCOME = """
Crossfade is at work in a simulated Discord, Spotify and YouTube. Open

    {url}

and try, as Alice, in #music:

  1. Watch "Road trip" being copied to YouTube; press Refresh under the numbers of /stats.
  2. Type /review: one song was not certain. Look at the candidates and choose.
  3. Type /sync, choose "Road trip" and preview: it shows what it would do and what that costs.

The world lives in {data}. Ctrl+C ends the demo.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    env: Any
    music: Any
    alice: Any


async def show(*, data: Path, seed: int, port: int, json_output: bool) -> int:
    """Serve the page until SIGINT or SIGTERM. Raises UserMistake, for one when the port is taken."""
    _check_port(port)
    async with open_stage(data, seed) as stage, at_work(stage.runtime):
        stage.sandbox.faults.random(rate=1.0, kinds=("slow",), writes_only=True, delay=WRITE_SECONDS)
        async with simcord.run(CrossfadeBot(stage.runtime), check_errors=False) as env:
            server = await _furnish(env)
            await _set_up(stage, server)
            async with env.preview(
                server.music, viewers=[server.alice], layout="channel", timezone="UTC", port=port or None
            ) as preview:
                _announce(preview.url, data, json_output=json_output)
                await _keep_fresh(env, preview)
    return 0


async def _furnish(env: Any) -> _Server:
    """A server with two channels and two people; its clock shows the real time."""
    owner = env.create_user("alice", global_name="Alice")
    guild = env.create_guild("Friends of good music", id=GUILD, owner=owner)
    music = guild.create_text_channel("music")
    guild.create_text_channel("crossfade-log")
    alice = guild.add_member(owner)
    guild.add_member(env.create_user("bob", global_name="Bob"))
    await _keep_time(env)
    return _Server(env=env, music=music, alice=alice)


async def _set_up(stage: Stage, server: _Server) -> None:
    """What Alice did before the visitor came: linked, mapped, and asked for a sync."""
    alice, music = server.alice, server.music
    await link(stage, alice.id, GUILD)
    await alice.slash(music, "setup", log_channel=server.env.guild.channels["crossfade-log"])
    road_trip = (await first_mapping(stage, actor_id=alice.id)).id
    hard = await _hard_mapping(stage, alice.id)
    await alice.slash(music, "stats")
    for mapping in (hard, road_trip):
        await alice.slash(music, "sync", mapping=str(mapping))


async def _hard_mapping(stage: Stage, actor_id: int) -> int:
    """A playlist of songs of which YouTube has only look-alikes: something to review."""
    runtime, world = stage.runtime, stage.sandbox.world
    existing = await runtime.storage.mappings.by_name(GUILD, HARD)
    if existing is not None:
        return existing.id
    songs = [one.id for one in world.tracks if world.lookalikes(one.id) and not world.right_videos(one.id)]
    left = world.create_spotify_playlist("alice", HARD, songs[:4])
    right = world.create_youtube_playlist("alice", HARD)
    mapping = await runtime.mappings.create(
        NewMapping(
            guild_id=GUILD,
            actor_id=actor_id,
            name=HARD,
            left=f"https://open.spotify.com/playlist/{left}",
            right=f"https://www.youtube.com/playlist?list={right}",
        )
    )
    return mapping.id


async def _keep_fresh(env: Any, preview: Any) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    closed = asyncio.create_task(preview.wait_closed())
    stopped = asyncio.create_task(stop.wait())
    shown = 0
    try:
        while not (closed.done() or stopped.done()):
            await asyncio.wait([closed, stopped], timeout=REFRESH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not (closed.done() or stopped.done()):
                shown = await _refresh(env, preview, shown)
    finally:
        closed.cancel()
        stopped.cancel()


async def _refresh(env: Any, preview: Any, shown: int) -> int:
    """Show what the bot said since ``shown`` requests; returns how many there are now.

    A quiet page is left alone: each refresh makes it newer than the press that is on its way to us.
    """
    try:
        await _keep_time(env)
        said = len(env.http_requests)
        if said > shown:
            await preview.refresh()
    except simcord.SetupError:
        # Somebody presses a button this very moment; the page shows its outcome by itself, and we come again.
        return shown
    return said


async def _keep_time(env: Any) -> None:
    behind = (datetime.now(UTC) - env.now()).total_seconds()
    if behind > 0:
        await env.advance_time(behind)


def _check_port(port: int) -> None:
    """The page is the last thing to open; a taken port should be said before the work begins."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise address_error(error, "127.0.0.1", port) from None


def _announce(url: str, data: Path, *, json_output: bool) -> None:
    text = json.dumps({"url": url}) + "\n" if json_output else WELCOME.format(url=url, data=data)
    sys.stdout.write(text)
    sys.stdout.flush()
