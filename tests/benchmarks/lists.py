"""How fast each list, filter and group answers with 1,000,000 log lines and 100,000 items.

``python -m tests.benchmarks.lists [--keep FOLDER] [--rounds N] [--only WORDS]`` fills a SQLite database (kept in FOLDER
for the next time, else in a temporary one), asks every question and prints median and worst in milliseconds. It fails
when a median is above 200 ms; a worst time above it is marked, since other programs share the machine.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.engine.failures import Failures
from bot.logs.activity import ActivityKind, events_of
from bot.model.failure import FailureFilter, FailureKind
from bot.model.item import ItemStatus
from bot.model.jobs import ItemFilter, JobFilter, Sort
from bot.model.log_filter import LogFilter
from bot.model.logline import JobType, Level
from bot.model.review import BlacklistReason, ReviewFilter
from bot.model.run import RunKind, RunStatus, Trigger
from storage import Storage, open_storage
from tests.benchmarks.big_database import BIG, RARE, SMALL, fill
from tests.clock import START, FakeClock
from tests.conftest import KEY
from tests.databases import sqlite_url
from tests.factories import PERSON

LIMIT_MS = 200.0
PAGE = 16  # what a message asks for
Question = Callable[[], Awaitable[object]]


def logs(storage: Storage) -> dict[str, Question]:
    """/logs: every filter alone, the dear ones together, both ways, and the other end of the log."""
    here = LogFilter(guild_id=BIG)
    day = timedelta(days=1)
    filters = {
        "everything": here,
        "warnings": replace(here, least=Level.WARN),
        "errors": replace(here, least=Level.ERROR),
        "job type": replace(here, job_type=JobType.USER_ACTION),
        "event, frequent": replace(here, events=("item.added",)),
        "event, rare": replace(here, events=("quota.spent",)),
        "run": replace(here, run_id=78),
        "item": replace(here, item_id=1234),
        "mapping": replace(here, mapping_id=3),
        "mapping, errors": replace(here, mapping_id=3, least=Level.ERROR),
        "actor": replace(here, actor_id=PERSON),
        "text, frequent": replace(here, text="song number 99"),
        "text, in the oldest line only": replace(here, text=RARE),
        "text, nowhere, errors": replace(here, text=RARE, least=Level.ERROR),
        "text, nowhere, event": replace(here, text=RARE, events=("item.added",)),
        "text, nowhere, mapping": replace(here, text=RARE, mapping_id=3),
        "text, nowhere, small server": replace(here, guild_id=SMALL, text=RARE),
        "text, nowhere, two hours": replace(here, text=RARE, since=START - timedelta(hours=2)),
        "since": replace(here, since=START - day),
        "until, long ago": replace(here, until=START - 25 * day),
        "span with everything": replace(
            here, since=START - 20 * day, until=START - 10 * day, least=Level.WARN, job_type=JobType.EXECUTION
        ),
        "mapping of another server": replace(here, mapping_id=20),
        "everywhere": replace(here, guild_id=None),
        "everywhere, errors": replace(here, guild_id=None, least=Level.ERROR),
        "everywhere, text": replace(here, guild_id=None, text=RARE),
        "everywhere, until": replace(here, guild_id=None, until=START - 25 * day),
    }
    asked: dict[str, Question] = {
        f"/logs {name}": lambda wanted=wanted: storage.logs.page(wanted, limit=PAGE)  # type: ignore[misc]
        for name, wanted in filters.items()
    }
    return asked | {
        "/logs deep page": lambda: storage.logs.page(here, before_id=300_000, limit=PAGE),
        "/logs newer page": lambda: storage.logs.page(here, after_id=300_000, limit=PAGE),
        "/logs newer page, text": lambda: storage.logs.page(replace(here, text=RARE), after_id=300_000, limit=PAGE),
        "/logs tail, nothing new": lambda: storage.logs.page(replace(here, text=RARE), after_id=999_000, limit=1),
        "/logs export, 1,000 lines": lambda: storage.logs.page(here, before_id=500_000, limit=1000),
    }


def activity(storage: Storage) -> dict[str, Question]:
    """/activity: each type, days and one person."""

    def ask(kind: ActivityKind | None, days: int, **fields: Any) -> Question:
        wanted = LogFilter(guild_id=BIG, events=events_of(kind), since=START - timedelta(days=days + 1))
        wanted = replace(wanted, **fields)
        return lambda: storage.logs.page(wanted, limit=PAGE)

    return {
        "/activity today": ask(None, 0),
        "/activity 30 days": ask(None, 30),
        **{f"/activity {kind.value}": ask(kind, 30) for kind in ActivityKind},
        "/activity one person": ask(None, 30, actor_id=PERSON),
        "/activity everywhere": ask(None, 30, guild_id=None),
        "/activity deep page": lambda: storage.logs.page(
            LogFilter(guild_id=BIG, events=events_of(None)), before_id=300_000, limit=PAGE
        ),
    }


def errors(storage: Storage) -> dict[str, Question]:
    """/errors: all groups, each kind, one group, and a page of its export."""
    nothing: object = None
    failures = Failures(storage, FakeClock(), nothing, wake=lambda: None)  # type: ignore[arg-type]
    week = FailureFilter(guild_id=BIG, window=timedelta(days=7))
    one = replace(week, window=timedelta(days=30), kind=FailureKind.ITEM, reason="playlist_gone")
    since = START - timedelta(days=30)
    return {
        "/errors 7 days": lambda: failures.groups(week),
        "/errors 30 days": lambda: failures.groups(replace(week, window=timedelta(days=30))),
        **{
            f"/errors {kind.value}": lambda kind=kind: failures.groups(replace(one, kind=kind, reason=None))  # type: ignore[misc]
            for kind in FailureKind
        },
        "/errors mapping": lambda: failures.groups(replace(week, mapping_id=3)),
        "/errors one group": lambda: failures.group(one),
        "/errors example": lambda: failures.example(one),
        "/errors export, 1,000 rows": lambda: storage.failures.page(FailureKind.ITEM, one, since, after_id=50_000),
    }


def jobs(storage: Storage) -> dict[str, Question]:
    """/jobs: runs and items by each filter and order, with the number that stands below the list."""
    week = START - timedelta(days=7)
    of_runs = {
        "everything": JobFilter(),
        "failed": JobFilter(statuses=(RunStatus.FAILED,)),
        "kind": JobFilter(kinds=(RunKind.EXECUTION,)),
        "mapping": JobFilter(mapping_id=3),
        "trigger": JobFilter(triggers=(Trigger.COMMAND,)),
        "actor": JobFilter(actor_id=PERSON),
        "dates": JobFilter(since=week, until=START),
        "text": JobFilter(text="503"),
        "text, nowhere": JobFilter(text=RARE),
        "by completed": JobFilter(sort=Sort.COMPLETED),
        "by started, ascending": JobFilter(sort=Sort.STARTED, ascending=True),
    }
    of_items = {
        "everything": ItemFilter(),
        "failed": ItemFilter(statuses=(ItemStatus.ERROR,)),
        "mapping": ItemFilter(mapping_id=3),
        "run": ItemFilter(run_id=78),
        "reason": ItemFilter(reason="playlist_gone"),
        "dates": ItemFilter(since=week, until=START),
        "text": ItemFilter(text="number 99"),
        "text, nowhere": ItemFilter(text=RARE),
        "actor": ItemFilter(actor_id=PERSON),
        "by completed": ItemFilter(sort=Sort.COMPLETED),
    }
    asked: dict[str, Question] = {}
    for name, runs in of_runs.items():
        asked[f"/jobs runs, {name}"] = lambda wanted=runs: storage.jobs.runs(BIG, wanted, limit=PAGE)  # type: ignore[misc]
        asked[f"/jobs count of runs, {name}"] = lambda wanted=runs: storage.jobs.count(BIG, wanted)  # type: ignore[misc]
    for name, items in of_items.items():
        asked[f"/jobs items, {name}"] = lambda wanted=items: storage.jobs.items(BIG, wanted, limit=PAGE)  # type: ignore[misc]
        asked[f"/jobs count of items, {name}"] = lambda wanted=items: storage.jobs.count(BIG, wanted)  # type: ignore[misc]
    return asked


def queue(storage: Storage) -> dict[str, Question]:
    """/queue status, and the number before clear-failed."""
    return {
        "/queue lanes": lambda: storage.queue.lanes(BIG, START),
        "/queue delays": lambda: storage.queue.delays(BIG, START),
        "/queue last 24 hours": lambda: storage.queue.hours(BIG, START),
        "/queue open work": lambda: storage.queue.open_work(),
        "/queue failed": lambda: storage.queue.failed(BIG, START),
    }


def review(storage: Storage) -> dict[str, Question]:
    """/review: counts, the next card, and the pages of the export."""
    every = ReviewFilter()
    filters = {
        "everything": every,
        "mapping": replace(every, mapping_id=3),
        "reason": replace(every, reason=BlacklistReason.LOW_CONFIDENCE),
        "above a score": replace(every, minimum=0.8),
    }
    asked: dict[str, Question] = {}
    for name, wanted in filters.items():
        asked[f"/review count, {name}"] = lambda wanted=wanted: storage.review_list.count(BIG, wanted)  # type: ignore[misc]
        asked[f"/review next, {name}"] = lambda wanted=wanted: storage.review_list.after(BIG, wanted, 2000)  # type: ignore[misc]
        asked[f"/review page, {name}"] = lambda wanted=wanted: storage.review_list.page(BIG, wanted)  # type: ignore[misc]
    return asked


async def measured(ask: Question, rounds: int) -> list[float]:
    """Milliseconds of each round, shortest first; the first one, which finds nothing in memory, is left out."""
    took = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took[1:])


async def ask_all(file: Path, rounds: int, only: str, *, new: bool) -> list[str]:
    """Prints the table; the questions that take too long."""
    async with open_storage(sqlite_url(file), keys=[KEY], clock=FakeClock()) as storage:
        if new:
            begun = time.perf_counter()
            await fill(storage)
            print(f"filled in {time.perf_counter() - begun:.0f} s")
        questions: dict[str, Question] = {}
        for group in (logs, activity, errors, jobs, queue, review):
            questions |= group(storage)
        slow = []
        print(f"{'question':42} {'median':>8} {'worst':>8}  ms")
        for name, ask in questions.items():
            if only not in name:
                continue
            took = await measured(ask, rounds)
            median = statistics.median(took)
            mark = "TOO SLOW" if median > LIMIT_MS else "worst above the limit" if took[-1] > LIMIT_MS else ""
            print(f"{name:42} {median:8.1f} {took[-1]:8.1f}  {mark}".rstrip(), flush=True)
            if median > LIMIT_MS:
                slow.append(name)
    return slow


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = (asked.keep or Path(folder)) / "lists.db"
        file.parent.mkdir(parents=True, exist_ok=True)
        slow = asyncio.run(ask_all(file, asked.rounds, asked.only, new=not file.exists()))
    print(f"{len(slow)} above {LIMIT_MS:.0f} ms: {', '.join(slow)}" if slow else f"all medians below {LIMIT_MS:.0f} ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
