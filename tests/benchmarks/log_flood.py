"""What a flood of 100,000 log lines in ten seconds does: to the database, to a server's log channel, and to the loop.

``python -m tests.benchmarks.log_flood`` prints the figures and fails where a line is lost or the channel is flooded.
"""

import asyncio
import io
import logging
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import SystemClock
from bot.logs.database import open_database_log
from bot.logs.feed import Feed, open_feed
from bot.logs.messages import Card, Message, Place, edits
from bot.logs.setup import open_logs
from bot.model.events import Event
from bot.model.logline import Level
from storage import Storage, open_storage
from storage.schema import logs as table
from tests.conftest import KEY
from tests.databases import sqlite_url

LINES, SECONDS, SLICES = 100_000, 10.0, 1_000
GUILDS = (1, 2)
WATCHED_SECONDS = 65.0  # from the beginning: more than a minute, so that the messages of a minute are all seen
LATEST_IN_DATABASE = 30.0  # seconds after the flood within which everything must be stored

log = logging.getLogger("bot.engine.flood")


class Channel:
    """Counts what would be sent to Discord."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, Message]] = []

    async def show(self, message: Message) -> Place | None:
        self.seen.append((time.monotonic(), message))
        known = message.incident.message_id if isinstance(message, Card) else None
        return Place(1, known or len(self.seen))

    def busiest_minute(self, guild_id: int, *, edited: bool) -> int:
        times = [at for at, message in self.seen if message.guild_id == guild_id and edits(message) is edited]
        return max((sum(start <= at < start + 60 for at in times) for start in times), default=0)


async def flood() -> float:
    """Log the lines evenly over the seconds, of ever new mappings and reasons; how long it took."""
    begun = time.monotonic()
    part = LINES // SLICES
    for number in range(SLICES):
        for index in range(part):
            which = number * part + index
            extra = {
                "title": f"Song {which}",
                "error": _word(which % 97),
                "mapping_id": which % 20,
                "guild_id": GUILDS[which % 2],
            }
            log.warning(Event.ITEM_ERROR if which % 3 else Event.ITEM_UNKNOWN, extra=extra)
        await asyncio.sleep(max(0.0, begun + (number + 1) * SECONDS / SLICES - time.monotonic()))
    return time.monotonic() - begun


async def watch_the_loop(late: list[float]) -> None:
    """How late a task is woken that only sleeps."""
    while True:
        asleep = time.monotonic()
        await asyncio.sleep(0.005)
        late.append(time.monotonic() - asleep - 0.005)


async def measured(storage: Storage) -> bool:
    clock, channel, late = SystemClock(), Channel(), list[float]()
    async with AsyncExitStack() as stack:
        logs = stack.enter_context(open_logs(stream=io.StringIO()))
        written = await stack.enter_async_context(open_database_log(logs, storage.logs.append, clock))

        async def level_of(guild_id: int | None) -> Level | None:
            return None if guild_id is None else Level((await storage.guilds.get(guild_id)).log_level)

        feed: Feed = await stack.enter_async_context(open_feed(logs, level_of, storage.incidents, clock))
        feed.connect(channel)
        begun = time.monotonic()
        watcher = asyncio.create_task(watch_the_loop(late))
        took = await flood()
        backlog = len(written.queue)
        while len(written.queue) and time.monotonic() - begun < took + LATEST_IN_DATABASE:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
        stored_after = time.monotonic() - begun
        watcher.cancel()
        await asyncio.sleep(max(0.0, WATCHED_SECONDS - (time.monotonic() - begun)))
    return await told(storage, channel, late, took, backlog, stored_after)


async def told(
    storage: Storage, channel: Channel, late: list[float], took: float, backlog: int, stored_after: float
) -> bool:
    found = await storage.db.read(_stored)
    sent = {guild_id: channel.busiest_minute(guild_id, edited=False) for guild_id in GUILDS}
    edited = {guild_id: channel.busiest_minute(guild_id, edited=True) for guild_id in GUILDS}
    ranked = sorted(late)
    print(f"{LINES:,} lines logged in {took:.1f} s; {backlog:,} of them waited for the database at the end")
    print(
        f"in the database: {found[Event.ITEM_ERROR] + found[Event.ITEM_UNKNOWN]:,}, the last after {stored_after:.1f} s"
    )
    print(f"lines about lost lines: {found[Event.LOG_DROPPED]}")
    print(f"busiest minute of a server: {max(sent.values())} messages, {max(edited.values())} edits")
    shown = {message.incident.id: message.incident for _, message in channel.seen if isinstance(message, Card)}
    print(f"cards: {len(shown)}, with {sum(one.count for one in shown.values()):,} lines; "
          f"{sum(one.left_out for one in shown.values()):,} lines counted as left out")  # fmt: skip
    print(f"the loop was late by {statistics.median(ranked) * 1000:.1f} ms (median), "
          f"{ranked[int(len(ranked) * 0.99)] * 1000:.0f} ms (99 %), {ranked[-1] * 1000:.0f} ms (worst)")  # fmt: skip
    complete = found[Event.ITEM_ERROR] + found[Event.ITEM_UNKNOWN] == LINES
    return complete and max(sent.values()) <= 10 and max(edited.values()) <= 10


async def _stored(connection: AsyncConnection) -> Counter[str]:
    rows = await connection.execute(select(table.c.event, func.count()).group_by(table.c.event))
    return Counter({event: int(count) for event, count in rows})


def _word(number: int) -> str:
    """A number in letters: digits would be left out of a reason."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number)) + " failed"


async def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder) / "flood.db")
        async with open_storage(url, keys=[KEY], clock=SystemClock()) as storage:
            for guild_id in GUILDS:
                await storage.guilds.update(guild_id, log_channel_id=1)
            return 0 if await measured(storage) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
