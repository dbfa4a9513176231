"""How long an export of 100,000 rows takes, and for how long at most it keeps the event loop from other work.

``python -m tests.benchmarks.exports`` prints a line for each format.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from bot.engine.exports import Format, write_export

ROWS, PAGE = 100_000, 1_000
COLUMNS = ["id", "mapping", "title", "status", "attempts", "created_at", "last_error", "payload"]


async def pages() -> AsyncIterator[list[dict[str, Any]]]:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    for start in range(0, ROWS, PAGE):
        yield [
            {
                "id": start + n,
                "mapping": "Road trip",
                "title": f'=Track, number "{n}"',
                "status": "error",
                "attempts": 3,
                "created_at": at,
                "last_error": "The music service did not answer as it should. " * 3,
                "payload": {"v": 1, "track_id": "dQw4w9WgXcQ"},
            }
            for n in range(PAGE)
        ]


class Gaps:
    """The longest time between two turns of the loop."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest = max(self.longest, now - last - 0.001)
            last = now


async def main() -> None:
    for format_ in Format:
        gaps = Gaps()
        watcher = asyncio.create_task(gaps.watch())
        with tempfile.TemporaryFile() as file:
            began = time.perf_counter()
            rows = await write_export(pages(), COLUMNS, format_, file)
            took, size = time.perf_counter() - began, file.tell()
        watcher.cancel()
        sys.stdout.write(
            f"{format_.value}: {rows:,} rows, {size / 1024 / 1024:.1f} MB in {took:.2f} s; "
            f"longest gap of the loop {gaps.longest * 1000:.0f} ms\n"
        )


if __name__ == "__main__":
    asyncio.run(main())
