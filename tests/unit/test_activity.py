"""Every event is either an occurrence of one kind or a step that only the log shows."""

import pytest

from bot.logs.activity import ActivityKind, events_of, kind_of
from bot.logs.sentences import job_type_of
from bot.model.events import Event
from bot.model.logline import JobType


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (Event.SYSTEM_STARTED, ActivityKind.SYSTEM),
        (Event.SYSTEM_STOPPED, ActivityKind.SYSTEM),
        (Event.QUOTA_SPENT, ActivityKind.SYSTEM),
        (Event.ANALYSIS_COMPLETE, ActivityKind.WORK),
        (Event.EXECUTION_COMPLETE, ActivityKind.WORK),
        (Event.RETENTION_DONE, ActivityKind.WORK),
        (Event.ANALYSIS_FAILED, ActivityKind.ERRORS),
        (Event.ANALYSIS_STOPPED, ActivityKind.ERRORS),
        (Event.TASK_FAILED, ActivityKind.ERRORS),
        (Event.BUG, ActivityKind.ERRORS),
        (Event.ITEM_RETRIED, ActivityKind.PEOPLE),
        (Event.ERRORS_RETRIED, ActivityKind.PEOPLE),
        (Event.SETTINGS_CHANGED, ActivityKind.PEOPLE),
        (Event.ACCOUNT_CONFIRMED, ActivityKind.PEOPLE),
        (Event.ANALYSIS_STARTED, None),
        (Event.ITEM_ADDED, None),
        (Event.ITEM_ERROR, None),
        (Event.LIBRARY, None),
    ],
)
def test_kinds(event: Event, kind: ActivityKind | None) -> None:
    assert kind_of(event) is kind


def test_whatever_people_do_is_in_the_feed_as_theirs() -> None:
    for event in Event:
        if job_type_of(event) is JobType.USER_ACTION:
            assert kind_of(event) in (ActivityKind.PEOPLE, ActivityKind.ERRORS), event


def test_only_steps_are_left_out() -> None:
    left_out = {event for event in Event if kind_of(event) is None}
    assert all(
        event.value.startswith("item.") or event.value.endswith((".started", ".diffs")) or event is Event.LIBRARY
        for event in left_out
    )


def test_the_kinds_together_are_everything() -> None:
    together = [name for kind in ActivityKind for name in events_of(kind)]
    assert sorted(together) == sorted(events_of(None))
    assert len(set(together)) == len(together)
