"""The sandbox's own books, which tests take for the truth: requests, writes, duplicates, losses, what was spent."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.sandbox.shelf import Hand, Write
from bot.sandbox.wire import Call, Price
from bot.sandbox.world import World

PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call that reached a service. ``status`` is 0 while, or where, no answer was sent."""

    number: int
    at: datetime
    service: str
    method: str
    path: str
    person: str
    units: int
    searches: int
    status: int
    committed: bool  # whether it changed a playlist
    fault: str  # empty when nothing went wrong on purpose


class Books:
    """Kept beside the world and as durable as it. Safe to use from any thread."""

    def __init__(self, world: World) -> None:
        self._world, self._store = world, world.store
        self._spent: dict[date, tuple[int, int]] = {}
        for request in self.requests("youtube"):
            self._spend(pacific_day(request.at), Price(request.units, request.searches))

    # Kept by the front door

    def affords(self, price: Price) -> bool:
        """Whether today's quota covers the price."""
        units, searches = self._spent.get(self._today(), (0, 0))
        switches = self._world.switches
        return units + price.units <= switches.youtube_units and searches + price.searches <= switches.youtube_searches

    def open(self, service: str, call: Call, person: str, price: Price) -> int:
        """Enter a call and charge it; returns its number."""
        now = self._world.now()
        self._spend(pacific_day(now), price)
        row = (now.isoformat(), service, call.method, call.path, person, price.units, price.searches)
        cursor = self._store.execute(
            "INSERT INTO requests (at, service, method, path, person, units, searches, status, committed, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '')",
            row,
        )
        return int(cursor.lastrowid or 0)

    def close(self, number: int, *, status: int, committed: bool, fault: str) -> None:
        """Enter how a call ended."""
        self._store.execute(
            "UPDATE requests SET status = ?, committed = ?, fault = ? WHERE number = ?",
            (status, committed, fault, number),
        )

    # Read by tests

    def requests(self, service: str | None = None, *, method: str | None = None, path: str = "") -> list[Request]:
        """Calls in the order of arrival; ``path`` is a part of the path."""
        with self._world.lock:
            rows = self._store.execute(
                "SELECT number, at, service, method, path, person, units, searches, status, committed, fault"
                " FROM requests WHERE (?1 IS NULL OR service = ?1) AND (?2 IS NULL OR method = ?2)"
                " AND instr(path, ?3) ORDER BY number",
                (service, method, path),
            ).fetchall()
        return [_request(row) for row in rows]

    def writes(self, playlist: str | None = None, *, hand: Hand | None = None) -> list[Write]:
        """Committed changes in order, of one playlist or of all, by people, by the app, or by both."""
        with self._world.lock:
            rows = self._store.execute(
                "SELECT number, at, service, playlist, action, media, hand FROM writes"
                " WHERE (?1 IS NULL OR playlist = ?1) AND (?2 IS NULL OR hand = ?2) ORDER BY number",
                (playlist, hand),
            ).fetchall()
        return [_write(row) for row in rows]

    def duplicates(self, playlist: str | None = None) -> dict[tuple[str, str], int]:
        """Surplus copies by (playlist, uri or video id): those beyond one, and beyond what people put there."""
        surplus: dict[tuple[str, str], int] = {}
        for state in self._states(playlist):
            by_people = Counter(entry.media for entry in state.entries if entry.hand is Hand.PERSON)
            for media, count in Counter(state.media).items():
                if count > max(1, by_people[media]):
                    surplus[state.id, media] = count - max(1, by_people[media])
        return surplus

    def doubled_songs(self, playlist: str) -> dict[str, int]:
        """Surplus copies by track id where a YouTube playlist holds one recording more than once."""
        songs: Counter[str] = Counter()
        for video_id in self._world.youtube_items(playlist):
            songs.update(sorted(self._world.right_tracks(video_id))[:1])
        return {track: count - 1 for track, count in songs.items() if count > 1}

    def losses(self, playlist: str | None = None) -> dict[tuple[str, str], int]:
        """Missing copies by (playlist, uri or video id): put there by people, not removed by them, and gone."""
        lost: dict[tuple[str, str], int] = {}
        for playlist_id in {write.playlist for write in self.writes(playlist)}:
            state = self._world.playlist(playlist_id)
            held = Counter(state.media if state else ())
            for media, count in self._left_by_people(playlist_id).items():
                if held[media] < count:
                    lost[playlist_id, media] = count - held[media]
        return lost

    def missing(self, source: str, destination: str) -> list[str]:
        """Tracks or videos of ``source`` that have no right counterpart in ``destination``, on the other service."""
        if source_items := self._world.spotify.truth(source):
            there = set(self._world.youtube_items(destination))
            tracks = self._world.spotify_items(source_items.id)
            return [track for track in tracks if not there & self._world.right_videos(track)]
        there = set(self._world.spotify_items(destination))
        return [video for video in self._world.youtube_items(source) if not there & self._world.right_tracks(video)]

    def units(self, day: date | None = None) -> int:
        """YouTube units spent on a Pacific day, today if none is given."""
        return self._spent.get(day or self._today(), (0, 0))[0]

    def searches(self, day: date | None = None) -> int:
        """YouTube searches spent on a Pacific day, today if none is given."""
        return self._spent.get(day or self._today(), (0, 0))[1]

    def days(self) -> dict[date, tuple[int, int]]:
        """Units and searches by Pacific day."""
        return dict(self._spent)

    def spotify_calls(self, within: timedelta | None = None) -> int:
        """Calls of Spotify's Web API, all or of the last ``within``; sign-in calls are not counted."""
        since = None if within is None else self._world.now() - within
        return sum(since is None or request.at > since for request in self.requests("spotify"))

    def summary(self) -> dict[str, Any]:
        """The books in short, for the control door."""
        return {
            "duplicates": [[*key, count] for key, count in self.duplicates().items()],
            "losses": [[*key, count] for key, count in self.losses().items()],
            "days": {day.isoformat(): {"units": u, "searches": s} for day, (u, s) in self._spent.items()},
            "youtube_units": self.units(),
            "youtube_searches": self.searches(),
            "spotify_calls": self.spotify_calls(),
            "writes": [asdict(write) | {"at": write.at.isoformat()} for write in self.writes(hand=Hand.APP)],
            "requests": [asdict(request) | {"at": request.at.isoformat()} for request in self.requests()],
        }

    # Inside

    def _today(self) -> date:
        return pacific_day(self._world.now())

    def _spend(self, day: date, price: Price) -> None:
        units, searches = self._spent.get(day, (0, 0))
        self._spent[day] = (units + price.units, searches + price.searches)

    def _states(self, playlist: str | None) -> list[Any]:
        with self._world.lock:
            if playlist is not None:
                return [state for state in [self._world.playlist(playlist)] if state]
            return [*self._world.spotify.all_true(), *self._world.youtube.all_true()]

    def _left_by_people(self, playlist: str) -> Counter[str]:
        """How many copies people put there and did not take away again."""
        left: Counter[str] = Counter()
        for write in self.writes(playlist, hand=Hand.PERSON):
            if write.action in ("create", "insert"):
                left.update(write.media)
            elif write.action == "remove":
                left.subtract(write.media)
            elif write.action == "delete":
                left.clear()
            elif write.action == "reissue":
                old, new = write.media
                left[new] += left.pop(old, 0)
        return left


def pacific_day(at: datetime) -> date:
    """The day on which YouTube books a call: it begins at midnight in Los Angeles."""
    return at.astimezone(PACIFIC).date()


def _request(row: tuple[Any, ...]) -> Request:
    number, at, service, method, path, person, units, searches, status, committed, fault = row
    return Request(
        number=number,
        at=datetime.fromisoformat(at),
        service=service,
        method=method,
        path=path,
        person=person,
        units=units,
        searches=searches,
        status=status,
        committed=bool(committed),
        fault=fault,
    )


def _write(row: tuple[Any, ...]) -> Write:
    number, at, service, playlist, action, media, hand = row
    return Write(
        number=number,
        at=datetime.fromisoformat(at),
        service=service,
        playlist=playlist,
        action=action,
        media=tuple(json.loads(media)),
        hand=Hand(hand),
    )
