"""Quota: the ledger that is charged before each call, what is left of it, and when a queue will be through."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from bot.clock import Clock
from bot.engine import forecast, meter
from bot.engine.arrivals import Terms, arrivals
from bot.model.errors import QuotaSpent
from bot.model.mapping import Mapping
from bot.model.plan import Cost, Plan
from bot.model.quota import Bucket, BucketState, UsageRow, UsageShare
from storage import Storage

ROLLING = timedelta(hours=24)
ELSEWHERE = "elsewhere"  # operation of what the service says is gone although our ledger does not know of it


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLimits:
    """What the buckets hold; the defaults are those of DESIGN.md, from PLATFORM.md."""

    youtube_units: int = 10_000
    youtube_searches: int = 100
    spotify_calls: int = 900

    def of(self, bucket: Bucket) -> int:
        match bucket:
            case Bucket.YOUTUBE_UNITS:
                return self.youtube_units
            case Bucket.YOUTUBE_SEARCH:
                return self.youtube_searches
            case Bucket.SPOTIFY_CALLS:
                return self.spotify_calls


class _Terms(TypedDict):
    official_search: bool
    usage: list[UsageRow]


class Quota:
    """Implements ``bot.services.protocol.Accounting`` over the durable ledger."""

    def __init__(self, storage: Storage, clock: Clock, limits: QuotaLimits, *, official_search: bool = True) -> None:
        self._storage = storage
        self._clock = clock
        self._limits = limits
        self._official_search = official_search

    async def spend(self, bucket: Bucket, operation: str, *, units: int, mapping_id: int, calls: int = 1) -> None:
        """Charge ``units`` durably, or charge nothing and raise QuotaSpent with the moment from which they may fit."""
        now = self._clock.now()
        limit = self._limits.of(bucket)
        spent = await self._storage.quota.spend(
            bucket=bucket,
            operation=operation,
            units=units,
            calls=calls,
            mapping_id=mapping_id,
            now=now,
            window_start=window_start(bucket, now),
            limit=limit,
        )
        if not spent:
            until = (await self.state(bucket)).resets_at
            raise QuotaSpent(f"{bucket.value} is spent until {until:%Y-%m-%d %H:%M} UTC", bucket=bucket, until=until)
        meter.count(bucket, calls=calls, units=units)

    async def exhaust(self, bucket: Bucket) -> datetime:
        """Book what is left as spent elsewhere, since the service itself says it is gone; returns the reset."""
        now = self._clock.now()
        state = await self.state(bucket)
        if state.left:
            await self._storage.quota.spend(
                bucket=bucket,
                operation=ELSEWHERE,
                units=state.left,
                calls=0,
                mapping_id=0,
                now=now,
                window_start=window_start(bucket, now),
                limit=state.limit,
            )
        return (await self.state(bucket)).resets_at

    async def state(self, bucket: Bucket) -> BucketState:
        return (await self._states(bucket))[bucket]

    async def states(self) -> dict[Bucket, BucketState]:
        return await self._states(*Bucket)

    async def usage(self, days: int = 30) -> list[UsageRow]:
        """What was spent in the last ``days`` Pacific days, today's included, by hour and operation; oldest first.

        Whose it was is not told (``mapping_id`` is 0).
        """
        return await self._storage.quota.sums(self._first_day(days))

    async def shares(self, guild_id: int, days: int = 30) -> list[UsageShare]:
        """How much each mapping of the guild used, the greatest first; other guilds' together, without names."""
        now = self._clock.now()
        windows = {bucket: window_start(bucket, now) for bucket in Bucket}
        found = await self._storage.quota.shares(guild_id, windows, self._first_day(days))
        return sorted(found, key=lambda share: (-self._weight(share), share.name))

    def used_now(self, rows: Iterable[UsageRow]) -> list[UsageRow]:
        """Those of ``rows`` that count in their bucket's window at this moment."""
        now = self._clock.now()
        return [row for row in rows if row.hour >= window_start(row.bucket, now)]

    def _first_day(self, days: int) -> datetime:
        """The Pacific midnight with which the last ``days`` days begin."""
        midnight = forecast.last_reset(self._clock.now())
        # A day of 23 or 25 hours may lie between: any moment of the wanted day has the same midnight.
        return forecast.last_reset(midnight - timedelta(days=days - 1) + timedelta(hours=12))

    def _weight(self, share: UsageShare) -> float:
        """How much of the limits it took, so that units, searches and calls can be put in one order."""
        return sum(units / max(1, self._limits.of(bucket)) for bucket, units in share.total.items())

    async def cost(self, plan: Plan, mapping: Mapping) -> Cost:
        """What the plan will spend, and when it will be through under what is left of the buckets."""
        return forecast.cost(plan, mapping, await self._all(), self._clock.now(), **await self._terms())

    async def costs(self, work: Iterable[tuple[Plan, Mapping]]) -> Cost:
        """The same for several plans together."""
        steps: Counter[forecast.Step] = Counter()
        for plan, mapping in work:
            steps += forecast.steps_of(plan, mapping)
        return forecast.work_cost(steps, await self._all(), self._clock.now(), **await self._terms())

    async def reading(self, *, youtube_units: int, spotify_calls: int) -> Cost:
        """The same for reads of so many units and calls."""
        terms = await self._terms()
        now, states = self._clock.now(), await self._all()
        return forecast.reading_cost(youtube_units, spotify_calls, states, now, usage=terms["usage"])

    async def forecast_queue(self, guild_id: int | None = None) -> Cost:
        """What the open items of a guild (None: of all) will spend, and when the quota lets the last of them through.

        The services are shared: the work of other guilds takes its turns. All zero where nothing is open. Work of
        mappings that are stopped is not counted, for nobody knows when it goes on.
        """
        work = await self._storage.queue.open_work()
        own = [each for each in work if guild_id in (None, each.guild_id)]
        if not own:
            return Cost()
        now, terms = self._clock.now(), await self.shared()
        steps: Counter[forecast.Step] = Counter()
        for each in own:
            steps[forecast.Step(each.service, each.action, each.search)] += each.items
        cost = forecast.work_cost(steps, terms.states, now, official_search=terms.official_search, usage=terms.usage)
        through = arrivals(work, (), terms, now, call=timedelta())
        ends = [through[each.mapping_id, each.service] for each in own]
        known = [end for end in ends if end is not None]
        return replace(cost, done_at=max(known) if len(known) == len(ends) else None)

    async def shared(self) -> Terms:
        """What all work shares, for ``bot.engine.arrivals``."""
        terms = await self._terms()
        return Terms(states=await self._all(), usage=terms["usage"], official_search=terms["official_search"])

    async def _all(self) -> list[BucketState]:
        return list((await self.states()).values())

    async def _terms(self) -> _Terms:
        rows = await self._storage.quota.sums(window_start(Bucket.SPOTIFY_CALLS, self._clock.now()))
        calls = [row for row in rows if row.bucket is Bucket.SPOTIFY_CALLS]
        return {"official_search": self._official_search, "usage": calls}

    async def _states(self, *buckets: Bucket) -> dict[Bucket, BucketState]:
        now = self._clock.now()
        spent = await self._storage.quota.spent({bucket: window_start(bucket, now) for bucket in buckets})
        return {
            bucket: BucketState(
                bucket=bucket,
                limit=self._limits.of(bucket),
                used=spent[bucket].units,
                resets_at=_resets_at(bucket, now, spent[bucket].oldest),
            )
            for bucket in buckets
        }


def window_start(bucket: Bucket, now: datetime) -> datetime:
    """Since when spending counts: the Pacific day, or the rolling 24 hours in whole hours.

    The ledger keeps hours, so the rolling window begins with the hour that lies 24 hours back: a call counts up to an
    hour longer than the service would count it, never shorter.
    """
    if bucket is Bucket.SPOTIFY_CALLS:
        return (now - ROLLING).replace(minute=0, second=0, microsecond=0)
    return forecast.last_reset(now)


def _resets_at(bucket: Bucket, now: datetime, oldest: datetime | None) -> datetime:
    if bucket is not Bucket.SPOTIFY_CALLS:
        return forecast.next_reset(now)
    return now if oldest is None else leaves_window(oldest)


def leaves_window(hour: datetime) -> datetime:
    """When the row of ``hour`` no longer counts in the rolling window."""
    return hour + ROLLING + timedelta(hours=1)
