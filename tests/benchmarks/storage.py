"""How long the questions of the dashboard and of the lists take with 1,000,000 log lines and 100,000 items.

``python -m tests.benchmarks.storage`` prints one table (milliseconds: median, 99th percentile, worst).
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import ItemStatus
from bot.model.logline import JobType, Level
from storage import Storage, open_storage
from tests.clock import FakeClock
from tests.conftest import KEY
from tests.databases import sqlite_url
from tests.factories import GUILD, mapped, started

LINES, ITEMS, RUNS, MAPPINGS, ROUNDS = 1_000_000, 100_000, 20_000, 20, 200

_LINES = f"""
INSERT INTO logs (at, level, event, message, job_type, sync_item_id, run_id, mapping_id, guild_id, actor, details,
  source)
SELECT datetime('2026-11-13', '+' || (x / 2) || ' seconds') || '.000000',
  CASE WHEN x % 1000 = 0 THEN 'error' WHEN x % 100 = 0 THEN 'warn' ELSE 'info' END, 'item.added',
  'Successfully added track number ' || x, CASE WHEN x % 500 = 0 THEN 'user_action' ELSE 'execution' END,
  x % {ITEMS}, x % {RUNS}, x % {MAPPINGS} + 1, {GUILD} + x % 2, CASE WHEN x % 500 = 0 THEN 5 END, '{{"v":1}}', 'bot'
"""
_ITEMS = f"""
INSERT INTO sync_items (mapping_id, run_id, guild_id, service, action, source_track_id, occurrence, source_track_title,
  source_service, destination_service, payload, status, attempts, lease_token, last_error, created_at, completed_at)
SELECT x % {MAPPINGS} + 1, 1, {GUILD}, 'youtube', 'add_track', 'track' || x, 0, 'Title ' || x, 'spotify', 'youtube',
  '{{"v":1,"track_id":"x"}}',
  CASE WHEN x % 50 = 0 THEN 'error' WHEN x % 30 = 0 THEN 'blacklisted' WHEN x % 20 = 0 THEN 'pending' ELSE 'done' END,
  1, '', '', '2026-11-20 00:00:00.000000', '2026-11-20 00:00:00.000000'
"""
_RUNS = f"""
INSERT INTO runs (kind, mapping_id, guild_id, "trigger", actor, status, created_at, error, tracks_processed, adds,
  removals, skipped, failed, waiting, api_requests, cached_requests, quota_units)
SELECT 'execution', x % {MAPPINGS} + 1, {GUILD}, 'schedule', 0, 'completed', '2026-11-20 00:00:00.000000', '',
  0, 0, 0, 0, 0, 0, 0, 0, 0
"""


async def fill(storage: Storage) -> None:
    """Fills a SQLite database as it may look after a year."""
    for n in range(MAPPINGS):
        mapping = await mapped(storage, f"Mapping {n}")
    await started(storage, mapping)
    for statement, count in ((_RUNS, RUNS), (_ITEMS, ITEMS), (_LINES, LINES)):
        await storage.db.write(partial(_insert, statement=statement, count=count))


async def _insert(connection: AsyncConnection, statement: str, count: int) -> None:
    numbers = f"WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < {count - 1})"
    await connection.exec_driver_sql(f"{statement.replace('SELECT', numbers + ' SELECT', 1)} FROM n")


def questions(storage: Storage) -> dict[str, Callable[[], Awaitable[object]]]:
    """The questions by name; one item and one mapping stand for all."""
    items, logs, now = storage.items, storage.logs, storage.db.now()
    failed = [ItemStatus.ERROR, ItemStatus.BLACKLISTED]
    return {
        "dashboard, everybody": lambda: storage.stats.dashboard(None),
        "dashboard, one guild": lambda: storage.stats.dashboard(GUILD),
        "items, newest 25": lambda: items.list_of_guild(GUILD),
        "items, failed, page 40": lambda: items.list_of_guild(GUILD, failed, before_id=80_000),
        "items, open of a mapping": lambda: items.open_of_mapping(3),
        "items, due groups": lambda: items.due_groups(now),
        "items, next due": lambda: items.next_due_at(),
        "runs, recent": lambda: storage.runs.recent(GUILD),
        "logs, newest 25": lambda: logs.query(GUILD),
        "logs, deep page": lambda: logs.query(GUILD, before_id=300_000),
        "logs, warnings and worse": lambda: logs.query(GUILD, least=Level.WARN),
        "logs, errors": lambda: logs.query(GUILD, least=Level.ERROR),
        "logs, a run": lambda: logs.query(GUILD, run_id=78),
        "logs, an item": lambda: logs.query(GUILD, sync_item_id=1234),
        "logs, a mapping": lambda: logs.query(GUILD, mapping_id=3),
        "logs, what people did": lambda: logs.query(GUILD, job_types=[JobType.USER_ACTION]),
        "logs, one person": lambda: logs.query(GUILD, actor_id=5),
        "logs, words in text": lambda: logs.query(GUILD, contains="number 99"),
    }


async def measured(ask: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    """Milliseconds of each round, shortest first."""
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_storage(sqlite_url(Path(folder) / "x.db"), keys=[KEY], clock=FakeClock()) as storage:
            begun = time.perf_counter()
            await fill(storage)
            print(f"filled in {time.perf_counter() - begun:.0f} s")
            for name, ask in questions(storage).items():
                took = await measured(ask)
                p99 = took[int(len(took) * 0.99) - 1]
                print(f"{name:28} {statistics.median(took):8.2f} {p99:8.2f} {took[-1]:8.2f}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
