"""Where things go back to: the order of before the run, without touching what people moved since."""

from collections.abc import Collection, Sequence

from bot.engine.analysis.ordering import Follower, Token, in_order, layout
from bot.engine.undoing.effects import Effect
from bot.model.item import Action
from bot.model.mapping import Side
from bot.model.music import PlaylistContent, PlaylistEntry, Service
from bot.model.plan import Move


class Places:
    """One playlist on its way back.

    ``effects`` are the run's own on this side, ``leaving`` the positions that the undo empties. ``before`` is what the
    run had read (None: not known any more; then what comes back goes to the end, and nothing is moved).
    """

    def __init__(
        self,
        side: Side,
        now: PlaylistContent,
        before: PlaylistContent | None,
        effects: Sequence[Effect],
        leaving: Collection[int],
    ) -> None:
        self._leader = layout(before) if before else []
        self._follower = Follower(side, layout(now, leaving), self._leader)
        here = [entry for entry in now.entries if entry.position not in leaving]
        moved = any(effect.item.action is Action.MOVE_TRACK for effect in effects)
        ids = [_id(entry) for entry in here]
        left_as = _replayed(self._leader, effects) if moved else [_token_id(token) for token in self._leader]
        kept = in_order(ids, left_as) if before else set()
        self.untouched = frozenset(_id(here[place]) for place in kept)  # ids of tracks that nobody moved since
        fixed = {entry.position for place, entry in enumerate(here) if place not in kept}
        counterparts: dict[str, list[Token]] = {}
        for token in self._leader:
            if _token_id(token) in self.untouched:
                counterparts.setdefault(_token_id(token), []).append(token)
        self.moves: tuple[Move, ...] = self._follower.moves(counterparts, fixed=fixed)

    def seats(self, track_ids: Sequence[str]) -> list[tuple[int, int | None]]:
        """Where tracks that come back go: their index in ``track_ids`` and their place, in the order of the places.

        A place counts once the earlier ones are taken; None: at the end.
        """
        taken = {token.rank for token in self._follower.tokens}
        wanted: list[tuple[int, int]] = []
        for number, track_id in enumerate(track_ids):
            rank = next((r for r, t in enumerate(self._leader) if _token_id(t) == track_id and r not in taken), None)
            taken.add(rank)
            wanted.append((len(self._leader) if rank is None else rank, number))
        return [
            (number, self._follower.place(self._leader[rank]) if rank < len(self._leader) else None)
            for rank, number in sorted(wanted)
        ]


def _replayed(before: Sequence[Token], effects: Sequence[Effect]) -> list[str]:
    """The track ids as the run has left them, had nobody else done anything."""
    rows = [(_token_id(token), token.entry.entry_id if token.entry else "") for token in before]
    for effect in effects:
        item, track_id, entry_id = effect.item, effect.track_id, str(effect.item.payload.get("entry_id", ""))
        if item.action is Action.ADD_TRACK and not effect.shared:
            at_end = item.position is None or bool(item.payload.get("at_end"))
            rows.insert(len(rows) if at_end or item.position is None else item.position, (track_id, ""))
            continue
        copies = [n for n, row in enumerate(rows) if row[0] == track_id]
        if not copies or effect.shared or item.action is Action.RENAME_PLAYLIST:
            continue
        origin = int(item.payload.get("origin", 0))
        place = next((n for n in copies if entry_id and rows[n][1] == entry_id), None)
        if item.action is Action.MOVE_TRACK:
            row = rows.pop(place if place is not None else min(copies, key=lambda n: abs(n - origin)))
            rows.insert(item.position or 0, row)
        elif item.service is Service.SPOTIFY:
            rows = [row for row in rows if row[0] != track_id]
        else:
            del rows[place if place is not None else copies[-1]]
    return [track_id for track_id, _ in rows]


def _id(entry: PlaylistEntry) -> str:
    return entry.track.external_id


def _token_id(token: Token) -> str:
    return token.entry.track.external_id if token.entry else ""
