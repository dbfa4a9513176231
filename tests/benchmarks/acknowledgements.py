"""How fast interactions are acknowledged while many large mappings are analysed and executed.

``python -m tests.benchmarks.acknowledgements [--mappings N] [--tracks N] [--seconds N] [--rate N]`` runs three
processes: the simulated services with a catalogue of that many tracks, the real bot over a SQLite file, and this one,
which is the Discord at the other end and the watch. All mappings fall due when the bot starts. Until the time is over
people type commands at a steady rate, whether or not the earlier ones were answered. Printed are median, 99th and
99.9th percentile and maximum of the time from a command's arrival to its acknowledgement, what the bot did meanwhile,
and the longest times that its loop was held. It fails when the 99.9th percentile is not below a second.
"""

import argparse
import asyncio
import faulthandler
import itertools
import json
import os
import signal
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import aiohttp

from bot.app import run_app, web_app
from bot.config import settings_from
from bot.engine.mappings import NewMapping
from bot.logs.setup import open_logs
from bot.model.account import AccountStatus
from bot.model.music import Service
from bot.runtime import Runtime, open_runtime
from bot.sandbox import Sandbox, World
from bot.sandbox.catalogue import Catalogue, Track
from bot.sandbox.ids import base62
from bot.web.server import open_web
from tests.fake_discord import GUILD, OWNER, FakeDiscord, open_discord

LIMIT_SECONDS = 1.0
PROBE_SECONDS = 0.005  # how often the bot's loop is asked whether it is free
HELD_SECONDS = 0.1  # a loop that is not free for so long is looked at
PLENTY = 100_000_000  # of each quota: the work must not end before the watch
# Twenty presses in the mix of a busy evening; /quota draws a picture.
TYPED = ("stats", "help", "logs", "accounts", "review", "stats", "help", "logs", "help", "stats") * 2
DRAWN_EVERY = 40


class LargeWorld(World):
    """A world with made-up tracks behind the real ones, each with its videos and look-alikes."""

    size = 0

    def _make_videos(self) -> None:
        real = self.catalogue.tracks[: self.size]
        self.catalogue = Catalogue([*real, *(_made_up(number) for number in range(len(real), self.size))])
        super()._make_videos()


def serve_world(folder: Path, mappings: int, tracks: int) -> None:
    """The process of the services: so many pairs of playlists; addresses and playlists are one line of JSON."""
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    LargeWorld.size = tracks
    world = LargeWorld()
    sandbox = Sandbox.open(world=world, youtube_units=PLENTY, youtube_searches=PLENTY)
    ids = [track.id for track in world.tracks[:tracks]]
    pairs = []
    for number in range(mappings):
        start = number * len(ids) // mappings  # each playlist begins elsewhere, so that each searches its own share
        left = world.create_spotify_playlist("alice", f"Left {number}", [*ids[start:], *ids[:start]])
        pairs.append((left, world.create_youtube_playlist("alice", f"Right {number}", [])))
    names = (
        "spotify_client_id", "spotify_client_secret", "google_client_id", "google_client_secret", "spotify_api_url",
        "spotify_accounts_url", "youtube_api_url", "google_auth_url", "google_token_url", "ytmusic_api_url",
        "listenbrainz_api_url", "musicbrainz_api_url",
    )  # fmt: skip
    port = _free_port()
    settings: dict[str, Any] = {name: getattr(sandbox, name) for name in names} | {
        "public_url": f"http://127.0.0.1:{port}",
        "http_port": port,
        "database_url": f"sqlite+aiosqlite:///{folder / 'crossfade.db'}",
        "youtube_daily_units": PLENTY,
        "youtube_daily_searches": PLENTY,
        "spotify_daily_calls": PLENTY,
        "settle_seconds": 2,
        "log_level": "warn",
    }
    with sandbox:
        sys.stdout.write(json.dumps({"settings": settings, "pairs": pairs}) + "\n")
        sys.stdout.flush()
        signal.sigwait(signals)


async def run_bot(folder: Path, given: dict[str, Any]) -> None:
    """The process of the bot: accounts and mappings are made first, then the whole program runs until SIGTERM."""
    settings = settings_from(given["settings"] | given["discord"], key_file=folder / "secret.key")
    if not (folder / "made").exists():
        with open_logs(level="error") as logs:
            async with open_runtime(settings, logs) as runtime:
                address = open_web(web_app(runtime), host="127.0.0.1", port=settings.http_port)
                async with address:
                    await _make(runtime, given["pairs"])
        (folder / "made").touch()
    probe = Probe()
    asking = asyncio.create_task(probe.ask())
    threading.Thread(target=probe.look, args=[threading.get_ident()], daemon=True).start()
    try:
        await run_app(settings)
    finally:
        asking.cancel()
        (folder / "probe.json").write_text(json.dumps(probe.told()))


class Probe:
    """Asks the loop all the time whether it is free, and looks from outside where it stands when it is not."""

    def __init__(self) -> None:
        self.holds: list[float] = []  # seconds
        self.places: Counter[str] = Counter()  # looks at a held loop, by the line of ours that it stood in
        self._asked = self._began = time.perf_counter()

    def told(self) -> dict[str, Any]:
        """``cpu``: seconds of a core that the bot got for each second; far below what it wants, the machine is busy."""
        cpu = time.process_time() / (time.perf_counter() - self._began)
        return {"holds": sorted(self.holds)[-1000:], "places": self.places.most_common(25), "cpu": cpu}

    async def ask(self) -> None:
        while True:
            self._asked = time.perf_counter()
            await asyncio.sleep(PROBE_SECONDS)
            late = time.perf_counter() - self._asked - PROBE_SECONDS
            if late > PROBE_SECONDS:
                self.holds.append(late)

    def look(self, loop_thread: int) -> None:
        while True:
            time.sleep(HELD_SECONDS / 4)
            if time.perf_counter() - self._asked > HELD_SECONDS:
                frame = sys._current_frames()[loop_thread]
                self.places[_place(traceback.extract_stack(frame))] += 1


def _place(stack: traceback.StackSummary) -> str:
    """The four innermost lines; storage works in a greenlet, whose stack does not reach down to the lines of ours."""
    return " < ".join(f"{Path(line.filename).name}:{line.lineno} {line.name}" for line in reversed(stack[-4:]))


async def _make(runtime: Runtime, pairs: Sequence[Sequence[str]]) -> None:
    for service in Service:
        state = await runtime.oauth.begin(service, OWNER, GUILD)
        url = f"{runtime.settings.public_url}/oauth/{service.value}/start?state={state}"
        async with aiohttp.ClientSession() as browser, browser.get(url) as page:
            assert page.status == 200, await page.text()
    for account in await runtime.accounts.of_user(OWNER):
        if account.status is AccountStatus.PENDING:
            await runtime.accounts.confirm(account.id, OWNER)
    for number, (left, right) in enumerate(pairs):
        made = NewMapping(
            guild_id=GUILD,
            actor_id=OWNER,
            name=f"Mapping {number}",
            left=f"https://open.spotify.com/playlist/{left}",
            right=f"https://www.youtube.com/playlist?list={right}",
            schedule="every 6h",
            max_adds=5_000,
        )
        mapping = await runtime.mappings.create(made)
        await runtime.storage.mappings.update(mapping.id, next_run_at=runtime.clock.now())


async def watch(discord: FakeDiscord, seconds: float, rate: float) -> list[tuple[str, float]]:
    """Each command and the seconds to its acknowledgement, at ``rate`` commands a second for so long."""
    presses: list[asyncio.Task[float]] = []
    names: list[str] = []
    began = time.monotonic()
    typed = itertools.cycle(TYPED)
    while (at := time.monotonic() - began) < seconds:
        command = "quota" if len(presses) % DRAWN_EVERY == DRAWN_EVERY - 1 else next(typed)
        names.append(command)
        presses.append(asyncio.create_task(discord.acknowledged(command, 60.0)))
        await asyncio.sleep(max(0.0, (len(presses)) / rate - at))
    return list(zip(names, await asyncio.gather(*presses), strict=True))


@contextmanager
def process(*arguments: str, **more: Any) -> Iterator["Popen[str]"]:
    """This module as another process, ended when the block is left."""
    command = [sys.executable, "-m", "tests.benchmarks.acknowledgements", *arguments]
    child = Popen(command, text=True, **more)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


async def measure(asked: argparse.Namespace, folder: Path) -> int:
    sizes = ("--mappings", str(asked.mappings), "--tracks", str(asked.tracks))
    with process("--world", str(folder), *sizes, stdout=PIPE) as world:
        assert world.stdout is not None
        given = json.loads(await asyncio.to_thread(world.stdout.readline))
        async with open_discord() as discord:
            given["discord"] = {name.lower(): value for name, value in discord.settings.items()}
            (folder / "given.json").write_text(json.dumps(given))
            with process("--bot", str(folder), stdout=PIPE, stderr=sys.stderr) as bot:
                drained = asyncio.create_task(asyncio.to_thread(_drain, bot))
                await discord.until(lambda: bot.poll() is not None or (discord.identified and discord.commands), 60.0)
                times = await watch(discord, asked.seconds, asked.rate)
            await drained
    _tell(folder, asked)
    told = json.loads((folder / "probe.json").read_text())
    for place, looks in told["places"] if asked.where else ():
        print(f"{looks:>5} looks  {place}")
    return _judge(times, told["holds"], told["cpu"])


def _drain(bot: "Popen[str]") -> None:
    assert bot.stdout is not None
    for line in bot.stdout:
        if '"level": "error"' in line or " error " in line.lower():
            sys.stderr.write(line)


def _tell(folder: Path, asked: argparse.Namespace) -> None:
    with closing(sqlite3.connect(folder / "crossfade.db")) as database:
        analysed = database.execute(
            "SELECT count(DISTINCT mapping_id) FROM runs WHERE kind = 'analysis' AND status = 'completed'"
        ).fetchone()[0]
        statuses = dict(database.execute("SELECT status, count(*) FROM sync_items GROUP BY status"))
        lines = database.execute("SELECT count(*) FROM logs").fetchone()[0]
    print(
        f"{asked.mappings} mappings of {asked.tracks:,} tracks: {analysed} analysed, items {statuses}, {lines:,} lines"
    )


def _judge(typed: Sequence[tuple[str, float]], holds: Sequence[float], cpu: float) -> int:
    for name in sorted({name for name, _ in typed}):
        theirs = [seconds * 1000 for each, seconds in typed if each == name]
        print(
            f"  /{name:<10} {len(theirs):>5}  median {statistics.median(theirs):>5.0f} ms  max {max(theirs):>5.0f} ms"
        )
    times = [seconds for _, seconds in typed]
    cuts = statistics.quantiles(times, n=1000, method="inclusive")
    median, p99, p999 = statistics.median(times), cuts[989], cuts[998]
    print(
        f"{len(times):,} acknowledgements: median {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms,"
        f" p99.9 {p999 * 1000:.0f} ms, max {max(times) * 1000:.0f} ms"
    )
    longest = ", ".join(f"{hold * 1000:.0f}" for hold in sorted(holds, reverse=True)[:10])
    print(f"longest holds of the loop, in ms: {longest or 'none'}")
    print(f"the bot got {cpu:.2f} of a core; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0 if p999 < LIMIT_SECONDS else 1


def _made_up(number: int) -> Track:
    """A track that nobody has heard, with words of its own, so that it is found by them."""
    title = " ".join(base62("word", number, at)[:6].capitalize() for at in range(3))
    artist = f"The {base62('band', number // 10)[:7].capitalize()}s"
    return Track(
        id=base62("made up", number),
        number=number,
        title=title,
        artists=(artist,),
        album=f"Album {number // 10}",
        released="2020-01-01",
        length_ms=150_000 + number % 120 * 1000,
        isrc=None,
        explicit=False,
        language="en",
        romanised="",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mappings", type=int, default=20)
    parser.add_argument("--tracks", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=12.0, help="commands a second")
    parser.add_argument("--where", action="store_true", help="tell in which lines the loop was held")
    parser.add_argument("--world", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bot", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.world is not None:
        serve_world(asked.world, asked.mappings, asked.tracks)
        return 0
    if asked.bot is not None:
        faulthandler.register(signal.SIGUSR1)  # kill -USR1 tells where it stands
        asyncio.run(run_bot(asked.bot, json.loads((asked.bot / "given.json").read_text())))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(asked, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
