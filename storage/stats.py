"""The numbers of the dashboard, in a few indexed queries."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import ItemStatus
from bot.model.run import Run
from storage import items, runs
from storage.database import Repository, reads
from storage.schema import mappings


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardNumbers:
    """``running`` counts running and unknown items, ``skipped`` skipped and blacklisted ones; newest run first."""

    mappings_total: int
    pending: int
    running: int
    errors: int
    skipped: int
    done: int
    recent_runs: tuple[Run, ...]


class Stats(Repository):
    @reads
    async def dashboard(
        self, connection: AsyncConnection, guild_id: int | None = None, recent_limit: int = 10
    ) -> DashboardNumbers:
        """One guild's numbers, or everybody's."""
        total = select(func.count()).select_from(mappings).where(mappings.c.removed_at.is_(None), ~mappings.c.hidden)
        if guild_id is not None:
            total = total.where(mappings.c.guild_id == guild_id)
        counts = await items.counts(connection, guild_id)
        return DashboardNumbers(
            mappings_total=int((await connection.execute(total)).scalar_one()),
            pending=counts[ItemStatus.PENDING],
            running=counts[ItemStatus.RUNNING] + counts[ItemStatus.UNKNOWN],
            errors=counts[ItemStatus.ERROR],
            skipped=counts[ItemStatus.SKIPPED] + counts[ItemStatus.BLACKLISTED],
            done=counts[ItemStatus.DONE],
            recent_runs=tuple(await runs.recent(connection, guild_id, recent_limit)),
        )
