"""How long each list, filter and count of /jobs takes with 1,000,000 log lines, 100,000 items and 20,000 runs.

``python -m tests.benchmarks.jobs`` prints one table (milliseconds: median and worst of ten).
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import Action, ItemStatus
from bot.model.jobs import Cursor, ItemFilter, JobFilter, Sort
from bot.model.run import RunKind, RunStatus, Trigger
from storage import Storage, open_storage
from tests.benchmarks.big_database import BIG, fill
from tests.clock import START, FakeClock
from tests.conftest import KEY
from tests.databases import sqlite_url
from tests.factories import PERSON

ROUNDS = 10
LIMIT = 200  # milliseconds
_WEEK = START - timedelta(days=7)

JOBS = {
    "all": JobFilter(),
    "failed": JobFilter(statuses=(RunStatus.FAILED,)),
    "none such": JobFilter(statuses=(RunStatus.QUEUED,)),
    "analyses of a mapping": JobFilter(kinds=(RunKind.ANALYSIS,), mapping_id=3),
    "a person's": JobFilter(actor_id=PERSON, triggers=(Trigger.COMMAND,)),
    "of a week": JobFilter(since=_WEEK, until=_WEEK + timedelta(days=1)),
    "text in the error": JobFilter(text="number 4711"),
    "by their start": JobFilter(sort=Sort.STARTED),
    "by their end, oldest first": JobFilter(sort=Sort.COMPLETED, ascending=True),
    "id": JobFilter(id=777),
}
ITEMS = {
    "all": ItemFilter(),
    "failed": ItemFilter(statuses=(ItemStatus.ERROR,)),
    "failed and cancelled": ItemFilter(statuses=(ItemStatus.ERROR, ItemStatus.CANCELLED)),
    "none such": ItemFilter(actions=(Action.MOVE_TRACK,)),
    "of a mapping": ItemFilter(mapping_id=3),
    "of a run": ItemFilter(run_id=777),
    "a person's": ItemFilter(actor_id=PERSON),
    "of a week": ItemFilter(since=_WEEK, until=_WEEK + timedelta(days=1)),
    "text in the error": ItemFilter(text="number 4711"),
    "text that none has": ItemFilter(text="chrysanthemum"),
    "of a reason": ItemFilter(reason="playlist_gone"),
    "by their end": ItemFilter(sort=Sort.COMPLETED),
    "by their end, oldest first": ItemFilter(sort=Sort.COMPLETED, ascending=True),
}


def questions(storage: Storage) -> dict[str, Callable[[], Awaitable[object]]]:
    jobs = storage.jobs
    asked: dict[str, Callable[[], Awaitable[object]]] = {"names of the mappings": lambda: jobs.names(BIG)}
    place = Cursor(value=START - timedelta(days=20), id=9_000)
    for name, job in JOBS.items():
        asked[f"runs, {name}: page"] = lambda job=job: jobs.runs(BIG, job)  # type: ignore[misc]
        asked[f"runs, {name}: deep page"] = lambda job=job: jobs.runs(BIG, job, after=place)  # type: ignore[misc]
        asked[f"runs, {name}: page before"] = lambda job=job: jobs.runs(BIG, job, before=place)  # type: ignore[misc]
        asked[f"runs, {name}: count"] = lambda job=job: jobs.count(BIG, job)  # type: ignore[misc]
        asked[f"runs, {name}: place"] = lambda job=job: jobs.count(BIG, job, before=place)  # type: ignore[misc]
        asked[f"runs, {name}: active"] = lambda job=job: jobs.active(BIG, job)  # type: ignore[misc]
        asked[f"runs, {name}: to retry"] = lambda job=job: jobs.count_retriable(BIG, job)  # type: ignore[misc]
        asked[f"runs, {name}: to cancel"] = lambda job=job: jobs.count_cancellable(BIG, job)  # type: ignore[misc]
    for name, item in ITEMS.items():
        asked[f"items, {name}: page"] = lambda item=item: jobs.items(BIG, item)  # type: ignore[misc]
        asked[f"items, {name}: deep page"] = lambda item=item: jobs.items(BIG, item, after=place)  # type: ignore[misc]
        asked[f"items, {name}: page before"] = lambda item=item: jobs.items(BIG, item, before=place)  # type: ignore[misc]
        asked[f"items, {name}: count"] = lambda item=item: jobs.count(BIG, item)  # type: ignore[misc]
        asked[f"items, {name}: place"] = lambda item=item: jobs.count(BIG, item, before=place)  # type: ignore[misc]
        asked[f"items, {name}: active"] = lambda item=item: jobs.active(BIG, item)  # type: ignore[misc]
        asked[f"items, {name}: to retry"] = lambda item=item: jobs.count_retriable(BIG, item)  # type: ignore[misc]
        asked[f"items, {name}: to cancel"] = lambda item=item: jobs.count_cancellable(BIG, item)  # type: ignore[misc]
    return asked


async def measured(ask: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    """Milliseconds of each round, shortest first."""
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)


async def _with_origins(connection: AsyncConnection) -> None:
    await connection.execute(text("UPDATE sync_items SET origin_run_id = run_id - 1 WHERE run_id > 1"))


async def main() -> int:
    slow = 0
    with tempfile.TemporaryDirectory() as folder:
        async with open_storage(sqlite_url(Path(folder) / "x.db"), keys=[KEY], clock=FakeClock()) as storage:
            await fill(storage)
            await storage.db.write(_with_origins)
            for name, ask in questions(storage).items():
                took = await measured(ask)
                slow += statistics.median(took) > LIMIT
                mark = "  SLOW" if took[-1] > LIMIT else ""
                sys.stdout.write(f"{name:48} {statistics.median(took):8.2f} {took[-1]:8.2f}{mark}\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
