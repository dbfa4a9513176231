"""An incident: warnings and errors of the log that are one story to a reader, from the first line until it is over."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model.logline import Level

EXAMPLES = 5  # lines that a card tells one by one
ITEMS = 500  # items that an incident remembers, so that they can be retried together


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One of the incident's first lines, each item once. ``title``: of the track, where it is about one."""

    message: str
    title: str = ""
    item_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """``count`` lines with the same ``key``. ``message``, ``facts`` and ids are those of the latest line.

    ``over_at`` is when it ended, ``closed_at`` when its card said so; until then another line takes it up again.
    """

    guild_id: int
    key: str
    level: Level  # the worst of its lines
    event: str
    message: str
    first_seen_at: datetime
    last_seen_at: datetime
    id: int = 0
    count: int = 1
    mapping_id: int | None = None
    run_id: int | None = None
    sync_item_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    item_ids: tuple[int, ...] = ()  # of the first ``ITEMS`` items, each once
    until: datetime | None = None  # when it ends by itself, where a line said so
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None
    acknowledged_name: str = ""
    silenced_until: datetime | None = None
    silenced_name: str = ""
    silenced_count: int = 0  # ``count`` when the silence began
    missed: int = 0  # lines that came during the last silence
    left_out: int = 0  # lines of other incidents for which the channel had no room before this card
    shown: int = 0  # ``count`` as the card says it
    over_at: datetime | None = None
    closed_at: datetime | None = None
    channel_id: int | None = None
    message_id: int | None = None

    def silenced(self, at: datetime) -> bool:
        return self.silenced_until is not None and at < self.silenced_until
