"""Which lines of the log are meant, and a page of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from bot.model.logline import JobType, Level, LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Empty fields let all pass. ``guild_id`` None: the lines of all servers and of none (the owner's).

    ``least``: this level and worse. ``since`` is included, ``until`` is not; both are aware. ``text`` stands somewhere
    in the message, whatever the case of its Latin letters.
    """

    guild_id: int | None
    least: Level = Level.INFO
    job_type: JobType | None = None
    events: tuple[str, ...] = ()
    run_id: int | None = None
    mapping_id: int | None = None
    item_id: int | None = None
    actor_id: int | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether it leaves any line of the server out."""
        return self != LogFilter(guild_id=self.guild_id)

    def as_json(self) -> dict[str, Any]:
        """For a saved filter, without the guild: that stands beside it. Empty fields are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "guild_id"}
        return {name: _simple(value) for name, value in values.items() if value not in (None, "", (), Level.INFO)}


def from_json(values: Mapping[str, Any], guild_id: int | None) -> LogFilter:
    """The filter that ``as_json`` described; fields that it does not know are left alone."""
    known = {field.name for field in fields(LogFilter)} - {"guild_id"}
    given = {name: _READ.get(name, _as_it_is)(value) for name, value in values.items() if name in known}
    return LogFilter(guild_id=guild_id, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """``lines`` newest first. ``more``: there are further ones in the direction that was asked for.

    A search that leaves lines out looks through a bounded stretch of the log at a time. ``stopped_id`` and
    ``stopped_at`` tell where it stopped before it found a whole page: the next one goes on from there.
    """

    lines: tuple[LogLine, ...]
    more: bool = False
    stopped_id: int | None = None
    stopped_at: datetime | None = None


def _simple(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _as_it_is(value: Any) -> Any:
    return value


_READ: dict[str, Callable[[Any], Any]] = {
    "least": Level,
    "job_type": JobType,
    "events": tuple,
    "since": datetime.fromisoformat,
    "until": datetime.fromisoformat,
}
