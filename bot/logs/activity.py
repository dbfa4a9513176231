"""Which lines of the log are the activity feed: one for each occurrence, by what kind of thing happened."""

from enum import StrEnum

from bot.logs.sentences import job_type_of
from bot.model.events import Event
from bot.model.logline import JobType


class ActivityKind(StrEnum):
    PEOPLE = "people"  # what people did
    WORK = "work"  # runs and other work of the schedule
    SYSTEM = "system"  # the program and the services: start, stop, quota, silence
    ERRORS = "errors"  # what went wrong


def kind_of(event: Event) -> ActivityKind | None:
    """None for the single steps of an occurrence, which only the log shows."""
    if event in _STEPS:
        return None
    if event in _TROUBLE:
        return ActivityKind.ERRORS
    if job_type_of(event) is JobType.USER_ACTION:
        return ActivityKind.PEOPLE
    return ActivityKind.WORK if event.value.partition(".")[0] in _WORKING_ROOMS else ActivityKind.SYSTEM


def events_of(kind: ActivityKind | None) -> tuple[str, ...]:
    """The names of the events of this kind; None: of every kind."""
    return tuple(event.value for event in Event if (found := kind_of(event)) is not None and kind in (None, found))


# A run tells its end; each track has its line in the log, and its failures are counted in /errors.
_STEPS = frozenset(
    {Event.LIBRARY, Event.ANALYSIS_DIFFS}
    | {event for event in Event if event.value.startswith("item.") or event.value.endswith(".started")}
) - {Event.ITEM_RETRIED, Event.SYSTEM_STARTED}
_TROUBLE = frozenset(
    {event for event in Event if event.value.endswith("failed")}
    | {
        Event.ANALYSIS_STOPPED,
        Event.UNDO_STOPPED,
        Event.BUG,
        Event.LOG_DROPPED,
        Event.SYSTEM_RECOVERED,
        Event.SERVICE_FAILING,
        Event.ACCOUNT_NEEDS_LOGIN,
        Event.ACCOUNT_EXPIRES_SOON,
    }
)
_WORKING_ROOMS = frozenset({"analysis", "execution", "routing", "undo", "retention", "backup", "task"})
