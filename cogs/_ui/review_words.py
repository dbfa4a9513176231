"""Why a track has no counterpart, in words that need no knowledge of the matcher."""

from bot.model.matching import Score
from bot.model.review import BlacklistReason, BlacklistRow
from cogs._ui import foreign, words

_LENGTHS = frozenset({"length", "length-near", "cut"})
_DOUBTS = {
    "title": "another title",
    "spelling": "title spelled otherwise",
    "subtitle": "another subtitle",
    "part": "another part",
    "artist": "another artist",
    "performer": "artist unclear",
    "guest": "another guest",
    "version-unclear": "unclear which version",
    "album": "live or acoustic album on one side",
    "recordings": "recorded more than once",
    "unavailable": "not available",
}


def why(row: BlacklistRow, limit: int = 60) -> str:
    """``nothing certain; nearest: “Clocks (Karaoke)” — karaoke version, 4 s longer``."""
    if row.reason not in (BlacklistReason.SEARCH_FAILED, BlacklistReason.LOW_CONFIDENCE):
        explanation = f" ({foreign.plain(row.explanation, 90)})" if row.explanation else ""
        return f"{words.REASONS[row.reason]}{explanation}"
    if not row.candidates:
        return words.REASONS[row.reason]
    asked = row.reason is BlacklistReason.LOW_CONFIDENCE
    nearest = row.candidates[0]
    start = words.REASONS[row.reason] if asked else "nothing certain"
    return f"{start}; nearest: “{foreign.plain(nearest.track.title, limit)}” — {doubts(nearest.score)}"


def doubts(score: Score) -> str:
    """What speaks against a candidate: ``karaoke version, 4 s longer``."""
    found = [_doubt(gate) for gate in score.gates if gate not in _LENGTHS]
    gap = round(score.length_gap or 0)
    if not _LENGTHS.isdisjoint(score.gates) or not found:
        found.append(f"{abs(gap)} s {'longer' if gap > 0 else 'shorter'}" if gap else "not sure enough")
    return ", ".join(found)


def _doubt(gate: str) -> str:
    if gate.startswith("version:"):
        return f"{foreign.plain(gate.removeprefix('version:'), 30)} version"
    return _DOUBTS.get(gate, foreign.plain(gate.replace("-", " "), 30))
