"""The fewest moves that bring a playlist into the order of another, and the places where new tracks go."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.model.mapping import Side
from bot.model.music import PlaylistContent, PlaylistEntry
from bot.model.plan import Move


class Token:
    """One place of a playlist while it is being rearranged; ``entry`` None: no usable track, or one to be added.

    ``mate`` is the token of its counterpart in the other playlist, ``rank`` that token's place in the leading order.
    """

    __slots__ = ("entry", "mate", "rank")

    def __init__(self, entry: PlaylistEntry | None) -> None:
        self.entry = entry
        self.rank: int | None = None
        self.mate: Token | None = None


def layout(content: PlaylistContent, removed: Collection[int] = ()) -> list[Token]:
    """All places of a playlist, those that are no usable track included, without the ``removed`` positions."""
    tokens: list[Token] = []
    hidden = content.skipped
    place = 0
    for entry in sorted(content.entries, key=lambda entry: entry.position):
        holes = min(max(entry.position - place, 0), hidden)
        tokens += [Token(None) for _ in range(holes)]
        hidden -= holes
        place = entry.position + 1
        if entry.position not in removed:
            tokens.append(Token(entry))
    return tokens + [Token(None) for _ in range(hidden)]


class Follower:
    """A playlist that follows a leading order: first ``moves()``, then ``place()`` for each new track in that order."""

    def __init__(self, side: Side, tokens: list[Token], order: Sequence[Token]) -> None:
        self.tokens = tokens
        self._side = side
        self._order = order
        self._ranks = {id(token): rank for rank, token in enumerate(order)}
        self._settled: list[tuple[int, Token]] = []  # by rank; every rank has one token at most

    def moves(self, counterparts: Mapping[str, Sequence[Token]], fixed: Collection[int] = ()) -> tuple[Move, ...]:
        """The fewest moves after which the tracks stand in the leading order; applied to ``tokens`` as they are made.

        ``counterparts`` names, by track id of this playlist, the leading tokens that its copies follow: any copy may
        follow any of them. Of several tracks with the same counterpart one follows it, and the others stay put. Copies
        at the ``fixed`` positions follow none.
        """
        ranks = {track_id: [self._ranks[id(one)] for one in leaders] for track_id, leaders in counterparts.items()}
        movable = [token for token in self.tokens if token.entry and token.entry.position not in fixed]
        staying = longest_common([ranks.get(_id(token), ()) for token in movable])
        for number, rank in staying.items():
            self._follow(movable[number], rank)
        spare: dict[str, list[Token]] = defaultdict(list)
        for token in movable:
            if token.rank is None:
                spare[_id(token)].append(token)
        kept = set(staying.values())
        made = []
        for rank, track_id in sorted((rank, track_id) for track_id, mine in ranks.items() for rank in mine):
            if rank not in kept and spare[track_id]:
                kept.add(rank)
                made.append(self._move(spare[track_id].pop(), rank))
        return tuple(made)

    def _follow(self, token: Token, rank: int) -> None:
        token.rank, token.mate = rank, self._order[rank]
        insort(self._settled, (rank, token), key=lambda row: row[0])

    def _move(self, token: Token, rank: int) -> Move:
        origin = self.tokens.index(token)
        del self.tokens[origin]
        position = self._insert(token, rank)
        assert token.entry is not None, "only tracks that are there are moved"
        entry = token.entry
        return Move(side=self._side, track=entry.track, origin=origin, position=position, entry_id=entry.entry_id)

    def place(self, leader: Token) -> int | None:
        """Where the counterpart of ``leader`` goes; None: at the end, since nothing that follows it is here yet."""
        rank = self._ranks[id(leader)]
        if not self._settled or self._settled[-1][0] <= rank:
            token = Token(None)
            self.tokens.append(token)
            self._follow(token, rank)
            return None
        return self._insert(Token(None), rank)

    def _insert(self, token: Token, rank: int) -> int:
        """Put the token right behind what precedes it in the leading order, else before what follows it."""
        at = bisect_right(self._settled, rank, key=lambda row: row[0])
        neighbour = self._settled[at - 1 if at else 0][1]
        position = self.tokens.index(neighbour) + (1 if at else 0)
        self.tokens.insert(position, token)
        self._follow(token, rank)
        return position


def places_in_leader(leader: list[Token], follower: Sequence[Token], fresh: Iterable[int]) -> dict[int, int | None]:
    """Where tracks that only the follower holds go in the leading list, by their position in the follower.

    Each goes right behind the counterpart of what precedes it, so that the follower need not be rearranged for it.
    ``leader`` and ``follower`` are changed as the tracks are placed.
    """
    wanted = set(fresh)
    placed: dict[int, int | None] = {}
    last = max((n for n, token in enumerate(follower) if token.mate is not None), default=-1)
    previous: Token | None = None
    for number, token in enumerate(follower):
        if token.mate is None and token.entry and token.entry.position in wanted:
            token.mate = Token(None)
            at = leader.index(previous) + 1 if previous else 0
            placed[token.entry.position] = None if number > last or at == len(leader) else at
            leader.insert(len(leader) if number > last else at, token.mate)
        previous = token.mate or previous
    return placed


def _id(token: Token) -> str:
    return token.entry.track.external_id if token.entry else ""


def in_order(ids: Sequence[str], order: Sequence[str]) -> set[int]:
    """The places of as many ``ids`` as possible that stand in ``order``; the others came, or were moved."""
    ranks: dict[str, list[int]] = defaultdict(list)
    for rank, one in enumerate(order):
        ranks[one].append(rank)
    return set(longest_common([ranks.get(one, ()) for one in ids]))


def reordered(before: PlaylistContent, now: PlaylistContent) -> frozenset[str]:
    """Ids of tracks that people moved between two reads, and of those that came.

    Of two that changed places either may have been moved: both count. From both ends the ties are broken otherwise.
    """
    ids, order = ([track.external_id for track in content.tracks] for content in (now, before))
    backwards = {len(ids) - 1 - place for place in in_order(ids[::-1], order[::-1])}
    same = in_order(ids, order) & backwards
    return frozenset(one for place, one in enumerate(ids) if place not in same)


def longest_common(ranks: Sequence[Sequence[int]]) -> dict[int, int]:
    """The most places that can keep ascending ranks, each with one of those it may take (Hunt and Szymanski)."""
    tails: list[int] = []  # the smallest last rank of a run of each length
    last: list[int] = []  # the step that ends it
    steps: list[tuple[int, int, int]] = []  # place, rank, the step before
    for place, choices in enumerate(ranks):
        # Descending, so that one place is not taken twice in one run.
        for rank in sorted(choices, reverse=True):
            length = bisect_left(tails, rank)
            if length < len(tails) and tails[length] == rank:
                continue  # the earlier place keeps the rank
            steps.append((place, rank, last[length - 1] if length else -1))
            if length == len(tails):
                tails.append(rank)
                last.append(len(steps) - 1)
            else:
                tails[length], last[length] = rank, len(steps) - 1
    kept: dict[int, int] = {}
    step = last[-1] if last else -1
    while step >= 0:
        place, rank, step = steps[step]
        kept[place] = rank
    return kept
