"""Incidents, so that a restart finds the cards that stand in the log channels and goes on editing them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.incident import Example, Incident
from storage.database import Repository, reads, writes
from storage.schema import INCIDENT_IS_OPEN, incidents

_EXAMPLES = TypeAdapter(tuple[Example, ...])
_COLUMNS = frozenset(column.name for column in incidents.c) - {"details", "closed_at"}


class Incidents(Repository):
    @writes
    async def keep(self, connection: AsyncConnection, changed: Sequence[Incident]) -> list[Incident]:
        """Stores them as they are now, in their order, all or none; the same, new ones with their ids."""
        return [await self._keep(connection, incident) for incident in changed]

    @reads
    async def open(self, connection: AsyncConnection) -> list[Incident]:
        """Every guild's incidents whose cards were not yet told to be over, oldest first."""
        rows = await connection.execute(select(incidents).where(INCIDENT_IS_OPEN).order_by(incidents.c.id))
        return [_incident(row) for row in rows]

    @reads
    async def get(self, connection: AsyncConnection, incident_id: int, guild_id: int) -> Incident | None:
        """The incident, open or closed; None when it is unknown or another guild's."""
        statement = select(incidents).where(incidents.c.id == incident_id, incidents.c.guild_id == guild_id)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _incident(row)

    @writes
    async def delete_closed(self, connection: AsyncConnection, before: datetime, batch: int = 1000) -> int:
        """Drops incidents that were closed before ``before``; how many."""
        old = select(incidents.c.id).where(incidents.c.closed_at < before).order_by(incidents.c.id).limit(batch)
        return (await connection.execute(delete(incidents).where(incidents.c.id.in_(old)))).rowcount

    async def _keep(self, connection: AsyncConnection, incident: Incident) -> Incident:
        values = _values(incident)
        if incident.id:
            await connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**values))
            return incident
        statement = self.db.insert(incidents).values(**values)
        if incident.closed_at is None:
            statement = statement.on_conflict_do_update(
                index_elements=["guild_id", "key"], index_where=INCIDENT_IS_OPEN, set_=values
            )
        kept = await connection.execute(statement.returning(incidents.c.id))
        return replace(incident, id=int(kept.scalar_one()))


def _values(incident: Incident) -> dict[str, Any]:
    fields = {name: getattr(incident, name) for name in _COLUMNS if name != "id"}
    details = {
        "facts": incident.facts,
        "examples": _EXAMPLES.dump_python(incident.examples, mode="json"),
        "item_ids": list(incident.item_ids),
        "until": _text(incident.until),
        "acknowledged_name": incident.acknowledged_name,
        "silenced_name": incident.silenced_name,
        "silenced_count": incident.silenced_count,
        "missed": incident.missed,
        "left_out": incident.left_out,
        "shown": incident.shown,
        "over_at": _text(incident.over_at),
    }
    return {**fields, "closed_at": incident.closed_at, "details": details}


def _incident(row: Row[Any]) -> Incident:
    fields = dict(row._mapping)
    details = {name: value for name, value in fields.pop("details").items() if name != "v"}
    details["examples"] = _EXAMPLES.validate_python(details.get("examples", ()))
    details["item_ids"] = tuple(details.get("item_ids", ()))
    for name in ("until", "over_at"):
        value = details.get(name)
        details[name] = datetime.fromisoformat(value) if value else None
    return Incident(**fields, **details)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
