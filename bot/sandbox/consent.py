"""Who let the app into which account: consents, codes, refresh and access tokens of both services."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.store import Store

CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(seconds=3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One consent of one person. Refreshing does not prolong it."""

    key: str
    service: str  # spotify, google
    person: str
    scopes: tuple[str, ...]
    granted_at: datetime
    dies_at: datetime | None
    refresh_token: str | None  # None: Google gave only an access token
    revoked: bool = False

    def alive(self, now: datetime) -> bool:
        return not self.revoked and (self.dies_at is None or now < self.dies_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a consent page sent back with, waiting to be redeemed once."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


class CodeRefused(Exception):
    """A code or refresh token is unknown, used, too old, revoked or not this client's."""


class Consents:
    """All grants and tokens. Callers hold the world's lock."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now
        self._codes: dict[str, Code] = {}  # a code lives ten minutes: it need not outlive the process
        self._grants = {key: _grant_of(value) for key, value in store.load("grant").items()}
        self._access: dict[str, tuple[str, datetime]] = {
            token: (key, datetime.fromisoformat(until)) for token, (key, until) in store.load("access").items()
        }

    def ask(
        self,
        service: str,
        person: str,
        scopes: tuple[str, ...],
        *,
        redirect_uri: str,
        challenge: str | None,
        life: timedelta | None,
        offline: bool = True,
    ) -> str:
        """Consent in the name of ``person``; returns the code for the redirect."""
        now = self._now()
        grant = Grant(
            key=secrets.token_hex(8),
            service=service,
            person=person,
            scopes=scopes,
            granted_at=now,
            dies_at=None if life is None else now + life,
            refresh_token=secrets.token_urlsafe(48) if offline else None,
        )
        code = secrets.token_urlsafe(32)
        self._codes[code] = Code(
            grant=grant, redirect_uri=redirect_uri, challenge=challenge, expires_at=now + CODE_LIFE
        )
        return code

    def redeem(self, service: str, code: str, redirect_uri: str, verifier: str | None) -> Grant:
        """Turn a code into its grant, once. Raises CodeRefused."""
        found = self._codes.pop(code, None)
        if found is None or found.grant.service != service or self._now() >= found.expires_at:
            raise CodeRefused("Invalid authorization code")
        if found.redirect_uri != redirect_uri:
            raise CodeRefused("Invalid redirect URI")
        if found.challenge is not None and found.challenge != _challenge(verifier or ""):
            raise CodeRefused("code_verifier was incorrect")
        self._keep(found.grant)
        return found.grant

    def refresh(self, service: str, refresh_token: str, *, rotate: bool) -> Grant:
        """The grant behind a refresh token, under a new one if ``rotate``. Raises CodeRefused."""
        for grant in self._grants.values():
            if grant.service == service and grant.refresh_token == refresh_token and grant.alive(self._now()):
                if rotate:
                    grant = replace(grant, refresh_token=secrets.token_urlsafe(48))
                    self._keep(grant)
                return grant
        raise CodeRefused("Refresh token revoked")

    def issue_access(self, grant: Grant) -> str:
        """A fresh access token, good for an hour."""
        token = secrets.token_urlsafe(48)
        until = self._now() + ACCESS_LIFE
        self._access[token] = (grant.key, until)
        self._store.save("access", token, [grant.key, until.isoformat()])
        return token

    def holder(self, service: str, access_token: str) -> tuple[Grant | None, bool]:
        """The grant behind an access token, and whether the token is merely too old."""
        key, until = self._access.get(access_token, ("", self._now()))
        grant = self._grants.get(key)
        if grant is None or grant.service != service or not grant.alive(self._now()):
            return None, False
        return (grant, False) if self._now() < until else (None, True)

    def consented_before(self, service: str, person: str) -> bool:
        """Whether a live consent of this person is held already."""
        return any(
            grant.service == service and grant.person == person and grant.alive(self._now())
            for grant in self._grants.values()
        )

    def revoke(self, person: str, service: str | None = None) -> None:
        """The person takes the app's access away, at one service or at all."""
        for grant in list(self._grants.values()):
            if grant.person == person and service in (None, grant.service):
                self._keep(replace(grant, revoked=True))

    def revoke_token(self, token: str) -> bool:
        """Google's revocation by refresh or access token; False if nobody knows it."""
        key, _ = self._access.get(token, ("", None))
        for grant in list(self._grants.values()):
            if (grant.refresh_token == token or grant.key == key) and not grant.revoked:
                self._keep(replace(grant, revoked=True))
                return True
        return False

    def expire_access(self) -> None:
        """Let every access token be too old at once; refresh tokens stay good."""
        for token, (key, _) in self._access.items():
            self._access[token] = (key, self._now())
            self._store.save("access", token, [key, self._now().isoformat()])

    def _keep(self, grant: Grant) -> None:
        self._grants[grant.key] = grant
        value = asdict(grant)
        value["granted_at"] = grant.granted_at.isoformat()
        value["dies_at"] = grant.dies_at and grant.dies_at.isoformat()
        self._store.save("grant", grant.key, value)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _grant_of(value: dict[str, Any]) -> Grant:
    return Grant(
        **value
        | {
            "scopes": tuple(value["scopes"]),
            "granted_at": datetime.fromisoformat(value["granted_at"]),
            "dies_at": value["dies_at"] and datetime.fromisoformat(value["dies_at"]),
        }
    )
