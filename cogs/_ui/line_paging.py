"""Turning the pages of the log both ways, the same wherever its lines are listed."""

from collections.abc import Sequence
from typing import Any, Self

import discord

from bot.model.log_filter import LogFilter, LogPage
from bot.model.logline import LogLine
from cogs._ui import log_cards
from cogs._ui.doors import Pressed
from cogs._ui.levels import Level
from storage.logs import Logs

_MOST_STRETCHES = 20  # of one press on "Search on": half a second to a second


class OfLine(Pressed, template=r"(?!)"):
    """A button with its filter and the line to go on from: ``room:word:{filter}:{line}``, the word being its class."""

    room = ""
    level = Level.MODERATOR

    def __init__(self, key: int, line_id: int, *, label: str = "", possible: bool = True) -> None:
        word = type(self).__name__
        custom_id = f"{self.room}:{word.lower()}:{key}:{line_id}"
        face: discord.ui.Button[Any] = discord.ui.Button(
            label=label or word, custom_id=custom_id, disabled=not possible
        )
        super().__init__(key, face=face)
        self.line_id = line_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), int(match["line"]))


def edges(page: LogPage) -> tuple[int, int]:
    """The ids from which newer and older pages go on."""
    if page.lines:
        return page.lines[0].id, page.stopped_id or page.lines[-1].id
    return page.stopped_id or 0, page.stopped_id or 0


async def older(logs: Logs, wanted: LogFilter, line_id: int, size: int, *, stretch: int | None = None) -> LogPage:
    """The page before the line. A search goes on through several stretches until it finds something."""
    page = await logs.page(wanted, before_id=line_id, limit=size, stretch=stretch)
    for _ in range(_MOST_STRETCHES - 1):
        if page.lines or page.stopped_id is None:
            break
        page = await logs.page(wanted, before_id=page.stopped_id, limit=size, stretch=stretch)
    return page


async def newer(logs: Logs, wanted: LogFilter, line_id: int, size: int) -> tuple[LogPage, bool]:
    """The page after the line, and whether it is the newest one: where less than a page is left, that is shown."""
    page = await logs.page(wanted, after_id=line_id, limit=size)
    if not page.more:
        return await logs.page(wanted, limit=size), True
    top = page.stopped_id if page.stopped_id is not None else page.lines[0].id
    # Read once more downwards, so that the way on to older lines is the usual one.
    return await logs.page(wanted, before_id=top + 1, limit=size), False


def choice(custom_id: str, lines: Sequence[LogLine]) -> discord.ui.Select[Any]:
    """The select that opens a line of the page, at most 25."""
    options = [log_cards.line_option(line, number) for number, line in enumerate(lines, 1)]
    return discord.ui.Select(placeholder="Open a line", options=options, custom_id=custom_id)
