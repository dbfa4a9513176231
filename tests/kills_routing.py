"""Kill the bot at random moments of routing runs and rebuilds with faults on, and look at what the children hold.

``python -m tests.kills_routing [--kills 50] [--tracks 40] [--seed 1]`` prints a line for people and exits 0 when every
child holds exactly what its rules choose, in order: nothing lost, nothing doubled. Between lives the base changes, a
person rebuilds the children, or somebody meddles with one of them. How killing works stands in ``tests.kills``.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bot.engine.bases import NewBase, NewChild
from bot.engine.router import Mode
from bot.engine.sync import Busy
from bot.model.errors import RetryLater, ServicePaused
from bot.model.mapping import LinkState
from bot.model.music import Service
from bot.model.router import ChildPlaylist
from bot.runtime import Runtime
from bot.sandbox import Sandbox
from bot.sandbox.shelf import Hand
from tests.kills import (
    ALICE,
    FAULT_RATE,
    GUILD,
    KILLED_AT_START,
    KINDS,
    LONGEST_LIFE,
    PLENTY,
    link,
    lives,
    opened,
    values,
    worker,
)

PROGRAM = "tests.kills_routing"
REBUILD = "rebuild"  # a file of this name asks the next life for a rebuild
RULES = {
    ("Odd third", Service.SPOTIFY): "position in (1, 4, 7, 10, 13, 16, 19, 22, 25, 28)",
    ("Long", Service.SPOTIFY): "duration >= 3:45 sort by duration desc",
    ("Videos", Service.YOUTUBE): "position <= 6",
}


def main() -> int:
    arguments = _arguments()
    if arguments.work is not None:
        return asyncio.run(_work(arguments.work))
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        return _torture(Path(folder), arguments)


def _torture(folder: Path, arguments: argparse.Namespace) -> int:
    chance = random.Random(arguments.seed)
    with Sandbox.open(seed=arguments.seed, youtube_units=PLENTY, youtube_searches=PLENTY) as sandbox:
        (folder / "settings.json").write_text(json.dumps(values(sandbox, folder)))
        base = _base_of(sandbox, arguments.tracks)
        children = asyncio.run(_prepare(folder, sandbox, base))
        sandbox.faults.random(rate=FAULT_RATE, seed=arguments.seed, kinds=KINDS)
        began, killed, rebuilds = time.monotonic(), 0, 0
        while killed < arguments.kills:
            early = chance.random() < KILLED_AT_START
            if lives(folder, chance.uniform(0.1, LONGEST_LIFE), early=early, program=PROGRAM):
                rebuilds += _give_work(folder, sandbox, base, children, chance)
            else:
                killed += 1
        sandbox.faults.clear()
        calls, writes = len(sandbox.books.requests()), len(sandbox.books.writes(hand=Hand.APP))
        last = worker(folder, PROGRAM).wait(timeout=300)
        problems = asyncio.run(_problems(folder, sandbox, base, children))
        faults = sum(bool(request.fault) for request in sandbox.books.requests())
    print(
        f"{killed} kills, {rebuilds} rebuilds and {faults} faults over {calls} calls and {writes} writes,"
        f" {time.monotonic() - began:.0f} s: {len(children)} children, {len(problems)} lost or doubled"
    )
    for problem in problems:
        print(f"  {problem}")
    return 1 if last or problems else 0


def _base_of(sandbox: Sandbox, count: int) -> str:
    world = sandbox.world
    found = [track.id for track in world.tracks if world.right_videos(track.id)][:count]
    return world.create_spotify_playlist("alice", "Base", found)


async def _prepare(folder: Path, sandbox: Sandbox, playlist_id: str) -> list[ChildPlaylist]:
    """Link both accounts and make the base with its children."""
    async with opened(folder) as runtime:
        for service in Service:
            await link(runtime, service)
        new = NewBase(
            guild_id=GUILD,
            actor_id=ALICE,
            name="kills",
            playlist=_address(Service.SPOTIFY, playlist_id),
            schedule="off",
        )
        base = await runtime.bases.create(new)
        return [
            await runtime.bases.add_child(
                NewChild(
                    guild_id=GUILD,
                    actor_id=ALICE,
                    base_id=base.id,
                    name=name,
                    playlist=_address(service, _empty(sandbox, service, name)),
                    rules=rules,
                )
            )
            for (name, service), rules in RULES.items()
        ]


def _empty(sandbox: Sandbox, service: Service, name: str) -> str:
    world = sandbox.world
    make = world.create_spotify_playlist if service is Service.SPOTIFY else world.create_youtube_playlist
    return make("alice", name, [])


def _address(service: Service, playlist_id: str) -> str:
    if service is Service.SPOTIFY:
        return f"https://open.spotify.com/playlist/{playlist_id}"
    return f"https://www.youtube.com/playlist?list={playlist_id}"


def _give_work(folder: Path, sandbox: Sandbox, base: str, children: list[ChildPlaylist], chance: random.Random) -> bool:
    """The bot was through before the kill: something changes. Whether a rebuild was asked for."""
    world = sandbox.world
    held = world.spotify_items(base)
    fresh = [track.id for track in world.tracks if track.id not in held and world.right_videos(track.id)]
    for media in chance.sample(held, 3):
        world.remove(base, media)
    for media in chance.sample(fresh, 5):
        world.add(base, media, chance.randrange(len(held) - 3))
    meddled = next(child for child in children if child.playlist.service is Service.SPOTIFY)
    world.add(meddled.playlist.external_id, chance.choice(fresh), 0)
    if chance.random() < 0.5:
        (folder / REBUILD).touch()
        return True
    return False


async def _work(folder: Path) -> int:
    """The bot without Discord: take up what a dead one left, route, and work until nothing is due."""
    async with opened(folder) as runtime:
        print("at work", flush=True)
        await runtime.executor.recover()
        await runtime.executor.drain()
        asked = (folder / REBUILD).exists()
        await _routed(runtime, Mode.REBUILD if asked else Mode.INCREMENTAL)
        (folder / REBUILD).unlink(missing_ok=True)
        await runtime.executor.drain()
        await _routed(runtime, Mode.INCREMENTAL)
        await runtime.executor.drain()
        (base,) = await runtime.bases.bases(GUILD)
        waiting = [
            item
            for child in await runtime.bases.children(GUILD, base.id)
            for item in await runtime.storage.items.open_of_mapping(child.mapping.id)
        ]
        return 3 if waiting else 0


async def _routed(runtime: Runtime, mode: Mode) -> None:
    """Route until it goes through for every child: reads meet faults too."""
    (base,) = await runtime.bases.bases(GUILD)
    while True:
        try:
            routed = await runtime.router.run(GUILD, base.id, ALICE, mode)
        except (RetryLater, ServicePaused, Busy):
            await asyncio.sleep(0.1)
            continue
        if not any(child.error for child in routed.children):
            return
        await runtime.executor.drain()
        mode = Mode.INCREMENTAL  # who was rebuilt stays so; the others follow


async def _problems(folder: Path, sandbox: Sandbox, base: str, children: list[ChildPlaylist]) -> list[str]:
    world = sandbox.world
    whole = world.spotify_items(base)
    wanted = {
        "Odd third": [track for place, track in enumerate(whole[:28]) if place % 3 == 0],
        "Long": sorted(
            (track for track in whole if world.track(track).length_ms // 1000 >= 225),
            key=lambda track: -(world.track(track).length_ms // 1000),
        ),
        "Videos": whole[:6],
    }
    found: list[str] = []
    async with opened(folder) as runtime:
        for child in children:
            if child.playlist.service is Service.SPOTIFY:
                held = world.spotify_items(child.playlist.external_id)
                if held != wanted[child.name]:
                    found.append(f"{child.name}: {held} instead of {wanted[child.name]}")
            else:
                found += await _video_problems(runtime, sandbox, child, wanted[child.name])
    return found


async def _video_problems(runtime: Runtime, sandbox: Sandbox, child: ChildPlaylist, wanted: list[str]) -> list[str]:
    held = sandbox.world.youtube_items(child.playlist.external_id)
    links = await runtime.storage.links.of_mapping(child.mapping.id)
    there = {one.left_track_id for one in links if one.state is LinkState.ACTIVE and one.right_track_id in held}
    asked = {row.track_id for row in await runtime.storage.blacklist.open_of_mapping(child.mapping.id)}
    lost = [f"{child.name} lost {track}" for track in wanted if track not in there | asked]
    doubled = [f"{child.name} doubled {one}" for one, count in Counter(held).items() if count > 1]
    more = [f"{child.name} holds {len(held)} for {len(wanted)}"] if len(held) > len(wanted) else []
    return lost + doubled + more


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--tracks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
