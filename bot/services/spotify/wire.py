"""Spotify's JSON read into our words, in the shape of 2026 and in the older one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.model.music import LIKED, LIKED_NAME, LIKED_URL, PlaylistEntry, PlaylistInfo, Profile, Service, Track
from bot.services.protocol import DetailOf, Details

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a playlist: usable entries, how many were not usable, and how many places it covered."""

    entries: tuple[PlaylistEntry, ...]
    skipped: int
    size: int
    total: int | None
    more: bool  # whether another page follows, as far as the answer tells without its total


def profile(me: Json) -> Profile:
    """Accounts are linked by ``account_id``, which never changes; older answers have only ``id``."""
    account_id = _text(me, "account_id") or _text(me, "id")
    return Profile(
        service=Service.SPOTIFY,
        account_id=account_id,
        display_name=_text(me, "display_name") or _text(me, "id") or account_id,
        url=_text(_object(me, "external_urls"), "spotify"),
    )


def user_ids(me: Json) -> frozenset[str]:
    """Every id under which the person may stand as a playlist's owner."""
    return frozenset(filter(None, (_text(me, "account_id"), _text(me, "id"))))


def playlist(found: Json, own_ids: frozenset[str], fetched_at: datetime) -> PlaylistInfo:
    """``own_ids`` decide what is writable: our own playlists, and those shared for writing."""
    owner = owner_ids(found)
    external_id = _text(found, "id")
    return PlaylistInfo(
        service=Service.SPOTIFY,
        external_id=external_id,
        name=_text(found, "name"),
        owner_id=_text(_object(found, "owner"), "id"),
        url=_text(_object(found, "external_urls"), "spotify") or f"https://open.spotify.com/playlist/{external_id}",
        item_count=_count(found),
        change_token=_text(found, "snapshot_id"),
        writable=bool(owner & own_ids) or found.get("collaborative") is True,
        fetched_at=fetched_at,
    )


def owner_ids(found: Json) -> frozenset[str]:
    return user_ids(_object(found, "owner"))


def liked(answer: Json, account: str, fetched_at: datetime) -> PlaylistInfo:
    """The liked songs of ``account`` as a playlist, from the first page of ``/me/tracks``.

    They have no snapshot id: their number and the newest of them stand for it. What is liked with a time of long ago
    while another one goes leaves both as they were, so that this is a hint only.
    """
    total = answer.get("total")
    newest = "\n".join(_liking(item) for item in _list(answer, "items"))
    return PlaylistInfo(
        service=Service.SPOTIFY,
        external_id=LIKED,
        name=LIKED_NAME,
        owner_id=account,
        url=LIKED_URL,
        item_count=total if isinstance(total, int) else None,
        change_token=f"liked:{total}:{hashlib.sha256(newest.encode()).hexdigest()[:32]}",
        writable=False,
        fetched_at=fetched_at,
    )


def oldest_first(entries: Sequence[PlaylistEntry], places: int) -> tuple[PlaylistEntry, ...]:
    """Liked songs turned round: Spotify tells the newest first, and a playlist grows at its end."""
    return tuple(replace(entry, position=places - 1 - entry.position) for entry in reversed(entries))


def _liking(item: object) -> str:
    """What was liked when, for the token; what is no track counts with its time."""
    if not isinstance(item, dict):
        return ""
    held = _object(item, "item") or _object(item, "track")
    return f"{_text(item, 'added_at')} {_text(held, 'id')}"


def page(answer: Json, offset: int, fetched_at: datetime) -> Page:
    """Entries keep the place that they have over all entries, so nulls, episodes and local files count too."""
    items = _list(answer, "items")
    entries = []
    for index, item in enumerate(items):
        found = entry_track(item, fetched_at)
        if found is not None:
            entries.append(
                PlaylistEntry(
                    position=offset + index,
                    track=found,
                    added_at=_moment(_text(item, "added_at")),
                    added_by=_text(_object(item, "added_by"), "id"),
                )
            )
    total = answer.get("total")
    return Page(
        entries=tuple(entries),
        skipped=len(items) - len(entries),
        size=len(items),
        total=total if isinstance(total, int) else None,
        more=bool(answer.get("next")),
    )


def entry_track(item: object, fetched_at: datetime) -> Track | None:
    """The track of a playlist's entry; None for what is no track that could be put elsewhere."""
    if not isinstance(item, dict):
        return None
    for key in ("item", "track"):
        found = item.get(key)
        if isinstance(found, dict):  # "track" is also a flag of episodes
            return None if item.get("is_local") else track(found, fetched_at)
    return None


def track(found: object, fetched_at: datetime, *, from_isrc: bool = False) -> Track | None:
    """None for an episode, a local file, or something without an id."""
    if not isinstance(found, dict):
        return None
    # Spotify plays another recording where the wanted one is missing; the playlist holds the original.
    external_id = _text(_object(found, "linked_from"), "id") or _text(found, "id")
    if not external_id or found.get("is_local") or found.get("type", "track") != "track":
        return None
    album = _object(found, "album")
    duration = found.get("duration_ms")
    explicit = found.get("explicit")
    number = found.get("track_number")
    isrc = _text(_object(found, "external_ids"), "isrc")
    return Track(
        service=Service.SPOTIFY,
        external_id=external_id,
        title=_text(found, "name"),
        artists=tuple(filter(None, (_text(artist, "name") for artist in _list(found, "artists") if artist))),
        album=_text(album, "name") or None,
        duration=duration / 1000 if isinstance(duration, int | float) and duration else None,
        isrc=isrc.upper() or None,
        explicit=explicit if isinstance(explicit, bool) else None,
        release_date=_text(album, "release_date") or None,
        track_number=number if isinstance(number, int) else None,
        available=found.get("is_playable") is not False,
        artist_ids=tuple(filter(None, (_text(artist, "id") for artist in _list(found, "artists") if artist))),
        album_id=_text(album, "id") or None,
        from_isrc=from_isrc,
        fetched_at=fetched_at,
    )


def found_tracks(answer: Json, fetched_at: datetime, *, from_isrc: bool) -> list[Track]:
    """The tracks of a search's answer, in its order."""
    items = _list(_object(answer, "tracks"), "items")
    found = (track(item, fetched_at, from_isrc=from_isrc) for item in items)
    return [one for one in found if one is not None]


def details(of: DetailOf, answer: Json) -> dict[str, Details]:
    """What a batch get tells, by id; ids that Spotify does not know come as null."""
    found = [one for one in _list(answer, of.value) if isinstance(one, dict) and _text(one, "id")]
    return {_text(one, "id"): _details(one) for one in found}


def _details(one: Json) -> Details:
    popularity, genres = one.get("popularity"), one.get("genres")
    return Details(
        popularity=popularity if isinstance(popularity, int) and 0 <= popularity <= 100 else None,
        genres=tuple(each for each in genres if isinstance(each, str)) if isinstance(genres, list) else None,
        released=_text(one, "release_date") or None,
    )


def _count(found: Json) -> int | None:
    for key in ("items", "tracks"):
        total = _object(found, key).get("total")
        if isinstance(total, int):
            return total
    return None


def _object(found: Json, key: str) -> Json:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _list(found: Json, key: str) -> list[Any]:
    value = found.get(key)
    return value if isinstance(value, list) else []


def _moment(text: str) -> datetime | None:
    """An RFC 3339 time. None where there is none, or the epoch, which stands for it in very old playlists."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and moment.timestamp() > 0 else None


def _text(found: Json, key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""
