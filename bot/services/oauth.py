"""Linking an account: the state that goes with the browser, the consent that comes back, and the account it gives."""

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bot.clock import Clock
from bot.model.account import Account, AccountStatus
from bot.model.errors import CrossfadeError, Forbidden, LoginNeeded, RetryLater, UserMistake
from bot.model.events import AccountLinked, Event, Fact
from bot.model.music import Profile, Service
from bot.services.grants import ConsentFlow, Grant, new_verifier
from bot.services.sending import Rejection, Sending, Workers
from bot.services.tokens import Tokens
from storage import Storage
from storage.oauth import StateRow

log = logging.getLogger(__name__)

STATE_BYTES = 32  # 256 random bits
STATE_LASTS = timedelta(minutes=10)

BAD_STATE = "state_bad"
USED_STATE = "state_used"
STALE_STATE = "state_stale"


class OAuth:
    """``identify`` asks a service whose access token it is. ``announce`` hands facts to the hub.

    A state that cannot be used raises UserMistake with the code BAD_STATE, USED_STATE or STALE_STATE.
    """

    def __init__(
        self,
        storage: Storage,
        consents: Mapping[Service, ConsentFlow],
        tokens: Tokens,
        workers: Workers,
        clock: Clock,
        *,
        identify: Callable[[Service, str], Awaitable[Profile]],
        announce: Callable[[Fact], None],
    ) -> None:
        self._storage = storage
        self._consents = consents
        self._tokens = tokens
        self._workers = workers
        self._clock = clock
        self._identify = identify
        self._announce = announce

    async def begin(self, service: Service, discord_user_id: int, guild_id: int, interaction_token: str = "") -> str:
        """A new state for one person's link button. Only its hash is kept, for ten minutes and one use."""
        self._consent(service)
        state = secrets.token_urlsafe(STATE_BYTES)
        await self._storage.oauth.put_state(
            state_hash=hashed(state),
            service=service,
            discord_user_id=discord_user_id,
            guild_id=guild_id,
            interaction_token=interaction_token,
            verifier=new_verifier(),
            expires_at=self._clock.now() + STATE_LASTS,
        )
        return state

    async def authorize_url(self, service: Service, state: str) -> str:
        """The service's consent page for a state that is still good; the state stays unused."""
        row = _good(await self._peeked(state), service)
        ask_again = not await self._holds_login(row.discord_user_id, service)
        return self._consent(service).authorize_url(state, row.verifier, ask_again=ask_again)

    async def finish(self, service: Service, state: str, code: str) -> Account:
        """The consent came back: exchange it, find out whose account it is, store it and announce AccountLinked.

        The account is PENDING until its person confirms it, and CONNECTED where they had it before; with fewer scopes
        than asked for it is NEEDS_LOGIN then, or becomes so at its first use. Raises UserMistake for a bad state or
        code, RetryLater, ServicePaused or QuotaSpent where the service cannot be asked; a state is used up all the
        same.
        """
        row = await self._taken(service, state)
        consent = self._consent(service)
        grant = await self._exchange(consent, code, row.verifier)
        profile = await self._whose(service, grant)
        account = await self._store(consent, row, profile, grant)
        known = account.status is AccountStatus.CONNECTED
        log.info(
            Event.ACCOUNT_CONFIRMED if known else Event.ACCOUNT_LINKED,
            extra={
                "service": service.label,
                "account": account.display_name,
                "actor_id": row.discord_user_id,
                "guild_id": row.guild_id or None,
            },
        )
        self._announce(
            AccountLinked(
                account_id=account.id,
                discord_user_id=row.discord_user_id,
                guild_id=row.guild_id,
                service=service,
                display_name=account.display_name,
                state_id=row.id,
            )
        )
        return account

    async def refuse(self, service: Service, state: str) -> None:
        """The person said no on the consent page: the state is used up."""
        await self._taken(service, state)

    async def revoke(self, account_id: int) -> bool:
        """Give the grant back to the service, as well as it can be done; call it before the tokens are deleted.

        False where it was not given back: the service has no way to (Spotify) or did not answer, or somebody else has
        linked the same account, whose login would end with it.
        """
        account = await self._storage.accounts.get(account_id)
        if account is None or account.service not in self._consents:
            return False
        if await self._held_elsewhere(account.service, account.external_id, account_id):
            return False
        consent = self._consents[account.service]
        try:
            token = await self._storage.accounts.token(account_id, unconfirmed=True)
            return await self._workers.run(
                lambda sending: consent.revoke(sending, token.refresh_token or token.access_token),
                operation="token.revoke",
                empty_ok=True,
            )
        except (CrossfadeError, Rejection) as error:
            # Best effort: the account is let go all the same, and the token dies with our copy of it.
            log.warning(
                Event.SERVICE_FAILING, extra={"service": account.service.label, "error": f"revoking a login: {error}"}
            )
            return False

    async def _taken(self, service: Service, state: str) -> StateRow:
        """The state, used up by this; one of the other service is refused and stays good for its own."""
        _good(await self._peeked(state), service)
        return _good(await self._storage.oauth.take_state(hashed(state), self._clock.now()), service)

    async def _peeked(self, state: str) -> StateRow | str | None:
        row = await self._storage.oauth.peek(hashed(state))
        if row is None or (row.used_at is None and row.expires_at > self._clock.now()):
            return row
        return "stale" if row.used_at is None else "used"

    def _consent(self, service: Service) -> ConsentFlow:
        consent = self._consents.get(service)
        if consent is None:
            raise UserMistake(f"{service.label} is not set up on this bot; its owner must give it a client id.")
        return consent

    async def _holds_login(self, discord_user_id: int, service: Service) -> bool:
        accounts = await self._storage.accounts.of_user(discord_user_id)
        return any(one.service is service and one.status is AccountStatus.CONNECTED for one in accounts)

    async def _exchange(self, consent: ConsentFlow, code: str, verifier: str) -> Grant:
        def send(sending: Sending) -> Grant:
            return consent.exchange(sending, code, verifier)

        try:
            return await self._workers.run(send, operation="token.exchange")
        except Rejection as no:
            word = no.word("error")
            if word in ("invalid_client", "unauthorized_client"):
                raise UserMistake(
                    f"{consent.service.label} does not know this bot: its client id or secret is wrong."
                    " The bot's owner must set them right.",
                    code=word,
                ) from no
            if no.status == 429:
                raise RetryLater(f"{no.operation}: too many requests", code="too_many") from no
            raise UserMistake(
                f"{consent.service.label} did not accept the consent. Start again with /connect.",
                code=word or "refused",
            ) from no

    async def _whose(self, service: Service, grant: Grant) -> Profile:
        try:
            profile = await self._identify(service, grant.access_token)
        except LoginNeeded as error:
            raise UserMistake(
                f"The consent does not cover what this bot needs. Start again with /connect and allow all that"
                f" {service.label} lists.",
                code="scopes",
            ) from error
        except Forbidden as error:
            raise UserMistake(_FORBIDDEN[service], code=error.code) from error
        if not profile.account_id:
            raise RetryLater(f"{service.label} did not say whose account it is", code="garbage")
        return profile

    async def _store(self, consent: ConsentFlow, row: StateRow, profile: Profile, grant: Grant) -> Account:
        now = self._clock.now()
        held = await self._refresh_token_held(row.discord_user_id, profile)
        if not grant.refresh_token and not held:
            if not await self._held_elsewhere(profile.service, profile.account_id, 0):
                await self._forget(consent, grant)
            raise UserMistake(
                f"{consent.service.label} gave no lasting login. Start again with /connect.", code="no_refresh_token"
            )
        account = await self._storage.accounts.add_pending(
            discord_user_id=row.discord_user_id,
            guild_id=row.guild_id,
            profile=profile,
            token=grant.token(now, refresh_token=held, scopes=consent.scopes),
            granted_at=now,
            token_dies_at=consent.dies_at(grant, now),
        )
        if self._tokens.lacking(account):
            await self._tokens.dead(account.id, "scopes")
        return await self._storage.accounts.get(account.id) or account

    async def _refresh_token_held(self, discord_user_id: int, profile: Profile) -> str:
        """Google gives a refresh token only with the first consent; the one of before is still good then."""
        for account in await self._storage.accounts.of_user(discord_user_id):
            if account.service is profile.service and account.external_id == profile.account_id:
                try:
                    return (await self._storage.accounts.token(account.id)).refresh_token
                except LoginNeeded:
                    return ""
        return ""

    async def _held_elsewhere(self, service: Service, external_id: str, account_id: int) -> bool:
        others = await self._storage.accounts.connected(service)
        return any(one.external_id == external_id and one.id != account_id for one in others)

    async def _forget(self, consent: ConsentFlow, grant: Grant) -> None:
        """Without the old grant the next consent is a first one, and comes with a refresh token."""
        try:
            await self._workers.run(
                lambda sending: consent.revoke(sending, grant.access_token), operation="token.revoke", empty_ok=True
            )
        except (CrossfadeError, Rejection) as error:
            log.warning(
                Event.SERVICE_FAILING, extra={"service": consent.service.label, "error": f"revoking a login: {error}"}
            )


_FORBIDDEN = {
    Service.SPOTIFY: "Spotify does not let this account use the bot: its owner must add you to the app's user list"
    " (at most five people) in Spotify's developer dashboard.",
    Service.YOUTUBE: "This Google account cannot be used: it has no YouTube channel yet (make one at youtube.com and"
    " start again with /connect), or the bot's Google project lacks the YouTube Data API.",
}


def hashed(state: str) -> str:
    """The form in which a state is stored and looked up."""
    return hashlib.sha256(state.encode()).hexdigest()


def _good(found: StateRow | str | None, service: Service) -> StateRow:
    if found == "used":
        raise UserMistake("This link was used already. Start again with /connect.", code=USED_STATE)
    if found == "stale":
        raise UserMistake("This link is older than ten minutes. Start again with /connect.", code=STALE_STATE)
    if found is None or isinstance(found, str) or found.service is not service:
        raise UserMistake("This link is not one of ours. Start again with /connect.", code=BAD_STATE)
    return found
