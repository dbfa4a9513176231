"""What could not be matched, and what was decided about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.model.matching import Candidate, Verdict
from bot.model.music import Service, Track

LEAD = 0.05  # by how much the best candidate must be ahead for one decision over many rows to take it


class BlacklistReason(StrEnum):
    SEARCH_FAILED = "search_failed"  # nothing on the other service is this recording
    LOW_CONFIDENCE = "low_confidence"  # candidates exist; a person should choose
    UNAVAILABLE = "unavailable"  # the counterpart exists but cannot be added
    REJECTED_BY_USER = "rejected_by_user"  # a person said: not on this service


class BlacklistState(StrEnum):
    OPEN = "open"  # analysis passes over the track
    RESOLVED = "resolved"  # a counterpart was found or chosen
    DISMISSED = "dismissed"  # a person does not want to see it again; still passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistRow:
    """``service`` and ``track_id`` name the source track; what lacks is its counterpart on ``service.other``."""

    id: int
    mapping_id: int
    service: Service
    track_id: str
    title: str
    artists: tuple[str, ...] = ()
    reason: BlacklistReason
    explanation: str = ""  # the matcher's sentence
    candidates: tuple[Candidate, ...] = ()
    skip_count: int = 0
    last_skipped_at: datetime | None = None
    state: BlacklistState = BlacklistState.OPEN
    next_look_at: datetime | None = None
    looks: int = 0
    item_id: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """Which open rows of a guild a list holds. ``minimum``: only those whose unambiguous candidate scores so much.

    ``up_to``: only rows with at most this id, so that what came after a preview is not decided with it; 0: all.
    """

    mapping_id: int = 0
    reason: BlacklistReason | None = None
    minimum: float | None = None
    up_to: int = 0


def unambiguous(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate (of a list, best first) that may be taken without a look at it; None where several are as good.

    Nothing that the matcher rejects, and nothing that cannot be added, is taken so.
    """
    if not candidates:
        return None
    best = candidates[0]
    if best.score.verdict is Verdict.REJECT or not best.track.available:
        return None
    rivals = (
        other
        for other in candidates[1:]
        if other.track.external_id != best.track.external_id and other.score.verdict is not Verdict.REJECT
    )
    return None if any(rival.score.total > best.score.total - LEAD for rival in rivals) else best


class DecidedBy(StrEnum):
    MATCHER = "matcher"  # automatic and global; re-validated within 30 days
    LINK = "link"  # read from an agreed pair of a mapping
    PERSON = "person"  # outranks every automatic one, for all mappings of the guild


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """A remembered answer. ``destination_id`` '' means: not on that service. ``guild_id`` 0: global."""

    source_service: Service
    source_id: str
    destination_service: Service
    destination_id: str
    guild_id: int = 0
    score: float | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)  # of the score: title, artist, album, length_gap, gates
    found_by: str = ""  # "isrc", "text", "playlist", "person"
    decided_by: DecidedBy = DecidedBy.MATCHER
    decided_by_user: int = 0
    explanation: str = ""
    decided_at: datetime
    track: Track | None = None  # the destination track, where we have it
