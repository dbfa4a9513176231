"""Logins under way: the state of each consent, used once and for ten minutes."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.music import Service
from storage.crypto import Unreadable, Vault
from storage.database import Database, Repository, reads, writes
from storage.schema import oauth_states

_KEPT = timedelta(days=1)  # so long a stale or used state is told apart from a foreign one


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """One consent under way. ``verifier`` is the PKCE verifier; both secrets are '' when their key is gone."""

    id: int
    service: Service
    discord_user_id: int
    guild_id: int
    interaction_token: str
    verifier: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def __repr__(self) -> str:
        return f"StateRow(id={self.id}, service={self.service.value!r})"


class OAuthStates(Repository):
    def __init__(self, db: Database, vault: Vault) -> None:
        super().__init__(db)
        self._vault = vault

    @writes
    async def put_state(
        self,
        connection: AsyncConnection,
        state_hash: str,
        service: Service,
        discord_user_id: int,
        guild_id: int,
        interaction_token: str,
        verifier: str,
        expires_at: datetime,
    ) -> int:
        """Keeps a new state under its hash; the row's id. The two secrets are given in the clear and kept sealed."""
        now = self.db.now()
        await connection.execute(delete(oauth_states).where(oauth_states.c.expires_at < now - _KEPT))
        secrets = json.dumps({"v": 1, "interaction_token": interaction_token, "verifier": verifier}).encode()
        statement = oauth_states.insert().values(
            state_hash=state_hash,
            service=service,
            discord_user_id=discord_user_id,
            guild_id=guild_id,
            secrets=self._vault.seal(secrets, _row_name(state_hash)),
            created_at=now,
            expires_at=expires_at,
        )
        return int((await connection.execute(statement.returning(oauth_states.c.id))).scalar_one())

    @writes
    async def take_state(
        self, connection: AsyncConnection, state_hash: str, now: datetime
    ) -> StateRow | Literal["used", "stale"] | None:
        """Uses the state up and returns it, once; then ``"used"``; ``"stale"`` after its time, None when unknown."""
        mine = oauth_states.c.state_hash == state_hash
        fresh = update(oauth_states).where(mine, oauth_states.c.used_at.is_(None), oauth_states.c.expires_at > now)
        row = (await connection.execute(fresh.values(used_at=now).returning(*oauth_states.c))).one_or_none()
        if row is not None:
            return self._state(row)
        row = (await connection.execute(select(oauth_states).where(mine))).one_or_none()
        if row is None:
            return None
        return "stale" if row.used_at is None else "used"

    @reads
    async def peek(self, connection: AsyncConnection, state_hash: str) -> StateRow | None:
        """The state without using it up, whatever became of it."""
        row = (
            await connection.execute(select(oauth_states).where(oauth_states.c.state_hash == state_hash))
        ).one_or_none()
        return None if row is None else self._state(row)

    @reads
    async def get(self, connection: AsyncConnection, state_id: int) -> StateRow | None:
        """The state by its row's id, whatever became of it."""
        row = (await connection.execute(select(oauth_states).where(oauth_states.c.id == state_id))).one_or_none()
        return None if row is None else self._state(row)

    def _state(self, row: Row[Any]) -> StateRow:
        try:
            secrets = json.loads(self._vault.open(row.secrets, _row_name(row.state_hash)))
        except Unreadable:
            secrets = {"interaction_token": "", "verifier": ""}  # the person begins the login again
        return StateRow(
            id=row.id,
            service=row.service,
            discord_user_id=row.discord_user_id,
            guild_id=row.guild_id,
            interaction_token=secrets["interaction_token"],
            verifier=secrets["verifier"],
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )


def _row_name(state_hash: str) -> str:
    return f"oauth|{state_hash}"
