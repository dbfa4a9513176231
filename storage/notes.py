"""Single facts by name: whose the database is, for instance a demo's, and by which ids a service knows a person."""

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Repository, reads, writes
from storage.schema import meta


class Notes(Repository):
    @reads
    async def get(self, connection: AsyncConnection, name: str) -> str | None:
        return (await connection.execute(select(meta.c.value).where(meta.c.name == name))).scalar()

    @writes
    async def put(self, connection: AsyncConnection, name: str, value: str) -> None:
        statement = self.db.insert(meta).values(name=name, value=value)
        await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    async def own_ids(self, external_id: str) -> frozenset[str]:
        """Every id under which a service may name the person of that account; empty where nobody has asked yet."""
        return frozenset(json.loads(await self.get(own_ids_name(external_id)) or "[]"))

    async def keep_own_ids(self, external_id: str, ids: frozenset[str]) -> None:
        await self.put(own_ids_name(external_id), json.dumps(sorted(ids)))


def own_ids_name(external_id: str) -> str:
    """The note's name, of a length that any id fits into."""
    return f"own ids {hashlib.sha256(external_id.encode()).hexdigest()[:40]}"
