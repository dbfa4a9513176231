"""What is known about tracks before the merge looks at two playlists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.music import Service, Track

Key = tuple[Service, str]


def key_of(track: Track) -> Key:
    return (track.service, track.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Keys are (service, track id) of the source track, values the counterpart's id on the other side.

    ``decided`` are people's answers, which outrank everything; '' there means "not on the other side".
    ``remembered`` are automatic ones; '' says nothing. ``passed_over`` are tracks with an open or dismissed blacklist
    row that is not due for a new look. ``tracks`` are catalogue rows of linked tracks that a playlist no longer holds:
    they tell whether a new id is a re-issue. ``unsettled`` are destination tracks that we added or removed within the
    settle time: the read may still show them as they were, so nothing is concluded from it. ``sent_until`` tells when
    the last add of a destination track ended whose outcome was in doubt: a copy put there later is a person's.
    ``reordered`` are tracks whose place among the others changed since the last look, where anything rests on that.
    """

    decided: Mapping[Key, str] = field(default_factory=dict)
    remembered: Mapping[Key, str] = field(default_factory=dict)
    passed_over: frozenset[Key] = frozenset()
    tracks: Mapping[Key, Track] = field(default_factory=dict)
    unsettled: frozenset[Key] = frozenset()
    sent_until: Mapping[Key, datetime] = field(default_factory=dict)
    reordered: frozenset[Key] = frozenset()

    def refused(self, track: Track) -> bool:
        """Whether a person said that the track has no counterpart."""
        return self.decided.get(key_of(track)) == ""
