"""Empty, migrated databases for tests: each test has one of its own, on either engine."""

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
def postgres_database(template: str = "") -> Iterator[str]:
    """The address of a database that is dropped at the end: empty, or a copy of the database at ``template``."""
    name = f"crossfade_test_{secrets.token_hex(6)}"
    copied = f' TEMPLATE "{make_url(template).database}"' if template else ""
    on_its_own_loop(_at_server(f'CREATE DATABASE "{name}"{copied}'))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        on_its_own_loop(_at_server(f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def postgres_template() -> Iterator[str]:
    """A migrated database to copy from."""
    with postgres_database() as url:
        on_its_own_loop(prepare(url, migrate=True))
        yield url


def on_its_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` to its end beside the test's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _at_server(statement: str) -> None:
    import asyncpg

    url = make_url(POSTGRES).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
