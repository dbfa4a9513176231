"""Bars made of characters: how far something is, how much of a bucket is used."""

from bot.model.quota import BucketState

PROGRESS_CELLS = 20
METER_CELLS = 8  # as many as fit into one of three fields side by side


def progress(finished: int, total: int) -> str:
    """Of fixed width; full only when all is finished."""
    filled = PROGRESS_CELLS if total <= 0 else min(PROGRESS_CELLS, finished * PROGRESS_CELLS // total)
    return _bar(filled, PROGRESS_CELLS)


def meter(state: BucketState) -> str:
    """``▰▰▱▱▱ 1,200 of 10,000``; the bar shows what is used, and never nothing where something is."""
    filled = METER_CELLS if state.limit <= 0 else min(METER_CELLS, -(-state.used * METER_CELLS // state.limit))
    return f"{_bar(filled, METER_CELLS)} {state.used:,} of {state.limit:,}"


def _bar(filled: int, cells: int) -> str:
    return "▰" * filled + "▱" * (cells - filled)
