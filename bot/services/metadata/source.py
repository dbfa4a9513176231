"""What a source of metadata is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.model.rules import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A track as others may know it. ``artist`` is the first one alone; texts are '' where nobody tells them."""

    track_id: str
    artist: str = ""
    title: str = ""
    isrc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a source knows of a recording. ``genres`` are in lower case, the surest first; none: it names no genre."""

    genres: tuple[str, ...] = ()
    album: str | None = None
    released: str | None = None  # YYYY, YYYY-MM or YYYY-MM-DD

    def as_json(self) -> dict[str, Any]:
        return {"genres": list(self.genres), "album": self.album, "released": self.released}

    @classmethod
    def from_json(cls, kept: Any) -> "Told":
        """Out of ``as_json``; whatever else was kept tells nothing."""
        if not isinstance(kept, dict):
            return cls()
        genres = kept.get("genres")
        return cls(
            genres=tuple(one for one in genres if isinstance(one, str)) if isinstance(genres, list) else (),
            album=_text(kept.get("album")),
            released=_text(kept.get("released")),
        )


class MetadataSource(Protocol):
    """``fields`` are those that it may tell; ``batch`` is how many subjects one ``fetch`` takes at most."""

    name: str
    fields: frozenset[Field]
    batch: int

    def key(self, subject: Subject) -> str:
        """Under which it knows the subject, and under which its answer is kept; '' where it cannot be asked."""
        ...

    async def fetch(self, subjects: Sequence[Subject]) -> dict[str, Told]:
        """What it knows, by ``key``; the unknown are left out. Raises RetryLater, Refused."""
        ...


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
