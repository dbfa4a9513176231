"""How fast ``GET /api/dashboard/stats`` answers when the database is large.

``python -m tests.benchmarks.stats_endpoint [--logs N] [--items N] [--requests N]`` fills a SQLite database, asks over
HTTP and prints median and 99th percentile, in milliseconds: as served (computed at most once a second), and with every
answer computed anew. It fails when the first 99th percentile is not below 10 ms.
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from bot.clock import Clock, SystemClock
from bot.engine.quota import Quota, QuotaLimits
from bot.engine.stats import Stats
from bot.model.logline import Level, LogLine
from bot.web.app import make_app
from bot.web.server import open_web
from storage import open_storage
from tests import factories

KEY = b"the key of all storage in tests!"
LIMIT_MS = 10.0
RUNS = 500
# Of a hundred items; a queue that has worked for a while is mostly done.
STATUSES = {
    "pending": 5,
    "running": 1,
    "unknown": 1,
    "error": 3,
    "skipped": 4,
    "blacklisted": 4,
    "cancelled": 2,
    "done": 80,
}


class HastyClock(SystemClock):
    """Real time for the wall; each look at the monotonic clock is a minute later, so that nothing is ever fresh."""

    def __init__(self) -> None:
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 60
        return float(self._looks)


async def seed(url: str) -> None:
    """One row of each kind, from which ``multiply`` makes the rest."""
    async with open_storage(url, keys=[KEY], clock=SystemClock()) as storage:
        mapping = await factories.mapped(storage)
        await factories.queued(storage, mapping, "first")
        await storage.logs.append(
            [
                LogLine(
                    at=datetime.now(UTC),
                    level=Level.INFO,
                    event="item.added",
                    message="x" * 120,
                    guild_id=factories.GUILD,
                )
            ]
        )


def multiply(file: Path, logs: int, items: int) -> None:
    """Copy the seeded rows until the tables hold as many as asked for."""
    statuses = [status for status, share in STATUSES.items() for _ in range(share)]
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA synchronous=OFF")
        _copy(database, "logs", logs, {"level": "CASE n % 20 WHEN 0 THEN 'warn' WHEN 1 THEN 'error' ELSE level END"})
        _copy(database, "runs", RUNS, {})
        database.execute("CREATE TEMP TABLE words (n INTEGER PRIMARY KEY, word TEXT)")
        database.executemany("INSERT INTO words VALUES (?, ?)", list(enumerate(statuses)))
        word = "(SELECT word FROM words WHERE words.n = series.n % 100)"
        _copy(database, "sync_items", items, {"status": word, "source_track_id": "'track' || series.n"})
        database.execute("ANALYZE")


def _copy(database: sqlite3.Connection, table: str, rows: int, changes: dict[str, str]) -> None:
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    values = ", ".join(changes.get(name, name) for name in names)
    database.execute(
        f"WITH RECURSIVE series(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM series WHERE n < ?)"
        f" INSERT INTO {table} ({', '.join(names)})"
        f" SELECT {values} FROM series, (SELECT * FROM {table} ORDER BY id LIMIT 1)",
        (rows,),
    )


@asynccontextmanager
async def served(url: str, clock: Clock) -> AsyncIterator[str]:
    """The real door over the real statistics."""

    async def ready() -> None: ...

    async with open_storage(url, keys=[KEY], clock=clock) as storage:
        stats = Stats(storage, Quota(storage, clock, QuotaLimits()), clock)
        nothing: object = None
        app = make_app(oauth_door=nothing, dashboard=stats, ready=ready, clock=clock)  # type: ignore[arg-type]
        async with open_web(app, host="127.0.0.1", port=0) as address:
            yield f"{address}/api/dashboard/stats"


async def measure(url: str, clock: Clock, requests: int, at_least: timedelta) -> list[float]:
    """Milliseconds of each request, one after the other, for ``requests`` requests and at least so long."""
    times: list[float] = []
    async with served(url, clock) as address, aiohttp.ClientSession() as session:
        end = time.perf_counter() + at_least.total_seconds()
        while len(times) < requests or time.perf_counter() < end:
            before = time.perf_counter()
            async with session.get(address) as response:
                await response.read()
                assert response.status == 200
            times.append((time.perf_counter() - before) * 1000)
    return times


def show(label: str, times: Sequence[float]) -> float:
    """Prints one row; the 99th percentile."""
    p99 = statistics.quantiles(times, n=100)[98]
    print(f"{label:<22} {len(times):>8} requests   median {statistics.median(times):7.2f} ms   p99 {p99:7.2f} ms")
    return p99


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=2_000)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crossfade.db"
        url = f"sqlite+aiosqlite:///{file}"
        asyncio.run(seed(url))
        multiply(file, asked.logs, asked.items)
        print(f"{asked.logs:,} log lines, {asked.items:,} items, {file.stat().st_size / 2**20:,.0f} MiB")
        p99 = show("as served", asyncio.run(measure(url, SystemClock(), asked.requests, timedelta(seconds=5))))
        show("computed every time", asyncio.run(measure(url, HastyClock(), asked.requests // 2, timedelta())))
    return 0 if p99 < LIMIT_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
