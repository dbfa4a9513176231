"""A person's account on a music service, linked to their Discord user."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.music import Service


class AccountStatus(StrEnum):
    PENDING = "pending"  # consent is back, but its person has not yet confirmed in Discord that it is theirs
    CONNECTED = "connected"  # usable
    NEEDS_LOGIN = "needs_login"  # the login is dead or its scopes fall short
    DISCONNECTED = "disconnected"  # its person took it away; tokens are deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    id: int
    discord_user_id: int
    service: Service
    external_id: str
    display_name: str
    scopes: tuple[str, ...]
    status: AccountStatus
    granted_at: datetime
    token_dies_at: datetime | None = (
        None  # when the consent itself ends (Spotify: six months; Google "Testing": 7 days)
    )
    guild_id: int = 0  # the guild from which it was linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """OAuth tokens of one account in the clear; only ever held in memory. ``expires_at`` is aware UTC."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    scopes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at!r})"
