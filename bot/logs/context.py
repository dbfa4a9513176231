"""What the log lines of the current task belong to: run, mapping, item, guild, person."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace

from bot.model.logline import JobType


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContext:
    run_id: int | None = None
    mapping_id: int | None = None
    item_id: int | None = None
    guild_id: int | None = None
    actor_id: int | None = None  # Discord user id
    job_type: JobType | None = None


CONTEXT_FIELDS = tuple(field.name for field in fields(LogContext))

_current: ContextVar[LogContext] = ContextVar("log_context", default=LogContext())  # noqa: B039 - it is frozen


def current() -> LogContext:
    return _current.get()


@contextmanager
def bound(
    *,
    run_id: int | None = None,
    mapping_id: int | None = None,
    item_id: int | None = None,
    guild_id: int | None = None,
    actor_id: int | None = None,
    job_type: JobType | None = None,
) -> Iterator[LogContext]:
    """Lines logged inside, and by tasks started inside, carry these fields; None leaves the outer value."""
    given = LogContext(
        run_id=run_id,
        mapping_id=mapping_id,
        item_id=item_id,
        guild_id=guild_id,
        actor_id=actor_id,
        job_type=job_type,
    )
    changes = {name: value for name in CONTEXT_FIELDS if (value := getattr(given, name)) is not None}
    token = _current.set(replace(_current.get(), **changes))
    try:
        yield _current.get()
    finally:
        _current.reset(token)
