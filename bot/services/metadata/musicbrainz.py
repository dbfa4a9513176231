"""MusicBrainz: tags and first release of recordings by ISRC, which needs no guess and no token, but is slow."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.errors import RetryLater
from bot.model.rules import Field
from bot.services.metadata.asking import Asking
from bot.services.metadata.source import Subject, Told

ISRCS = 25  # a recording may be entered more than once, and one answer holds a hundred
ANSWERS = 100
GAP = 1.1  # its rules: one request a second and address on average; more are all refused
MOST_GENRES = 12
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")


class MusicBrainz:
    name = "MusicBrainz"
    fields = frozenset({Field.GENRE, Field.RELEASED, Field.YEAR})
    batch = ISRCS

    def __init__(self, asking: Asking, url: str) -> None:
        self._asking = asking
        self._url = url.rstrip("/")

    def key(self, subject: Subject) -> str:
        return subject.isrc if _ISRC.fullmatch(subject.isrc) else ""

    async def fetch(self, subjects: Sequence[Subject]) -> dict[str, Told]:
        query = " OR ".join(f"isrc:{self.key(one)}" for one in subjects)
        params = {"query": query, "limit": str(ANSWERS), "fmt": "json"}
        answer = await self._asking.ask("GET", f"{self._url}/recording", params=params)
        rows = answer.get("recordings") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise RetryLater("MusicBrainz: the answer is not what was asked for", code="garbage")
        recordings: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            for isrc in _isrcs(row):
                recordings.setdefault(isrc, []).append(row)
        wanted = {self.key(one) for one in subjects}
        return {isrc: told(found) for isrc, found in recordings.items() if isrc in wanted}


def told(recordings: Sequence[Mapping[str, Any]]) -> Told:
    """What the recordings of one ISRC say together."""
    votes: dict[str, int] = {}
    dates: list[str] = []
    for one in recordings:
        tags = one.get("tags")
        for tag in tags if isinstance(tags, list) else ():
            if isinstance(tag, dict) and isinstance(tag.get("name"), str) and isinstance(tag.get("count"), int):
                genre = tag["name"].casefold()
                votes[genre] = votes.get(genre, 0) + tag["count"]
        date = one.get("first-release-date")
        if isinstance(date, str) and re.fullmatch(r"\d{4}(-\d\d){0,2}", date):
            dates.append(date)
    agreed = sorted((genre for genre, count in votes.items() if count > 0), key=lambda genre: (-votes[genre], genre))
    return Told(genres=tuple(agreed[:MOST_GENRES]), released=min(dates, default=None))


def _isrcs(row: object) -> list[str]:
    """Texts, or in older answers objects with an id."""
    found = row.get("isrcs") if isinstance(row, dict) else None
    names = [one.get("id") if isinstance(one, dict) else one for one in found] if isinstance(found, list) else []
    return [one.upper() for one in names if isinstance(one, str)]
