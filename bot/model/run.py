"""A run: one burst of work, and what it did."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunKind(StrEnum):
    ANALYSIS = "analysis"
    EXECUTION = "execution"
    ROUTING = "routing"
    UNDO = "undo"


class RunStatus(StrEnum):
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(StrEnum):
    SCHEDULE = "schedule"
    COMMAND = "command"  # a person asked
    RETRY = "retry"
    START = "start"  # work found at the start of the process
    PREVIEW = "preview"  # a plan that is only shown


ACTIVE_STATUSES = (RunStatus.QUEUED, RunStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    tracks_processed: int = 0
    adds: int = 0
    removals: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0
    api_requests: int = 0
    cached_requests: int = 0
    quota_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: int
    kind: RunKind
    mapping_id: int  # 0: a routing run, which belongs to a base playlist
    trigger: Trigger
    actor_id: int  # Discord user id, 0: the program itself
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    heartbeat_at: datetime | None = None
    error: str = ""
    counts: RunCounts = RunCounts()
    cancelled_by: int | None = None  # Discord user id of who asked it to stop, at work or waiting
    base_playlist_id: int | None = None  # of a routing run
    details: dict[str, Any] = field(default_factory=dict)  # of a routing run: children, cache hits and so on, as JSON
    undoes_run_id: int | None = None  # of an undo: the run whose effects it takes back
