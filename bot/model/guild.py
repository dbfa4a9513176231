"""What one Discord server chose for itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    guild_id: int
    log_channel_id: int | None = None
    log_level: str = "warn"  # the least level that the feed posts
    moderator_role_id: int | None = None
    admin_role_id: int | None = None
    timezone: str = "UTC"  # an IANA name
    retention_days: int = 7  # 0 to 30
    refresh_seconds: int = 60  # 10 to 600
    paused: bool = False
    digest_hour: int | None = None  # 0 to 23 of the guild's day; None: no daily digest
