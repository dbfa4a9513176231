"""The fewest moves that bring a playlist into the order of another, and the places where new tracks go."""

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.model.mapping import Side
from bot.model.music import PlaylistContent, PlaylistEntry
from bot.model.plan import Move


class Token:
    """One place of a playlist while it is being rearranged. ``rank``: its place in the leading order, if it has one."""

    __slots__ = ("entry", "mate", "rank")

    def __init__(self, entry: PlaylistEntry | None, rank: int | None = None, mate: "Token | None" = None) -> None:
        self.entry = entry
        self.rank = rank
        self.mate = mate


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

    def __init__(self, side: Side, tokens: list[Token], leaders: Mapping[int, Token], order: Sequence[Token]) -> None:
        """``leaders`` gives the leading token for positions of this playlist; ``order`` is the leading list."""
        self.tokens = tokens
        self._side = side
        ranks = {id(token): rank for rank, token in enumerate(order)}
        for token in tokens:
            leader = leaders.get(token.entry.position) if token.entry else None
            if leader is not None:
                token.rank, token.mate = ranks[id(leader)], leader
        self._ranks = ranks
        self._settled: list[tuple[int, int, Token]] = []  # rank, a tie-breaker, token

    def moves(self) -> tuple[Move, ...]:
        """The fewest moves after which all ranked tokens ascend; applied to ``tokens`` as they are made."""
        ranked = [token for token in self.tokens if token.rank is not None]
        staying = _longest_ascending([token.rank for token in ranked if token.rank is not None])
        self._settled = [(token.rank or 0, n, token) for n, token in enumerate(ranked) if n in staying]
        moving = sorted((token.rank or 0, len(ranked) + n, token) for n, token in enumerate(ranked) if n not in staying)
        made = []
        for _, tie, token in moving:
            origin = self.tokens.index(token)
            del self.tokens[origin]
            position = self._insert(token, tie)
            if position != origin and token.entry:
                entry = token.entry
                made.append(
                    Move(
                        side=self._side,
                        track=entry.track,
                        origin=origin,
                        position=position,
                        entry_id=entry.entry_id,
                    )
                )
        return tuple(made)

    def place(self, leader: Token) -> int | None:
        """Where the counterpart of ``leader`` goes; None: at the end, since nothing that follows it is here yet."""
        token = Token(None, self._ranks[id(leader)], leader)
        last = not self._settled or self._settled[-1][0] <= (token.rank or 0)
        tie = 2 * len(self.tokens) + 1
        if last:
            self.tokens.append(token)
            insort(self._settled, (token.rank or 0, tie, token), key=lambda row: row[:2])
            return None
        return self._insert(token, tie)

    def _insert(self, token: Token, tie: int) -> int:
        """Put the token right behind what precedes it in the leading order, or before what follows it."""
        row = (token.rank or 0, tie, token)
        at = bisect_right(self._settled, row[:2], key=lambda other: other[:2])
        if at:
            position = self.tokens.index(self._settled[at - 1][2]) + 1
        elif self._settled:
            position = self.tokens.index(self._settled[0][2])
        else:
            position = len(self.tokens)
        self.tokens.insert(position, token)
        self._settled.insert(at, row)
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


def _longest_ascending(ranks: Sequence[int]) -> set[int]:
    """Indexes of a longest subsequence that never falls (patience sorting, n log n)."""
    tails: list[int] = []  # the smallest last rank of a run of each length
    ends: list[int] = []  # the index that ends it
    before: list[int] = []
    for index, rank in enumerate(ranks):
        length = bisect_right(tails, rank)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(rank)
            ends.append(index)
        else:
            tails[length], ends[length] = rank, index
    kept: set[int] = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept
