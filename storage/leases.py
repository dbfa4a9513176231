"""Who may write to a playlist now: one writer each, whatever the process."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Repository, writes
from storage.schema import playlist_leases


class Leases(Repository):
    @writes
    async def take(
        self, connection: AsyncConnection, playlist_key: str, token: str, until: datetime, now: datetime
    ) -> bool:
        """True when ``token`` holds the lease of ``playlist_key`` until ``until``; False while another one does.

        A lease whose time is over is anybody's; the holder may take it again.
        """
        held = {"token": token, "until": until}
        statement = self.db.insert(playlist_leases).values(playlist_key=playlist_key, **held)
        free = or_(playlist_leases.c.until <= now, playlist_leases.c.token == token)
        statement = statement.on_conflict_do_update(index_elements=["playlist_key"], set_=held, where=free)
        return (await connection.execute(statement.returning(playlist_leases.c.token))).first() is not None

    @writes
    async def extend(self, connection: AsyncConnection, playlist_key: str, token: str, until: datetime) -> bool:
        """Prolongs the lease; False when ``token`` has lost it."""
        statement = update(playlist_leases).where(*_held(playlist_key, token)).values(until=until)
        return bool((await connection.execute(statement)).rowcount)

    @writes
    async def release(self, connection: AsyncConnection, playlist_key: str, token: str) -> bool:
        """Gives the lease back; False when ``token`` had lost it."""
        return bool((await connection.execute(delete(playlist_leases).where(*_held(playlist_key, token)))).rowcount)

    @writes
    async def clear(self, connection: AsyncConnection) -> int:
        """At the start of the only process: drops the leases of the dead one; how many."""
        return (await connection.execute(delete(playlist_leases))).rowcount


def _held(playlist_key: str, token: str) -> tuple[Any, ...]:
    return (playlist_leases.c.playlist_key == playlist_key, playlist_leases.c.token == token)
