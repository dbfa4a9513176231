"""Our column types refuse what must not be kept and give back what was put in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from bot.model.music import Service
from storage.columns import Prose, UtcDateTime, Versioned, Word

DIALECTS = [sqlite.dialect(), postgresql.dialect()]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(moment=st.datetimes(timezones=st.timezones()))
def test_a_moment_comes_back_the_same_in_utc(dialect: object, moment: datetime) -> None:
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return
    bound = UtcDateTime().process_bind_param(moment, dialect)  # type: ignore[arg-type]
    back = UtcDateTime().process_result_value(bound, dialect)  # type: ignore[arg-type]
    assert back is not None
    assert back.astimezone(UTC) == moment.astimezone(UTC)
    assert back.utcoffset() == timedelta(0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_naive_time_is_refused(dialect: object) -> None:
    with pytest.raises(ValueError, match="zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), dialect)  # type: ignore[arg-type]  # noqa: DTZ001


def test_sqlite_keeps_utc_so_that_times_sort_as_text() -> None:
    east = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=9)))
    assert UtcDateTime().process_bind_param(east, sqlite.dialect()) == datetime(2025, 12, 31, 16, 0)  # noqa: DTZ001


def test_a_word_is_one_of_its_enum() -> None:
    assert Word(Service).process_bind_param("spotify", sqlite.dialect()) == "spotify"
    assert Word(Service).process_result_value("spotify", sqlite.dialect()) is Service.SPOTIFY
    with pytest.raises(ValueError, match="tidal"):
        Word(Service).process_bind_param("tidal", sqlite.dialect())


@given(text=st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_be_kept(text: str) -> None:
    kept = Prose().process_bind_param(text, sqlite.dialect())
    assert kept is not None
    assert "\x00" not in kept
    kept.encode()


def test_json_carries_a_version_that_may_be_given() -> None:
    assert Versioned().process_bind_param({"a": 1}, sqlite.dialect()) == {"v": 1, "a": 1}
    assert Versioned().process_bind_param({"v": 2}, sqlite.dialect()) == {"v": 2}
