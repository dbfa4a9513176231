"""The day of one Discord server in numbers."""

from dataclasses import dataclass
from datetime import date, datetime

from bot.model.music import Service
from bot.model.quota import Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketDay:
    """Units of the whole program, today and on the day before, each in the bucket's own day."""

    bucket: Bucket
    limit: int
    today: int
    yesterday: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """``day`` is the guild's day that it belongs to; the counts of runs are those since ``since``, the rest is now."""

    guild_id: int
    day: date
    at: datetime
    since: datetime
    runs: int = 0
    runs_failed: int = 0
    added: int = 0
    removed: int = 0
    waiting: int = 0
    failed: int = 0  # items that failed for good and were not retried
    in_review: int = 0
    buckets: tuple[BucketDay, ...] = ()
    paused: tuple[tuple[str, str], ...] = ()  # mapping and reason
    logins: tuple[tuple[Service, str], ...] = ()  # accounts that need a new login
