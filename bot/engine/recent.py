"""Our own writes of the last minute, which a service may not show yet when it is read."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.model.mapping import Playlist
from bot.model.music import PlaylistContent, PlaylistEntry, Track


def playlist_key(playlist: Playlist) -> str:
    """One name for a playlist, whichever account of ours reads it; leases and memories are kept under it."""
    return f"{playlist.service.value}:{playlist.external_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """After our write at ``at`` (aware UTC) the playlist held ``copies`` of ``track``."""

    track: Track
    copies: int
    at: datetime


class RecentWrites:
    """Kept for the settle time; within it our own writes count as done even where a read does not show them."""

    def __init__(self, settle: timedelta) -> None:
        self.settle = settle
        self._writes: dict[str, dict[str, Write]] = defaultdict(dict)

    def note(self, playlist: Playlist, write: Write) -> None:
        self._writes[playlist_key(playlist)][write.track.external_id] = write

    def unsettled(self, playlist: Playlist, now: datetime) -> frozenset[str]:
        """Ids of the tracks that we added or removed so lately that a read says nothing about them."""
        return frozenset(write.track.external_id for write in self._of(playlist, now))

    def shown(self, playlist: Playlist, content: PlaylistContent, now: datetime) -> PlaylistContent:
        """``content`` as it will read once the service shows what we wrote: missing copies at the end, extra ones gone.

        Positions of what is left are kept, since entries that are no tracks hold places too.
        """
        entries = list(content.entries)
        held = Counter(entry.track.external_id for entry in entries)
        end = len(entries) + content.skipped
        for write in self._of(playlist, now):
            missing = write.copies - held[write.track.external_id]
            entries += [PlaylistEntry(position=end + extra, track=write.track) for extra in range(missing)]
            end += max(missing, 0)
            entries = _without_last(entries, write.track.external_id, -missing)
        return replace(content, entries=tuple(entries))

    def _of(self, playlist: Playlist, now: datetime) -> list[Write]:
        writes = self._writes[playlist_key(playlist)]
        for track_id in [track_id for track_id, write in writes.items() if write.at + self.settle <= now]:
            del writes[track_id]
        return sorted(writes.values(), key=lambda write: write.at)


def _without_last(entries: list[PlaylistEntry], track_id: str, count: int) -> list[PlaylistEntry]:
    if count <= 0:
        return entries
    places = [index for index, entry in enumerate(entries) if entry.track.external_id == track_id][-count:]
    return [entry for index, entry in enumerate(entries) if index not in places]
