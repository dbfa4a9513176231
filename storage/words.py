"""States that only the database knows by name."""

from enum import StrEnum


class PlanState(StrEnum):
    OPEN = "open"  # shown, and may still be applied
    APPLIED = "applied"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
