"""A mapping: two playlists that are kept in step, and how."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.matching import MatchPolicy
from bot.model.music import LIKED, Service


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> "Side":
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Direction(StrEnum):
    LEFT_TO_RIGHT = "left_to_right"
    RIGHT_TO_LEFT = "right_to_left"
    TWO_WAY = "two_way"

    def writes(self, side: Side) -> bool:
        """Whether a sync may change the playlist on ``side``."""
        if self is Direction.TWO_WAY:
            return True
        return side is (Side.RIGHT if self is Direction.LEFT_TO_RIGHT else Side.LEFT)


class Removals(StrEnum):
    KEEP = "keep"  # no removal is passed on, and what was removed on a side stays removed there
    MIRROR = "mirror"  # removals of linked tracks are passed on
    EXACT = "exact"  # the destination holds the source's tracks and nothing else


class Order(StrEnum):
    APPEND = "append"  # new tracks go to the end
    KEEP = "keep"  # the destination follows the source's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A playlist that we know, as a row of ours. ``account_id`` is the linked account that reads and writes it."""

    id: int
    service: Service
    external_id: str
    account_id: int
    name: str
    url: str
    item_count: int | None = None
    change_token: str = ""
    fetched_at: datetime | None = None  # when its tracks were last read whole

    @property
    def liked(self) -> bool:
        """The liked songs of its account: a source only."""
        return self.external_id == LIKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    id: int
    guild_id: int
    name: str
    left: Playlist
    right: Playlist
    direction: Direction = Direction.LEFT_TO_RIGHT
    removals: Removals = Removals.KEEP
    order: Order = Order.APPEND
    schedule: str = "every 30m"  # "off", "every 30m", "daily 18:00" or a cron line
    enabled: bool = True
    pause_reason: str = ""  # why it is not enabled, for people; "" when a person paused it without a word
    max_adds: int = 500  # a run adds at most this many; the rest waits for the next run
    max_removals: int = 25  # a plan that removes more is stopped and shown
    policy: MatchPolicy = MatchPolicy.BALANCED
    created_by: int = 0
    next_run_at: datetime | None = None
    last_analysed_at: datetime | None = None
    hidden: bool = False  # True: owned by a child playlist of the router
    more: tuple[Playlist, ...] = ()  # further sources behind the left playlist, in order; only from left to right

    def playlist(self, side: Side) -> Playlist:
        return self.left if side is Side.LEFT else self.right

    @property
    def playlists(self) -> tuple[Playlist, ...]:
        """Everything that it reads or writes."""
        return (self.left, *self.more, self.right)

    def sources(self, side: Side) -> tuple[Playlist, ...]:
        """What a sync writes to ``side`` from, in order."""
        return (self.left, *self.more) if side is Side.RIGHT else (self.right,)


class LinkState(StrEnum):
    ACTIVE = "active"  # agreed to be on both sides
    GONE_LEFT = "gone_left"  # a person removed it on the left; it stays on the right and is not brought back
    GONE_RIGHT = "gone_right"  # the same, mirrored
    HELD = "held"  # an undo took our write back; left alone until the source itself changes it
    PLACED = "placed"  # on both sides, but an undo put the copy back to its old place; the order leaves it alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One agreed pair of a mapping: the base of the three-way merge. Occurrence 0 is the first copy of a track."""

    id: int = 0
    mapping_id: int
    left_track_id: str
    right_track_id: str
    occurrence: int = 0
    state: LinkState = LinkState.ACTIVE
    written_side: Side | None = None  # where we put the track; None: both sides had it already
    suspect: bool = False  # our write was sent more than once; a surplus copy of it is ours to remove
