"""Access tokens of linked accounts: fetched anew in time, by one refresh however many ask, and stored before use."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.clock import Clock
from bot.model.account import Account, AccountStatus, Token
from bot.model.errors import LoginNeeded, RetryLater
from bot.model.events import AccountNeedsLogin, Event, Fact
from bot.model.music import Service
from bot.services.grants import ConsentFlow
from bot.services.sending import Rejection, Workers
from storage import Storage

log = logging.getLogger(__name__)

# Why a login is dead, for people; by the code of the error.
REASONS = {
    "invalid_grant": "its consent has ended or was taken back",
    "login_refused": "the service no longer accepts it",
    "no_refresh_token": "it came without the means to prolong it",
    "scopes": "the consent does not cover all that is needed",
    "token_unreadable": "it was stored under a key that is gone",
}
# A token that ends within this time may end on its way to the service.
FRESH = timedelta(seconds=60)


class Tokens:
    """``announce`` hands facts to the hub; a dead login is announced once."""

    def __init__(
        self,
        storage: Storage,
        consents: Mapping[Service, ConsentFlow],
        workers: Workers,
        clock: Clock,
        announce: Callable[[Fact], None],
    ) -> None:
        self._storage = storage
        self._consents = consents
        self._workers = workers
        self._clock = clock
        self._announce = announce
        self._refreshing: dict[int, asyncio.Task[Token]] = {}

    async def access(self, account_id: int) -> str:
        """An access token that is good for at least a minute. Raises LoginNeeded, or RetryLater where none came."""
        account = await self._usable(account_id)
        token = await self._held(account_id)
        if self._lacking(account, token):
            raise await self.dead(account_id, "scopes")
        if self._fresh(token):
            return token.access_token
        return (await self._refreshed(account, "")).access_token

    async def renew(self, account_id: int, refused: str) -> str:
        """Another access token than ``refused``, which the service turned down before its time."""
        account = await self._usable(account_id)
        return (await self._refreshed(account, refused)).access_token

    async def dead(self, account_id: int, reason: str) -> LoginNeeded:
        """Note that the person must log in again, tell it once, and return the error to raise.

        ``reason`` is a code of ``REASONS`` or, as from the engine, that of an error.
        """
        words = REASONS.get(reason, "its login has ended")
        account = await self._storage.accounts.get(account_id)
        if account is not None and await self._storage.accounts.needs_login(account_id):
            log.warning(
                Event.ACCOUNT_NEEDS_LOGIN,
                extra={
                    "service": account.service.label,
                    "account": account.display_name,
                    "reason": words,
                    "guild_id": account.guild_id or None,
                },
            )
            self._announce(
                AccountNeedsLogin(
                    account_id=account.id,
                    discord_user_id=account.discord_user_id,
                    guild_id=account.guild_id,
                    service=account.service,
                    display_name=account.display_name,
                    reason=words,
                )
            )
        return LoginNeeded("The login of this account is no longer good", account_id=account_id, code=reason)

    async def settle(self) -> None:
        """Wait for the refreshes under way, so that no rotated refresh token is lost when the program stops."""
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)

    def lacking(self, account: Account) -> tuple[str, ...]:
        """The scopes that we need and that the person did not give."""
        return self._lacking(account, None)

    async def _usable(self, account_id: int) -> Account:
        account = await self._storage.accounts.get(account_id)
        if account is None or account.status in (AccountStatus.NEEDS_LOGIN, AccountStatus.DISCONNECTED):
            raise LoginNeeded("This account is not logged in", account_id=account_id)
        if account.service not in self._consents:
            raise RetryLater(f"{account.service.label} is not set up here", code="not_configured")
        return account

    async def _held(self, account_id: int) -> Token:
        try:
            return await self._storage.accounts.token(account_id)
        except LoginNeeded as error:  # for one, its key is gone
            raise await self.dead(account_id, error.code) from error

    def _lacking(self, account: Account, token: Token | None) -> tuple[str, ...]:
        needed = self._consents[account.service].scopes
        given = set(account.scopes) | set(token.scopes if token is not None else ())
        return tuple(scope for scope in needed if scope not in given)

    def _fresh(self, token: Token) -> bool:
        return token.expires_at - self._clock.now() > FRESH

    async def _refreshed(self, account: Account, refused: str) -> Token:
        task = self._refreshing.get(account.id)
        if task is None:
            task = asyncio.create_task(self._refresh(account, refused), name=f"refresh account {account.id}")
            self._refreshing[account.id] = task
            task.add_done_callback(lambda _: self._refreshing.pop(account.id, None))
        # Shielded: whoever gives up waiting must not keep a rotated refresh token from being stored.
        return await asyncio.shield(task)

    async def _refresh(self, account: Account, refused: str) -> Token:
        held = await self._held(account.id)
        if self._fresh(held) and held.access_token != refused:
            return held  # somebody was faster
        if not held.refresh_token:
            raise await self.dead(account.id, "no_refresh_token")
        consent = self._consents[account.service]
        try:
            grant = await self._workers.run(
                lambda sending: consent.refresh(sending, held.refresh_token), operation="token.refresh"
            )
        except Rejection as no:
            raise await self._refused(account.id, held, no) from no
        token = grant.token(self._clock.now(), refresh_token=held.refresh_token, scopes=held.scopes)
        if not await self._storage.accounts.store_token(account.id, token):
            raise LoginNeeded("The account was let go meanwhile", account_id=account.id)
        return token

    async def _refused(self, account_id: int, held: Token, no: Rejection) -> LoginNeeded | RetryLater:
        """``invalid_grant`` ends the login. Everything else (a wrong client secret, too many requests) may pass."""
        word = no.word("error")
        if word == "invalid_grant":
            if (await self._held(account_id)).refresh_token != held.refresh_token:
                return RetryLater(f"{no.operation}: the person has just logged in anew", code="new_login")
            return await self.dead(account_id, word)
        at = None if no.retry_after is None else self._clock.now() + timedelta(seconds=no.retry_after)
        return RetryLater(f"{no.operation}: refused with {no.status} {word}".rstrip(), at=at, code=word or "refused")


class AccountLogin:
    """The login of one stored account, as the transport asks for it."""

    def __init__(self, tokens: Tokens, account_id: int) -> None:
        self._tokens = tokens
        self._account_id = account_id

    async def access(self) -> str:
        return await self._tokens.access(self._account_id)

    async def renew(self, refused: str) -> str:
        return await self._tokens.renew(self._account_id, refused)

    async def dead(self, reason: str) -> LoginNeeded:
        return await self._tokens.dead(self._account_id, reason)


class FirstLogin:
    """A token that has just come from a consent and belongs to no stored account yet."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def access(self) -> str:
        return self._token

    async def renew(self, refused: str) -> str:
        raise await self.dead("login_refused")

    async def dead(self, reason: str) -> LoginNeeded:
        return LoginNeeded("The service refuses the login that it has just given", code=reason)
