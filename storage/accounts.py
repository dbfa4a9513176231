"""Linked service accounts and their tokens, which are sealed to their row."""

import json
from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.account import Account, AccountStatus, Token
from bot.model.errors import LoginNeeded
from bot.model.music import Profile, Service
from storage.crypto import Unreadable, Vault
from storage.database import Database, Repository, reads, writes
from storage.notes import own_ids_name
from storage.schema import (
    accounts,
    base_playlists,
    child_playlists,
    logs,
    mappings,
    matches,
    meta,
    oauth_states,
    playlists,
    runs,
)

_NOBODY = "(forgotten)"
_KNOWN_TO_BE_THEIRS = (AccountStatus.CONNECTED, AccountStatus.NEEDS_LOGIN)


class Accounts(Repository):
    def __init__(self, db: Database, vault: Vault) -> None:
        super().__init__(db)
        self._vault = vault

    @writes
    async def add_pending(
        self,
        connection: AsyncConnection,
        discord_user_id: int,
        guild_id: int,
        profile: Profile,
        token: Token,
        granted_at: datetime,
        token_dies_at: datetime | None,
    ) -> Account:
        """The account with its new token, ``pending`` until its person confirms it.

        The same person's new login of an account that was theirs already is ``connected`` at once. Another person's
        login of the same service account is a row of its own.
        """
        before = await self._by_external(connection, discord_user_id, profile)
        known = before is not None and before.status in _KNOWN_TO_BE_THEIRS
        values = {
            "guild_id": guild_id,
            "display_name": profile.display_name,
            "scopes": " ".join(token.scopes),
            "status": AccountStatus.CONNECTED if known else AccountStatus.PENDING,
            "granted_at": granted_at,
            "token_dies_at": token_dies_at,
            "token": self._seal(token, profile.service, profile.account_id),
        }
        key = {
            "discord_user_id": discord_user_id,
            "service": profile.service,
            "external_id": profile.account_id,
        }
        statement = self.db.insert(accounts).values(**key, **values)
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=values)
        return _account((await connection.execute(statement.returning(*accounts.c))).one())

    @writes
    async def confirm(self, connection: AsyncConnection, account_id: int) -> Account | None:
        """The account, now connected; None when it does not wait for a confirmation (any more)."""
        statement = (
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.status == AccountStatus.PENDING)
            .values(status=AccountStatus.CONNECTED)
            .returning(*accounts.c)
        )
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _account(row)

    @writes
    async def reject(self, connection: AsyncConnection, account_id: int) -> bool:
        """Forgets a pending account and its token; False when it does not wait for a confirmation (any more)."""
        pending = (accounts.c.id == account_id) & (accounts.c.status == AccountStatus.PENDING)
        unused = ~exists().where(playlists.c.account_id == accounts.c.id)
        gone = await connection.execute(delete(accounts).where(pending, unused))
        if gone.rowcount:
            return True
        # An account that was disconnected and linked again still has playlists of ours.
        left = update(accounts).where(pending).values(status=AccountStatus.DISCONNECTED, token=None)
        return bool((await connection.execute(left)).rowcount)

    @reads
    async def get(self, connection: AsyncConnection, account_id: int) -> Account | None:
        row = (await connection.execute(select(accounts).where(accounts.c.id == account_id))).one_or_none()
        return None if row is None else _account(row)

    @reads
    async def of_user(self, connection: AsyncConnection, discord_user_id: int) -> list[Account]:
        """Every account that this person linked, disconnected ones too, oldest first."""
        statement = select(accounts).where(accounts.c.discord_user_id == discord_user_id).order_by(accounts.c.id)
        return [_account(row) for row in await connection.execute(statement)]

    @reads
    async def connected(self, connection: AsyncConnection, service: Service | None = None) -> list[Account]:
        """All usable accounts, of one service or of all."""
        statement = select(accounts).where(accounts.c.status == AccountStatus.CONNECTED).order_by(accounts.c.id)
        if service is not None:
            statement = statement.where(accounts.c.service == service)
        return [_account(row) for row in await connection.execute(statement)]

    @reads
    async def pending_since(self, connection: AsyncConnection, before: datetime) -> list[Account]:
        """Accounts whose consent came back before ``before`` and was never confirmed."""
        statement = select(accounts).where(accounts.c.status == AccountStatus.PENDING, accounts.c.granted_at < before)
        return [_account(row) for row in await connection.execute(statement.order_by(accounts.c.id))]

    @reads
    async def token(self, connection: AsyncConnection, account_id: int, *, unconfirmed: bool = False) -> Token:
        """The token in the clear. Raises LoginNeeded when there is none that may be used.

        A pending account's token is given only to who asks for it with ``unconfirmed``, to take it back.
        """
        row = (await connection.execute(select(accounts).where(accounts.c.id == account_id))).one_or_none()
        usable = {AccountStatus.CONNECTED, AccountStatus.PENDING} if unconfirmed else {AccountStatus.CONNECTED}
        if row is None or row.token is None or row.status not in usable:
            raise LoginNeeded("This account has no usable login.", account_id=account_id)
        try:
            return _token(self._vault.open(row.token, _row_name(row.service, row.external_id)))
        except Unreadable as error:
            message = f"The kept login cannot be read: {error}."
            raise LoginNeeded(message, account_id=account_id, code="token_unreadable") from error

    @writes
    async def store_token(self, connection: AsyncConnection, account_id: int, token: Token) -> bool:
        """Keeps a refreshed token. False, and nothing kept, when the account has lost its login meanwhile."""
        statement = select(accounts).where(accounts.c.id == account_id, accounts.c.token.is_not(None)).with_for_update()
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return False
        values: dict[str, Any] = {"token": self._seal(token, row.service, row.external_id)}
        if token.scopes:
            values["scopes"] = " ".join(token.scopes)
        await connection.execute(update(accounts).where(accounts.c.id == account_id).values(**values))
        return True

    @writes
    async def needs_login(self, connection: AsyncConnection, account_id: int) -> bool:
        """Marks a connected account whose login is dead and discards the token; True only for the call that did."""
        statement = (
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.status == AccountStatus.CONNECTED)
            .values(status=AccountStatus.NEEDS_LOGIN, token=None)
        )
        return bool((await connection.execute(statement)).rowcount)

    @writes
    async def disconnect(self, connection: AsyncConnection, account_id: int) -> bool:
        """Takes the account out of use and deletes its token; False when it was so already."""
        statement = (
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.status != AccountStatus.DISCONNECTED)
            .values(status=AccountStatus.DISCONNECTED, token=None)
        )
        return bool((await connection.execute(statement)).rowcount)

    @writes
    async def forget_user(self, connection: AsyncConnection, discord_user_id: int) -> list[int]:
        """Deletes tokens and names of a person, and makes what they did anonymous; the ids of their accounts."""
        theirs = select(accounts).where(accounts.c.discord_user_id == discord_user_id).order_by(accounts.c.id)
        rows = (await connection.execute(theirs)).all()
        ids = [row.id for row in rows]
        await _forget_names(connection, frozenset(row.display_name for row in rows if row.display_name))
        notes = [own_ids_name(row.external_id) for row in rows]
        known = await connection.execute(select(meta.c.value).where(meta.c.name.in_(notes)))
        own = {row.external_id for row in rows}.union(*map(json.loads, known.scalars()))
        await _forget_added(connection, own)
        await connection.execute(delete(meta).where(meta.c.name.in_(notes)))
        await connection.execute(update(playlists).where(playlists.c.account_id.in_(ids)).values(owner_id=""))
        for account_id in ids:
            nobody = {
                "discord_user_id": 0,
                "external_id": f"forgotten-{account_id}",
                "display_name": "",
                "status": AccountStatus.DISCONNECTED,
                "token": None,
            }
            await connection.execute(update(accounts).where(accounts.c.id == account_id).values(**nobody))
        await connection.execute(delete(oauth_states).where(oauth_states.c.discord_user_id == discord_user_id))
        for column, anonymous in (
            (logs.c.actor, None),
            (runs.c.actor, 0),
            (mappings.c.created_by, 0),
            (base_playlists.c.created_by, 0),
            (child_playlists.c.created_by, 0),
            (matches.c.decided_by_user, 0),
        ):
            table = column.table
            await connection.execute(update(table).where(column == discord_user_id).values({column.name: anonymous}))
        return ids

    @writes
    async def reencrypt(self, connection: AsyncConnection) -> int:
        """Seals every token anew that is not under the newest key; how many. Unreadable ones are left as they are."""
        done = 0
        for row in await self._old_tokens(connection):
            name = _row_name(row.service, row.external_id)
            try:
                secret = self._vault.open(row.token, name)
            except Unreadable:
                continue  # asking for this token tells its person to log in again
            sealed = self._vault.seal(secret, name)
            await connection.execute(update(accounts).where(accounts.c.id == row.id).values(token=sealed))
            done += 1
        return done

    async def _old_tokens(self, connection: AsyncConnection) -> Sequence[Row[Any]]:
        statement = select(accounts).where(accounts.c.token.is_not(None)).order_by(accounts.c.id).with_for_update()
        return [row for row in await connection.execute(statement) if not self._vault.is_newest(row.token)]

    async def _by_external(self, connection: AsyncConnection, discord_user_id: int, profile: Profile) -> Account | None:
        statement = select(accounts).where(
            accounts.c.discord_user_id == discord_user_id,
            accounts.c.service == profile.service,
            accounts.c.external_id == profile.account_id,
        )
        row = (await connection.execute(statement.with_for_update())).one_or_none()
        return None if row is None else _account(row)

    def _seal(self, token: Token, service: Service, external_id: str) -> bytes:
        secret = {
            "v": 1,
            "access_token": token.access_token,
            "refresh_token": token.refresh_token,
            "expires_at": token.expires_at.isoformat(),
            "scopes": list(token.scopes),
        }
        return self._vault.seal(json.dumps(secret).encode(), _row_name(service, external_id))


def _row_name(service: Service, external_id: str) -> str:
    """What a token is bound to: moved to another account's row it does not open."""
    return f"{service.value}|{external_id}"


def _token(secret: bytes) -> Token:
    kept = json.loads(secret)
    return Token(
        access_token=kept["access_token"],
        refresh_token=kept["refresh_token"],
        expires_at=datetime.fromisoformat(kept["expires_at"]),
        scopes=tuple(kept["scopes"]),
    )


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        discord_user_id=row.discord_user_id,
        service=row.service,
        external_id=row.external_id,
        display_name=row.display_name,
        scopes=tuple(row.scopes.split()),
        status=row.status,
        granted_at=row.granted_at,
        token_dies_at=row.token_dies_at,
        guild_id=row.guild_id,
    )


async def _forget_added(connection: AsyncConnection, own_ids: Set[str]) -> None:
    """What is kept of base playlists tells who added each track: whoever is forgotten added none."""
    kept = select(base_playlists.c.id, base_playlists.c.content).where(base_playlists.c.content.is_not(None))
    for base in (await connection.execute(kept)).all():
        entries = [[*entry[:-1], "" if entry[-1] in own_ids else entry[-1]] for entry in base.content["entries"]]
        if entries != base.content["entries"]:
            content = base.content | {"entries": entries}
            await connection.execute(
                update(base_playlists).where(base_playlists.c.id == base.id).values(content=content)
            )


async def _forget_names(connection: AsyncConnection, names: frozenset[str]) -> None:
    """Takes the accounts' names out of the log; the lines themselves are the audit trail and stay."""
    # Two people may call themselves alike: then both names go, which harms nobody.
    lines = select(logs.c.id, logs.c.message, logs.c.details).where(logs.c.event.like("account.%"))
    for line in (await connection.execute(lines)).all():
        name = line.details.get("account")
        if name in names:
            before, account, after = line.message.partition(f"account {name}")
            # A name that was shortened or cleaned for the sentence is not found in it: then the sentence goes whole.
            message = f"{before}account {_NOBODY}{after}" if account else f"The account {_NOBODY}"
            values = {"message": message, "details": line.details | {"account": _NOBODY}}
            await connection.execute(update(logs).where(logs.c.id == line.id).values(**values))
