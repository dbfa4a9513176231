"""Routing by genre to its end at the wire, what is fetched ahead at night, and lists of playlists that stay fresh."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.engine.facts import Metadata
from bot.engine.lists import Lists
from bot.engine.meter import count_outside
from bot.engine.router import Mode
from bot.engine.warming import Warming
from bot.model.music import Service
from bot.model.rules import Field
from bot.sandbox import genres
from bot.services.cache import Cache, Kind, open_cache
from bot.services.metadata.opening import MetadataConfig, open_sources
from bot.services.registry import MusicServices
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_router import based, child, held


@dataclass(kw_only=True)
class House:
    engine: Engine
    cache: Cache
    metadata: Metadata

    def outside(self) -> int:
        books = self.engine.sandbox.books
        return len(books.requests("listenbrainz")) + len(books.requests("musicbrainz"))


@asynccontextmanager
async def house(url: str, clock: NotingClock, folder: Path) -> AsyncIterator[House]:
    made: list[Metadata] = []

    def facts_of(services: MusicServices) -> Metadata:
        made.append(Metadata(services, cache, sources))
        return made[0]

    with simulated(clock) as sandbox:
        config = MetadataConfig(
            listenbrainz_api_url=sandbox.listenbrainz_api_url, musicbrainz_api_url=sandbox.musicbrainz_api_url
        )
        async with (
            open_cache(folder / "cache", clock) as cache,
            open_sources(config, clock, count_outside) as sources,
            engine_room(url, sandbox, clock, facts_of=facts_of) as engine,
        ):
            await engine.link_both()
            yield House(engine=engine, cache=cache, metadata=made[0])


async def test_a_child_by_genre_holds_what_the_sources_say(sqlite_url: str, tmp_path: Path) -> None:
    async with house(sqlite_url, NotingClock(), tmp_path) as one:
        engine, world = one.engine, one.engine.sandbox.world
        source = engine.spotify_playlist(60)
        base = await based(engine, source)
        pop = await child(engine, base, "Pop", "genre in (pop, rock)", Service.SPOTIFY)
        done = await engine.router.run(GUILD, base.id, ALICE)
        await engine.executor.drain()
        assert done.run is not None
        wanted = {track for track in world.spotify_items(source) if _says(genres.of_track(world.track(track)))}
        assert set(held(engine, pop)) <= wanted
        assert len(held(engine, pop)) > 0.8 * len(wanted) > 5
        assert done.run.details["requests"]["ListenBrainz"] >= 3
        assert done.run.counts.api_requests >= sum(done.run.details["requests"].values())
        assert done.run.details["cache_misses"] > 0
        engine.clock.advance(timedelta(minutes=5))
        before = one.outside()
        again = await engine.router.run(GUILD, base.id, ALICE, Mode.FULL)
        assert one.outside() == before
        assert again.run is not None
        assert again.run.details["cache_hit_rate"] == 1
        assert again.enqueued == 0


def _says(named: tuple[str, ...]) -> bool:
    return bool({"pop", "rock"} & {word for genre in named for word in genre.split()})


async def test_a_source_that_fails_for_a_day_empties_no_child(sqlite_url: str, tmp_path: Path) -> None:
    async with house(sqlite_url, NotingClock(), tmp_path) as one:
        engine = one.engine
        base = await based(engine, engine.spotify_playlist(60))
        pop = await child(engine, base, "Pop", "genre in (pop, rock)", Service.SPOTIFY)
        await engine.router.run(GUILD, base.id, ALICE)
        await engine.executor.drain()
        before = held(engine, pop)
        assert before
        await one.cache.forget()
        engine.clock.advance(timedelta(hours=2))
        for name in ("listenbrainz", "musicbrainz"):
            engine.sandbox.faults.next(name, "*", ".", "503", times=1000)
        done = await engine.router.run(GUILD, base.id, ALICE, Mode.FULL)
        await engine.executor.drain()
        assert Field.GENRE in done.degraded
        assert held(engine, pop) == before
        assert done.children[0].kept == len(before)


async def test_what_the_next_run_needs_is_fetched_at_night(sqlite_url: str, tmp_path: Path) -> None:
    clock = NotingClock()
    async with house(sqlite_url, clock, tmp_path) as one:
        engine = one.engine
        base = await based(engine, engine.spotify_playlist(40), schedule="daily 06:00")
        await child(engine, base, "Pop", "genre pop", Service.SPOTIFY)
        await child(engine, base, "Short", "duration < 3:00", Service.SPOTIFY)
        await engine.router.run(GUILD, base.id, ALICE)
        await engine.executor.drain()
        await one.cache.forget()
        warming = Warming(engine.storage, one.metadata, clock)
        before = one.outside()
        assert await warming.run() == "facts fetched ahead: 0, for base playlists: 1"  # it is noon
        assert one.outside() == before
        clock.advance(timedelta(hours=15))
        assert (await warming.run()).startswith("facts fetched ahead: 4")
        fetched = one.outside()
        assert fetched > before
        assert await warming.run() == "facts fetched ahead: 0, for base playlists: 1"
        clock.advance(timedelta(hours=3))
        assert await engine.router.due() == 1
        assert one.outside() == fetched


async def test_what_would_be_too_old_by_then_is_fetched_as_well(sqlite_url: str, tmp_path: Path) -> None:
    clock = NotingClock()
    async with house(sqlite_url, clock, tmp_path) as one:
        engine = one.engine
        base = await based(engine, engine.spotify_playlist(40), schedule="daily 06:00")
        await child(engine, base, "Pop", "genre pop", Service.SPOTIFY)
        clock.advance(timedelta(hours=17, minutes=30))  # half past five
        await engine.router.run(GUILD, base.id, ALICE)
        clock.advance(timedelta(days=6, hours=22))  # half past three; at six it will be seven days old
        await engine.storage.routers.update_base(base.id, next_run_at=clock.now() + timedelta(hours=2, minutes=30))
        before = one.outside()
        await Warming(engine.storage, one.metadata, clock).run()
        assert one.outside() > before


async def test_lists_of_playlists_are_read_again_after_five_minutes_and_not_before(
    sqlite_url: str, tmp_path: Path
) -> None:
    clock = NotingClock()
    async with house(sqlite_url, clock, tmp_path) as one:
        engine = one.engine
        lists = Lists(engine.storage, engine.services, one.cache)
        await lists.read(ALICE)
        calls = engine.calls()
        fresh = engine.spotify_playlist(3, name="Brand new")
        await lists.read(ALICE)
        assert engine.calls() == calls
        clock.advance(timedelta(minutes=5, seconds=1))
        lists.freshen(ALICE)
        await lists.read(ALICE)  # waits for the one under way
        assert engine.calls() == calls + 2  # one for each account
        found = await engine.mappings.suggest_playlists(ALICE, "brand")
        assert [listed.external_id for listed in found] == [fresh]
        engine.sandbox.faults.next("spotify", "GET", "me/playlists", "503")
        clock.advance(timedelta(minutes=6))
        await lists.read(ALICE)  # nothing comes out of it
        assert (await one.cache.statistics())[Kind.PLAYLISTS].entries == 1
        await lists.close()
