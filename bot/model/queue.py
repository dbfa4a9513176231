"""The queue as people see it: pauses, and the numbers of what waits, works and has ended."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.model.item import Action, ItemStatus
from bot.model.music import Service

EVERY_GUILD = 0  # as a pause's guild: the whole program


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePause:
    """Nothing of ``guild_id`` is sent while it stands, except what was being sent when it began.

    ``service`` and ``mapping_id`` None: every one. ``since`` None: nobody wrote down who paused it and when.
    """

    guild_id: int
    service: Service | None = None
    mapping_id: int | None = None
    actor_id: int = 0
    since: datetime | None = None
    reason: str = ""
    mapping_name: str = ""

    @property
    def whole(self) -> bool:
        """Whether it covers every service and mapping of its guild."""
        return self.service is None and self.mapping_id is None

    def covers(self, guild_id: int, service: Service, mapping_id: int) -> bool:
        """Whether work of this mapping towards this service rests."""
        return (
            self.guild_id in (EVERY_GUILD, guild_id)
            and self.service in (None, service)
            and self.mapping_id in (None, mapping_id)
        )


class Standing(NamedTuple):
    """So many items that stand alike. ``wrote``: something was sent for them."""

    status: ItemStatus
    action: Action
    wrote: bool
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The work of one mapping towards one service."""

    mapping_id: int
    service: Service
    counts: dict[ItemStatus, int] = field(default_factory=dict)
    delayed: int = 0  # pending items that wait for a moment to come
    until: datetime | None = None  # when the last of them may be worked on

    def count(self, *statuses: ItemStatus) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def waiting(self) -> int:
        """Pending items that wait for nothing but their turn."""
        return self.count(ItemStatus.PENDING) - self.delayed

    @property
    def open(self) -> int:
        return self.count(ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Pending items of one guild towards one service that wait for the same reason, as ``Lane.until`` counts."""

    service: Service
    reason: str  # as ``bot.model.reasons`` words it; "" where none was written down
    items: int
    first: datetime  # when the first of them may be worked on
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """What ended within one hour from ``start`` on; only ``done`` changed a playlist or found it right."""

    start: datetime
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """Open items of one mapping towards one service that cost the same each."""

    guild_id: int
    mapping_id: int
    service: Service
    action: Action
    search: bool  # the counterpart must be searched first
    items: int
