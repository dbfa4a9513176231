"""Reviews that waited before the update can be accepted many at once after it, by the same rule as new ones."""

import json
from pathlib import Path

import pytest
from alembic import command
from pydantic import TypeAdapter
from sqlalchemy import Connection, text

from bot.model.matching import Candidate, Score, Verdict
from bot.model.music import Service
from bot.model.review import unambiguous
from storage.database import writing_engine
from storage.migration import configuration
from tests import databases
from tests.factories import track

REVIEW, REJECT, ACCEPT = Verdict.REVIEW, Verdict.REJECT, Verdict.ACCEPT
LISTS: tuple[list[tuple[str, float, Verdict, bool]], ...] = (
    [],
    [("a", 0.9, REVIEW, True)],
    [("a", 0.9, ACCEPT, True), ("b", 0.85, REVIEW, True)],
    [("a", 0.9, REVIEW, True), ("b", 0.86, REVIEW, True)],
    [("a", 0.9, REVIEW, True), ("b", 0.89, REJECT, True)],
    [("a", 0.9, REVIEW, True), ("a", 0.9, REVIEW, True)],
    [("a", 0.9, REJECT, True)],
    [("a", 0.9, REVIEW, False)],
)


def candidates(listed: list[tuple[str, float, Verdict, bool]]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            track=track(name, Service.YOUTUBE, available=available),
            score=Score(total=total, title=1, artist=1, verdict=verdict),
        )
        for name, total, verdict, available in listed
    )


@pytest.mark.parametrize(
    ("listed", "taken"), list(zip(LISTS, (None, "a", "a", None, "a", "a", None, None), strict=True))
)
def test_a_candidate_is_taken_unseen_only_where_nothing_rivals_it(
    listed: list[tuple[str, float, Verdict, bool]], taken: str | None
) -> None:
    found = unambiguous(candidates(listed))
    assert (found.track.external_id if found else None) == taken


async def test_open_reviews_of_before_get_the_score_that_they_would_get_now(tmp_path: Path) -> None:
    adapter = TypeAdapter(tuple[Candidate, ...])

    def migrate(connection: Connection) -> list[float | None]:
        command.upgrade(configuration(connection), "0001")
        for number, listed in enumerate(LISTS):
            found = adapter.dump_python(candidates(listed), mode="json")
            connection.execute(
                text(
                    "INSERT INTO blacklist (mapping_id, service, track_id, title, artists, reason, explanation, "
                    "candidates, skip_count, state, looks, created_at) VALUES (1, 'spotify', :track, 't', '{}', "
                    "'low_confidence', '', :candidates, 0, 'open', 1, '2026-01-01 00:00:00.000000')"
                ),
                {"track": str(number), "candidates": json.dumps({"v": 1, "candidates": found})},
            )
        command.upgrade(configuration(connection), "head")
        return list(connection.execute(text("SELECT best_score FROM blacklist ORDER BY id")).scalars())

    async with (
        writing_engine(databases.sqlite_url(tmp_path / "old.db"), foreign_keys=False) as engine,
        engine.begin() as connection,
    ):
        scores = await connection.run_sync(migrate)
    expected = [unambiguous(candidates(listed)) for listed in LISTS]
    assert scores == [one.score.total if one else None for one in expected]
