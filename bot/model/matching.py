"""What a matcher decided about one track, and every reason it had."""

from dataclasses import dataclass
from enum import StrEnum

from bot.model.music import Track


class Verdict(StrEnum):
    ACCEPT = "accept"  # sure enough to write without asking
    REVIEW = "review"  # a person should look
    REJECT = "reject"  # nothing here is the recording sought


class MatchPolicy(StrEnum):
    EXACT = "exact"  # accept only certain matches
    BALANCED = "balanced"  # the default
    BEST_EFFORT = "best_effort"  # accept likely ones too, rather than ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How alike two tracks are, with the parts it was made from.

    Parts are 0 to 1; ``length_gap`` is candidate minus track in seconds, None while either is unknown; ``gates`` names
    the gates that this candidate failed (``artist``, ``length``, ``version:live`` …), empty when it passed all.
    """

    total: float
    title: float
    artist: float
    album: float | None = None
    length_gap: float | None = None
    gates: tuple[str, ...] = ()
    verdict: Verdict = Verdict.REJECT
    reason: str = ""  # one sentence: "title 0.98, artist 1.00, +2 s, live version: rejected"

    @property
    def parts(self) -> dict[str, float | list[str] | None]:
        """What the total was made from, ready for JSON."""
        return {
            "title": self.title,
            "artist": self.artist,
            "album": self.album,
            "length_gap": self.length_gap,
            "gates": list(self.gates),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    track: Track
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of one match: ``candidates`` best first; ``chosen`` is set only for an accept."""

    verdict: Verdict
    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    reason: str
