"""Transactions always end, on both engines, whoever is cancelled and whatever fails."""

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.errors import Bug, CrossfadeError, UserMistake
from storage import DatabaseUnusable, Storage, open_storage
from tests.clock import FakeClock
from tests.conftest import KEY


async def test_a_cancelled_writer_leaves_no_transaction_open(each_storage: Storage) -> None:
    """Cancelled at every step of a transaction: before BEGIN, in a statement, in COMMIT."""
    for steps in range(25):
        task = asyncio.create_task(each_storage.meta.put(f"cancelled after {steps}", "x"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await each_storage.meta.put("next", str(steps))
        assert await each_storage.meta.get("next") == str(steps)


async def test_a_cancelled_write_has_ended_when_its_caller_hears_of_it(each_storage: Storage) -> None:
    begun = asyncio.Event()

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO meta (name, value) VALUES ('slow', 'done')"))
        begun.set()
        await asyncio.sleep(0.05)

    task = asyncio.create_task(each_storage.db.write(work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await each_storage.meta.get("slow") == "done"


async def test_a_writer_cancelled_in_the_queue_writes_nothing(storage: Storage) -> None:
    go_on = asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await go_on.wait()

    first = asyncio.create_task(storage.db.write(slow))
    await asyncio.sleep(0)
    second = asyncio.create_task(storage.meta.put("queued", "x"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first
    assert await storage.meta.get("queued") is None


async def test_what_fails_in_the_middle_is_rolled_back(each_storage: Storage) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO meta (name, value) VALUES ('half', 'x')"))
        raise UserMistake("no")

    with pytest.raises(UserMistake):
        await each_storage.db.write(work)
    assert await each_storage.meta.get("half") is None
    await each_storage.meta.put("whole", "x")


async def test_readers_see_no_half_of_a_write_and_do_not_wait_for_it(each_storage: Storage) -> None:
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO meta (name, value) VALUES ('slow', 'x')"))
        written.set()
        await go_on.wait()

    task = asyncio.create_task(each_storage.db.write(slow))
    await written.wait()
    async with asyncio.timeout(5):
        assert await each_storage.meta.get("slow") is None
    go_on.set()
    await task
    assert await each_storage.meta.get("slow") == "x"


async def test_many_writers_at_once_lose_nothing(each_storage: Storage) -> None:
    await asyncio.gather(*(each_storage.meta.put(f"n{n}", str(n)) for n in range(100)))
    found = await asyncio.gather(*(each_storage.meta.get(f"n{n}") for n in range(100)))
    assert found == [str(n) for n in range(100)]


async def test_the_drivers_errors_do_not_leave_storage(each_storage: Storage) -> None:
    with pytest.raises(Bug):
        await each_storage.db.read(lambda connection: connection.execute(text("SELECT nonsense FROM nowhere")))


async def test_a_read_cannot_write(each_storage: Storage) -> None:
    with pytest.raises(DatabaseUnusable, match="read-only"):
        await each_storage.db.read(lambda connection: connection.execute(text("DELETE FROM meta")))
    await each_storage.meta.put("a", "b")


async def test_a_read_is_one_view_however_many_questions_it_asks(each_storage: Storage) -> None:
    count = text("SELECT count(*) FROM meta")

    async def twice(connection: AsyncConnection) -> tuple[int, int]:
        before = (await connection.execute(count)).scalar_one()
        await each_storage.meta.put("between", "x")
        return before, (await connection.execute(count)).scalar_one()

    assert await each_storage.db.read(twice) == (0, 0)
    assert await each_storage.meta.get("between") == "x"


async def test_transactions_that_cross_both_happen(each_storage: Storage) -> None:
    """On PostgreSQL one of the two is a deadlock's victim and is done again; SQLite's writers take turns."""
    await asyncio.gather(each_storage.meta.put("a", ""), each_storage.meta.put("b", ""))
    met = asyncio.Barrier(2)

    async def touch(names: str, sign: str) -> None:
        tries = 0

        async def work(connection: AsyncConnection) -> None:
            nonlocal tries
            tries += 1
            for n, name in enumerate(names):
                change = text("UPDATE meta SET value = value || :sign WHERE name = :name")
                await connection.execute(change, {"sign": sign, "name": name})
                if n == 0 and tries == 1 and each_storage.db.is_postgres:
                    await met.wait()

        await each_storage.db.write(work)

    await asyncio.gather(touch("ab", "1"), touch("ba", "2"))
    for name in "ab":
        assert sorted(await each_storage.meta.get(name) or "") == ["1", "2"]


async def test_sqlite_runs_as_the_design_says(storage: Storage) -> None:
    pragmas = await storage.db.pragmas()
    assert (pragmas["journal_mode"], pragmas["synchronous"], pragmas["foreign_keys"]) == ("wal", "2", "1")


async def test_a_write_holds_the_file_from_its_beginning(storage: Storage, tmp_path: Path) -> None:
    """A read that turns into a write would fail with BUSY_SNAPSHOT after another program's write in between."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT count(*) FROM meta"))
        with (
            contextlib.closing(sqlite3.connect(tmp_path / "crossfade.db", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("INSERT INTO meta VALUES ('between', 'x')")
        await connection.execute(text("INSERT INTO meta VALUES ('mine', 'x')"))

    await storage.db.write(work)
    assert await storage.meta.get("mine") == "x"


async def test_a_full_disk_is_one_clear_sentence_and_loses_nothing(storage: Storage) -> None:
    async def limit(connection: AsyncConnection) -> None:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await storage.meta.put("before", "x")
    await storage.db.write(limit)
    with pytest.raises(DatabaseUnusable, match="disk is full"):
        await storage.meta.put("much", "x" * 1_000_000)
    assert await storage.meta.get("before") == "x"


async def test_foreign_keys_are_held(each_storage: Storage) -> None:
    with pytest.raises(Bug):
        await each_storage.mappings.add(guild_id=1, name="x", left_playlist_id=404, right_playlist_id=405)


async def test_closing_leaves_no_thread_and_no_log_beside_the_file(sqlite_url: str, tmp_path: Path) -> None:
    async with open_storage(sqlite_url, keys=[KEY], clock=FakeClock()) as storage:
        await storage.meta.put("a", "b")
        await asyncio.gather(*(storage.meta.get("a") for _ in range(10)))
        workers = [thread for thread in threading.enumerate() if "_connection_worker_thread" in thread.name]
    assert len(workers) > 1, "the writer and at least one reader"
    for worker in workers:
        worker.join(5)
        assert not worker.is_alive(), "an open connection would keep the process alive"
    assert _names(tmp_path) == ["crossfade.db", "crossfade.db.lock"]


async def test_errors_of_storage_belong_to_our_tree(each_storage: Storage) -> None:
    with pytest.raises(CrossfadeError):
        await each_storage.db.write(lambda connection: connection.execute(text("INSERT INTO meta VALUES (NULL, '')")))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
