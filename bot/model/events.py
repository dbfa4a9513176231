"""The registered names of everything that is logged, and the facts that the hub announces."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.music import Service
from bot.model.run import Run


class Event(StrEnum):
    """Event names: ``room.fact``. The sentence for people is made from name and fields in ``bot/logs/sentences.py``."""

    # the program
    SYSTEM_STARTED = "system.started"
    SYSTEM_STOPPED = "system.stopped"
    SYSTEM_RECOVERED = "system.recovered"  # runs and leases of a dead process were taken over
    TASK_FAILED = "task.failed"
    TASK_RECOVERED = "task.recovered"
    TASK_REQUESTED = "task.requested"  # a person ran it out of its turn
    BACKUP_DONE = "backup.done"
    CACHE_FAILING = "cache.failing"
    CACHE_BACK = "cache.back"
    CACHE_GARBAGE = "cache.garbage"
    CACHE_FORGOTTEN = "cache.forgotten"
    RETENTION_DONE = "retention.done"
    BUG = "bug"
    LOG_DROPPED = "log.dropped"  # a queue of the log was full
    LIBRARY = "library"  # a line of somebody else's code
    # analysis
    ANALYSIS_STARTED = "analysis.started"
    ANALYSIS_DIFFS = "analysis.diffs"
    ANALYSIS_COMPLETE = "analysis.complete"
    ANALYSIS_FAILED = "analysis.failed"
    ANALYSIS_STOPPED = "analysis.stopped"  # a guard held the plan
    # execution
    EXECUTION_STARTED = "execution.started"
    EXECUTION_COMPLETE = "execution.complete"
    EXECUTION_CANCELLED = "execution.cancelled"  # people stopped it; the rest was not done
    ITEM_PROCESSING = "item.processing"
    ITEM_ADDED = "item.added"
    ITEM_REMOVED = "item.removed"
    ITEM_MOVED = "item.moved"
    ITEM_RENAMED = "item.renamed"
    ITEM_SKIPPED = "item.skipped"
    ITEM_ERROR = "item.error"
    ITEM_RETRY = "item.retry"
    ITEM_UNKNOWN = "item.unknown"
    ITEM_READ_BACK = "item.read_back"
    ITEM_BLACKLISTED = "item.blacklisted"
    ITEM_REVIEW = "item.review"
    ITEM_WAITS = "item.waits"
    ITEM_SURPLUS = "item.surplus"
    # routing
    ROUTING_STARTED = "routing.started"
    ROUTING_COMPLETE = "routing.complete"
    ROUTING_FAILED = "routing.failed"
    ROUTING_CHILD_FAILED = "routing.child_failed"
    ROUTING_SKIPPED = "routing.skipped"
    # services
    SERVICE_PAUSED = "service.paused"
    SERVICE_RESUMED = "service.resumed"
    SERVICE_FAILING = "service.failing"
    SERVICE_BACK = "service.back"
    METADATA_FAILING = "metadata.failing"
    METADATA_BACK = "metadata.back"
    QUOTA_SPENT = "quota.spent"
    QUOTA_RESET = "quota.reset"
    # accounts
    ACCOUNT_LINKED = "account.linked"
    ACCOUNT_CONFIRMED = "account.confirmed"
    ACCOUNT_REJECTED = "account.rejected"
    ACCOUNT_NEEDS_LOGIN = "account.needs_login"
    ACCOUNT_DISCONNECTED = "account.disconnected"
    ACCOUNT_EXPIRES_SOON = "account.expires_soon"
    ACCOUNT_FORGOTTEN = "account.forgotten"
    # what people did
    MAPPING_ADDED = "mapping.added"
    MAPPING_EDITED = "mapping.edited"
    MAPPING_PAUSED = "mapping.paused"
    MAPPING_RESUMED = "mapping.resumed"
    MAPPING_REMOVED = "mapping.removed"
    BASE_ADDED = "base.added"
    BASE_EDITED = "base.edited"
    BASE_PAUSED = "base.paused"
    BASE_RESUMED = "base.resumed"
    BASE_REMOVED = "base.removed"
    CHILD_ADDED = "child.added"
    CHILD_EDITED = "child.edited"
    CHILD_REMOVED = "child.removed"
    ROUTING_REQUESTED = "routing.requested"
    SETTINGS_CHANGED = "settings.changed"
    SYNC_REQUESTED = "sync.requested"
    PLAN_APPLIED = "plan.applied"
    PLAN_CANCELLED = "plan.cancelled"
    PLAN_FORCED = "plan.forced"
    UNDO_APPLIED = "undo.applied"
    UNDO_FORCED = "undo.forced"  # an admin's, past the guard that had stopped it
    UNDO_STOPPED = "undo.stopped"  # a guard held it
    ITEM_RETRIED = "item.retried"
    JOB_CANCELLED = "job.cancelled"
    JOBS_CANCELLED = "jobs.cancelled"  # all that matched a filter
    JOBS_RETRIED = "jobs.retried"
    ERRORS_RETRIED = "errors.retried"  # all failures of one reason
    QUEUE_PAUSED = "queue.paused"
    QUEUE_RESUMED = "queue.resumed"
    QUEUE_CLEARED = "queue.cleared"  # failed items were put aside
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_SILENCED = "incident.silenced"
    INCIDENT_RETRIED = "incident.retried"
    REVIEW_CHOSEN = "review.chosen"
    REVIEW_RETRIED = "review.retried"
    REVIEW_DISMISSED = "review.dismissed"
    REVIEW_NEVER = "review.never"
    REVIEW_SEARCHED = "review.searched"
    REVIEW_BULK = "review.bulk"  # many candidates were accepted at once; each decision has its own line too


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an execution run stands now; announced at most about once a second for a run."""

    run: Run
    guild_id: int
    total: int  # items of this burst, finished ones included
    finished: int
    current_title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    run: Run
    guild_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLinked:
    """Consent is back from the browser; the person must confirm in Discord. ``state_id``: the OAuth state's row."""

    account_id: int
    discord_user_id: int
    guild_id: int
    service: Service
    display_name: str
    state_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNeedsLogin:
    account_id: int
    discord_user_id: int
    guild_id: int
    service: Service
    display_name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSilent:
    service: Service
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    guild_id: int


Fact = Progress | RunFinished | AccountLinked | AccountNeedsLogin | ServiceSilent | SettingsChanged
