"""One line of the log, which is the activity feed and the audit trail as well."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MESSAGE_LIMIT = 1024


class Level(StrEnum):
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class JobType(StrEnum):
    ANALYSIS = "analysis"
    EXECUTION = "execution"
    ROUTING = "routing"
    SYSTEM = "system"
    USER_ACTION = "user_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """``message`` is a sentence of at most 1024 characters; ``source`` is the logger's name."""

    at: datetime
    level: Level
    event: str
    message: str
    job_type: JobType = JobType.SYSTEM
    id: int = 0
    sync_item_id: int | None = None
    run_id: int | None = None
    mapping_id: int | None = None
    guild_id: int | None = None
    actor_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    source: str = ""
