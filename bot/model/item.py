"""One item of the queue: one effect on one playlist, to happen exactly once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.model.music import Service


class Action(StrEnum):
    ADD_TRACK = "add_track"
    REMOVE_TRACK = "remove_track"
    MOVE_TRACK = "move_track"
    RENAME_PLAYLIST = "rename_playlist"


class ItemStatus(StrEnum):
    PENDING = "pending"  # waits for its turn, for ``not_before``, for quota or for a login
    RUNNING = "running"  # claimed under a lease
    UNKNOWN = "unknown"  # a write was sent without a trustworthy answer; will be read back
    DONE = "done"
    ERROR = "error"  # failed for good; a person may retry it
    SKIPPED = "skipped"  # the effect was no longer wanted or already there
    BLACKLISTED = "blacklisted"  # no counterpart, or it waits for review; see the blacklist row
    CANCELLED = "cancelled"


OPEN_STATUSES = (ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncItem:
    """A row of ``sync_items``. ``service`` is where the effect happens (= ``destination_service``).

    ``source_track_id``: adds: the track on the source side; removes and moves: the linked source track where there is
    one, else the destination track itself; renames: ''. ``payload`` is JSON with ``v`` and, once known,
    ``track_id`` (the destination's track id), besides ``entry_id``, ``origin``, ``name``, ``surplus`` as needed; items
    of an undo carry ``undo`` (see ``bot.engine.undoing``). A done item without ``intent_at`` wrote nothing.
    """

    id: int
    mapping_id: int
    run_id: int
    service: Service
    action: Action
    source_track_id: str
    occurrence: int
    source_track_title: str
    source_service: Service
    destination_service: Service
    payload: dict[str, Any] = field(default_factory=dict)
    position: int | None = None
    status: ItemStatus = ItemStatus.PENDING
    attempts: int = 0
    not_before: datetime | None = None
    lease_token: str = ""
    lease_until: datetime | None = None
    intent_at: datetime | None = None
    copies_before: int | None = None
    last_error: str = ""
    reason: str = ""  # last_error without what is particular to the item: failures of one reason are one group
    created_at: datetime | None = None
    completed_at: datetime | None = None
    origin_run_id: int | None = None  # the run that asked for it; ``run_id`` is the last burst that took it up

    @property
    def wrote(self) -> bool:
        """Whether it is done by a write of ours; otherwise the effect was there already."""
        return self.status is ItemStatus.DONE and self.intent_at is not None

    @property
    def destination_id(self) -> str:
        """The destination's track id, '' while it must still be searched."""
        return str(self.payload.get("track_id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """What an analysis puts into the queue; the fields are those of ``SyncItem``. ``service`` is the destination."""

    service: Service
    action: Action
    source_service: Service
    source_track_id: str = ""
    occurrence: int = 0
    source_track_title: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    position: int | None = None
