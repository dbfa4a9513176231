"""What is forgotten, and when: log lines, finished items, old runs, snapshots and quota rows, in small batches."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.model.guild import GuildSettings
from storage import Storage

log = logging.getLogger(__name__)

AUDIT_DAYS = 30  # DESIGN.md section 7: what people did stays as long, whatever the log retention
HISTORY_DAYS = 30  # finished items, runs and snapshots: as long as an undo may reach back
QUOTA_DAYS = 60  # the chart shows thirty days; the double is kept for comparison
BATCH = 2000
PAUSE_SECONDS = 0.05  # between batches, so that the one writer is free for the queue


class Retention:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._background: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Leave what was begun by ``soon``; the next ``run`` takes it up."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def soon(self, guild_id: int) -> None:
        """Forget what this guild does not want any more at once, beside everything else: its settings changed."""
        task = asyncio.create_task(self._of_guild(guild_id), name=f"retention of {guild_id}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @property
    def busy(self) -> bool:
        """Whether something that ``soon`` began is under way."""
        return bool(self._background)

    async def run(self) -> int:
        """Forget what is older than each guild wants; returns how many log lines went.

        Lines that belong to an open item stay. 0 days keeps today, as the guild's timezone understands it.
        """
        now = self._clock.now()
        audit = now - timedelta(days=AUDIT_DAYS)
        deleted = 0
        for guild in await self._storage.guilds.with_lines():
            deleted += await self._lines(guild.guild_id, _kept_since(guild, now), audit)
        deleted += await self._lines(None, _kept_since(GuildSettings(guild_id=0), now), audit)
        history = now - timedelta(days=HISTORY_DAYS)
        for forget in (
            self._storage.snapshots.delete_older,
            self._storage.items.delete_finished,
            self._storage.runs.delete_older,
            self._storage.incidents.delete_closed,
        ):
            await self._all(forget, history)
        await self._storage.quota.delete_older(now - timedelta(days=QUOTA_DAYS))
        if deleted:
            log.info(Event.RETENTION_DONE, extra={"deleted": deleted})
        return deleted

    async def _of_guild(self, guild_id: int) -> None:
        try:
            now = self._clock.now()
            guild = await self._storage.guilds.get(guild_id)
            deleted = await self._lines(guild_id, _kept_since(guild, now), now - timedelta(days=AUDIT_DAYS))
        except CrossfadeError as error:  # the database fails now; the next run of the task does it
            log.warning(Event.TASK_FAILED, extra={"task": "retention", "error": str(error), "guild_id": guild_id})
            return
        except Exception:
            log.exception(Event.BUG, extra={"where": "retention", "guild_id": guild_id})
            return
        if deleted:
            log.info(Event.RETENTION_DONE, extra={"deleted": deleted, "guild_id": guild_id})

    async def _lines(self, guild_id: int | None, before: datetime, audit: datetime) -> int:
        deleted = 0
        while gone := await self._storage.logs.delete_older(guild_id, before, BATCH, audit):
            deleted += gone
            await self._clock.sleep(PAUSE_SECONDS)
        return deleted

    async def _all(self, forget: Callable[[datetime], Awaitable[int]], before: datetime) -> None:
        while await forget(before):
            await self._clock.sleep(PAUSE_SECONDS)


def _kept_since(guild: GuildSettings, now: datetime) -> datetime:
    """Midnight of the guild's day, ``retention_days`` days back, in UTC."""
    today = now.astimezone(ZoneInfo(guild.timezone)).date()
    first = today - timedelta(days=guild.retention_days)
    return datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(guild.timezone)).astimezone(now.tzinfo)
