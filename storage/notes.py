"""Single facts about the database itself, by name: whose it is, for instance a demo's."""

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
