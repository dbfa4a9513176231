"""Fixtures for all tests: a clock that is given, and storage on both engines."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage import Storage, open_storage
from storage.migration import prepare
from tests import databases
from tests.clock import FakeClock

KEY = b"the key of all storage in tests!"


@pytest.fixture
def clock() -> FakeClock:
    """Stands at noon UTC of 20 November 2026 until it is advanced."""
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    if not databases.POSTGRES:
        pytest.skip(databases.NO_POSTGRES)
    with databases.postgres_database() as url:
        databases.on_its_own_loop(prepare(url, migrate=True))
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite database without rows."""
    return databases.copy_of(sqlite_template, tmp_path)


@pytest.fixture
def postgres_url(migrated_postgres: str) -> str:
    """The address of a migrated PostgreSQL database without rows, this test run's own."""
    databases.emptied(migrated_postgres)
    return migrated_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def each_url(request: pytest.FixtureRequest) -> str:
    """A migrated database without rows, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def storage(sqlite_url: str, clock: FakeClock) -> AsyncIterator[Storage]:
    """Storage on SQLite, for tests of what stands on storage."""
    async with open_storage(sqlite_url, keys=[KEY], clock=clock) as opened:
        yield opened


@pytest.fixture
async def each_storage(each_url: str, clock: FakeClock) -> AsyncIterator[Storage]:
    """Storage once on each engine, for the contract of storage itself."""
    async with open_storage(each_url, keys=[KEY], clock=clock) as opened:
        yield opened
