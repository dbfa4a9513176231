"""The daily copy: private, complete, and only the last ones are kept."""

import sqlite3
from datetime import timedelta

import pytest

from bot.engine.backups import Backups
from bot.model.errors import UserMistake
from storage import Storage
from tests.clock import FakeClock
from tests.factories import mapped


@pytest.fixture
def backups(sqlite_url: str, clock: FakeClock) -> Backups:
    return Backups(sqlite_url, clock, kept=3)


async def test_a_copy_holds_what_the_database_holds_and_is_its_owners_only(
    storage: Storage, backups: Backups, clock: FakeClock
) -> None:
    await mapped(storage, "Trip")
    said = await backups.run()
    assert backups.folder is not None
    (copy,) = backups.folder.iterdir()
    assert copy.name == "crossfade-20261120T120000Z.db"
    assert copy.name in said
    assert copy.stat().st_mode & 0o777 == 0o600
    assert backups.folder.stat().st_mode & 0o777 == 0o700
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT name FROM mappings").fetchall() == [("Trip",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_only_the_last_copies_are_kept_and_other_files_are_left_alone(
    storage: Storage, backups: Backups, clock: FakeClock
) -> None:
    assert backups.folder is not None
    backups.folder.mkdir()
    own = backups.folder / "crossfade-by-hand.db"
    own.write_text("mine")
    for _ in range(5):
        await backups.run()
        clock.advance(timedelta(days=1))
    kept = sorted(path.name for path in backups.folder.iterdir() if path != own)
    assert kept == [f"crossfade-202611{day}T120000Z.db" for day in (22, 23, 24)]
    assert own.read_text() == "mine"


async def test_a_copy_is_due_when_there_is_none_or_the_newest_is_a_day_old(
    storage: Storage, backups: Backups, clock: FakeClock
) -> None:
    assert backups.due()
    await backups.run()
    assert not backups.due()
    clock.advance(timedelta(days=1))
    assert backups.due()


async def test_where_no_copy_can_be_made_none_is_dropped(storage: Storage, backups: Backups, clock: FakeClock) -> None:
    await backups.run()
    assert backups.folder is not None
    for hour in range(1, 5):
        (backups.folder / f"crossfade-20261120T1{hour}0000Z.db").write_text("x")
    clock.advance(3600)  # its name is taken
    with pytest.raises(UserMistake, match="exists already"):
        await backups.run()
    assert len(list(backups.folder.iterdir())) == 4


async def test_a_folder_that_cannot_be_made_says_so(sqlite_url: str, backups: Backups) -> None:
    assert backups.folder is not None
    backups.folder.write_text("in the way")
    with pytest.raises(UserMistake, match="cannot be made, so nothing was copied"):
        await backups.run()


async def test_postgresql_is_not_copied_and_told_how(clock: FakeClock) -> None:
    elsewhere = Backups("postgresql+asyncpg://bot:secret@db/crossfade", clock)
    assert not elsewhere.due()
    said = await elsewhere.run()
    assert "pg_dump" in said
    assert "secret" not in said
