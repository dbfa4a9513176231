"""What a playlist that we write to holds, as far as we know: the last read, and our own writes since."""

import asyncio
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.engine.matching import Shelf
from bot.engine.recent import RecentWrites, Write, playlist_key
from bot.model.mapping import Playlist
from bot.model.music import PlaylistContent, Track
from bot.services.protocol import MusicService

# Older knowledge is read anew before a burst writes: people edit playlists meanwhile.
TRUSTED_FOR = timedelta(minutes=15)


class Destination:
    """The places of one playlist in order; a place that holds no usable track is None."""

    def __init__(self, content: PlaylistContent, read_at: datetime) -> None:
        self.reread(content, read_at)

    def reread(self, content: PlaylistContent, read_at: datetime) -> None:
        size = max([len(content.entries) + content.skipped, *(entry.position + 1 for entry in content.entries)])
        self._places: list[tuple[str, str] | None] = [None] * size
        for entry in content.entries:
            self._places[entry.position] = (entry.track.external_id, entry.entry_id)
        self._tracks = tuple(track for track in content.tracks if track.available)
        self._shelf: Shelf | None = None
        self.read_at = read_at

    def __len__(self) -> int:
        return len(self._places)

    def copies(self, track_id: str) -> int:
        return sum(place is not None and place[0] == track_id for place in self._places)

    def find(self, track_id: str, entry_id: str = "", near: int = 0) -> int | None:
        """The index of that entry, else of the track's copy that stands nearest to the index ``near``."""
        for index, place in enumerate(self._places):
            if place is not None and entry_id and place[1] == entry_id:
                return index
        copies = [index for index, place in enumerate(self._places) if place is not None and place[0] == track_id]
        return min(copies, key=lambda index: abs(index - near), default=None)

    def entry_id(self, track_id: str, entry_id: str = "") -> str:
        """A key by which the service knows a copy of the track; '' where we do not know one."""
        held = [place[1] for place in self._places if place is not None and place[0] == track_id]
        if entry_id in held:
            return entry_id
        return next((key for key in reversed(held) if key), "")

    def added(self, track_ids: list[str], position: int | None) -> None:
        at = len(self._places) if position is None else position
        self._places[at:at] = [(track_id, "") for track_id in track_ids]

    def removed(self, track_id: str, entry_id: str, *, every_copy: bool) -> None:
        if every_copy:
            self._places = [place for place in self._places if place is None or place[0] != track_id]
            return
        index = self.find(track_id, entry_id)
        if index is not None:
            del self._places[index]

    def moved(self, origin: int, position: int) -> None:
        self._places.insert(position, self._places.pop(origin))

    async def shelf(self) -> Shelf:
        """The tracks of the last read, ready to be matched against; built once for a read, off the event loop."""
        if self._shelf is None:
            self._shelf = await asyncio.to_thread(Shelf, self._tracks)
        return self._shelf


class Destinations:
    """One ``Destination`` for each playlist of ours, shared by everything that reads or writes it."""

    def __init__(self, clock: Clock, recent: RecentWrites) -> None:
        self._clock = clock
        self.recent = recent
        self._known: dict[str, Destination] = {}

    def note(self, playlist: Playlist, content: PlaylistContent, read_at: datetime) -> None:
        """An analysis has just read the playlist whole."""
        content = self.recent.shown(playlist, content, self._clock.now())
        known = self._known.get(playlist_key(playlist))
        if known is None:
            self._known[playlist_key(playlist)] = Destination(content, read_at)
        elif known.read_at <= read_at:
            known.reread(content, read_at)

    def forget(self, playlist: Playlist) -> None:
        """Something surprising came back: read it before the next write."""
        self._known.pop(playlist_key(playlist), None)

    async def of(self, playlist: Playlist, service: MusicService) -> Destination:
        """What the playlist holds; read anew when that is unknown or old."""
        known = self._known.get(playlist_key(playlist))
        began = self._clock.now()
        if known is None or known.read_at + TRUSTED_FOR <= began:
            self.note(playlist, await service.content(playlist.external_id), began)
        return self._known[playlist_key(playlist)]

    def wrote(self, playlist: Playlist, track: Track) -> None:
        """Our write of ``track`` is done: remember how many copies there are now."""
        copies = self._known[playlist_key(playlist)].copies(track.external_id)
        self.recent.note(playlist, Write(track=track, copies=copies, at=self._clock.now()))
