"""What became of the changes of a sync, each counted once by how it stands."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.review import BlacklistReason, BlacklistRow


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


def tally(items: Iterable[SyncItem], rows: Collection[BlacklistRow], *, waiting: int = 0) -> Tally:
    """``rows``: what is kept out of the mapping now; ``waiting``: what is open, other runs' items included."""
    every = list(items)
    done = [item for item in every if item.status is ItemStatus.DONE]
    written = Counter(item.action for item in done if item.intent_at is not None)  # no write without an intent
    kept_out = [item for item in every if item.status is ItemStatus.BLACKLISTED]
    asked = {(row.service, row.track_id) for row in rows if row.reason is BlacklistReason.LOW_CONFIDENCE}
    in_review = sum((item.source_service, item.source_track_id) in asked for item in kept_out)
    return Tally(
        added=written[Action.ADD_TRACK],
        removed=written[Action.REMOVE_TRACK],
        moved=written[Action.MOVE_TRACK],
        renamed=written[Action.RENAME_PLAYLIST],
        there=len(done) - written.total(),
        unneeded=sum(item.status in (ItemStatus.SKIPPED, ItemStatus.CANCELLED) for item in every),
        in_review=in_review,
        not_found=len(kept_out) - in_review,
        failed=sum(item.status is ItemStatus.ERROR for item in every),
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
