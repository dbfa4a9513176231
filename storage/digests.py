"""What the runs of one guild did in a time, summed up."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.run import RunKind, RunStatus
from storage.database import Repository, reads
from storage.schema import runs


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """``runs`` and what they changed are executions; ``failed`` counts runs of every kind."""

    runs: int
    failed: int
    added: int
    removed: int


class Digests(Repository):
    @reads
    async def sums(self, connection: AsyncConnection, guild_id: int, since: datetime, until: datetime) -> DaySums:
        """Of the guild's runs that ended from ``since`` up to ``until``."""
        carried_out = runs.c.kind == RunKind.EXECUTION
        statement = select(
            func.count().filter(carried_out).label("runs"),
            func.count().filter(runs.c.status == RunStatus.FAILED).label("failed"),
            func.coalesce(func.sum(runs.c.adds).filter(carried_out), 0).label("added"),
            func.coalesce(func.sum(runs.c.removals).filter(carried_out), 0).label("removed"),
        ).where(runs.c.guild_id == guild_id, runs.c.completed_at >= since, runs.c.completed_at < until)
        row = (await connection.execute(statement)).one()
        return DaySums(runs=int(row.runs), failed=int(row.failed), added=int(row.added), removed=int(row.removed))
