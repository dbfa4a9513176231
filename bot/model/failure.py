"""Failures and waits, one by one and as groups of one reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.model.music import Service


class FailureKind(StrEnum):
    ITEM = "item"  # items that failed for good
    RUN = "run"  # runs that failed
    REVIEW = "review"  # tracks without a counterpart that a person can decide about
    WAIT = "wait"  # items that wait for a cause: a login, quota, a silent service, a paused mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFilter:
    """What /errors shows: failures of the last ``window``, and what waits now. None lets all pass."""

    guild_id: int
    window: timedelta
    kind: FailureKind | None = None
    reason: str | None = None
    mapping_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For a saved filter, without the guild: that stands beside it."""
        values = {"kind": self.kind, "reason": self.reason, "mapping_id": self.mapping_id}
        present = {name: value for name, value in values.items() if value is not None}
        return {"seconds": int(self.window.total_seconds()), **present}


def from_json(values: Mapping[str, Any], guild_id: int) -> FailureFilter:
    """The filter that ``as_json`` described."""
    kind = values.get("kind")
    return FailureFilter(
        guild_id=guild_id,
        window=timedelta(seconds=values["seconds"]),
        kind=None if kind is None else FailureKind(kind),
        reason=values.get("reason"),
        mapping_id=values.get("mapping_id"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureTally:
    """How often one reason met one mapping (0: the router) towards one service (None: a run).

    ``example_id``: the newest of them, an item's id, a run's, or a blacklist row's, by ``kind``.
    """

    kind: FailureKind
    reason: str
    mapping_id: int
    service: Service | None
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    until: datetime | None = None  # of waits: when the last of them goes on
    example_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """All failures of one kind and reason. ``mappings``: id and count, the most concerned first."""

    kind: FailureKind
    reason: str
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    until: datetime | None
    mappings: tuple[tuple[int, int], ...]
    services: tuple[Service, ...]
    example_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure, as exports show it. ``id``: as ``FailureTally.example_id``. ``at``: when it failed or was queued."""

    kind: FailureKind
    reason: str
    id: int
    mapping_id: int
    run_id: int | None
    service: Service | None
    action: str
    title: str
    attempts: int
    error: str
    at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing of a mapping is worked on: it is paused, or the services of ``logins`` need a login."""

    mapping_id: int
    paused: bool
    pause_reason: str
    logins: frozenset[Service]
