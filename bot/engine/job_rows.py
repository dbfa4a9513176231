"""Runs and items as rows of an export; the columns are a promise to whoever reads the files."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.model.item import SyncItem
from bot.model.jobs import ItemFilter, JobFilter
from bot.model.run import Run

RUN_COLUMNS = (
    "id",
    "kind",
    "mapping_id",
    "mapping",
    "trigger",
    "actor_id",
    "status",
    "created_at",
    "started_at",
    "completed_at",
    "seconds",
    "tracks_processed",
    "adds",
    "removals",
    "skipped",
    "failed",
    "waiting",
    "api_requests",
    "cached_requests",
    "quota_units",
    "error",
    "cancelled_by",
    "undoes_run_id",
    "base_playlist_id",
    "base_playlist",
)
ITEM_COLUMNS = (
    "id",
    "mapping_id",
    "mapping",
    "run_id",
    "origin_run_id",
    "action",
    "title",
    "source_service",
    "source_track_id",
    "destination_service",
    "destination_track_id",
    "occurrence",
    "position",
    "status",
    "attempts",
    "not_before",
    "last_error",
    "reason",
    "created_at",
    "completed_at",
)


def columns_of(wanted: JobFilter | ItemFilter) -> Sequence[str]:
    """The columns of an export of this list."""
    return RUN_COLUMNS if isinstance(wanted, JobFilter) else ITEM_COLUMNS


def seconds_of(run: Run, now: datetime) -> float | None:
    """How long the run took, or is under way by now; None: it has not begun."""
    if run.started_at is None:
        return None
    return ((run.completed_at or now) - run.started_at).total_seconds()


def run_row(run: Run, names: Mapping[int, str], bases: Mapping[int, str], now: datetime) -> dict[str, Any]:
    """A row of ``RUN_COLUMNS``; ``names`` of mappings and of base playlists by id."""
    counts = run.counts
    return {
        "id": run.id,
        "kind": run.kind,
        "mapping_id": run.mapping_id or None,
        "mapping": names.get(run.mapping_id, ""),
        "trigger": run.trigger,
        "actor_id": str(run.actor_id) if run.actor_id else None,
        "status": run.status,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "seconds": seconds_of(run, now),
        "tracks_processed": counts.tracks_processed,
        "adds": counts.adds,
        "removals": counts.removals,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "waiting": counts.waiting,
        "api_requests": counts.api_requests,
        "cached_requests": counts.cached_requests,
        "quota_units": counts.quota_units,
        "error": run.error,
        "cancelled_by": str(run.cancelled_by) if run.cancelled_by else None,
        "undoes_run_id": run.undoes_run_id,
        "base_playlist_id": run.base_playlist_id,
        "base_playlist": bases.get(run.base_playlist_id or 0, ""),
    }


def item_row(item: SyncItem, names: Mapping[int, str]) -> dict[str, Any]:
    """A row of ``ITEM_COLUMNS``."""
    return {
        "id": item.id,
        "mapping_id": item.mapping_id,
        "mapping": names.get(item.mapping_id, ""),
        "run_id": item.run_id,
        "origin_run_id": item.origin_run_id,
        "action": item.action,
        "title": item.source_track_title,
        "source_service": item.source_service,
        "source_track_id": item.source_track_id,
        "destination_service": item.destination_service,
        "destination_track_id": item.destination_id,
        "occurrence": item.occurrence,
        "position": item.position,
        "status": item.status,
        "attempts": item.attempts,
        "not_before": item.not_before,
        "last_error": item.last_error,
        "reason": item.reason,
        "created_at": item.created_at,
        "completed_at": item.completed_at,
    }
