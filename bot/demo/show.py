"""The demo in a browser page: the real bot in a simulated Discord, with people, playlists and work under way."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import simcord
from simcord.preview import _markdown

from bot.app import at_work
from bot.client import CrossfadeBot
from bot.demo.feeding import feeding_base
from bot.demo.once import first_mapping
from bot.demo.past import GONE, DemoClock, live_through
from bot.demo.stage import GUILD, Stage, open_stage
from bot.engine.mappings import NewMapping
from bot.model.matching import MatchPolicy
from bot.sandbox.catalogue import Track
from bot.sandbox.world import World
from bot.web.server import address_error

REFRESH_SECONDS = 1.0  # what the bot posts by itself appears after a refresh
WRITE_SECONDS = 0.7  # each simulated write takes so long, so that a sync can be watched
HARD = "Hard to find"
SCENES = 12.0  # seconds that a video is longer than its song

LOG = "demo.log"
WELCOME = """
Crossfade is at work in a simulated Discord, Spotify and YouTube. Open

    {url}

and try, as Alice, in #music:

  1. Watch "Road trip" being copied to YouTube; /queue status shows what waits, with a chart.
  2. Type /review: some songs were not certain. Look at the candidates and choose.
  3. Type /undo, choose "Sunday morning": it shows what taking back yesterday's sync would mean. Press the button.
  4. Type /errors: "Old mixtape" lost its playlist. The channel #crossfade-log holds a card about it.
  5. Type /router preview: "Everything" feeds three playlists by rules; change one with /router child-edit.
  6. Type /jobs list and open a run; /activity, /logs and /quota tell the rest, /help everything.

The world lives in {data}, with the log in demo.log. Ctrl+C ends the demo.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The simulated Discord with the runtime behind its bot, its two channels and Alice, to whom it belongs."""

    stage: Stage
    env: Any
    music: Any
    log: Any
    alice: Any

    async def fill(self) -> None:
        """What Alice did today before the visitor came: numbers, a base that feeds three playlists, and three syncs."""
        road_trip = (await first_mapping(self.stage, actor_id=self.alice.id)).id
        hard = await _hard_mapping(self.stage, self.alice.id)
        base = await feeding_base(self.stage, self.alice.id)
        await self.alice.slash(self.music, "stats")
        await self.alice.slash(self.music, "router run", base=str(base.id))
        for mapping in (GONE, str(hard), str(road_trip)):
            await self.alice.slash(self.music, "sync", mapping=mapping)


async def show(*, data: Path, seed: int, port: int, json_output: bool) -> int:
    """Serve the page until SIGINT or SIGTERM. Raises UserMistake, for one when the port is taken."""
    _check_port(port)
    async with open_server(data, seed) as server:
        await server.fill()
        async with server.env.preview(
            server.music, viewers=[server.alice], layout="channel", timezone="UTC", port=port or None
        ) as preview:
            turns = _take_turns(preview)
            _announce(preview.url, data, json_output=json_output)
            await _keep_fresh(server.env, preview, turns)
    return 0


@asynccontextmanager
async def open_server(data: Path, seed: int) -> AsyncIterator[Server]:
    """The bot at work in a server with some days behind it and a log channel; nobody asked for anything today."""
    clock = DemoClock()
    async with (
        open_stage(data, seed, log=data / LOG, clock=clock) as stage,
        simcord.run(CrossfadeBot(stage.runtime), check_errors=False) as env,
    ):
        server = await _furnish(env, stage)
        await live_through(stage, clock, server.alice.id)
        stage.sandbox.faults.random(rate=1.0, kinds=("slow",), writes_only=True, delay=WRITE_SECONDS)
        async with at_work(stage.runtime):
            await server.alice.slash(server.music, "setup", log_channel=server.log)
            yield server


async def _furnish(env: Any, stage: Stage) -> Server:
    """A server with two channels and two people; its clock shows the real time."""
    for place in ("embed_description", "embed_field_value"):
        # Discord shows names of people and channels there as well; simcord would show their ids.
        _markdown._FIELD_POLICIES[place]["mentions"] = True
    await env.bot.user.edit(username="Crossfade")
    owner = env.create_user("alice", global_name="Alice")
    guild = env.create_guild("Friends of good music", id=GUILD, owner=owner)
    music = guild.create_text_channel("music")
    log = guild.create_text_channel("crossfade-log")
    alice = guild.add_member(owner)
    guild.add_member(env.create_user("bob", global_name="Bob"))
    await keep_time(env)
    return Server(stage=stage, env=env, music=music, log=log, alice=alice)


async def _hard_mapping(stage: Stage, actor_id: int) -> int:
    """Songs of which YouTube has only longer videos or look-alikes: something to review."""
    runtime, world = stage.runtime, stage.sandbox.world
    existing = await runtime.storage.mappings.by_name(GUILD, HARD)
    if existing is not None:
        return existing.id
    longer = [one.id for one in world.tracks if _only_longer(world, one)]
    absent = [one.id for one in world.tracks if world.lookalikes(one.id) and not world.right_videos(one.id)]
    left = world.create_spotify_playlist("alice", HARD, longer[:2] + absent[:2])
    right = world.create_youtube_playlist("alice", HARD)
    mapping = await runtime.mappings.create(
        NewMapping(
            guild_id=GUILD,
            actor_id=actor_id,
            name=HARD,
            left=f"https://open.spotify.com/playlist/{left}",
            right=f"https://www.youtube.com/playlist?list={right}",
            policy=MatchPolicy.EXACT,
        )
    )
    return mapping.id


def _only_longer(world: World, track: Track) -> bool:
    """Whether each upload of the song has so much around it that a strict match leaves the decision to a person."""
    uploads = [world.video(video_id) for video_id in world.right_videos(track.id)]
    return bool(uploads) and all(SCENES <= one.seconds - track.length_ms / 1000 < 2 * SCENES for one in uploads)


def _take_turns(preview: Any) -> asyncio.Lock:
    """A press waits while we refresh: simcord does one thing at a time, and the page sticks after a refusal."""
    turns = asyncio.Lock()
    act = preview._action  # no public hook stands before a press

    async def in_turn(*asked: Any) -> Any:
        async with turns:
            return await act(*asked)

    preview._action = in_turn
    return turns


async def _keep_fresh(env: Any, preview: Any, turns: asyncio.Lock) -> None:
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
                async with turns:
                    shown = await _refresh(env, preview, shown)
    finally:
        closed.cancel()
        stopped.cancel()


async def _refresh(env: Any, preview: Any, shown: int) -> int:
    """Show what the bot said since ``shown`` requests; returns how many there are now.

    A quiet page is left alone: each refresh makes it newer than the press that is on its way to us.
    """
    try:
        await keep_time(env)
        said = len(env.http_requests)
        if said > shown:
            await preview.refresh()
    except simcord.SetupError:
        # A page is being opened this very moment; it shows everything by itself, and we come again.
        return shown
    return said


async def keep_time(env: Any) -> None:
    """Let the simulated Discord's clock catch up with the real one."""
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
