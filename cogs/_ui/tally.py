"""What became of the changes of a sync, each counted once by how it stands."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.item import Action, ItemStatus
from bot.model.queue import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    added: int = 0
    removed: int = 0
    moved: int = 0
    renamed: int = 0
    there: int = 0  # the effect was there before we came, so nothing was sent
    unneeded: int = 0  # not wanted any more when its turn came
    in_review: int = 0
    not_found: int = 0
    failed: int = 0
    waiting: int = 0


def tally(standing: Iterable[Standing], in_review: int, *, waiting: int = 0) -> Tally:
    """``in_review``: how many a person should choose for; ``waiting``: what is open, other runs' items included."""
    count: Counter[ItemStatus] = Counter()
    written: Counter[Action] = Counter()
    for each in standing:
        count[each.status] += each.items
        if each.wrote and each.status is ItemStatus.DONE:
            written[each.action] += each.items
    return Tally(
        added=written[Action.ADD_TRACK],
        removed=written[Action.REMOVE_TRACK],
        moved=written[Action.MOVE_TRACK],
        renamed=written[Action.RENAME_PLAYLIST],
        there=count[ItemStatus.DONE] - written.total(),
        unneeded=count[ItemStatus.SKIPPED] + count[ItemStatus.CANCELLED],
        in_review=in_review,
        not_found=count[ItemStatus.BLACKLISTED] - in_review,
        failed=count[ItemStatus.ERROR],
        waiting=waiting,
    )


def line(of: Tally) -> str:
    """``10 added · 1 already there · 2 not found``; what is not said is nought."""
    parts = (
        (of.added, "added"),
        (of.removed, "removed"),
        (of.moved, "moved"),
        (of.renamed, "renamed"),
        (of.there, "already there"),
        (of.unneeded, "not needed any more"),
        (of.in_review, "to review"),
        (of.not_found, "not found"),
        (of.failed, "failed"),
        (of.waiting, "waiting"),
    )
    return " · ".join(f"{number:,} {what}" for number, what in parts if number) or "nothing yet"
