"""The cache over both of its stores: kept for its time, fetched once, and never a reason to stop."""

import asyncio
import logging
import os
import pickle
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.model.errors import RetryLater
from bot.model.events import Event
from bot.services import cache as cache_module
from bot.services.cache import Kind, open_cache
from tests.clock import FakeClock

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


class Service:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def load(self, keys: list[str]) -> Mapping[str, Any]:
        self.asked.append(keys)
        await asyncio.sleep(0)
        return {key: {"title": key.upper()} for key in keys if not key.startswith("no")}


@pytest.fixture
def redis_url() -> Iterator[str]:
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.exceptions.RedisError:
        pytest.skip(f"no Redis answers at {REDIS}")
    client.flushdb()
    yield REDIS
    client.flushdb()
    client.close()


@pytest.fixture(params=["embedded", "redis"])
def opens(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Callable[[], Any]:
    """Opens the cache, once over each store; again for another life of the program."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return lambda: open_cache(tmp_path / "cache", clock, redis_url=url)


async def test_what_was_asked_for_is_not_asked_for_again_even_after_a_restart(opens: Callable[[], Any]) -> None:
    service = Service()
    async with opens() as cache:
        first = await cache.fill(Kind.TRACK, ["a", "b", "a"], service.load, batch=50)
        assert (first.hits, first.misses, first.values["b"]) == (0, 2, {"title": "B"})
    async with opens() as cache:
        again = await cache.fill(Kind.TRACK, ["b", "a", "c"], service.load, batch=50)
    assert (again.hits, again.misses) == (2, 1)
    assert service.asked == [["a", "b"], ["c"]]


async def test_each_kind_is_kept_for_its_time(opens: Callable[[], Any], clock: FakeClock) -> None:
    service = Service()
    async with opens() as cache:
        for kind in Kind:
            await cache.fill(kind, ["a"], service.load, batch=1)
            clock.advance(kind.lasts - timedelta(seconds=1))
            assert (await cache.fill(kind, ["a"], service.load, batch=1)).hits == 1
            clock.advance(timedelta(seconds=2))
            assert (await cache.fill(kind, ["a"], service.load, batch=1)).misses == 1


async def test_nothing_known_is_remembered_as_well(opens: Callable[[], Any]) -> None:
    service = Service()
    async with opens() as cache:
        await cache.fill(Kind.TAGS, ["nobody"], service.load, batch=50)
        again = await cache.fill(Kind.TAGS, ["nobody"], service.load, batch=50)
    assert again.values == {"nobody": None}
    assert len(service.asked) == 1


async def test_many_keys_are_asked_for_in_batches(opens: Callable[[], Any]) -> None:
    service = Service()
    keys = [f"t{number}" for number in range(1203)]
    async with opens() as cache:
        await cache.fill(Kind.ARTIST, keys, service.load, batch=50)
        assert [len(part) for part in service.asked] == [50] * 24 + [3]
        again = await cache.fill(Kind.ARTIST, keys, service.load, batch=50)
        assert list(again.values) == keys
        assert (await cache.statistics())[Kind.ARTIST].entries == 1203


async def test_two_runs_that_want_the_same_ask_once(opens: Callable[[], Any]) -> None:
    service = Service()
    async with opens() as cache:
        one, other = await asyncio.gather(
            cache.fill(Kind.TRACK, ["a", "b", "c"], service.load, batch=1),
            cache.fill(Kind.TRACK, ["c", "b", "d"], service.load, batch=1),
        )
    assert sorted(key for part in service.asked for key in part) == ["a", "b", "c", "d"]
    assert one.values == {key: {"title": key.upper()} for key in "abc"}
    assert set(other.values) == {"b", "c", "d"}
    assert other.hits == 2


async def test_when_the_run_that_asks_is_stopped_the_waiting_one_asks_itself(opens: Callable[[], Any]) -> None:
    service, stuck = Service(), asyncio.Event()

    async def never(keys: list[str]) -> Mapping[str, Any]:
        await stuck.wait()
        return {}

    async with opens() as cache:
        first = asyncio.create_task(cache.fill(Kind.TRACK, ["a"], never, batch=1))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(cache.fill(Kind.TRACK, ["a"], service.load, batch=1))
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).values == {"a": {"title": "A"}}


async def test_a_failure_keeps_what_came_before_it_and_tells_those_who_wait(opens: Callable[[], Any]) -> None:
    async def breaks(keys: list[str]) -> Mapping[str, Any]:
        if "b" in keys:
            raise RetryLater("it does not answer")
        return dict.fromkeys(keys, 1)

    service = Service()
    async with opens() as cache:
        one, other = await asyncio.gather(
            cache.fill(Kind.TRACK, ["a", "b"], breaks, batch=1), cache.fill(Kind.TRACK, ["b"], service.load, batch=1)
        )
        assert one.values == {"a": 1}
        assert isinstance(one.error, RetryLater)
        assert other.error is one.error
        assert (await cache.fill(Kind.TRACK, ["a", "b"], service.load, batch=1)).values["b"] == {"title": "B"}
    assert service.asked == [["b"]]


async def test_hits_misses_size_and_age_are_told_by_kind(opens: Callable[[], Any], clock: FakeClock) -> None:
    service = Service()
    async with opens() as cache:
        began = clock.now()
        await cache.fill(Kind.TRACK, ["a", "b"], service.load, batch=50)
        clock.advance(60)
        await cache.fill(Kind.TRACK, ["a", "c"], service.load, batch=50)
        told = await cache.statistics()
    track = told[Kind.TRACK]
    assert (track.hits, track.misses, track.entries) == (1, 3, 3)
    assert track.hit_rate == 0.25
    assert (track.oldest, track.newest) == (began, clock.now())
    assert track.bytes > 30
    assert told[Kind.ALBUM].entries == 0
    assert told[Kind.ALBUM].hit_rate is None


async def test_one_entry_a_kind_or_everything_can_be_dropped(opens: Callable[[], Any]) -> None:
    service = Service()
    async with opens() as cache:
        for kind in (Kind.TRACK, Kind.TAGS, Kind.ALBUM):
            await cache.fill(kind, ["a", "b*"], service.load, batch=50)
        assert await cache.forget(Kind.TRACK, "a") == 1
        assert await cache.forget(Kind.TRACK, "a") == 0
        assert await cache.forget(None, "a") == 2
        assert await cache.forget(Kind.TRACK) == 1
        assert await cache.forget() == 2
        assert all(one.entries == 0 for one in (await cache.statistics()).values())


async def test_garbage_is_fetched_anew_and_told_once(
    opens: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service()
    async with opens() as cache:
        await cache.fill(Kind.TRACK, ["a", "b", "c"], service.load, batch=50)
        spoiled = {f"crossfade:{cache_module.VERSION}:track:{key}": value for key, value in _SPOILED.items()}
        await cache._opened.set_many(spoiled, expire=60)
        with caplog.at_level(logging.INFO):
            again = await cache.fill(Kind.TRACK, ["a", "b", "c"], service.load, batch=50)
        assert again.values["a"] == {"title": "A"}
        assert (again.hits, again.misses) == (0, 3)
        assert [record.msg for record in caplog.records if record.msg == Event.CACHE_GARBAGE] == [Event.CACHE_GARBAGE]
        assert (await cache.fill(Kind.TRACK, ["a", "b", "c"], service.load, batch=50)).hits == 3


_SPOILED = {"a": b"garbage", "b": b"Z" + b"\0" * 8 + b"not compressed", "c": b"J" + b"\xff" * 8 + b"{}"}


async def test_a_pickle_that_somebody_put_into_the_folder_is_never_loaded(tmp_path: Path, clock: FakeClock) -> None:
    service = Service()
    async with open_cache(tmp_path, clock) as cache:
        await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)
    target = tmp_path / secrets.token_hex(4)
    bomb = pickle.dumps(_Bombing(str(target)))
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE Cache SET mode = 4, value = ?", (bomb,))
    database.close()
    async with open_cache(tmp_path, clock) as cache:
        assert (await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)).values == {"a": {"title": "A"}}
    assert not target.exists()
    pickle.loads(bomb)
    assert target.exists()  # it would have gone off


class _Bombing:
    def __init__(self, target: str) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self._target,)


async def test_a_folder_that_is_no_cache_is_made_anew(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cache.db").write_bytes(b"this is no database" * 1000)
    service = Service()
    async with open_cache(tmp_path / "cache", clock) as cache:
        await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)
        assert (await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)).hits == 1


async def test_the_embedded_cache_stays_within_its_size(tmp_path: Path, clock: FakeClock) -> None:
    async def load(keys: list[str]) -> Mapping[str, Any]:
        return {key: secrets.token_hex(4000) for key in keys}

    size = 1024 * 1024
    async with open_cache(tmp_path, clock, size=size) as cache:
        await cache.fill(Kind.ALBUM, [f"album {number}" for number in range(600)], load, batch=20)
        kept = (await cache.statistics())[Kind.ALBUM]
        assert 20 < kept.entries < 400
        assert kept.bytes < size
        last = await cache.fill(Kind.ALBUM, ["album 599"], load, batch=20)
        assert last.hits == 1


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "localhost", "http://127.0.0.1:1", ""])
async def test_without_a_store_the_services_are_asked(
    url: str, tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """No such server, no address of Redis, and a file where the folder should be."""
    (tmp_path / "taken").write_text("a file")
    service = Service()
    with caplog.at_level(logging.INFO):
        async with open_cache(tmp_path / "taken", clock, redis_url=url) as cache:
            for _ in range(3):
                filled = await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)
                assert (filled.values, filled.misses) == ({"a": {"title": "A"}}, 1)
            assert await cache.forget() == 0
            assert (await cache.statistics())[Kind.TRACK].entries == 0
            assert not cache.working
    assert len(service.asked) == 3
    assert [record.msg for record in caplog.records].count(Event.CACHE_FAILING) == 1


async def test_a_store_that_comes_back_is_used_again(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis behind a door that is shut for a while."""
    if not await _redis_answers():
        pytest.skip(f"no Redis answers at {REDIS}")
    service, door = Service(), _Door()
    with caplog.at_level(logging.INFO):
        async with door.open() as port, open_cache(tmp_path, clock, redis_url=f"redis://127.0.0.1:{port}/14") as cache:
            await cache.forget()
            await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)
            door.shut = True
            door.cut()
            assert (await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)).misses == 1
            assert not cache.working
            door.shut = False
            assert (await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)).misses == 1  # left alone for a while
            clock.advance(cache_module.RETRY_AFTER + 1)
            assert (await cache.fill(Kind.TRACK, ["a"], service.load, batch=1)).hits == 1
            await cache.forget()
    told = [record.msg for record in caplog.records]
    assert (told.count(Event.CACHE_FAILING), told.count(Event.CACHE_BACK)) == (1, 1)


async def _redis_answers() -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", 6379)
    except OSError:
        return False
    writer.close()
    return True


class _Door:
    """Hands connections on to Redis unless it is shut."""

    def __init__(self) -> None:
        self.shut = False
        self._writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._through, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self.cut()
            server.close()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", 6379)
        self._writers += [writer, far_writer]
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
