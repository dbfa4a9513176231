"""Lines to incidents: which lines are one story, what ends it, and what people may do to it; all of it pure."""

import functools
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.model.events import Event
from bot.model.incident import EXAMPLES, ITEMS, Example, Incident
from bot.model.logline import MESSAGE_LIMIT, Level, LogLine
from bot.model.reasons import reason_of

KEY_LIMIT = 255  # of the column
FACT_LIMIT = 300  # characters of a fact that a card may quote
QUIET = timedelta(hours=6)  # without another line for so long an incident is over
# Conditions that last until somebody acts are not over because nothing repeats them.
LASTING = {
    Event.ACCOUNT_NEEDS_LOGIN: timedelta(days=14),
    Event.ACCOUNT_EXPIRES_SOON: timedelta(days=14),
    Event.MAPPING_PAUSED: timedelta(days=14),
    Event.ANALYSIS_STOPPED: timedelta(days=1),
}
# Whatever mapping notices it first: it is about the service or the account.
_OF_NO_MAPPING = frozenset(
    {
        Event.SERVICE_FAILING,
        Event.SERVICE_PAUSED,
        Event.SERVICE_BACK,
        Event.SERVICE_RESUMED,
        Event.QUOTA_SPENT,
        Event.ACCOUNT_NEEDS_LOGIN,
        Event.ACCOUNT_EXPIRES_SOON,
    }
)
# The fields that tell one incident of an event from another, besides the mapping.
_APART_BY: dict[Event, tuple[str, ...]] = {
    Event.SERVICE_FAILING: ("service",),
    Event.SERVICE_PAUSED: ("service",),
    Event.SERVICE_BACK: ("service",),
    Event.SERVICE_RESUMED: ("service",),
    Event.QUOTA_SPENT: ("bucket", "until"),
    Event.ACCOUNT_NEEDS_LOGIN: ("service", "account"),
    Event.ACCOUNT_EXPIRES_SOON: ("service", "account"),
    Event.ANALYSIS_FAILED: ("error",),
    Event.ITEM_ERROR: ("error",),
    Event.TASK_FAILED: ("task",),
    Event.BUG: ("where", "error"),
}
_OF_ITEMS = (
    Event.ITEM_ERROR, Event.ITEM_BLACKLISTED, Event.ITEM_REVIEW, Event.ITEM_UNKNOWN, Event.ITEM_SURPLUS
)  # fmt: skip
_LOGINS = (Event.ACCOUNT_NEEDS_LOGIN, Event.ACCOUNT_EXPIRES_SOON)
# What a line ends, and the fields in which both must agree; no fields: the mapping.
_ENDS: dict[Event, tuple[tuple[Event, ...], tuple[str, ...]]] = {
    Event.SERVICE_BACK: ((Event.SERVICE_FAILING,), ("service",)),
    Event.SERVICE_RESUMED: ((Event.SERVICE_PAUSED,), ("service",)),
    Event.QUOTA_RESET: ((Event.QUOTA_SPENT,), ("bucket",)),
    Event.ACCOUNT_CONFIRMED: (_LOGINS, ("service", "account")),
    Event.ACCOUNT_DISCONNECTED: (_LOGINS, ("service", "account")),
    Event.ACCOUNT_NEEDS_LOGIN: ((Event.ACCOUNT_EXPIRES_SOON,), ("service", "account")),
    Event.MAPPING_PAUSED: ((Event.ANALYSIS_FAILED,), ()),
    Event.MAPPING_RESUMED: ((Event.MAPPING_PAUSED,), ()),
    Event.MAPPING_REMOVED: (tuple(set(Event) - _OF_NO_MAPPING), ()),
    Event.ANALYSIS_COMPLETE: ((Event.ANALYSIS_FAILED,), ()),
    Event.EXECUTION_COMPLETE: ((*_OF_ITEMS, Event.ANALYSIS_STOPPED), ()),
    Event.PLAN_CANCELLED: ((Event.ANALYSIS_STOPPED,), ()),
    Event.PLAN_FORCED: ((Event.ANALYSIS_STOPPED,), ()),
}
_ENDINGS = frozenset(event.value for event in _ENDS)
# These end it in every server: the service is the same for all, and whoever asks it next notices.
_EVERYWHERE = frozenset({Event.SERVICE_BACK.value, Event.SERVICE_RESUMED.value, Event.QUOTA_RESET.value})
_RANK = {Level.INFO: 0, Level.WARN: 1, Level.ERROR: 2}


def worse_or_equal(level: Level, least: Level) -> bool:
    return _RANK[level] >= _RANK[least]


def key_of(line: LogLine) -> str:
    """What lines of one incident have in common: event, mapping, and the subject without what is particular."""
    event = _event(line.event)
    fields = _APART_BY.get(event, ()) if event else ()
    subject = [_normal(field, line.details.get(field)) for field in fields]
    if event in (None, Event.LIBRARY):
        subject = [_normal("message", line.message)]
    mapping = "" if event in _OF_NO_MAPPING or line.mapping_id is None else str(line.mapping_id)
    key = "|".join([line.event, mapping, *subject])
    if len(key) <= KEY_LIMIT:
        return key
    return f"{key[: KEY_LIMIT - 33]}|{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def opened(line: LogLine) -> Incident:
    """The incident that begins with ``line``, which belongs to a guild."""
    assert line.guild_id is not None
    blank = Incident(
        guild_id=line.guild_id,
        key=key_of(line),
        level=line.level,
        event=line.event,
        message="",
        first_seen_at=line.at,
        last_seen_at=line.at,
        count=0,
    )
    return grown(blank, line)


def grown(incident: Incident, line: LogLine) -> Incident:
    """The incident with one more line; one that seemed over goes on."""
    return replace(
        incident,
        level=max(incident.level, line.level, key=_RANK.__getitem__),
        message=line.message,
        mapping_id=line.mapping_id or incident.mapping_id,
        run_id=line.run_id or incident.run_id,
        sync_item_id=line.sync_item_id or incident.sync_item_id,
        count=incident.count + 1,
        last_seen_at=max(incident.last_seen_at, line.at),
        facts={name: _fact(value) for name, value in line.details.items() if name != "traceback"},
        examples=_with_example(incident, line),
        item_ids=_with_item(incident.item_ids, line.sync_item_id),
        until=_moment(line.details.get("until")) or incident.until,
        over_at=None,
    )


def can_end(line: LogLine) -> bool:
    """Whether the line may end incidents at all."""
    return line.event in _ENDINGS


def ends_everywhere(line: LogLine) -> bool:
    """Whether what the line ends is over in every guild."""
    return line.event in _EVERYWHERE


def ends(line: LogLine, incident: Incident) -> bool:
    """Whether ``line``, for which ``can_end`` holds, says that ``incident`` is over."""
    event = Event(line.event)
    ended, fields = _ENDS[event]
    if incident.event not in ended:
        return False
    if fields:
        return all(_same(line.details.get(field), incident.facts.get(field)) for field in fields)
    if line.mapping_id is None or line.mapping_id != incident.mapping_id:
        return False
    # The run in which it happened ends as well; only one without it says that it is over.
    return event is not Event.EXECUTION_COMPLETE or line.run_id != incident.run_id


def ends_by_itself_at(incident: Incident) -> datetime:
    """When it is over if nothing more is heard of it."""
    event = _event(incident.event)
    quiet = LASTING.get(event, QUIET) if event else QUIET
    return max(incident.until, incident.last_seen_at) if incident.until else incident.last_seen_at + quiet


def acknowledged(incident: Incident, by: int, name: str, at: datetime) -> Incident:
    return replace(incident, acknowledged_by=by, acknowledged_at=at, acknowledged_name=name)


def silenced(incident: Incident, until: datetime, name: str) -> Incident:
    """Not shown until then. Another silence on top of one counts what it misses from the first one's begin."""
    begun = incident.silenced_count if incident.silenced_until is not None else incident.count
    return replace(incident, silenced_until=until, silenced_name=name, silenced_count=begun, missed=0)


def heard_again(incident: Incident) -> Incident:
    """After its silence: what came meanwhile is told by one new card; without any the old card says it."""
    missed = incident.count - incident.silenced_count
    after = replace(incident, silenced_until=None, silenced_name="", silenced_count=0, missed=missed)
    return replace(after, channel_id=None, message_id=None) if missed else after


def face(incident: Incident) -> tuple[object, ...]:
    """What of an incident is worth an edit of its card; an acknowledged one counts on unseen until it is over."""
    over = incident.over_at is not None
    count = None if incident.acknowledged_by is not None and not over else incident.count
    return (over, incident.acknowledged_by, incident.silenced_until, incident.missed, count)


def _with_example(incident: Incident, line: LogLine) -> tuple[Example, ...]:
    known = incident.examples
    if len(known) >= EXAMPLES:
        return known
    example = Example(
        message=line.message, title=str(line.details.get("title") or "")[:FACT_LIMIT], item_id=line.sync_item_id
    )
    same = (example.item_id == one.item_id if example.item_id else example.message == one.message for one in known)
    return known if any(same) else (*known, example)


def _with_item(known: tuple[int, ...], item_id: int | None) -> tuple[int, ...]:
    if item_id is None or len(known) >= ITEMS or item_id in known:
        return known
    return (*known, item_id)


def _event(name: str) -> Event | None:
    try:
        return Event(name)
    except ValueError:
        return None


def _normal(field: str, value: object) -> str:
    """A field without what differs from line to line; of a moment its day."""
    return _normal_text(field, "" if value is None else str(value)[:MESSAGE_LIMIT])


@functools.lru_cache(maxsize=1024)  # a flood says the same few things
def _normal_text(field: str, text: str) -> str:
    if field == "until":
        return text[:10]
    return reason_of(text) if field in ("error", "message") else " ".join(text.split())


def _fact(value: Any) -> Any:
    return value if isinstance(value, int | float | None) else str(value)[:FACT_LIMIT]


def _same(one: object, other: object) -> bool:
    return one is not None and str(one)[:FACT_LIMIT] == str(other)


def _moment(value: object) -> datetime | None:
    """The aware moment that a line names, if it can be read."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
