"""The ledger of quota: what was spent, by bucket, hour, operation and mapping."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.quota import Bucket, UsageRow
from storage.database import Repository, reads, writes
from storage.schema import quota_usage


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
