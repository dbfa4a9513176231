"""Exports: rows of a list as a CSV or JSON file, page by page, without holding the event loop."""

import asyncio
import csv
import io
import json
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, BinaryIO

Row = Mapping[str, Any]
Pages = AsyncIterator[Sequence[Row]]

# Rows formatted in one go by the worker thread.
TOGETHER = 500
# Spreadsheets run what begins so as a formula, some also the wide forms (OWASP: CSV injection).
_BEGIN_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Beyond it JavaScript and many other readers of JSON round: snowflakes are all larger.
_LARGEST_EXACT = 2**53


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


async def write_export(pages: Pages, columns: Sequence[str], format_: Format, file: BinaryIO) -> int:
    """Writes all rows of ``pages`` to ``file``, their values by ``columns`` (missing: empty); how many rows.

    CSV is RFC 4180 in UTF-8 with a header line; text that a spreadsheet would run gets a leading apostrophe. JSON is
    one array of objects. Moments are RFC 3339 with Z, in JSON whole numbers beyond 2**53 (snowflakes) are strings.
    """
    written = 0
    text = _csv_head(columns) if format_ is Format.CSV else "["
    await asyncio.to_thread(file.write, text.encode())
    async for page in pages:
        for start in range(0, len(page), TOGETHER):
            part = page[start : start + TOGETHER]
            await asyncio.to_thread(_write, part, columns, format_, file, written == 0)
            written += len(part)
    if format_ is Format.JSON:
        await asyncio.to_thread(file.write, b"\n]\n" if written else b"]\n")
    return written


def _write(rows: Sequence[Row], columns: Sequence[str], format_: Format, file: BinaryIO, first: bool) -> None:
    text = _csv_rows(rows, columns) if format_ is Format.CSV else _json_rows(rows, columns, first)
    file.write(text.encode("utf-8", errors="replace"))  # half a surrogate pair has no UTF-8


def _csv_head(columns: Sequence[str]) -> str:
    return _lines([list(columns)])


def _csv_rows(rows: Sequence[Row], columns: Sequence[str]) -> str:
    return _lines([[_cell(row.get(column)) for column in columns] for row in rows])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:  # one by one: between them other threads have their turn
        writer.writerow(row)
    return text.getvalue()


def _json_rows(rows: Sequence[Row], columns: Sequence[str], first: bool) -> str:
    texts = [
        json.dumps({column: _plain(row.get(column)) for column in columns}, ensure_ascii=False, allow_nan=False)
        for row in rows
    ]
    return ("\n" if first else ",\n") + ",\n".join(texts)


def _cell(value: Any) -> str:
    """A value as CSV holds it: numbers as they are, text without formulas, what is nested as JSON."""
    if isinstance(value, int | float) and not isinstance(value, bool | Enum):
        return str(value) if math.isfinite(value) else ""
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(_BEGIN_FORMULA) else value
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -_LARGEST_EXACT <= value <= _LARGEST_EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return str(value)
