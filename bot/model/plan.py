"""What one analysis wants to change, with its cost; nothing in it has happened yet."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.mapping import Link, Side
from bot.model.music import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Put the counterpart of ``source`` into the playlist on ``side``.

    ``destination_id`` is '' while the counterpart must still be searched; ``position`` counts from 0 in the
    destination as it will be when the earlier adds of the plan are done, None: at the end.
    """

    side: Side
    source: Track
    occurrence: int = 0
    destination_id: str = ""
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take one copy of ``track`` out of the playlist on ``side``. ``linked`` is False for a track we did not link."""

    side: Side
    track: Track
    entry_id: str = ""
    source_track_id: str = ""
    occurrence: int = 0
    linked: bool = True
    surplus: bool = False  # a second copy of our own making


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Bring ``track`` on ``side`` from index ``origin`` to index ``position`` (as it is after the earlier moves)."""

    side: Side
    track: Track
    origin: int
    position: int
    entry_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Something that the merge noticed and leaves alone, in a sentence for people."""

    track: Track | None
    sentence: str


class GuardKind(StrEnum):
    TOO_MANY_REMOVALS = "too_many_removals"
    COLLAPSED_READ = "collapsed_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Why a plan was stopped whole. An ADMIN may force this one plan."""

    kind: GuardKind
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """A change of the merge base that comes with the plan and needs no write on a service.

    ``before`` is None for a new link, ``after`` None for one to be forgotten.
    """

    before: Link | None
    after: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a plan will spend and when it will be through, under what is left of today's quota and tomorrow's."""

    youtube_units: int = 0
    youtube_searches: int = 0
    spotify_calls: int = 0
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    mapping_id: int
    adds: tuple[Add, ...] = ()
    removes: tuple[Remove, ...] = ()
    moves: tuple[Move, ...] = ()
    renames: tuple[tuple[Side, str], ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    links: tuple[LinkChange, ...] = ()
    guard: Guard | None = None
    held_back: int = 0  # adds beyond the mapping's cap, left for the next run
    unchanged: int = 0  # linked tracks that are where they should be
    in_review: int = 0  # tracks passed over because a person must decide, or nothing was found
    cancels: tuple[int, ...] = ()  # open items of earlier plans whose reason has gone
    cost: Cost = field(default_factory=Cost)

    @property
    def diffs(self) -> int:
        return len(self.adds) + len(self.removes) + len(self.moves) + len(self.renames)
