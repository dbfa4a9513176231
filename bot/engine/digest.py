"""The daily digest: when a guild's is due, what stands in it, and that each day has one."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.engine.quota import Quota, window_start
from bot.model.account import AccountStatus
from bot.model.digest import BucketDay, Digest
from bot.model.guild import GuildSettings
from bot.model.item import OPEN_STATUSES, ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.quota import Bucket
from storage import Storage

LATEST = timedelta(hours=3)  # a digest that could not come in time, or whose hour was just chosen, is left out later
DAY = timedelta(hours=24)


class Digests:
    """``offer`` hands a digest to the log channel; ``told`` must follow when people can read it."""

    def __init__(self, storage: Storage, quota: Quota, clock: Clock, offer: Callable[[Digest], None]) -> None:
        self._storage = storage
        self._quota = quota
        self._clock = clock
        self._offer = offer

    async def run(self) -> str:
        """Offer every digest whose hour has come; a sentence on how many. One that still waits is offered again."""
        offered = 0
        for guild in await self._storage.guilds.all():
            day = due_day(guild, self._clock.now())
            if day is None or guild.log_channel_id is None or await self._is_told(guild.guild_id, day):
                continue
            self._offer(await self.of(guild, day))
            offered += 1
        return f"{offered} digests are on their way"

    async def of(self, guild: GuildSettings, day: date) -> Digest:
        """The guild's last 24 hours, and what waits for somebody now."""
        now, storage = self._clock.now(), self._storage
        sums = await storage.digests.sums(guild.guild_id, now - DAY, now)
        items = await storage.items.counts(guild.guild_id)
        mappings = await storage.mappings.of_guild(guild.guild_id)
        return Digest(
            guild_id=guild.guild_id,
            day=day,
            at=now,
            since=now - DAY,
            runs=sums.runs,
            runs_failed=sums.failed,
            added=sums.added,
            removed=sums.removed,
            waiting=sum(items[status] for status in OPEN_STATUSES),
            failed=items[ItemStatus.ERROR],
            in_review=await storage.blacklist.count_of_guild(guild.guild_id),
            buckets=await self._buckets(now),
            paused=tuple((mapping.name, mapping.pause_reason) for mapping in mappings if not mapping.enabled),
            logins=await self._logins(mappings),
        )

    async def told(self, digest: Digest) -> None:
        """People can read it: that day has its digest, whatever restarts."""
        await self._storage.meta.put(_note(digest.guild_id), digest.day.isoformat())

    async def _is_told(self, guild_id: int, day: date) -> bool:
        return (await self._storage.meta.get(_note(guild_id)) or "") >= day.isoformat()

    async def _buckets(self, now: datetime) -> tuple[BucketDay, ...]:
        """What was spent in each bucket's present window, and in the one before."""
        states = await self._quota.states()
        starts = {bucket: window_start(bucket, now) for bucket in Bucket}
        before = {bucket: window_start(bucket, start - timedelta(microseconds=1)) for bucket, start in starts.items()}
        yesterday: Counter[Bucket] = Counter()
        for row in await self._storage.quota.rows(min(before.values())):
            if before[row.bucket] <= row.hour < starts[row.bucket]:
                yesterday[row.bucket] += row.units
        return tuple(
            BucketDay(bucket=bucket, limit=state.limit, today=state.used, yesterday=yesterday[bucket])
            for bucket, state in states.items()
        )

    async def _logins(self, mappings: list[Mapping]) -> tuple[tuple[Service, str], ...]:
        """The accounts of the guild's mappings that need a new login."""
        ids = {playlist.account_id for mapping in mappings for playlist in mapping.playlists}
        accounts = [await self._storage.accounts.get(account_id) for account_id in sorted(ids)]
        dead = [one for one in accounts if one is not None and one.status is AccountStatus.NEEDS_LOGIN]
        return tuple((account.service, account.display_name) for account in dead)


def due_day(guild: GuildSettings, now: datetime) -> date | None:
    """The guild's day whose digest is due at ``now`` (aware UTC); None: none is wanted, or its time is not now.

    An hour that daylight saving time skips comes when the clocks have moved on; one that it doubles counts once.
    """
    if guild.digest_hour is None:
        return None
    zone = ZoneInfo(guild.timezone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        hour = datetime.combine(day, time(guild.digest_hour), tzinfo=zone).astimezone(now.tzinfo)
        if hour <= now:
            return day if now - hour < LATEST else None
    return None


def _note(guild_id: int) -> str:
    return f"digest:{guild_id}"
