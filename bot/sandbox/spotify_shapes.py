"""Spotify's JSON: how the simulated service words people, tracks, playlists, pages and errors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bot.sandbox import ids
from bot.sandbox.catalogue import Track, artist_id
from bot.sandbox.people import PEOPLE, Person
from bot.sandbox.shelf import Entry, Playlist
from bot.sandbox.wire import Answer, Refusal
from bot.sandbox.world import EPISODE

Json = dict[str, Any]


def refuse(
    status: int, message: str, *, reason: str | None = None, headers: Mapping[str, str] | None = None
) -> Refusal:
    """Spotify's error body."""
    error: Json = {"status": status, "message": message}
    if reason:
        error["reason"] = reason
    return Refusal(Answer(status=status, body={"error": error}, headers=headers or {}))


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _reference(origin: str, kind: str, identity: str) -> Json:
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{identity}"},
        "href": f"{origin}/v1/{kind}s/{identity}",
        "id": identity,
        "type": kind,
        "uri": f"spotify:{kind}:{identity}",
    }


def user(origin: str, person: Person) -> Json:
    """A person as others see them."""
    return {"display_name": person.name, **_reference(origin, "user", person.spotify_id)}


def me(origin: str, person: Person) -> Json:
    """A person as they see themselves: without mail address, country and product since 2026."""
    return {**user(origin, person), "account_id": person.spotify_account_id, "images": []}


def artist(origin: str, name: str) -> Json:
    return {"name": name, **_reference(origin, "artist", artist_id(name))}


def album(origin: str, track: Track, size: int) -> Json:
    """The album of a track, ``size`` tracks long."""
    return {
        "album_type": "album" if size > 1 or track.album not in track.title else "single",
        "artists": [artist(origin, track.artists[0])],
        "images": [],
        "name": track.album,
        "release_date": track.released,
        "release_date_precision": {4: "year", 7: "month"}.get(len(track.released), "day"),
        "total_tracks": size,
        **_reference(origin, "album", track.album_id),
    }


def track_json(origin: str, track: Track, place: int, size: int) -> Json:
    """A track, the ``place``-th of its album's ``size``."""
    return {
        "album": album(origin, track, size),
        "artists": [artist(origin, name) for name in track.artists],
        "disc_number": 1,
        "duration_ms": track.length_ms,
        "explicit": track.explicit,
        "external_ids": {"isrc": track.isrc} if track.isrc else {},
        "is_local": False,
        "is_playable": True,
        "name": track.title,
        "preview_url": None,
        "track_number": place,
        **_reference(origin, "track", track.id),
    }


def popularity(track: Track) -> int:
    return round(100 * ids.fraction("popularity", track.title, *track.artists))


def episode(origin: str) -> Json:
    """The one podcast episode of the simulated world."""
    return {
        "name": "Kitchen radio",
        "description": "An hour about soup.",
        "duration_ms": 3_612_000,
        "explicit": False,
        "is_playable": True,
        "languages": ["en"],
        "release_date": "2024-03-02",
        "release_date_precision": "day",
        **_reference(origin, "episode", EPISODE.rsplit(":", 1)[1]),
    }


def local(uri: str) -> Json:
    """A file on somebody's own disk: no id, and nothing that could be added elsewhere."""
    artist_name, album_name, title, seconds = (
        part.replace("+", " ").replace("%23", "#") for part in uri.split(":")[2:]
    )
    return {
        "album": {"album_type": None, "artists": [], "id": None, "name": album_name, "type": "album", "uri": None},
        "artists": [{"id": None, "name": artist_name, "type": "artist", "uri": None}],
        "duration_ms": int(seconds) * 1000,
        "explicit": False,
        "external_ids": {},
        "id": None,
        "is_local": True,
        "name": title,
        "type": "track",
        "uri": uri,
    }


def entry(origin: str, row: Entry, item: Json | None, *, legacy: bool) -> Json:
    """One row of a playlist; ``item`` is None where the release is gone."""
    return {
        "added_at": instant(row.added_at),
        "added_by": _reference(origin, "user", PEOPLE[row.added_by].spotify_id),
        "is_local": bool(item and item.get("is_local")),
        "primary_color": None,
        "track" if legacy else "item": item,
    }


def playlist(origin: str, state: Playlist, items: Json | None, *, legacy: bool) -> Json:
    """A playlist; ``items`` is a page of rows, or the number of them, or None where the caller may not read them."""
    shown = {
        "collaborative": state.collaborative,
        "description": state.description,
        "images": [],
        "name": state.name,
        "owner": user(origin, PEOPLE[state.owner]),
        "primary_color": None,
        "public": state.privacy == "public",
        "snapshot_id": ids.snapshot(state.id, state.revision),
        **_reference(origin, "playlist", state.id),
    }
    return shown if items is None else {**shown, "tracks" if legacy else "items": items}


def page(url: str, query: Mapping[str, str], items: Sequence[Any], *, limit: int, offset: int, total: int) -> Json:
    """A page of a longer list, with the addresses of its neighbours."""

    def at(start: int) -> str:
        return f"{url}?{urlencode({**query, 'offset': start, 'limit': limit})}"

    return {
        "href": at(offset),
        "items": list(items),
        "limit": limit,
        "next": at(offset + limit) if offset + limit < total else None,
        "offset": offset,
        "previous": at(max(0, offset - limit)) if offset else None,
        "total": total,
    }
