"""The ids under which a track's counterpart is known before anything is compared."""

from collections import defaultdict

from bot.engine.analysis.known import Known, key_of
from bot.engine.analysis.links import Base, id_on
from bot.engine.analysis.waiting import Waiting
from bot.model.mapping import Mapping, Side
from bot.model.music import Track


class Hints:
    """Counterparts on the other side for tracks of ``side``: what a person decided, else what copies of the same track
    are linked to, what queued adds found, the track itself between playlists of one service, and what is remembered.
    """

    def __init__(self, mapping: Mapping, base: Base, known: Known, waiting: Waiting, side: Side) -> None:
        self._known = known
        self._found = waiting.destinations(side.other)
        self._same_service = mapping.left.service is mapping.right.service
        self._linked: dict[str, list[str]] = defaultdict(list)
        for _, link in base.live():
            self._linked[id_on(link, side)].append(id_on(link, side.other))

    def __call__(self, track: Track) -> list[str]:
        """Ids, surest first; empty where nothing is known or a person said that there is none."""
        decided = self._known.decided.get(key_of(track))
        if decided is not None:
            return [decided] if decided else []
        ids = [*self._linked.get(track.external_id, ()), self._found.get(track.external_id, "")]
        if self._same_service:
            ids.append(track.external_id)
        ids.append(self._known.remembered.get(key_of(track), ""))
        return [found for found in dict.fromkeys(ids) if found]
