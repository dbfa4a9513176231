"""What it costs to know everything of a large base at Spotify, for apps that keep the batch gets and for those without.

``python -m tests.benchmarks.metadata [--tracks N] [--artists N] [--albums N]`` asks for genre and popularity of every
track, and prints calls, seconds and the memory of the cache: nothing known, again, and a day later. It fails above the
goal for 5,000 tracks, 3,000 artists and 1,500 albums: 460 calls, the reading of the base included.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from bot.engine.facts import Metadata
from bot.model.music import Service
from bot.model.rules import Field
from bot.sandbox import Sandbox
from bot.services.cache import open_cache
from storage.migration import prepare
from tests.benchmarks.router import catalogue
from tests.contract.music_room import ALICE, NotingClock, music_room, sandbox_config
from tests.databases import sqlite_url

MOST_CALLS = 460
ASKED = frozenset({Field.GENRE, Field.POPULARITY})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.metadata", description=__doc__)
    parser.add_argument("--tracks", type=int, default=5_000)
    parser.add_argument("--artists", type=int, default=3_000)
    parser.add_argument("--albums", type=int, default=1_500)
    arguments = parser.parse_args()
    clock = NotingClock()
    with tempfile.TemporaryDirectory(prefix="metadata-") as folder, Sandbox.open(clock=clock.now) as sandbox:
        sandbox.world.catalogue = catalogue(arguments.tracks, arguments.artists, arguments.albums)
        for extended in (False, True):
            sandbox.world.switches.extended_quota = extended
            place = Path(folder) / str(extended)
            place.mkdir()
            calls = asyncio.run(_measured(place, sandbox, clock, extended=extended))
            if calls > MOST_CALLS:
                sys.exit(f"{calls} calls are more than {MOST_CALLS}")


async def _measured(folder: Path, sandbox: Sandbox, clock: NotingClock, *, extended: bool) -> int:
    """The calls of the first round."""
    url = sqlite_url(folder / "crossfade.db")
    await prepare(url, migrate=True)
    async with music_room(url, sandbox_config(sandbox), clock=clock) as room, open_cache(folder, clock) as cache:
        await room.link(Service.SPOTIFY)
        account = (await room.storage.accounts.of_user(ALICE))[0]
        service = await room.services.for_account(account.id)
        every = [track.id for track in sandbox.world.tracks]
        playlist_id = sandbox.world.create_spotify_playlist("alice", "Everything", every)
        metadata = Metadata(room.services, cache, ())
        print("with batch gets" if extended else "without batch gets")
        before = len(sandbox.books.requests("spotify"))
        entries = (await service.content(playlist_id)).entries
        reading = len(sandbox.books.requests("spotify")) - before
        first = reading
        for title, later in (("nothing known", None), ("again", timedelta(0)), ("a day later", timedelta(hours=25))):
            clock.advance(later or 0)
            began, before = time.perf_counter(), len(sandbox.books.requests("spotify"))
            known = await metadata.facts(entries, ASKED, account.id)
            calls, seconds = len(sandbox.books.requests("spotify")) - before, time.perf_counter() - began
            first += calls if later is None else 0
            told = sum(1 for facts in known.facts if facts.popularity is not None)
            print(f"  {title:<14} {calls:>4} calls ({known.hits:,} from the cache) in {seconds:.2f} s; {told:,} known")
        size = sum(kind.bytes for kind in (await cache.statistics()).values())
        print(f"  reading the base took {reading} calls, all together {first}; the cache holds {size / 1024:,.0f} KiB")
        return first


if __name__ == "__main__":
    main()
