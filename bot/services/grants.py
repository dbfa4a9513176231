"""What a consent gives, and what each service's consent flow can do."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.model.account import Token
from bot.model.music import Service
from bot.services.sending import Sending


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token endpoint's answer. ``scopes`` None: as asked for; ``refresh_token`` '': the old one stays."""

    access_token: str
    refresh_token: str
    expires_in: float  # seconds
    scopes: tuple[str, ...] | None
    refresh_expires_in: float | None = None  # seconds; Google tells it for apps in testing

    def __repr__(self) -> str:
        return f"Grant(expires_in={self.expires_in!r})"

    def token(self, now: datetime, *, refresh_token: str, scopes: tuple[str, ...]) -> Token:
        """The token to be kept; the arguments stand in for what the answer left out."""
        return Token(
            access_token=self.access_token,
            refresh_token=self.refresh_token or refresh_token,
            expires_at=now + timedelta(seconds=self.expires_in),
            scopes=scopes if self.scopes is None else self.scopes,
        )


class ConsentFlow(Protocol):
    """One service's OAuth. The methods that take a ``Sending`` run in a worker thread and send one request."""

    service: Service
    scopes: tuple[str, ...]

    def authorize_url(self, state: str, verifier: str, *, ask_again: bool) -> str:
        """Where the browser goes. ``ask_again``: consent anew even if it was given before."""
        ...

    def exchange(self, sending: Sending, code: str, verifier: str) -> Grant: ...

    def refresh(self, sending: Sending, refresh_token: str) -> Grant: ...

    def revoke(self, sending: Sending, token: str) -> bool:
        """False where the service has no way to revoke a grant."""
        ...

    def dies_at(self, grant: Grant, granted_at: datetime) -> datetime | None:
        """When the consent itself ends; None: not before it is revoked."""
        ...


def new_verifier() -> str:
    """A PKCE verifier of 86 characters (RFC 7636 allows 43 to 128)."""
    return secrets.token_urlsafe(64)


def challenge(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def scope_words(value: object) -> tuple[str, ...] | None:
    """Scopes as a token answer holds them: one string with spaces, or a list."""
    if isinstance(value, str) and value.strip():
        return tuple(value.split())
    if isinstance(value, list | tuple) and value:
        return tuple(str(word) for word in value)
    return None
