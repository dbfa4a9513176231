"""The ledger of quota: what was spent, by bucket, hour, operation and mapping."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, case, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.quota import Bucket, UsageRow, UsageShare
from storage.database import Repository, reads, writes
from storage.schema import mappings, quota_usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """``units`` of a bucket in a window; ``oldest``: the first hour there in which something was spent."""

    units: int
    oldest: datetime | None


class Ledger(Repository):
    @writes
    async def spend(
        self,
        connection: AsyncConnection,
        bucket: Bucket,
        operation: str,
        units: int,
        calls: int,
        mapping_id: int,
        now: datetime,
        window_start: datetime,
        limit: int,
    ) -> bool:
        """Charges ``units`` if what was spent since ``window_start`` stays within ``limit``; else False.

        Looking and charging are one step for all workers. An hour that lies partly in the window counts whole.
        """
        await self.db.one_at_a_time(connection, f"quota {bucket.value}")
        if await _used(connection, bucket, window_start) + units > limit:
            return False
        key = {"bucket": bucket, "hour": _hour(now), "operation": operation, "mapping_id": mapping_id}
        statement = self.db.insert(quota_usage).values(**key, calls=calls, units=units)
        more = {"calls": quota_usage.c.calls + calls, "units": quota_usage.c.units + units}
        await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=more))
        return True

    @reads
    async def spent(self, connection: AsyncConnection, windows: Mapping[Bucket, datetime]) -> dict[Bucket, Spent]:
        """What each bucket of ``windows`` has spent since its moment; an hour that lies partly in it counts whole."""
        in_windows = or_(*(_in_window(bucket, since) for bucket, since in windows.items()))
        units = func.sum(quota_usage.c.units)
        oldest = func.min(quota_usage.c.hour).filter(quota_usage.c.units > 0)
        rows = await connection.execute(
            select(quota_usage.c.bucket, units, oldest).where(in_windows).group_by(quota_usage.c.bucket)
        )
        found = {bucket: Spent(units=int(units), oldest=oldest) for bucket, units, oldest in rows}
        return {bucket: found.get(bucket, Spent(units=0, oldest=None)) for bucket in windows}

    @reads
    async def rows(self, connection: AsyncConnection, since: datetime) -> list[UsageRow]:
        """Every row of the ledger since ``since``, oldest first."""
        statement = (
            select(quota_usage)
            .where(quota_usage.c.hour >= _hour(since))
            .order_by(quota_usage.c.hour, quota_usage.c.bucket, quota_usage.c.operation, quota_usage.c.mapping_id)
        )
        return [UsageRow(**row._mapping) for row in await connection.execute(statement)]

    @reads
    async def sums(self, connection: AsyncConnection, since: datetime) -> list[UsageRow]:
        """The ledger since ``since`` without its mappings: a row for each bucket, hour and operation, oldest first."""
        usage = quota_usage.c
        statement = (
            select(usage.bucket, usage.hour, usage.operation, func.sum(usage.calls), func.sum(usage.units))
            .where(usage.bucket.in_(list(Bucket)), usage.hour >= _hour(since))  # in the order of its index
            .group_by(usage.bucket, usage.hour, usage.operation)
        )
        rows = [
            UsageRow(bucket=bucket, hour=hour, operation=operation, mapping_id=0, calls=int(calls), units=int(units))
            for bucket, hour, operation, calls, units in await connection.execute(statement)
        ]
        return sorted(rows, key=lambda row: (row.hour, row.bucket, row.operation))

    @reads
    async def shares(
        self, connection: AsyncConnection, guild_id: int, windows: Mapping[Bucket, datetime], since: datetime
    ) -> list[UsageShare]:
        """Who used how much since ``since``, and of that since each bucket's moment of ``windows``.

        Removed mappings keep their names. Those of other guilds come as one share without a name.
        """
        usage = quota_usage.c
        now_counts = case(
            (or_(*(_in_window(bucket, moment) for bucket, moment in windows.items())), usage.units), else_=0
        )
        each = (
            select(
                usage.bucket,
                usage.mapping_id,
                func.sum(now_counts).label("window"),
                func.sum(usage.units).label("total"),
            )
            .where(usage.hour >= _hour(since))
            .group_by(usage.mapping_id, usage.bucket)  # in the order of its index
            .subquery()
        )
        statement = select(each, mappings.c.name, mappings.c.guild_id).outerjoin(
            mappings, mappings.c.id == each.c.mapping_id
        )
        names: dict[int | None, str] = {}
        window: dict[int | None, Counter[Bucket]] = defaultdict(Counter)
        total: dict[int | None, Counter[Bucket]] = defaultdict(Counter)
        for row in await connection.execute(statement):
            whose = row.mapping_id if row.mapping_id == 0 or row.guild_id == guild_id else None
            names[whose] = row.name or "" if whose else ""
            window[whose][row.bucket] += int(row.window)
            total[whose][row.bucket] += int(row.total)
        return [
            UsageShare(mapping_id=whose, name=names[whose], window=dict(window[whose]), total=dict(total[whose]))
            for whose in total
        ]

    @writes
    async def delete_older(self, connection: AsyncConnection, before: datetime) -> int:
        """Drops the ledger's rows from before ``before``; how many."""
        return (await connection.execute(delete(quota_usage).where(quota_usage.c.hour < before))).rowcount


async def _used(connection: AsyncConnection, bucket: Bucket, since: datetime) -> int:
    statement = select(func.coalesce(func.sum(quota_usage.c.units), 0)).where(_in_window(bucket, since))
    return int((await connection.execute(statement)).scalar_one())


def _in_window(bucket: Bucket, since: datetime) -> ColumnElement[bool]:
    return (quota_usage.c.bucket == bucket) & (quota_usage.c.hour >= _hour(since))


def _hour(moment: datetime) -> datetime:
    """The start of the UTC hour: zones with half hours begin theirs elsewhere."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
