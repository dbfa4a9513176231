"""Kill the bot at random moments of a sync with faults on, and compare the services' books with what was asked.

``python -m tests.kills [--kills 50] [--tracks 80] [--seed 1] [--direction right_to_left]`` prints a line for people and
exits 0 when nothing was lost and nothing doubled. The simulated services live in this process and outlive every kill;
the bot is a process of its own (``--work DIR``). The quota limits are raised so that the retries fit.
"""

import argparse
import asyncio
import io
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from bot.config import Settings, settings_from
from bot.engine.mappings import NewMapping
from bot.logs.setup import open_logs
from bot.model.errors import RetryLater, ServicePaused
from bot.model.mapping import Direction, LinkState, Mapping, Side
from bot.model.music import Service
from bot.runtime import Runtime, open_runtime
from bot.sandbox import Sandbox
from bot.sandbox.shelf import Hand

ALICE, GUILD = 101, 77
PLENTY = 10_000_000
LONGEST_LIFE = 4.0  # seconds until a kill, counted from the moment at which the bot begins to work
KILLED_AT_START = 0.1  # this share of the kills comes before that moment
FAULT_RATE = 0.12
PROGRAM = "tests.kills"
KINDS = ("500", "502", "503", "429", "timeout", "reset", "close", "truncated", "garbage", "slow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``lost``: source tracks that are neither there nor wait for a person; ``doubled``: copies beyond the first."""

    tracks: int
    there: int
    waiting: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


def main() -> int:
    arguments = _arguments()
    if arguments.work is not None:
        return asyncio.run(_work(arguments.work))
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        return _torture(Path(folder), arguments)


def _torture(folder: Path, arguments: argparse.Namespace) -> int:
    chance, direction = random.Random(arguments.seed), Direction(arguments.direction)
    with Sandbox.open(seed=arguments.seed, youtube_units=PLENTY, youtube_searches=PLENTY) as sandbox:
        (folder / "settings.json").write_text(json.dumps(values(sandbox, folder)))
        mapping = asyncio.run(_prepare(folder, sandbox, arguments.tracks, direction))
        sandbox.faults.random(rate=FAULT_RATE, seed=arguments.seed, kinds=KINDS)
        began, killed = time.monotonic(), 0
        while killed < arguments.kills:
            early = chance.random() < KILLED_AT_START
            if lives(folder, chance.uniform(0.1, LONGEST_LIFE), early=early):
                _give_work(sandbox, mapping, chance)
            else:
                killed += 1
        sandbox.faults.clear()
        calls, writes = len(sandbox.books.requests()), len(sandbox.books.writes(hand=Hand.APP))
        last = worker(folder).wait(timeout=300)
        verdict = asyncio.run(_verdict(folder, sandbox, mapping))
        faults = sum(bool(request.fault) for request in sandbox.books.requests())
    print(
        f"{killed} kills and {faults} faults over {calls} calls and {writes} writes, {time.monotonic() - began:.0f} s:"
        f" {verdict.tracks} tracks, {verdict.there} there, {verdict.waiting} wait for a person,"
        f" {len(verdict.lost)} lost, {len(verdict.doubled)} doubled"
    )
    for problem in (*verdict.lost, *verdict.doubled):
        print(f"  {problem}")
    return 1 if last or verdict.lost or verdict.doubled else 0


def lives(folder: Path, seconds: float, *, early: bool, program: str = PROGRAM) -> bool:
    """Start the bot and SIGKILL it ``seconds`` after it begins to work (``early``: after its start).

    True when it was through before.
    """
    life = worker(folder, program)
    if not early:
        assert life.stdout is not None
        life.stdout.readline()
    try:
        code = life.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        life.send_signal(signal.SIGKILL)
        life.wait()
        return False
    if code:
        raise SystemExit(f"The bot ended with {code} by itself.")
    return True


def worker(folder: Path, program: str = PROGRAM) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", program, "--work", str(folder)], stdout=subprocess.PIPE)


def _give_work(sandbox: Sandbox, mapping: Mapping, chance: random.Random) -> None:
    """The bot was through before the kill: somebody changes the source, so that there is something to do again."""
    source = _source(mapping)
    world = sandbox.world
    if source is Side.LEFT:
        held = set(world.spotify_items(mapping.left.external_id))
        fresh = [track.id for track in world.tracks if track.id not in held]
    else:
        held = set(world.youtube_items(mapping.right.external_id))
        rights = (sorted(world.right_videos(track.id)) for track in world.tracks)
        fresh = [videos[0] for videos in rights if videos and not held & set(videos)]
    for media in chance.sample(fresh, min(10, len(fresh))):
        world.add(mapping.playlist(source).external_id, media)


async def _prepare(folder: Path, sandbox: Sandbox, tracks: int, direction: Direction) -> Mapping:
    """Link both accounts and make the mapping."""
    async with opened(folder) as runtime:
        for service in Service:
            await link(runtime, service)
        left, right = _playlists(sandbox, tracks, direction)
        return await runtime.mappings.create(
            NewMapping(
                guild_id=GUILD,
                actor_id=ALICE,
                name="kills",
                left=f"https://open.spotify.com/playlist/{left}",
                right=f"https://www.youtube.com/playlist?list={right}",
                direction=direction,
            )
        )


async def link(runtime: Runtime, service: Service) -> None:
    state = await runtime.oauth.begin(service, ALICE, GUILD)
    url = await runtime.oauth.authorize_url(service, state)
    answer = await asyncio.to_thread(requests.get, url, allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    account = await runtime.oauth.finish(service, state, code)
    await runtime.accounts.confirm(account.id, ALICE)


def _playlists(sandbox: Sandbox, count: int, direction: Direction) -> tuple[str, str]:
    """A full source and an empty destination; on YouTube one right video of each track."""
    world = sandbox.world
    tracks = [track.id for track in world.tracks]
    if direction is Direction.LEFT_TO_RIGHT:
        left, right = tracks[:count], list[str]()
    else:
        videos = (sorted(world.right_videos(track)) for track in tracks)
        left, right = list[str](), [found[0] for found in videos if found][:count]
    return (
        world.create_spotify_playlist("alice", "Kills", left),
        world.create_youtube_playlist("alice", "Kills", right),
    )


async def _work(folder: Path) -> int:
    """The bot without Discord: take up what a dead one left, look for changes, and work until nothing is due."""
    async with opened(folder) as runtime:
        print("at work", flush=True)
        await runtime.executor.recover()
        (mapping,) = await runtime.storage.mappings.of_guild(GUILD)
        await runtime.executor.drain(mapping.id)
        await _analysed(runtime, mapping.id)
        await runtime.executor.drain(mapping.id)
        return 0 if not await runtime.storage.items.open_of_mapping(mapping.id) else 3


async def _analysed(runtime: Runtime, mapping_id: int) -> None:
    """Analyse until it goes through: reads meet faults too."""
    while True:
        try:
            await runtime.sync.start(mapping_id, ALICE)
        except (RetryLater, ServicePaused):
            await asyncio.sleep(0.1)
        else:
            return


async def _verdict(folder: Path, sandbox: Sandbox, mapping: Mapping) -> Verdict:
    world, source = sandbox.world, _source(mapping)
    items = (world.spotify_items(mapping.left.external_id), world.youtube_items(mapping.right.external_id))
    wanted, held = items if source is Side.LEFT else items[::-1]
    async with opened(folder) as runtime:
        links = await runtime.storage.links.of_mapping(mapping.id)
        rows = {row.track_id for row in await runtime.storage.blacklist.open_of_mapping(mapping.id)}
    there = {
        link.left_track_id if source is Side.LEFT else link.right_track_id
        for link in links
        if link.state is LinkState.ACTIVE
        and (link.right_track_id if source is Side.LEFT else link.left_track_id) in held
    }
    return Verdict(
        tracks=len(wanted),
        there=sum(one in there for one in wanted),
        waiting=sum(one in rows and one not in there for one in wanted),
        lost=tuple(f"lost: {one}" for one in wanted if one not in there and one not in rows),
        doubled=tuple(f"doubled: {one} × {count}" for one, count in Counter(held).items() if count > 1),
    )


def _source(mapping: Mapping) -> Side:
    return Side.LEFT if mapping.direction is Direction.LEFT_TO_RIGHT else Side.RIGHT


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Runtime]:
    settings = _settings(folder)
    with open_logs(level="error", secrets=settings.secret_values, stream=io.StringIO()) as logs:
        async with open_runtime(settings, logs) as runtime:
            yield runtime


def _settings(folder: Path) -> Settings:
    return settings_from(json.loads((folder / "settings.json").read_text()), key_file=folder / "secret.key")


def values(sandbox: Sandbox, folder: Path) -> dict[str, object]:
    return {
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
        "listenbrainz_api_url": sandbox.listenbrainz_api_url,
        "musicbrainz_api_url": sandbox.musicbrainz_api_url,
        "youtube_daily_units": PLENTY,
        "youtube_daily_searches": PLENTY,
        "spotify_daily_calls": PLENTY,
        "settle_seconds": 0.5,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--tracks", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--direction", default=Direction.LEFT_TO_RIGHT.value, choices=["left_to_right", "right_to_left"]
    )
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
