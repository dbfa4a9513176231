"""The connections: one writer, several readers, and transactions that always end, whoever is cancelled meanwhile."""

import asyncio
import functools
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote

from sqlalchemy import URL, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.model.errors import RetryLater
from storage.errors import CROSSED, DatabaseUnusable, translated

T = TypeVar("T")
V = TypeVar("V")
R = TypeVar("R", bound="Repository")
P = ParamSpec("P")

BUSY_MILLISECONDS = 10_000  # how long to wait for another program, say an open `sqlite3` shell
_READERS = 4
_POSTGRES_CONNECTIONS = 10
_TRIES = 3  # of a write that crossed with another one
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING

# Read back at start: a file system that cannot do WAL, or a build that ignores a pragma, must not go unnoticed.
WRITER_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "2",
    "foreign_keys": "1",
    "busy_timeout": str(BUSY_MILLISECONDS),
}
READER_PRAGMAS = {"query_only": "1", "busy_timeout": str(BUSY_MILLISECONDS)}


class Database:
    """Runs work in transactions. On SQLite writes take turns on the only read-write connection."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._reader = reader
        self.now = now
        self.url = writer.url
        self.is_postgres = writer.dialect.name == "postgresql"
        self._turn: AbstractAsyncContextManager[Any] = nullcontext() if self.is_postgres else asyncio.Lock()

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What ``work`` returns, from one consistent view of the database."""
        return await _unbroken(_transaction(self._reader, work))

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What ``work`` returns, once it is committed; an exception out of ``work`` rolls all of it back.

        On PostgreSQL two transactions can cross; ``work`` is then called again, on what the other one left. A caller
        that is cancelled while the transaction runs gets its CancelledError after the transaction has ended.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                async with self._turn:
                    return await _unbroken(_transaction(self._writer, work))
            except RetryLater as error:
                if error.code != CROSSED or not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    def insert(self, table: Table) -> sqlite.Insert:
        """An INSERT that knows ON CONFLICT, in the words of the engine in use (they are the same for both)."""
        return cast(sqlite.Insert, postgresql.insert(table)) if self.is_postgres else sqlite.insert(table)

    async def one_at_a_time(self, connection: AsyncConnection, subject: str) -> None:
        """Until the end of this transaction no other one passes here with the same ``subject``.

        For sums that must not change between the look and the write. SQLite's writers take turns anyway.
        """
        if self.is_postgres:
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})

    async def pragmas(self) -> dict[str, str]:
        """The settings of the writing connection as SQLite reports them; empty on PostgreSQL."""
        if self.is_postgres:
            return {}
        return await self.write(functools.partial(_pragmas, names=tuple(WRITER_PRAGMAS)))

    async def check_writable(self) -> None:
        """Raises DatabaseUnusable when a write would fail; changes nothing."""
        await self.write(_write_nothing)


class Repository:
    """The questions and changes of one subject; methods are made transactions by ``reads`` and ``writes``."""

    def __init__(self, db: Database) -> None:
        self.db = db


def reads(
    method: Callable[Concatenate[R, AsyncConnection, P], Awaitable[T]],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """The method gets a connection and runs whole in one read transaction."""

    @functools.wraps(method)
    async def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.db.read(lambda connection: method(self, connection, *args, **kwargs))

    return run


def writes(
    method: Callable[Concatenate[R, AsyncConnection, P], Awaitable[T]],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """The method gets a connection and runs whole in one write transaction, committed before it returns."""

    @functools.wraps(method)
    async def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.db.write(lambda connection: method(self, connection, *args, **kwargs))

    return run


def chunks(rows: Sequence[V], size: int = 500) -> Iterator[Sequence[V]]:
    """``rows`` in parts: a statement carries at most 32,766 parameters, on PostgreSQL 32,767.

    Many rows are inserted as one statement with many sets of parameters, ``execute(statement, rows)``: ``values(rows)``
    would be a statement as long as its rows, whose making holds the loop for a second where they are thousands.
    """
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def sqlite_file(url: str) -> Path | None:
    """The file that ``url`` names, None for PostgreSQL. Raises DatabaseUnusable for any other address."""
    parsed = _parsed(url)
    if parsed.drivername == "postgresql+asyncpg":
        return None
    if parsed.drivername != "sqlite+aiosqlite":
        raise DatabaseUnusable("DATABASE_URL must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://.")
    if not parsed.database or parsed.database == ":memory:":
        raise DatabaseUnusable("DATABASE_URL names no file; write sqlite+aiosqlite:///data/crossfade.db.")
    return Path(parsed.database)


@asynccontextmanager
async def writing_engine(url: str, *, foreign_keys: bool = True) -> AsyncIterator[AsyncEngine]:
    """The engine that may write: on SQLite exactly one connection.

    Below SQLite 3.51.3 two writing connections can corrupt the WAL, so that nothing else here ever opens a second one.
    ``foreign_keys`` is off only while migrations rebuild tables.
    """
    file = sqlite_file(url)
    if file is None:
        engine = _postgres_engine(url)
    else:
        pragmas = {**WRITER_PRAGMAS, "foreign_keys": "1" if foreign_keys else "0"}
        engine = _sqlite_engine(_file_url(file, "rwc"), size=1, pragmas=pragmas, begin="BEGIN IMMEDIATE")
    try:
        yield engine
    finally:
        await _unbroken(engine.dispose())


@asynccontextmanager
async def open_database(url: str, now: Callable[[], datetime]) -> AsyncIterator[Database]:
    """The database with its pragmas read back. Raises DatabaseUnusable."""
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(writing_engine(url))
        file = sqlite_file(url)
        if file is None:
            reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            reader = _sqlite_engine(_file_url(file, "ro"), size=_READERS, pragmas=READER_PRAGMAS, begin="BEGIN")
            stack.push_async_callback(reader.dispose)
        database = Database(writer, reader, now)
        await _check_pragmas(database)
        yield database


def check_sqlite_version(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Raises DatabaseUnusable below the version that we need."""
    if version < _OLDEST_SQLITE:
        raise DatabaseUnusable(
            f"SQLite {'.'.join(map(str, version))} is too old; 3.35 or newer is needed. "
            "Use a newer Python, or PostgreSQL."
        )


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable("DATABASE_URL cannot be read; write sqlite+aiosqlite:///data/crossfade.db.") from error


def _file_url(file: Path, mode: str) -> URL:
    name = f"file:{quote(str(file.absolute()))}"
    return URL.create("sqlite+aiosqlite", database=name, query={"mode": mode, "uri": "true"})


def _sqlite_engine(url: URL, *, size: int, pragmas: dict[str, str], begin: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=size, max_overflow=0, pool_timeout=60, json_serializer=compact_json)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver starts no transactions; the next listener does
        cursor = connection.cursor()
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: str) -> AsyncEngine:
    try:
        return create_async_engine(
            url, pool_size=_POSTGRES_CONNECTIONS, max_overflow=0, pool_pre_ping=True, json_serializer=compact_json
        )
    except ModuleNotFoundError as error:
        raise DatabaseUnusable("PostgreSQL needs the extra: pip install 'crossfade[postgres]'.") from error


compact_json = functools.partial(json.dumps, separators=(",", ":"))


async def _transaction(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    try:
        async with engine.begin() as connection:
            return await work(connection)
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise translated(error) from error


async def _unbroken(unit: Coroutine[Any, Any, T]) -> T:
    """Runs ``unit`` to its end even when the caller is cancelled; the cancellation is raised after that end.

    A cancelled BEGIN would leave a transaction open that blocks every writer, and a cancelled COMMIT commits anyway.
    """
    task = asyncio.ensure_future(unit)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # seen: the caller is gone and asks for no answer
        raise cancelled
    return task.result()


async def _pragmas(connection: AsyncConnection, names: tuple[str, ...]) -> dict[str, str]:
    return {name: str((await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()) for name in names}


async def _check_pragmas(database: Database) -> None:
    for name, value in (await database.pragmas()).items():
        if value != WRITER_PRAGMAS[name]:
            raise DatabaseUnusable(
                f"SQLite keeps {name} at {value} instead of {WRITER_PRAGMAS[name]} here; "
                "put the database on a local disk."
            )


async def _write_nothing(connection: AsyncConnection) -> None:
    await connection.execute(text("DELETE FROM meta WHERE name = ''"))
