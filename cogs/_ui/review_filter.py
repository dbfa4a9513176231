"""The filter of /review as it is stored behind its buttons, and in words."""

from collections.abc import Mapping
from typing import Any

from bot.model.review import BlacklistReason, ReviewFilter
from cogs._ui import words

SUBJECT = "review"  # of the table of saved filters


def written(filter_: ReviewFilter) -> dict[str, Any]:
    """JSON that ``read`` understands."""
    return {
        "v": 1,
        "mapping": filter_.mapping_id,
        "reason": filter_.reason.value if filter_.reason is not None else "",
        "minimum": filter_.minimum,
        "up_to": filter_.up_to,
    }


def read(stored: Mapping[str, Any]) -> ReviewFilter:
    return ReviewFilter(
        mapping_id=int(stored["mapping"]),
        reason=BlacklistReason(stored["reason"]) if stored["reason"] else None,
        minimum=stored["minimum"],
        up_to=int(stored["up_to"]),
    )


def choices() -> dict[str, str]:
    """The reasons of the option ``reason``: its words and its value."""
    open_reasons = (BlacklistReason.LOW_CONFIDENCE, BlacklistReason.SEARCH_FAILED, BlacklistReason.UNAVAILABLE)
    return {words.REASONS[reason]: reason.value for reason in open_reasons}
