"""Empty, migrated databases for tests, on either engine; tests that run at the same time never share one."""

import asyncio
import os
import secrets
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import make_url

from storage.migration import prepare
from storage.schema import metadata

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")
NO_POSTGRES = "TEST_POSTGRES_URL is not set, so that PostgreSQL is not asked"

T = TypeVar("T")


def sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def sqlite_template(folder: Path) -> Path:
    """A migrated file to copy from."""
    file = folder / "template.db"
    on_its_own_loop(prepare(sqlite_url(file), migrate=True))
    return file


def copy_of(template: Path, folder: Path) -> str:
    """The address of a fresh copy of ``template``."""
    file = folder / "crossfade.db"
    shutil.copyfile(template, file)
    return sqlite_url(file)


@contextmanager
def postgres_database() -> Iterator[str]:
    """The address of an empty database with a name of its own, dropped at the end."""
    name = f"crossfade_test_{secrets.token_hex(6)}"
    on_its_own_loop(_at_server(f'CREATE DATABASE "{name}"', f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        on_its_own_loop(_at_server(f'DROP DATABASE "{name}" WITH (FORCE)'))


def emptied(url: str) -> None:
    """Deletes every row: making a database for each test would take most of the tests' time."""
    # A base whose run is active refuses to lose its children.
    ended = "UPDATE runs SET status = 'failed'; "
    rows = ended + "; ".join(f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables))
    on_its_own_loop(_at_server(rows, database=make_url(url).database))


def on_its_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` to its end beside the test's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _at_server(*statements: str, database: str | None = None) -> None:
    import asyncpg

    server = make_url(POSTGRES).set(drivername="postgresql")
    address = server.set(database=database or server.database).render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
