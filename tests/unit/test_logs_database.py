"""The database as a sink of the log: nothing is forgotten before it is stored, failures are told once."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bot.logs.database import DatabaseLog, open_database_log
from bot.logs.setup import open_logs
from bot.model.events import Event
from bot.model.logline import LogLine
from tests.clock import FakeClock

log = logging.getLogger("bot.engine.sync")


class Store:
    """Takes batches, unless it is told to refuse the next ones."""

    def __init__(self) -> None:
        self.batches: list[tuple[LogLine, ...]] = []
        self.refusals = 0

    async def append(self, lines: Sequence[LogLine]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise RuntimeError("database is locked")
        self.batches.append(tuple(lines))

    @property
    def messages(self) -> list[str]:
        return [line.message for batch in self.batches for line in batch]


@asynccontextmanager
async def attached(store: Store, *, capacity: int = 1000) -> AsyncIterator[DatabaseLog]:
    """A sink that hears what is logged and writes when it is told to."""
    sink = DatabaseLog(store.append, FakeClock(), capacity=capacity)
    with open_logs(stream=io.StringIO()) as logs:
        logs.attach(sink.queue)
        yield sink


async def test_lines_share_a_batch_and_keep_their_order() -> None:
    store = Store()
    async with attached(store) as sink:
        for title in ("one", "two", "three"):
            log.info(Event.ITEM_ADDED, extra={"title": title})
        assert store.batches == []  # the one who logs never writes
        await sink.flush()
    assert [len(batch) for batch in store.batches] == [3]
    assert store.messages == [f"Successfully added track {title}" for title in ("one", "two", "three")]


async def test_what_the_database_refuses_stays_queued_and_is_stored_later_once() -> None:
    store = Store()
    store.refusals = 3
    async with attached(store) as sink:
        log.info(Event.ITEM_ADDED, extra={"title": "one"})
        assert [await sink.flush() for _ in range(3)] == [False, False, False]
        log.info(Event.ITEM_ADDED, extra={"title": "two"})
        assert await sink.flush()
    assert store.messages[0] == "Successfully added track one"
    assert store.messages.count("Successfully added track one") == 1
    assert store.messages.count("Successfully added track two") == 1


async def test_a_failing_database_is_told_once_and_once_when_it_is_back() -> None:
    store = Store()
    store.refusals = 4
    async with attached(store) as sink:
        log.info(Event.SYSTEM_STARTED)
        for _ in range(6):
            await sink.flush()
    events = [line.event for batch in store.batches for line in batch]
    assert events == ["system.started", "service.failing", "service.back"]


async def test_dropped_lines_are_counted_and_told() -> None:
    store = Store()
    async with attached(store, capacity=5) as sink:
        for number in range(12):
            log.info(Event.ITEM_ADDED, extra={"title": number})
        await sink.flush()
    assert store.messages[5:] == ["7 log lines were dropped because the log's database could not keep up"]


async def test_what_is_queued_at_the_end_is_written() -> None:
    store = Store()
    with open_logs(stream=io.StringIO()) as logs:
        async with open_database_log(logs, store.append, FakeClock()):
            log.info(Event.SYSTEM_STOPPED)
    assert store.messages == ["Crossfade stopped"]


async def test_the_end_does_not_store_a_batch_twice() -> None:
    """A write that is under way when the program ends is waited for, not cancelled and repeated."""
    store, under_way, go_on = Store(), asyncio.Event(), asyncio.Event()

    async def slowly(lines: Sequence[LogLine]) -> None:
        await store.append(lines)
        under_way.set()
        await go_on.wait()

    with open_logs(stream=io.StringIO()) as logs:
        async with open_database_log(logs, slowly, FakeClock()):
            log.info(Event.SYSTEM_STOPPED)
            await under_way.wait()
            asyncio.get_running_loop().call_soon(go_on.set)
    assert store.messages == ["Crossfade stopped"]


async def test_lines_from_other_threads_arrive() -> None:
    store = Store()
    with open_logs(stream=io.StringIO()) as logs:
        async with open_database_log(logs, store.append, FakeClock()):
            await asyncio.gather(
                *(asyncio.to_thread(log.info, Event.ITEM_ADDED, extra={"title": number}) for number in range(50))
            )
    assert len(set(store.messages)) == 50
