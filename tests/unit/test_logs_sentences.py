"""The sentences of the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs.sentences import TEMPLATES, job_type_of, plain, sentence
from bot.model.events import Event
from bot.model.logline import JobType
from bot.model.music import Service


@pytest.mark.parametrize(
    ("event", "fields", "expected"),
    [
        (Event.ANALYSIS_STARTED, {"mappings": 3}, "Starting analysis for 3 mappings"),
        (Event.ANALYSIS_DIFFS, {"diffs": 1, "mapping": "Road"}, "Found 1 diff for mapping Road"),
        (Event.ANALYSIS_DIFFS, {"diffs": 12, "mapping": "Road"}, "Found 12 diffs for mapping Road"),
        (Event.ANALYSIS_COMPLETE, {}, "Analysis complete"),
        (Event.ITEM_PROCESSING, {"title": "Hey Jude"}, "Processing item for track Hey Jude"),
        (Event.ITEM_ADDED, {"title": "Hey Jude"}, "Successfully added track Hey Jude"),
        (Event.ITEM_ERROR, {"error": "playlist full", "title": None}, "Error processing item: playlist full"),
        (Event.ITEM_ERROR, {}, "Error processing item: ?"),
        (Event.SERVICE_PAUSED, {"service": Service.YOUTUBE}, "YouTube asked for silence; its work waits"),
        (Event.ITEM_ADDED, {"title": "{title} [x] %s"}, "Successfully added track {title} [x] %s"),
        (Event.ITEM_ADDED, {"title": "a\nerror forged"}, "Successfully added track a error forged"),
    ],
)
def test_event_and_fields_make_the_sentence(event: Event, fields: dict[str, object], expected: str) -> None:
    assert sentence(event, fields) == expected


def test_every_event_has_a_sentence() -> None:
    assert set(TEMPLATES) == set(Event)


@pytest.mark.parametrize(
    ("event", "job_type"),
    [
        (Event.ANALYSIS_FAILED, JobType.ANALYSIS),
        (Event.ITEM_ADDED, JobType.EXECUTION),
        (Event.ITEM_RETRIED, JobType.USER_ACTION),
        (Event.MAPPING_ADDED, JobType.USER_ACTION),
        (Event.QUOTA_SPENT, JobType.SYSTEM),
        (Event.ACCOUNT_NEEDS_LOGIN, JobType.SYSTEM),
        (Event.ACCOUNT_LINKED, JobType.USER_ACTION),
    ],
)
def test_an_event_knows_what_kind_of_work_it_belongs_to(event: Event, job_type: JobType) -> None:
    assert job_type_of(event) is job_type


@given(
    st.sampled_from(Event), st.dictionaries(st.sampled_from(["title", "error", "mapping", "text", "count"]), st.text())
)
def test_whatever_the_fields_hold_it_is_one_line_within_the_limit(event: Event, fields: dict[str, str]) -> None:
    line = sentence(event, fields)
    assert len(line) <= 1024
    assert len(line.splitlines()) <= 1
    line.encode()  # no lone surrogate, which no database takes


def test_a_title_of_4000_characters_leaves_room_for_the_rest() -> None:
    line = sentence(Event.ITEM_ADDED, {"title": "x" * 4000, "playlist": "Road"})
    assert line.endswith("… to Road")


def test_direction_marks_go_and_joiners_of_scripts_stay() -> None:
    assert plain("a\u202eb\u2066c") == "a b c"
    assert plain("می\u200cخواهم 👩\u200d🎤") == "می\u200cخواهم 👩\u200d🎤"
