"""The message of the log feed, as a pure function of what it has to say."""

import discord

from bot.logs.feed import FeedMessage
from bot.model.logline import Level
from cogs._ui import colours, foreign, log_cards
from cogs._ui.doors import panel
from cogs._ui.item_buttons import ITEM_BUTTONS, ItemDetails, RetryItem, for_item

BUTTONS = 25  # what a message holds
_RANK = {Level.INFO: 0, Level.WARN: 1, Level.ERROR: 2}
_COLOURS = {Level.INFO: colours.QUIET, Level.WARN: colours.CAUTION, Level.ERROR: colours.BAD}


def feed_card(message: FeedMessage) -> discord.Embed:
    """Its lines, the latest last, each with how often it came; those of items carry the number of their buttons."""
    numbers = _numbers(message)
    lines = []
    for fed in message.lines:
        number = f"**{numbers[fed.line.sync_item_id]}.** " if len(numbers) > 1 and fed.line.sync_item_id else ""
        times = f" **×{fed.count}**" if fed.count > 1 else ""
        lines.append(f"{number}{log_cards.log_line(fed.line)}{times}")
    worst = max((fed.line.level for fed in message.lines), key=_RANK.__getitem__, default=Level.INFO)
    card = discord.Embed(description=foreign.bullets(lines, foreign.DESCRIPTION), colour=_COLOURS[worst])
    if message.dropped:
        card.set_footer(text=f"{message.dropped:,} more lines were left out here; /logs has every one.")
    return card


def feed_buttons(message: FeedMessage) -> discord.ui.View:
    """Retry, Review and Details for each item; where a message speaks of too many for that, Details leads to Review."""
    numbers = _numbers(message)
    kinds = ITEM_BUTTONS if len(numbers) * len(ITEM_BUTTONS) <= BUTTONS else (RetryItem, ItemDetails)
    view = panel()
    for item_id, number in list(numbers.items())[: BUTTONS // len(kinds)]:
        for button in for_item(item_id, kinds, number=number if len(numbers) > 1 else None):
            view.add_item(button)
    return view


def _numbers(message: FeedMessage) -> dict[int, int]:
    """The items of the message, counted from 1 in the order of their lines."""
    numbers: dict[int, int] = {}
    for fed in message.lines:
        if fed.line.sync_item_id:
            numbers.setdefault(fed.line.sync_item_id, len(numbers) + 1)
    return numbers
