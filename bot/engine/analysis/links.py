"""The agreed pairs of a mapping while a merge rewrites them, and what becomes of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum

from bot.model.mapping import Direction, Link, LinkState, Mapping, Removals, Side
from bot.model.plan import LinkChange


class Fate(Enum):
    """What becomes of a pair that only one side holds."""

    HOLD = "hold"  # known and settled: nothing happens
    MARK = "mark"  # remember that a person removed it on the side that lacks it
    ADD_AGAIN = "add_again"  # the destination must hold it whatever people remove there
    REMOVE = "remove"  # take it from the side that still holds it
    PART = "part"  # the pair is over; the copy that is left counts as newly found


def id_on(link: Link, side: Side) -> str:
    return link.left_track_id if side is Side.LEFT else link.right_track_id


def with_id(link: Link, side: Side, track_id: str) -> Link:
    """The link with another id on ``side``. What is doubtful about a write of ours belongs to the old id."""
    suspect = link.suspect and side is not link.written_side
    if side is Side.LEFT:
        return replace(link, left_track_id=track_id, suspect=suspect)
    return replace(link, right_track_id=track_id, suspect=suspect)


def gone(side: Side) -> LinkState:
    return LinkState.GONE_LEFT if side is Side.LEFT else LinkState.GONE_RIGHT


def nobody(track_id: str) -> str:
    """What stands in a pair for the counterpart of ``track_id`` where there is none; no service has such an id."""
    return f"~{track_id}"


def stands(link: Link, side: Side) -> bool:
    """Whether the pair counts on its copy on ``side``: people took it out of there, or an undo did, otherwise."""
    if link.state is LinkState.HELD:
        return link.written_side is side
    return link.state is not gone(side)


def fate(mapping: Mapping, state: LinkState, lacking: Side) -> Fate:
    """The rule of removals, for a pair in ``state`` that ``lacking`` no longer holds and the other side does.

    HELD outranks every rule: after an undo the pair is neither completed again nor taken apart again. It ends by
    itself when people change what it stands on: both sides hold it (it is agreed again), or neither (it is forgotten).
    """
    if state is LinkState.HELD:
        return Fate.HOLD
    written = mapping.direction.writes(lacking)
    if mapping.removals is Removals.EXACT and mapping.direction is not Direction.TWO_WAY:
        return Fate.ADD_AGAIN if written else Fate.REMOVE
    if state is gone(lacking):
        return Fate.HOLD
    if state is gone(lacking.other):
        return Fate.PART
    if mapping.removals is Removals.KEEP:
        return Fate.MARK
    # One-way: what people remove on the destination says nothing about the source.
    return Fate.REMOVE if mapping.direction.writes(lacking.other) else Fate.MARK


def already_there(links: Sequence[Link], side: Side, destination_id: str, occurrence: int, copies: int) -> bool:
    """Whether an add of ``destination_id`` to ``side`` needs no write, since the playlist holds ``copies`` of it.

    Copies of one source track (occurrences 0, 1, …) need a copy each; different source tracks share one.
    """
    stood_for = {link.occurrence for link in links if id_on(link, side) == destination_id and stands(link, side)}
    return copies >= len(stood_for | {occurrence})


class Base:
    """The merge base: every pair as it was and as it is to be."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._before: list[Link | None] = list(links)
        self._after: list[Link | None] = list(links)
        self.revision = 0  # raised by every change

    def __getitem__(self, index: int) -> Link:
        link = self._after[index]
        assert link is not None, "a dropped link was asked for"
        return link

    def live(self) -> Iterator[tuple[int, Link]]:
        return ((index, link) for index, link in enumerate(self._after) if link is not None)

    def put(self, index: int, link: Link) -> None:
        self._after[index] = link
        self.revision += 1

    def drop(self, index: int) -> None:
        self._after[index] = None
        self.revision += 1

    def add(self, link: Link) -> int:
        """Returns the new link's index."""
        self._before.append(None)
        self._after.append(link)
        self.revision += 1
        return len(self._after) - 1

    def changes(self) -> tuple[LinkChange, ...]:
        pairs = zip(self._before, self._after, strict=True)
        return tuple(LinkChange(before=before, after=after) for before, after in pairs if before != after)
