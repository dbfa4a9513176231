"""Exports hold every row, come back through any reader of CSV and JSON, and run nothing in a spreadsheet."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.exports import Format, write_export
from bot.model.item import ItemStatus

Rows = Sequence[Mapping[str, Any]]
# What UTF-8 can hold; half a surrogate pair is replaced.
texts = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.lists(st.fixed_dictionaries({"a": texts, "b": texts | st.integers() | st.none()}), max_size=30)


async def paged(rows: Rows, size: int = 7) -> AsyncIterator[Rows]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


async def exported(rows: Rows, columns: Sequence[str], format_: Format) -> str:
    file = io.BytesIO()
    assert await write_export(paged(rows), columns, format_, file) == len(rows)
    return file.getvalue().decode()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(rows)
def test_csv_comes_back_whole_but_for_the_apostrophes(rows: Rows) -> None:
    found = read(asyncio.run(exported(rows, ["a", "b"], Format.CSV)))
    for row, back in zip(rows, found, strict=True):
        for name, value in row.items():
            text = "" if value is None else str(value)
            assert back[name] in ((text,) if isinstance(value, int) else (text, "'" + text))


@given(rows)
def test_no_cell_of_text_begins_as_a_formula(rows: Rows) -> None:
    for row in read(asyncio.run(exported([{"a": row["a"]} for row in rows], ["a"], Format.CSV))):
        assert not row["a"].startswith(("=", "+", "-", "@", "\t", "\r"))


@given(rows)
def test_json_comes_back_whole(rows: Rows) -> None:
    found = json.loads(asyncio.run(exported(rows, ["a", "b"], Format.JSON)))
    for row, back in zip(rows, found, strict=True):
        assert back["a"] == row["a"]
        assert back["b"] in (row["b"], str(row["b"]))


async def test_csv_is_rfc_4180() -> None:
    text = await exported([{"title": 'He said "no",\r\nthen left'}, {"title": "plain"}], ["title", "n"], Format.CSV)
    assert text == 'title,n\r\n"He said ""no"",\r\nthen left",\r\nplain,\r\n'
    assert not text.startswith("\ufeff")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
async def test_a_formula_is_defused_by_an_apostrophe(text: str) -> None:
    assert read(await exported([{"a": text}], ["a"], Format.CSV)) == [{"a": "'" + text}]


async def test_numbers_stay_numbers_and_snowflakes_exact() -> None:
    row = {"n": -5, "f": -0.5, "id": 1234567890123456789, "small": 3, "no": None, "nan": float("nan"), "yes": True}
    assert (await exported([row], list(row), Format.CSV)).splitlines()[1] == "-5,-0.5,1234567890123456789,3,,,true"
    assert json.loads(await exported([row], list(row), Format.JSON)) == [
        {"n": -5, "f": -0.5, "id": "1234567890123456789", "small": 3, "no": None, "nan": None, "yes": True}
    ]


async def test_moments_words_and_nested_values_are_written_for_programs() -> None:
    row = {
        "at": datetime(2026, 11, 20, 13, 30, tzinfo=timezone(timedelta(hours=1))),
        "whole": datetime(2026, 11, 20, 12, 30, 1, 250_000, tzinfo=UTC),
        "status": ItemStatus.DONE,
        "payload": {"v": 1, "ids": [2**60]},
    }
    [line] = read(await exported([row], list(row), Format.CSV))
    assert line == {
        "at": "2026-11-20T12:30:00Z",
        "whole": "2026-11-20T12:30:01.250000Z",
        "status": "done",
        "payload": '{"v": 1, "ids": ["1152921504606846976"]}',
    }
    [thing] = json.loads(await exported([row], list(row), Format.JSON))
    assert thing["payload"] == {"v": 1, "ids": ["1152921504606846976"]}
    assert thing["at"] == "2026-11-20T12:30:00Z"


@pytest.mark.parametrize(("format_", "text"), [(Format.CSV, "a\r\n"), (Format.JSON, "[]\n")])
async def test_no_rows_are_still_a_file(format_: Format, text: str) -> None:
    assert await exported([], ["a"], format_) == text


@pytest.mark.parametrize("format_", list(Format))
async def test_half_a_surrogate_pair_spoils_nothing(format_: Format) -> None:
    assert "?" in await exported([{"a": "x\ud800"}], ["a"], format_)


async def test_the_loop_goes_on_between_the_parts_of_one_page() -> None:
    """Whatever the size of a page, other work has its turn before the file is written."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    try:
        await write_export(paged([{"a": n} for n in range(5_000)], 5_000), ["a"], Format.CSV, io.BytesIO())
    finally:
        beside.cancel()
    assert turns > 10
