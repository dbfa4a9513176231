"""Silences that services asked for, so that they hold across restarts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Repository, reads, writes
from storage.schema import service_pauses


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is sent to ``subject`` (a service) before ``until``."""

    subject: str
    until: datetime
    reason: str


class Pauses(Repository):
    @writes
    async def set(self, connection: AsyncConnection, subject: str, until: datetime, reason: str) -> None:
        """Keeps a silence; a newer one replaces it."""
        values = {"until": until, "reason": reason}
        statement = self.db.insert(service_pauses).values(subject=str(subject), **values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["subject"], set_=values))

    @reads
    async def get(self, connection: AsyncConnection, subject: str, now: datetime) -> Pause | None:
        """The silence that holds at ``now``."""
        statement = select(service_pauses).where(service_pauses.c.subject == str(subject), service_pauses.c.until > now)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else Pause(**row._mapping)

    @reads
    async def all(self, connection: AsyncConnection, now: datetime) -> list[Pause]:
        """Every silence that holds at ``now``."""
        statement = select(service_pauses).where(service_pauses.c.until > now).order_by(service_pauses.c.subject)
        return [Pause(**row._mapping) for row in await connection.execute(statement)]

    @writes
    async def clear(self, connection: AsyncConnection, subject: str) -> bool:
        """Ends a silence; False when there was none."""
        statement = delete(service_pauses).where(service_pauses.c.subject == str(subject))
        return bool((await connection.execute(statement)).rowcount)
