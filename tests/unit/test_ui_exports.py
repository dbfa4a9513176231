"""Files that are too large for a server are zipped, and where even that is too large people are told what to do."""

import io
import random
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from bot.engine.exports import Format
from bot.model.errors import UserMistake
from cogs._ui.exports import send_export

LIMIT = 20_000  # bytes


class Followup:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str, bytes]] = []

    async def send(self, content: str, *, file: Any, ephemeral: bool) -> None:
        assert ephemeral
        self.sent.append((content, file.filename, file.fp.read()))


class Asked:
    """The two things of an interaction that an export needs."""

    filesize_limit = LIMIT

    def __init__(self) -> None:
        self.followup = Followup()


async def pages(rows: Sequence[Mapping[str, Any]]) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    yield rows


async def sent(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str, bytes]:
    asked: Any = Asked()
    assert await send_export(asked, name="jobs", format_=Format.CSV, columns=["a"], pages=pages(rows)) == len(rows)
    (message,) = asked.followup.sent
    return message


async def test_a_small_file_is_sent_as_it_is() -> None:
    assert await sent([{"a": 1}]) == ("**1** row in `jobs.csv`.", "jobs.csv", b"a\r\n1\r\n")


async def test_a_large_file_is_zipped_and_holds_every_row() -> None:
    text, name, data = await sent([{"a": "the same words"}] * 2_000)
    assert (name, len(data) < LIMIT) == ("jobs.csv.zip", True)
    assert "**2,000** rows in `jobs.csv`, zipped because" in text
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("jobs.csv").count(b"the same words") == 2_000


async def test_what_is_too_large_even_zipped_is_not_sent_and_says_what_to_do() -> None:
    noise = random.Random(7)
    rows = [{"a": noise.randbytes(30).hex()} for _ in range(2_000)]
    with pytest.raises(UserMistake, match=r"even zipped.*Narrow the filter"):
        await sent(rows)


async def test_no_rows_are_no_file() -> None:
    with pytest.raises(UserMistake, match="Nothing matches"):
        await sent([])
