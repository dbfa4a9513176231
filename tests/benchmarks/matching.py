"""The matcher held against real answers of YouTube: one table of what was accepted rightly, wrongly, or left to people.

``python -m tests.benchmarks.matching [FILE…]`` measures the files given (JSON lines), else the sets of the shared data.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.engine.matching import match
from bot.model.matching import Decision, MatchPolicy, Verdict
from bot.model.music import CandidateKind, Service, Track
from tests.benchmarks.peers import installed

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "matching"
SETS = ("recorded", "hard_cases", "titles_clean", "titles_all", "lookalikes")

Row = dict[str, Any]
Outcome = tuple[Verdict, str | None]  # what was decided, and the id of what was accepted
Decider = Callable[[Row, list[Row]], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One list of candidates: which are right (none: all must be refused), and which are the song in another upload."""

    track: Row
    candidates: list[Row]
    right: frozenset[str]
    neutral: frozenset[str] = frozenset()

    def taken_away(self) -> "Case":
        """The same list without the right answers: then everything accepted is wrong."""
        gone = self.right | self.neutral
        left = [row for row in self.candidates if row["video_id"] not in gone]
        return Case(track=self.track, candidates=left, right=frozenset())


@dataclass(slots=True)
class Tally:
    """What came of one set. For lists without a right answer, refusing is right."""

    lists: int = 0
    right: int = 0
    same_song: int = 0
    wrong: int = 0
    review: int = 0
    rejected: int = 0
    seconds: float = 0.0
    candidates: int = 0
    wrong_cases: list[str] = field(default_factory=list)

    def add(self, case: Case, outcome: Outcome, seconds: float) -> None:
        verdict, chosen = outcome
        self.lists += 1
        self.seconds += seconds
        self.candidates += len(case.candidates)
        if chosen in case.right or (chosen is None and not case.right):
            self.right += 1
        elif chosen is not None and chosen in case.neutral:
            self.same_song += 1
        elif chosen is not None:
            self.wrong += 1
            self.wrong_cases.append(f"{case.track['title']} => {chosen}")
        if chosen is None and verdict is Verdict.REVIEW:
            self.review += 1
        elif chosen is None:
            self.rejected += 1

    @property
    def cells(self) -> tuple[str, ...]:
        per_list = self.seconds / self.lists * 1e6 if self.lists else 0.0
        per_twenty = self.seconds / self.candidates * 20e6 if self.candidates else 0.0
        shares = (f"{n} ({n / max(1, self.lists):.1%})" for n in (self.right, self.wrong))
        right, wrong = shares
        counts = (str(self.same_song), str(self.review), str(self.rejected))
        return (str(self.lists), right, wrong, *counts, f"{per_list:.0f}", f"{per_twenty:.0f}")


def to_track(row: Row) -> Track:
    """A Spotify track of the data as the matcher's."""
    year = row.get("year")
    return Track(
        service=Service.SPOTIFY,
        external_id=row.get("id") or "",
        title=row.get("title") or "",
        artists=tuple(row.get("artists") or ()),
        album=row.get("album") or None,
        duration=row.get("duration_s"),
        isrc=row.get("isrc"),
        explicit=row.get("explicit"),
        release_date=str(year) if year else None,
        track_number=row.get("track_number"),
    )


def to_candidate(row: Row) -> Track:
    """A YouTube search result of the data as the matcher's. Without a kind, a "– Topic" channel tells a song."""
    channel = row.get("channel")
    kind = row.get("kind") or ("song" if channel and channel.endswith("- Topic") else "video")
    views = row.get("views")
    return Track(
        service=Service.YOUTUBE,
        external_id=row["video_id"],
        title=row.get("title") or "",
        artists=tuple(row.get("artists") or ()),
        album=row.get("album") or None,
        duration=row.get("duration_s"),
        explicit=row.get("explicit"),
        channel=channel,
        kind=CandidateKind(kind),
        views=None if views is None else int(views),
        from_isrc=bool(row.get("from_isrc_query")),
    )


def decision(track: Row, candidates: Iterable[Row]) -> Decision:
    """The matcher's whole decision on one list, under the default policy."""
    return match(to_track(track), [to_candidate(row) for row in candidates], MatchPolicy.BALANCED)


def decide(track: Row, candidates: list[Row]) -> str | None:
    """The id of the accepted candidate, or None where a person is asked or nothing is right."""
    chosen = decision(track, candidates).chosen
    return chosen.track.external_id if chosen else None


def crossfade(track: Row, candidates: list[Row]) -> Outcome:
    """Our matcher as one of the deciders of the table."""
    found = decision(track, candidates)
    return found.verdict, found.chosen.track.external_id if found.chosen else None


def load(path: Path) -> list[Case]:
    """The lists of a file. Rows with one ``candidate`` are look-alikes; the few right ones stand in a file beside."""
    rights = path.with_name(f"{path.stem}_right.json")
    pairs = {tuple(pair) for pair in json.loads(rights.read_text())} if rights.exists() else set()
    return [_case(json.loads(line), pairs) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _case(row: Row, pairs: set[tuple[str, ...]]) -> Case:
    track = row["track"]
    if "candidate" not in row:
        accepted = frozenset(row.get("accepted_ids") or ())
        neutral = frozenset(row.get("neutral_ids") or ())
        return Case(track=track, candidates=row["candidates"], right=accepted, neutral=neutral)
    candidate = row["candidate"]
    video = candidate["video_id"]
    return Case(
        track=track,
        candidates=[candidate],
        right=frozenset({video} if (track.get("id"), video) in pairs else ()),
    )


def tally(cases: Sequence[Case], decider: Decider) -> Tally:
    """Decide every list once and count. The time is the decider's alone, after one list to warm up."""
    result = Tally()
    if cases:
        decider(cases[0].track, cases[0].candidates)
    for case in cases:
        begun = time.thread_time()
        outcome = decider(case.track, case.candidates)
        result.add(case, outcome, time.thread_time() - begun)
    return result


HEAD = ("set", "matcher", "lists", "right", "wrong", "same song", "review", "rejected", "µs/list", "µs/20")


def table(paths: Sequence[Path], deciders: dict[str, Decider]) -> list[tuple[str, ...]]:
    """The rows under ``HEAD``: each set as it is, and with the right answers taken away (where it has any)."""
    rows: list[tuple[str, ...]] = []
    for path in paths:
        cases = load(path)
        away = [left for case in cases if case.right and (left := case.taken_away()).candidates]
        for name, chosen in ((path.stem, cases), (f"{path.stem}, taken away", away)):
            if chosen is away and (not away or all(len(case.candidates) == 1 for case in cases)):
                continue
            rows += [(name, matcher, *tally(chosen, decider).cells) for matcher, decider in deciders.items()]
    return rows


def render(rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table, its columns padded for a terminal."""
    widths = [max(len(row[at]) for row in (HEAD, *rows)) for at in range(len(HEAD))]
    rule = tuple("-" * width for width in widths)
    lines = (
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (HEAD, rule, *rows)
    )
    return "\n".join(f"| {line} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    paths = [Path(name) for name in arguments] or [DATA / f"{name}.jsonl" for name in SETS]
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
        return 2
    print(render(table(paths, {"crossfade": crossfade, **installed()})))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
