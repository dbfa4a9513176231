"""Who schedules and executes where several processes share a PostgreSQL database; the others stand by."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage.database import Database
from storage.errors import translated

_KEY = 0x63726F73  # "cros"; advisory locks are counted for each database
_ASK_AGAIN_SECONDS = 3.0
_WATCH_SECONDS = 10.0


class Leadership:
    """Held while the connection lives that took the lock: a process that dies loses it at once, without a timeout."""

    def __init__(self, connection: AsyncConnection | None, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._connection = connection
        self._sleep = sleep

    async def lost(self) -> None:
        """Returns when the leadership is gone because its connection is; on SQLite never."""
        if self._connection is None:
            await asyncio.Event().wait()
            return
        while True:
            await self._sleep(_WATCH_SECONDS)
            try:
                await self._connection.execute(text("SELECT 1"))
            except (DBAPIError, OSError):
                return


@asynccontextmanager
async def leading(db: Database, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> AsyncIterator[Leadership]:
    """Waits until this process leads, and leads while open. On SQLite the lock file admits one process anyway."""
    if not db.is_postgres:
        yield Leadership(None, sleep)
        return
    engine = create_async_engine(db.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        connection = await _elected(engine, sleep)
        try:
            yield Leadership(connection, sleep)
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _elected(engine: AsyncEngine, sleep: Callable[[float], Awaitable[None]]) -> AsyncConnection:
    """A connection that has taken the lock."""
    try:
        connection = await engine.connect()
        while not (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY})).scalar():
            await sleep(_ASK_AGAIN_SECONDS)
    except (DBAPIError, OSError) as error:
        raise translated(error) from error
    return connection
