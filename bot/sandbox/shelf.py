"""The playlists of one service: their true state, what readers see of it yet, and the writes that led there."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.sandbox import ids
from bot.sandbox.store import Store


class Hand(StrEnum):
    APP = "app"  # through the API, by the program under test
    PERSON = "person"  # in the service's own app


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of a playlist. ``media`` is a Spotify uri or a YouTube video id; None is Spotify's null entry."""

    key: str
    media: str | None
    added_at: datetime
    added_by: str
    hand: Hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """One state of a playlist of either service; ``owner`` is a person's key, ``privacy`` YouTube's word for it."""

    service: str
    id: str
    owner: str
    name: str
    description: str = ""
    privacy: str = "private"
    collaborative: bool = False
    collaborators: tuple[str, ...] = ()
    followers: tuple[str, ...] = ()
    editorial: bool = False  # made by Spotify: answers 404 since 2024
    liked: bool = False  # a person's liked songs, which are no playlist to the API
    refuses_duplicates: bool = False  # YouTube: answers 409 to a video that it holds already
    sorted_by_service: bool = False  # YouTube: not sorted by hand, so a position is refused
    created_at: datetime
    revision: int = 1
    deleted: bool = False
    entries: tuple[Entry, ...] = ()

    @property
    def media(self) -> list[str]:
        """What it holds, in order; null entries are left out."""
        return [entry.media for entry in self.entries if entry.media is not None]

    def with_entries(self, entries: Iterable[Entry]) -> "Playlist":
        return replace(self, entries=tuple(entries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One committed change of a playlist."""

    number: int
    at: datetime
    service: str
    playlist: str
    action: str  # create, insert, remove, move, replace, edit, delete, reissue
    media: tuple[str, ...]
    hand: Hand


class Shelf:
    """Playlists of one service by id. Callers hold the world's lock."""

    def __init__(self, service: str, store: Store, now: Callable[[], datetime], lag: float) -> None:
        self._service, self._store, self._now = service, store, now
        self._lag = timedelta(seconds=lag)
        self._true: dict[str, Playlist] = {}
        self._seen: dict[str, Playlist] = {}
        self._unseen: dict[str, list[tuple[datetime, Playlist]]] = {}
        self.commits = 0
        for key, value in store.load(f"playlist.{service}").items():
            self._true[key] = self._seen[key] = _playlist_of(value)

    def truth(self, playlist_id: str) -> Playlist | None:
        """The committed state, whatever readers see yet; None when there is none or it was deleted."""
        playlist = self._true.get(playlist_id)
        return None if playlist is None or playlist.deleted else playlist

    def seen(self, playlist_id: str) -> Playlist | None:
        """The state that readers see now. A fresh playlist is found by its id at once, as its creator needs it."""
        self._settle(playlist_id)
        if playlist := self._seen.get(playlist_id):
            return None if playlist.deleted else playlist
        waiting = self._unseen.get(playlist_id)
        return waiting[0][1] if waiting else None

    def all_true(self) -> list[Playlist]:
        """Every playlist in its committed state, oldest first."""
        return [playlist for playlist in self._true.values() if not playlist.deleted]

    def all_seen(self) -> list[Playlist]:
        """Every playlist that readers see now, oldest first."""
        for playlist_id in list(self._unseen):
            self._settle(playlist_id)
        return [playlist for playlist in self._seen.values() if not playlist.deleted]

    def create(self, playlist: Playlist, media: Sequence[str | None], hand: Hand) -> Playlist:
        """Put a new playlist on the shelf, filled with ``media`` by its owner."""
        entries = self._entries(playlist, media, playlist.owner, hand)
        return self._commit(playlist.with_entries(entries), "create", media, hand)

    def insert(self, playlist: Playlist, media: Sequence[str | None], position: int, by: str, hand: Hand) -> Playlist:
        """Add in order from ``position`` on."""
        new = self._entries(playlist, media, by, hand)
        entries = (*playlist.entries[:position], *new, *playlist.entries[position:])
        return self._commit(playlist.with_entries(entries), "insert", media, hand)

    def remove(self, playlist: Playlist, keys: Iterable[str], hand: Hand) -> Playlist:
        """Take out the entries with these keys."""
        gone = set(keys)
        left = [entry for entry in playlist.entries if entry.key not in gone]
        media = [entry.media for entry in playlist.entries if entry.key in gone]
        return self._commit(playlist.with_entries(left), "remove", media, hand)

    def replace(self, playlist: Playlist, media: Sequence[str], by: str, hand: Hand) -> Playlist:
        """Let it hold ``media`` and nothing else."""
        return self._commit(playlist.with_entries(self._entries(playlist, media, by, hand)), "replace", media, hand)

    def move(self, playlist: Playlist, start: int, length: int, before: int, hand: Hand) -> Playlist:
        """Put ``length`` entries from ``start`` in front of what stands at ``before`` (counted before the move)."""
        moved = playlist.entries[start : start + length]
        rest = [*playlist.entries[:start], *playlist.entries[start + length :]]
        target = before - length if before > start else before
        entries = (*rest[:target], *moved, *rest[target:])
        return self._commit(playlist.with_entries(entries), "move", [entry.media for entry in moved], hand)

    def edit(self, playlist: Playlist, hand: Hand, **facts: Any) -> Playlist:
        """Change name, description, privacy and the like."""
        return self._commit(replace(playlist, **facts), "edit", (), hand)

    def delete(self, playlist: Playlist, hand: Hand) -> None:
        self._commit(replace(playlist, deleted=True), "delete", playlist.media, hand)

    def reissue(self, playlist: Playlist, old: str, new: str) -> Playlist:
        """Show ``new`` wherever ``old`` stands: the service itself swapped the release."""
        entries = [replace(entry, media=new) if entry.media == old else entry for entry in playlist.entries]
        return self._commit(playlist.with_entries(entries), "reissue", (old, new), Hand.PERSON)

    def touch(self, playlist: Playlist) -> Playlist:
        """Give it a new change token without a change, as the services do at times."""
        return self._commit(playlist, "edit", (), Hand.PERSON)

    def _entries(self, playlist: Playlist, media: Sequence[str | None], by: str, hand: Hand) -> list[Entry]:
        now = self._now()
        return [
            Entry(
                key=ids.playlist_item(playlist.id, playlist.revision, number),
                media=item,
                added_at=now,
                added_by=by,
                hand=hand,
            )
            for number, item in enumerate(media)
        ]

    def _commit(self, playlist: Playlist, action: str, media: Iterable[str | None], hand: Hand) -> Playlist:
        now = self._now()
        playlist = replace(playlist, revision=playlist.revision + 1)
        with self._store.transaction():
            self._store.save(f"playlist.{self._service}", playlist.id, _document(playlist))
            self._store.execute(
                "INSERT INTO writes (at, service, playlist, action, media, hand) VALUES (?, ?, ?, ?, ?, ?)",
                (now.isoformat(), self._service, playlist.id, action, json.dumps([m for m in media if m]), hand),
            )
        self._true[playlist.id] = playlist
        self.commits += 1
        if self._lag:
            self._unseen.setdefault(playlist.id, []).append((now + self._lag, playlist))
        else:
            self._seen[playlist.id] = playlist
        return playlist

    def _settle(self, playlist_id: str) -> None:
        """Let readers see what was committed longer ago than the lag."""
        waiting = self._unseen.get(playlist_id, [])
        while waiting and waiting[0][0] <= self._now():
            self._seen[playlist_id] = waiting.pop(0)[1]
        if not waiting:
            self._unseen.pop(playlist_id, None)


def _document(playlist: Playlist) -> dict[str, Any]:
    value = {field.name: getattr(playlist, field.name) for field in fields(playlist)}
    value["created_at"] = playlist.created_at.isoformat()
    value["entries"] = [
        [entry.key, entry.media, entry.added_at.isoformat(), entry.added_by, entry.hand] for entry in playlist.entries
    ]
    return value


def _playlist_of(value: dict[str, Any]) -> Playlist:
    entries = tuple(
        Entry(key=key, media=media, added_at=datetime.fromisoformat(at), added_by=by, hand=Hand(hand))
        for key, media, at, by, hand in value["entries"]
    )
    facts = value | {
        "entries": entries,
        "created_at": datetime.fromisoformat(value["created_at"]),
        "collaborators": tuple(value["collaborators"]),
        "followers": tuple(value["followers"]),
    }
    return Playlist(**facts)
