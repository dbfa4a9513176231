"""ListenBrainz: genres, album and year of recordings that it identifies by artist and title, fifty at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.errors import RetryLater
from bot.model.rules import Field
from bot.services.metadata.asking import Asking
from bot.services.metadata.source import Subject, Told

# MAX_LOOKUPS_PER_POST and MAX_MAPPING_QUERY_LENGTH of its server; recordings are told for up to 1,000 ids at once.
LOOKUPS = 50
QUERY_LENGTH = 250
GAP = 1.0  # its rules: never more than one call a second
MOST_GENRES = 12


class ListenBrainz:
    """``token``: a user token of the owner's, which its lookups may ask for."""

    name = "ListenBrainz"
    fields = frozenset({Field.GENRE, Field.ALBUM, Field.RELEASED, Field.YEAR})
    batch = 4 * LOOKUPS

    def __init__(self, asking: Asking, url: str, *, token: str = "") -> None:
        self._asking = asking
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Token {token}"} if token else {}

    def key(self, subject: Subject) -> str:
        fits = subject.artist and subject.title and len(subject.artist) + len(subject.title) <= QUERY_LENGTH
        return subject.track_id if fits else ""

    async def fetch(self, subjects: Sequence[Subject]) -> dict[str, Told]:
        ids: dict[str, str] = {}
        for start in range(0, len(subjects), LOOKUPS):
            ids |= await self._identified(subjects[start : start + LOOKUPS])
        if not ids:
            return {}
        body = {"recording_mbids": sorted(set(ids.values())), "inc": "tag release"}
        answer = await self._post("/1/metadata/recording/", body)
        if not isinstance(answer, dict):
            raise _garbage()
        known = {mbid: told(one) for mbid, one in answer.items() if isinstance(one, dict)}
        return {key: known[mbid] for key, mbid in ids.items() if mbid in known}

    async def _identified(self, subjects: Sequence[Subject]) -> dict[str, str]:
        """The recordings' MusicBrainz ids by the subjects' keys."""
        asked = [{"artist_name": one.artist, "recording_name": one.title} for one in subjects]
        answer = await self._post("/1/metadata/lookup/", {"recordings": asked})
        if not isinstance(answer, list):
            raise _garbage()
        found: dict[str, str] = {}
        for one in answer:
            index, mbid = (one.get("index"), one.get("recording_mbid")) if isinstance(one, dict) else (None, None)
            if isinstance(index, int) and 0 <= index < len(subjects) and isinstance(mbid, str) and mbid:
                found[self.key(subjects[index])] = mbid
        return found

    async def _post(self, path: str, body: object) -> Any:
        return await self._asking.ask("POST", self._url + path, body=body, headers=self._headers)


def told(metadata: Mapping[str, Any]) -> Told:
    """Tags that MusicBrainz knows as genres: the recording's and its release group's, else the artists'."""
    tags = metadata.get("tag")
    groups = tags if isinstance(tags, dict) else {}
    genres = _genres(groups, "recording", "release_group") or _genres(groups, "artist")
    release = metadata.get("release")
    year = release.get("year") if isinstance(release, dict) else None
    album = release.get("name") if isinstance(release, dict) else None
    return Told(
        genres=genres,
        album=album if isinstance(album, str) and album else None,
        released=f"{year:04}" if isinstance(year, int) and 1000 <= year <= 9999 else None,
    )


def _genres(groups: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Without the free words that people also write there ("seen live"); the most agreed upon first."""
    votes: dict[str, int] = {}
    for name in names:
        tags = groups.get(name)
        for one in tags if isinstance(tags, list) else ():
            if isinstance(one, dict) and one.get("genre_mbid") and isinstance(one.get("tag"), str):
                count = one.get("count")
                genre = one["tag"].casefold()
                votes[genre] = votes.get(genre, 0) + (count if isinstance(count, int) else 1)
    agreed = sorted((genre for genre, count in votes.items() if count > 0), key=lambda genre: (-votes[genre], genre))
    return tuple(agreed[:MOST_GENRES])


def _garbage() -> RetryLater:
    return RetryLater("ListenBrainz: the answer is not what was asked for", code="garbage")
