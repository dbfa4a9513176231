"""Which of several candidates is the track sought, if any."""

from collections.abc import Sequence
from dataclasses import replace

from bot.engine.matching import weights
from bot.engine.matching.reading import Reading, read
from bot.engine.matching.scoring import judge, measure, verdict_of
from bot.model.matching import Candidate, Decision, MatchPolicy, Score, Verdict
from bot.model.music import CandidateKind, Track
from bot.model.review import MatchRow

_LENGTH_ONLY = frozenset({"length", "guest"})
_RANK = {Verdict.ACCEPT: 2, Verdict.REVIEW: 1, Verdict.REJECT: 0}


def match(track: Track, candidates: Sequence[Track], policy: MatchPolicy = MatchPolicy.BALANCED) -> Decision:
    """Decide which candidate is the track. Works in both directions between Spotify and YouTube.

    The side that names its artists is the one whose title is trusted. The answer does not depend on the order of the
    candidates; equal ones are told apart by views, then by id.
    """
    return match_read(read(track), candidates, policy)


def match_read(reading: Reading, candidates: Sequence[Track], policy: MatchPolicy) -> Decision:
    """``match`` for a track that was read before."""
    ranked = sorted((Candidate(track=c, score=score(reading, c, policy)) for c in candidates), key=_order)
    if not ranked:
        return Decision(verdict=Verdict.REJECT, chosen=None, candidates=(), reason="no candidates")
    if _several_recordings(ranked):
        ranked = [_doubted(c) if c.score.verdict is Verdict.ACCEPT else c for c in ranked]
    best = ranked[0]
    chosen = best if best.score.verdict is Verdict.ACCEPT else None
    return Decision(verdict=best.score.verdict, chosen=chosen, candidates=tuple(ranked), reason=best.score.reason)


def _several_recordings(ranked: list[Candidate]) -> bool:
    """Whether the artist recorded the song more than once, and only the length speaks for the best candidate.

    Seen from the list itself: audio releases of the same artist and title, with nothing said of a version, whose
    lengths are others. The track's own album, ISRC or id, or a search by ISRC, would settle it.
    """
    best = ranked[0]
    if best.score.verdict is not Verdict.ACCEPT or best.track.from_isrc or best.score.total == weights.CERTAIN:
        return False
    if (best.score.album or 0.0) >= weights.SAME_ALBUM:
        return False
    copied = best.score.artist < weights.NAMED  # somebody else's upload has nothing but its length to go by
    lengths = {
        round(candidate.track.duration or 0.0)
        for candidate in ranked
        if "length" in candidate.score.gates
        and _LENGTH_ONLY.issuperset(candidate.score.gates)
        and (copied or candidate.track.kind is CandidateKind.SONG)
    }
    return len(lengths) >= weights.SEVERAL


def _doubted(candidate: Candidate) -> Candidate:
    reason = candidate.score.reason.rpartition(":")[0] + ", recorded more than once: to be reviewed"
    gates = (*candidate.score.gates, "recordings")
    return replace(candidate, score=replace(candidate.score, verdict=Verdict.REVIEW, gates=gates, reason=reason))


def score(reading: Reading, candidate: Track, policy: MatchPolicy) -> Score:
    """How alike one candidate is to the track read, with the verdict under a policy."""
    if not reading.track.artists and candidate.artists:
        parts = measure(read(candidate), reading.track, held=True)
        gap = None if parts.length_gap is None else -parts.length_gap
    else:
        parts = measure(reading, candidate)
        gap = parts.length_gap
    return judge(parts, policy, gap=gap, available=candidate.available)


def _order(candidate: Candidate) -> tuple[int, float, int, str]:
    score_ = candidate.score
    track = candidate.track
    return (-_RANK[score_.verdict], -score_.total, -(track.views or 0), track.external_id)


def settled(decision: Decision) -> bool:
    """Whether a search may stop: an accept is there, so that no second paid search is needed."""
    return decision.verdict is Verdict.ACCEPT


def remembered_well(row: MatchRow, policy: MatchPolicy) -> bool:
    """Whether a policy accepts what another one may have accepted, by the parts of the score that were remembered."""
    if row.score is None:
        return False
    verdict = verdict_of(row.score, row.parts.get("gates") or (), row.parts.get("length_gap"), policy)
    return bool(row.destination_id) and verdict is Verdict.ACCEPT
