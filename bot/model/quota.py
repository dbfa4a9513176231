"""Quota: the money of the system, in buckets that the services refill."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Bucket(StrEnum):
    YOUTUBE_UNITS = "youtube.units"  # resets at midnight America/Los_Angeles
    YOUTUBE_SEARCH = "youtube.search"  # the same; calls of search.list
    SPOTIFY_CALLS = "spotify.calls"  # rolling 24 hours


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketState:
    """``resets_at``: the next midnight Pacific, or when the oldest hour leaves the rolling window."""

    bucket: Bucket
    limit: int
    used: int
    resets_at: datetime

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One row of ``quota_usage``. ``hour`` is the start of a UTC hour; ``mapping_id`` 0: none."""

    bucket: Bucket
    hour: datetime
    operation: str
    mapping_id: int
    calls: int
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageShare:
    """What one mapping of a guild has used, in units by bucket; ``mapping_id`` 0: calls that belong to no mapping.

    None: all mappings of other guilds together, which have no names here. ``window``: of what counts now;
    ``total``: of all days that were asked for.
    """

    mapping_id: int | None
    name: str = ""
    window: Mapping[Bucket, int] = field(default_factory=dict)
    total: Mapping[Bucket, int] = field(default_factory=dict)
