"""A database that cannot be used is refused with one sentence that says why and what to do."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.model.errors import UserMistake
from bot.model.music import Service
from storage import DatabaseLocked, DatabaseNewer, DatabaseUnusable, KeysUnusable, Storage, backup, open_storage
from storage.database import check_sqlite_version
from tests.clock import FakeClock
from tests.conftest import KEY
from tests.databases import sqlite_url as address
from tests.factories import connected

ROOT = Path(__file__).parents[2]


async def refused(url: str, **options: object) -> str:
    """The sentence with which opening ``url`` is refused."""
    with pytest.raises(DatabaseUnusable) as error:
        async with open_storage(url, clock=FakeClock(), **options):  # type: ignore[arg-type]
            pass
    return str(error.value)


def _sql(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


async def test_a_new_database_is_made_in_a_new_folder_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "deep" / "crossfade.db"
    async with open_storage(address(file), clock=FakeClock()) as storage:
        await storage.meta.put("a", "b")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_what_was_written_is_there_after_reopening(sqlite_url: str) -> None:
    for turn in range(2):
        async with open_storage(sqlite_url, clock=FakeClock()) as storage:
            assert await storage.meta.get("a") == (None if turn == 0 else "b")
            await storage.meta.put("a", "b")


async def test_a_clock_may_be_a_callable(sqlite_url: str) -> None:
    clock = FakeClock()
    async with open_storage(sqlite_url, clock=clock.now) as storage:
        assert storage.db.now() == clock.now()


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    _sql(tmp_path / "crossfade.db", "UPDATE alembic_version SET version_num = '9999'")
    before = (tmp_path / "crossfade.db").read_bytes()
    for migrate in (True, False):
        with pytest.raises(DatabaseNewer, match="newer version"):
            async with open_storage(sqlite_url, clock=FakeClock(), migrate=migrate):
                pass
    assert (tmp_path / "crossfade.db").read_bytes() == before


async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    _sql(tmp_path / "x.db", "CREATE TABLE recipes (id INTEGER)")
    assert "another program" in await refused(address(tmp_path / "x.db"))
    with sqlite3.connect(tmp_path / "x.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    connection.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"my diary, page one. " * 100)
    assert "not a SQLite database" in await refused(address(tmp_path / "x.db"))
    assert (tmp_path / "x.db").read_bytes() == b"my diary, page one. " * 100


async def test_a_folder_cannot_be_a_database(tmp_path: Path) -> None:
    assert "cannot be opened" in await refused(address(tmp_path))


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in await refused(address(tmp_path / "file" / "x.db"))


async def test_without_migrating_an_old_or_missing_database_is_refused(tmp_path: Path) -> None:
    assert "crossfade migrate" in await refused(address(tmp_path / "none.db"), migrate=False)
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    assert "crossfade migrate" in await refused(address(tmp_path / "empty.db"), migrate=False)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://x", "must begin with"),
        ("postgresql://x", "must begin with"),
        ("sqlite:///x.db", "must begin with"),
        ("nonsense", "cannot be read"),
        ("sqlite+aiosqlite://", "names no file"),
        ("sqlite+aiosqlite:///:memory:", "names no file"),
    ],
)
async def test_an_address_that_cannot_be_used_is_explained(url: str, said: str) -> None:
    sentence = await refused(url)
    assert said in sentence
    assert "DATABASE_URL" in sentence


async def test_a_postgres_server_that_is_not_there_is_explained() -> None:
    assert "cannot be reached" in await refused("postgresql+asyncpg://nobody@127.0.0.1:1/none")


async def test_a_postgres_database_that_does_not_exist_is_explained(migrated_postgres: str) -> None:
    assert "does not exist" in await refused(migrated_postgres + "_that_is_not_there")


async def test_wrong_keys_are_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable):
        async with open_storage(address(tmp_path / "x.db"), keys=[b"short"], clock=FakeClock()):
            pass
    assert not (tmp_path / "x.db").exists()


async def test_one_process_at_a_time_works_on_a_sqlite_database(sqlite_url: str) -> None:
    async with open_storage(sqlite_url, clock=FakeClock()):
        with pytest.raises(DatabaseLocked, match=rf"process \(id {os.getpid()}\)"):
            async with open_storage(sqlite_url, clock=FakeClock()):
                pass
    async with open_storage(sqlite_url, clock=FakeClock()) as storage:
        await storage.db.check_writable()


HOLDER = """
import asyncio, datetime, os, sys
from storage import open_storage
async def main():
    async with open_storage(sys.argv[1], clock=lambda: datetime.datetime.now(datetime.UTC)) as storage:
        await storage.meta.put("written by", "the dead")
        print("open", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_killed_process_leaves_no_lock_and_no_lost_write(sqlite_url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, sqlite_url], stdout=subprocess.PIPE, cwd=ROOT) as holder:  # noqa: ASYNC220
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        assert f"(id {holder.pid})" in await refused(sqlite_url)
        holder.send_signal(signal.SIGKILL)
    async with open_storage(sqlite_url, clock=FakeClock()) as storage:
        assert await storage.meta.get("written by") == "the dead"


def test_a_sqlite_without_returning_is_refused() -> None:
    check_sqlite_version((3, 35, 0))
    with pytest.raises(DatabaseUnusable, match=r"SQLite 3\.34\.1 is too old"):
        check_sqlite_version((3, 34, 1))


async def test_a_backup_is_taken_while_the_bot_works(storage: Storage, sqlite_url: str, tmp_path: Path) -> None:
    account = await connected(storage, Service.SPOTIFY)
    copy = tmp_path / "copy.db"
    assert await backup.copy(sqlite_url, copy) == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    await storage.meta.put("after", "x")
    async with open_storage(address(copy), keys=[KEY], clock=FakeClock()) as restored:
        assert (await restored.accounts.token(account.id)).access_token == "access"
        assert await restored.meta.get("after") is None


async def test_a_backup_of_a_resting_database_works_too(sqlite_url: str, tmp_path: Path) -> None:
    await backup.copy(sqlite_url, tmp_path / "copy.db")
    async with open_storage(address(tmp_path / "copy.db"), clock=FakeClock(), migrate=False):
        pass


async def test_a_backup_never_overwrites(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "dear").write_text("dear")
    with pytest.raises(UserMistake, match="exists already"):
        await backup.copy(sqlite_url, tmp_path / "dear")
    with pytest.raises(UserMistake, match="cannot be written"):
        await backup.copy(sqlite_url, tmp_path / "no" / "folder")
    assert (tmp_path / "dear").read_text() == "dear"


async def test_a_backup_says_what_it_cannot_copy(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="no database"):
        await backup.copy(address(tmp_path / "none.db"), tmp_path / "copy.db")
    with pytest.raises(DatabaseUnusable, match="pg_dump"):
        await backup.copy("postgresql+asyncpg://x/y", tmp_path / "copy.db")
    (tmp_path / "diary").write_bytes(b"my diary, page one. " * 100)
    with pytest.raises(DatabaseUnusable, match="not a SQLite database"):
        await backup.copy(address(tmp_path / "diary"), tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
