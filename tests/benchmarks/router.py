"""What routing a large base costs: calls to Spotify, time and memory, at the simulated service.

``python -m tests.benchmarks.router [--tracks N] [--artists N] [--albums N] [--children N]`` makes a base of made-up
tracks, routes it to its children, and prints for each case the calls that reading took (writes are not counted):
nothing known yet, nothing changed, three tracks added to the base. It fails above the goals, which hold for 5,000
tracks and ten children: 115 calls, 2 calls, and the base's own pages with the two listings before and after.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.engine.bases import NewBase, NewChild
from bot.model.music import Service
from bot.model.router import BasePlaylist
from bot.runtime import Runtime
from bot.sandbox import Sandbox
from bot.sandbox.catalogue import Catalogue, Track
from tests.kills import ALICE, GUILD, PLENTY, link, opened, values

UNCACHED, UNCHANGED = 115, 2
CASES = (("nothing known yet", UNCACHED), ("after its own writes", None), ("nothing changed", UNCHANGED))
MEMORY_MB = 150.0
PAGE = 50
FEW = 40  # tracks in a child: what the children hold is not what is measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.router", description=__doc__)
    parser.add_argument("--tracks", type=int, default=5_000)
    parser.add_argument("--artists", type=int, default=3_000)
    parser.add_argument("--albums", type=int, default=1_500)
    parser.add_argument("--children", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="router-") as folder, Sandbox.open(youtube_units=PLENTY) as sandbox:
        made = catalogue(arguments.tracks + 3, arguments.artists, arguments.albums)
        sandbox.world.catalogue = made
        failed = _measured(Path(folder), sandbox, arguments.tracks, arguments.children)
    if failed:
        raise SystemExit(1)


def catalogue(tracks: int, artists: int, albums: int) -> Catalogue:
    """Made-up tracks over so many artists and albums."""
    return Catalogue([_track(number, artists, albums) for number in range(tracks)])


def _track(number: int, artists: int, albums: int) -> Track:
    return Track(
        id=f"{number:022d}",
        number=number,
        title=f"Song {number}",
        artists=(f"Artist {number % artists}",),
        album=f"Album {number % albums}",
        released=str(1960 + number % 66),
        length_ms=120_000 + number * 37 % 240_000,
        isrc=f"GBAAA{number:07d}",
        explicit=number % 9 == 0,
        language="en",
        romanised="",
    )


def _measured(folder: Path, sandbox: Sandbox, tracks: int, children: int) -> bool:
    """The program runs in a process of its own, so that its memory is its own."""
    (folder / "settings.json").write_text(json.dumps(values(sandbox, folder)))
    base = asyncio.run(_prepared(folder, sandbox, tracks, children))
    rows = []
    with _program(folder) as route:
        for name, most in (
            ("nothing known yet", UNCACHED),
            ("after its own writes", None),
            ("nothing changed", UNCHANGED),
        ):
            began = len(sandbox.books.requests())
            rows.append((name, route(), _reads(sandbox, began), most))
        sandbox.world.add(base.playlist.external_id, [f"{tracks + extra:022d}" for extra in range(3)])
        began = len(sandbox.books.requests())
        last = route()
        rows.append(("three tracks more in the base", last, _reads(sandbox, began), -(-(tracks + 3) // PAGE) + 2))
    print(f"A base of {tracks:,} tracks and {children} children")
    for name, told, calls, most in rows:
        goal = "" if most is None else f" (goal: at most {most})"
        print(f"{name:32} {calls:5} calls to Spotify{goal}, {told['seconds']:6.2f} s")
    print(f"{'peak memory':32} {last['peak_mb']:5.0f} MB (goal: below {MEMORY_MB:.0f})")
    return any(most is not None and calls > most for _, _, calls, most in rows) or last["peak_mb"] >= MEMORY_MB


@contextmanager
def _program(folder: Path) -> Iterator[Callable[[], dict[str, float]]]:
    """A function that lets the program route once and tells how long that took and its peak of memory so far."""
    command = [sys.executable, "-m", "tests.benchmarks.router_program", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def route() -> dict[str, float]:
            program.stdin.write(f"{GUILD}\n")
            program.stdin.flush()
            told: dict[str, float] = json.loads(program.stdout.readline())
            return told

        yield route
        program.stdin.close()


async def _prepared(folder: Path, sandbox: Sandbox, tracks: int, children: int) -> BasePlaylist:
    async with opened(folder) as runtime:
        for service in Service:
            await link(runtime, service)
        return await _base(runtime, sandbox, tracks, children)


async def _base(runtime: Runtime, sandbox: Sandbox, tracks: int, children: int) -> BasePlaylist:
    world = sandbox.world
    playlist = world.create_spotify_playlist("alice", "Base", [f"{number:022d}" for number in range(tracks)])
    base = await runtime.bases.create(
        NewBase(guild_id=GUILD, actor_id=ALICE, name="Base", playlist=_address(playlist), schedule="off")
    )
    for number in range(children):
        first = number * FEW + 1
        new = NewChild(
            guild_id=GUILD,
            actor_id=ALICE,
            base_id=base.id,
            name=f"Child {number}",
            playlist=_address(world.create_spotify_playlist("alice", f"Child {number}", [])),
            rules=f"position {first}..{first + FEW - 1} or (year 1800..1900 and not explicit)",
        )
        await runtime.bases.add_child(new)
    return base


def _reads(sandbox: Sandbox, since: int) -> int:
    """How many of Spotify's GETs came after the first ``since`` requests, those of the writing turns aside."""
    asked = sandbox.books.requests()[since:]
    first_write = next((n for n, one in enumerate(asked) if one.service == "spotify" and one.committed), len(asked))
    return sum(one.service == "spotify" and one.method == "GET" for one in asked[:first_write])


def _address(playlist_id: str) -> str:
    return f"https://open.spotify.com/playlist/{playlist_id}"


if __name__ == "__main__":
    main()
