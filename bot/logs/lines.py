"""Turns a record of the standard library's logging into a log line of ours, and a log line into text."""

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from bot.logs.context import CONTEXT_FIELDS, current
from bot.logs.redact import Redactor
from bot.logs.sentences import job_type_of, sentence
from bot.model.events import Event
from bot.model.logline import JobType, Level, LogLine
from bot.model.music import Service

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def line_of(record: logging.LogRecord, at: datetime, redactor: Redactor) -> LogLine:
    """The line for ``record``, redacted. ``at`` is aware UTC. A record without an event of ours is a library's line."""
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    event, fields = _event_and_fields(record, extra)
    belongs = {name: extra.get(name, getattr(current(), name)) for name in CONTEXT_FIELDS}
    details = {key: _simple(value) for key, value in fields.items() if key not in CONTEXT_FIELDS}
    if record.exc_info and record.exc_info[1] is not None:
        details["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))[-3000:]
    return LogLine(
        at=at,
        level=_level(record.levelno),
        event=event.value,
        message=sentence(event, {key: _shown(value, redactor) for key, value in fields.items()}),
        job_type=JobType(belongs["job_type"]) if belongs["job_type"] else job_type_of(event),
        sync_item_id=belongs["item_id"],
        run_id=belongs["run_id"],
        mapping_id=belongs["mapping_id"],
        guild_id=belongs["guild_id"],
        actor_id=belongs["actor_id"],
        details=redactor.fields(details),
        source=record.name,
    )


def as_text(line: LogLine) -> str:
    """One line for people's terminals."""
    ids = {"guild": line.guild_id, "mapping": line.mapping_id, "run": line.run_id, "item": line.sync_item_id}
    where = " ".join(f"{name}={value}" for name, value in ids.items() if value is not None)
    text = f"{rfc3339(line.at)} {line.level.value:<5} {line.event:<20} {line.message}" + (
        f"  [{where}]" if where else ""
    )
    trace = line.details.get("traceback")
    return f"{text}\n{trace.rstrip()}" if trace else text


def as_json(line: LogLine) -> str:
    """One JSON object on one line, for collectors. Ids of Discord are strings."""
    values: dict[str, Any] = {
        "at": rfc3339(line.at),
        "level": line.level.value,
        "event": line.event,
        "message": line.message,
        "job_type": line.job_type.value,
        "sync_item_id": line.sync_item_id,
        "run_id": line.run_id,
        "mapping_id": line.mapping_id,
        "guild_id": None if line.guild_id is None else str(line.guild_id),
        "actor_id": None if line.actor_id is None else str(line.actor_id),
        "source": line.source,
        "details": line.details,
    }
    return json.dumps({key: value for key, value in values.items() if value not in (None, {})}, ensure_ascii=False)


def rfc3339(moment: datetime) -> str:
    """``moment`` (aware) in UTC to the millisecond, with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event_and_fields(record: logging.LogRecord, extra: Mapping[str, Any]) -> tuple[Event, dict[str, Any]]:
    try:
        return Event(record.msg), dict(extra)
    except ValueError:
        return Event.LIBRARY, {**extra, "text": record.getMessage()}


def _shown(value: Any, redactor: Redactor) -> Any:
    # Before the sentence cuts long values: half a secret would no longer be recognised.
    simple = value if isinstance(value, Service) else _simple(value)
    return simple if simple is None or isinstance(simple, int | float | Service) else redactor.text(str(simple))


def _simple(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value) if value.tzinfo else value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return Level.ERROR
    return Level.WARN if number >= logging.WARNING else Level.INFO
