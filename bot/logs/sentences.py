"""The sentence for people, made from an event and its fields; the one place where log lines are worded."""

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.model.events import Event
from bot.model.logline import MESSAGE_LIMIT, JobType
from bot.model.music import Service

VALUE_LIMIT = 200  # one field must not push the rest of the sentence out

# {field} stands for a value and {field:one|many} for a count with its noun; a part in [brackets] is left out when it
# names a field that is absent, None or ''. A field absent outside brackets reads "?".
TEMPLATES: dict[Event, str] = {
    Event.SYSTEM_STARTED: "Crossfade[ {version}] started",
    Event.SYSTEM_STOPPED: "Crossfade stopped[: {reason}]",
    Event.SYSTEM_RECOVERED: (
        "Took over what a stopped process left: {runs:run|runs} ended as failed[, {items:item|items} go on]"
    ),
    Event.TASK_FAILED: "Task {task} failed[: {error}]",
    Event.TASK_RECOVERED: "Task {task} works again",
    Event.TASK_REQUESTED: "Task {task} was run by hand",
    Event.BACKUP_DONE: "The database was copied to {file}[ ({size})]",
    Event.CACHE_FAILING: "The cache does not work[ ({error})]; the services are asked instead",
    Event.CACHE_BACK: "The cache works again",
    Event.CACHE_GARBAGE: "The cache holds {kind} entries that cannot be read[ ({error})]; they are fetched anew",
    Event.CACHE_FORGOTTEN: "{entries:entry|entries} of the cache dropped: {what}",
    Event.RETENTION_DONE: "Removed {deleted:old log line|old log lines}",
    Event.BUG: "Unexpected error[ in {where}][: {error}]",
    Event.LOG_DROPPED: "{count:log line was|log lines were} dropped because {queue} could not keep up",
    Event.LIBRARY: "{text}",
    Event.ANALYSIS_STARTED: "Starting analysis for {mappings:mapping|mappings}",
    Event.ANALYSIS_DIFFS: "Found {diffs:diff|diffs} for mapping {mapping}",
    Event.ANALYSIS_COMPLETE: "Analysis complete[ for mapping {mapping}][: {diffs:diff|diffs}][ in {seconds} s]",
    Event.ANALYSIS_FAILED: "Analysis failed[ for mapping {mapping}][: {error}]",
    Event.ANALYSIS_STOPPED: "Analysis[ of mapping {mapping}] stopped before changing anything[: {reason}]",
    Event.EXECUTION_STARTED: "Starting execution[ for mapping {mapping}][: {items:item|items}]",
    Event.EXECUTION_COMPLETE: (
        "Execution complete[ for mapping {mapping}][: {adds} added][, {removals} removed][, {skipped} skipped]"
        "[, {failed} failed][, {waiting} waiting][ in {seconds} s]"
    ),
    Event.EXECUTION_CANCELLED: (
        "Execution cancelled[ for mapping {mapping}][: {adds} added][, {removals} removed][, {skipped} skipped]"
        "[, {failed} failed] before it stopped[ after {seconds} s]"
    ),
    Event.ITEM_PROCESSING: "Processing item for track {title}",
    Event.ITEM_ADDED: "Successfully added track {title}[ to {playlist}][ ({detail})]",
    Event.ITEM_REMOVED: "Successfully removed track {title}[ from {playlist}]",
    Event.ITEM_MOVED: "Successfully moved track {title}[ to place {position}][ in {playlist}]",
    Event.ITEM_RENAMED: "Renamed the playlist to {name_after}",
    Event.ITEM_SKIPPED: "Skipped track {title}[: {reason}]",
    Event.ITEM_ERROR: "Error processing item: {error}[ (track {title})]",
    Event.ITEM_RETRY: "Track {title} will be tried again[ at {at}][: {error}]",
    Event.ITEM_UNKNOWN: "No trustworthy answer for track {title}; it is read back before anything else[: {error}]",
    Event.ITEM_READ_BACK: "Read back track {title}[: {outcome}]",
    Event.ITEM_BLACKLISTED: "No counterpart found for track {title}[: {reason}]",
    Event.ITEM_REVIEW: "Track {title} waits for a person's choice[: {reason}]",
    Event.ITEM_WAITS: "{items:item waits|items wait}[ until {until}][: {reason}]",
    Event.ITEM_SURPLUS: "More copies of track {title} than wanted[ in {playlist}][: {detail}]",
    Event.ROUTING_STARTED: "Base {base} is being routed to its children",
    Event.ROUTING_COMPLETE: "Base {base} was routed to {children:child|children}; {diffs:change|changes} follow",
    Event.ROUTING_FAILED: "Base {base} could not be routed: {error}",
    Event.ROUTING_CHILD_FAILED: "Child {child} could not be brought up to date: {error}",
    Event.ROUTING_SKIPPED: "Base {base} holds what no child can be given: {detail}",
    Event.SERVICE_PAUSED: "{service} asked for silence[ until {until}]; its work waits[: {reason}]",
    Event.SERVICE_RESUMED: "{service} is in use again",
    Event.SERVICE_FAILING: "{service} does not answer as it should[: {error}]",
    Event.SERVICE_BACK: "{service} answers again[ after {failures:failure|failures}]",
    Event.METADATA_FAILING: (
        "{source} does not tell {fields} now[: {error}]; rules that ask for it take it as unknown"
    ),
    Event.METADATA_BACK: "{source} tells {fields} again",
    Event.QUOTA_SPENT: "The quota {bucket} is spent[; {items:item waits|items wait}][ until {until}]",
    Event.QUOTA_RESET: "The quota {bucket} is full again",
    Event.ACCOUNT_LINKED: "The {service} account {account} came back from its consent page and waits for confirmation",
    Event.ACCOUNT_CONFIRMED: "The {service} account {account} is linked",
    Event.ACCOUNT_REJECTED: "The {service} account {account} was rejected and its tokens were deleted",
    Event.ACCOUNT_NEEDS_LOGIN: "The {service} account {account} needs a new login; its work waits[: {reason}]",
    Event.ACCOUNT_DISCONNECTED: "The {service} account {account} was disconnected",
    Event.ACCOUNT_EXPIRES_SOON: "The login of the {service} account {account} ends[ on {until}]; log in again before",
    Event.ACCOUNT_FORGOTTEN: "A person's accounts and tokens were deleted at their wish",
    Event.MAPPING_ADDED: "Mapping {mapping} was added[: {detail}]",
    Event.MAPPING_EDITED: "Mapping {mapping} was edited[: {detail}]",
    Event.MAPPING_PAUSED: "Mapping {mapping} was paused[: {reason}]",
    Event.MAPPING_RESUMED: "Mapping {mapping} was resumed",
    Event.MAPPING_REMOVED: "Mapping {mapping} was removed",
    Event.BASE_ADDED: "Base {base} was added[: {detail}]",
    Event.BASE_EDITED: "Base {base} was edited[: {detail}]",
    Event.BASE_PAUSED: "Base {base} was paused[: {reason}]",
    Event.BASE_RESUMED: "Base {base} was resumed",
    Event.BASE_REMOVED: "Base {base} was removed, its playlists stay as they are",
    Event.CHILD_ADDED: "Child {child} of base {base} was added[: {detail}]",
    Event.CHILD_EDITED: "Child {child} of base {base} was edited[: {detail}]",
    Event.CHILD_REMOVED: "Child {child} of base {base} was removed, its playlist stays as it is",
    Event.ROUTING_REQUESTED: "A sync of base {base} was asked for[: {mode}]",
    Event.SETTINGS_CHANGED: "Settings were changed[: {detail}]",
    Event.SYNC_REQUESTED: "A sync of mapping {mapping} was asked for[ ({how})]",
    Event.PLAN_APPLIED: "The plan of run {run} was applied[ to mapping {mapping}]",
    Event.PLAN_CANCELLED: "The plan of run {run} was cancelled",
    Event.PLAN_FORCED: "The stopped plan of run {run} was forced",
    Event.UNDO_APPLIED: "Run {run} of mapping {mapping} is undone: {changes} to make",
    Event.UNDO_FORCED: "Run {run} of mapping {mapping} is undone past its guard: {changes} to make",
    Event.UNDO_STOPPED: "The undo of run {run} of mapping {mapping} was stopped: {reason}",
    Event.ERRORS_RETRIED: (
        "All failures of the reason {reason} were retried[: {items:item|items} queued again]"
        "[: {mappings:mapping|mappings} analysed again]"
    ),
    Event.JOB_CANCELLED: (
        "Run {run}[ of mapping {mapping}] was cancelled by a person[: {items:waiting item was|waiting items were} "
        "taken out of the queue]"
    ),
    Event.JOBS_CANCELLED: (
        "A person cancelled all that matched a filter: {runs:run|runs}, {items:waiting item|waiting items}"
    ),
    Event.JOBS_RETRIED: "{items:item was|items were} queued again by a person[ (run {run})]",
    Event.ITEM_RETRIED: "Track {title} was queued again by a person",
    Event.QUEUE_PAUSED: "The queue was paused[ for {scope}][: {reason}]",
    Event.QUEUE_RESUMED: "The queue was resumed[ for {scope}]",
    Event.QUEUE_CLEARED: "{items:failed item was|failed items were} put aside[ in {scope}]",
    Event.INCIDENT_ACKNOWLEDGED: "Incident {incident} was acknowledged[: {what}]",
    Event.INCIDENT_SILENCED: "Incident {incident} was silenced for {hours:hour|hours}[: {what}]",
    Event.INCIDENT_RETRIED: "{items:item|items} of incident {incident} were queued again by a person",
    Event.REVIEW_CHOSEN: "A person chose the counterpart of track {title}[: {choice}]",
    Event.REVIEW_RETRIED: "A person asked for a new search for track {title}",
    Event.REVIEW_DISMISSED: "A person dismissed the review of track {title}",
    Event.REVIEW_NEVER: "A person decided that track {title} has no counterpart[ on {service}]",
    Event.REVIEW_SEARCHED: "A person searched for track {title} in own words: {words}",
    Event.REVIEW_BULK: "A person accepted {count:candidate|candidates} at once, all that score {minimum} or more",
}

_JOB_TYPES = {
    "analysis": JobType.ANALYSIS,
    "execution": JobType.EXECUTION,
    "item": JobType.EXECUTION,
    "routing": JobType.ROUTING,
}
_PEOPLES_ROOMS = frozenset("base child errors incident mapping settings sync plan queue review job jobs undo".split())
_PEOPLES_EVENTS = frozenset(
    {
        Event.ITEM_RETRIED,
        Event.ROUTING_REQUESTED,
        Event.TASK_REQUESTED,
        Event.ACCOUNT_LINKED,
        Event.ACCOUNT_CONFIRMED,
        Event.ACCOUNT_REJECTED,
        Event.ACCOUNT_DISCONNECTED,
        Event.ACCOUNT_FORGOTTEN,
    }
)
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{(\w+)(?::([^|{}]*)\|([^{}]*))?\}")


def sentence(event: Event, fields: Mapping[str, Any]) -> str:
    """One sentence of at most 1024 characters on one line. Values are shown, never interpreted."""
    said = [
        piece if isinstance(piece, str) else _filled(piece, fields)
        for needed, pieces in _parts(event)
        if all(fields.get(name) not in (None, "") for name in needed)
        for piece in pieces
    ]
    return _shortened("".join(said), MESSAGE_LIMIT)


def job_type_of(event: Event) -> JobType:
    """The kind of work that an event belongs to when nothing nearer says so."""
    room = event.value.partition(".")[0]
    if event in _PEOPLES_EVENTS or room in _PEOPLES_ROOMS:
        return JobType.USER_ACTION
    return _JOB_TYPES.get(room, JobType.SYSTEM)


def plain(text: str) -> str:
    """``text`` on one line: control and direction-changing characters and broken surrogates become spaces.

    A title must neither forge a second log line nor turn the reading direction of the first; databases refuse NUL and
    lone surrogates. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
    """
    if text.isprintable():  # nearly every text: nothing of the kind is in it
        return text
    return "".join(_printable(character) for character in text)


def _printable(character: str) -> str:
    if character in "\u200c\u200d":
        return character
    return " " if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


class _Field(NamedTuple):
    """A place for a value; ``one`` and ``many`` are the nouns of a count."""

    name: str
    one: str | None
    many: str | None


_Part = tuple[tuple[str, ...], tuple[str | _Field, ...]]
"""The fields that it must have to be said, and its pieces."""


@functools.cache
def _parts(event: Event) -> tuple[_Part, ...]:
    """The template taken apart once."""
    parts: list[_Part] = []
    template, position = TEMPLATES[event], 0
    for optional in _OPTIONAL.finditer(template):
        parts.append(((), _pieces(template[position : optional.start()])))
        pieces = _pieces(optional[1])
        parts.append((tuple(piece.name for piece in pieces if isinstance(piece, _Field)), pieces))
        position = optional.end()
    return (*parts, ((), _pieces(template[position:])))


def _pieces(template: str) -> tuple[str | _Field, ...]:
    pieces: list[str | _Field] = []
    position = 0
    for found in _FIELD.finditer(template):
        pieces += [template[position : found.start()], _Field(found[1], found[2], found[3])]
        position = found.end()
    return (*pieces, template[position:])


def _filled(field: _Field, fields: Mapping[str, Any]) -> str:
    value = fields.get(field.name)
    shown = "?" if value is None else _shown(value)
    return shown if field.one is None else f"{shown} {field.one if shown == '1' else field.many}"


def _shown(value: object) -> str:
    text = value.label if isinstance(value, Service) else str(value)
    return _shortened(plain(text).strip(), VALUE_LIMIT)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
