"""What is forgotten, and when: log lines, finished items, old runs, snapshots and quota rows, in small batches."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock import Clock
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
            self._storage.items.delete_finished,
            self._storage.snapshots.delete_older,
            self._storage.runs.delete_older,
        ):
            await self._all(forget, history)
        await self._storage.quota.delete_older(now - timedelta(days=QUOTA_DAYS))
        if deleted:
            log.info(Event.RETENTION_DONE, extra={"deleted": deleted})
        return deleted

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
