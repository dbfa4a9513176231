"""YouTube's JSON read into our words."""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.model.music import CandidateKind, PlaylistEntry, PlaylistInfo, Profile, Service, Track

Json = Mapping[str, Any]

# YouTube names the channels of audio releases "Artist - Topic".
_TOPIC = re.compile(r"\s+[-–]\s+Topic$")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_SECONDS = (604_800, 86_400, 3_600, 60, 1)
# Entries whose video is gone keep their place; only these titles are left of them.
_GONE_TITLES = frozenset({"Deleted video", "Private video"})
_GONE_PRIVACY = frozenset({"private", "privacyStatusUnspecified"})
_GONE_UPLOADS = frozenset({"deleted", "failed", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a playlist: its videos, how many entries were none, how many places it covered, what comes next."""

    entries: tuple[PlaylistEntry, ...]
    skipped: int
    size: int
    next_token: str


def profile(channel: Json) -> Profile:
    """The person's own channel, which is what playlists belong to."""
    channel_id = _text(channel, "id")
    return Profile(
        service=Service.YOUTUBE,
        account_id=channel_id,
        display_name=_text(_object(channel, "snippet"), "title") or channel_id,
        url=f"https://www.youtube.com/channel/{channel_id}",
    )


def playlist(found: Json, own_channel: str, fetched_at: datetime) -> PlaylistInfo:
    """``own_channel`` decides what is writable. The etag is only a hint that something changed."""
    snippet = _object(found, "snippet")
    external_id = _text(found, "id")
    owner = _text(snippet, "channelId")
    count = _object(found, "contentDetails").get("itemCount")
    return PlaylistInfo(
        service=Service.YOUTUBE,
        external_id=external_id,
        name=_text(snippet, "title"),
        owner_id=owner,
        url=f"https://www.youtube.com/playlist?list={external_id}",
        item_count=count if isinstance(count, int) else None,
        change_token=_text(found, "etag"),
        writable=owner == own_channel,
        fetched_at=fetched_at,
    )


def page(answer: Json, offset: int, fetched_at: datetime) -> Page:
    """Entries in the order of the answer, which is the playlist's; their place is counted over all entries."""
    found = items(answer)
    entries = []
    for index, item in enumerate(found):
        track = entry_track(item, fetched_at)
        if track is not None:
            added_at = _moment(_text(_object(item, "snippet"), "publishedAt"))
            entries.append(
                PlaylistEntry(position=offset + index, track=track, entry_id=_text(item, "id"), added_at=added_at)
            )
    return Page(
        entries=tuple(entries),
        skipped=len(found) - len(entries),
        size=len(found),
        next_token=_text(answer, "nextPageToken"),
    )


def entry_track(item: Json, fetched_at: datetime) -> Track | None:
    """The video of a playlist's entry, without its length; None where the entry is no video."""
    snippet = _object(item, "snippet")
    video_id = _text(_object(snippet, "resourceId"), "videoId") or _text(_object(item, "contentDetails"), "videoId")
    if not video_id:
        return None
    title = _text(snippet, "title")
    privacy = _text(_object(item, "status"), "privacyStatus")
    gone = title in _GONE_TITLES and not _text(snippet, "videoOwnerChannelTitle")
    return _track(
        video_id,
        title,
        _text(snippet, "videoOwnerChannelTitle"),
        fetched_at,
        available=not gone and privacy not in _GONE_PRIVACY,
    )


def video(found: Json, fetched_at: datetime) -> Track:
    """A video of ``videos.list``, with its length where the part was asked for."""
    snippet = _object(found, "snippet")
    status = _object(found, "status")
    gone = _text(status, "uploadStatus") in _GONE_UPLOADS or _text(status, "privacyStatus") in _GONE_PRIVACY
    track = _track(
        _text(found, "id"), _text(snippet, "title"), _text(snippet, "channelTitle"), fetched_at, available=not gone
    )
    views = _text(_object(found, "statistics"), "viewCount")
    return replace(
        track,
        duration=seconds(_text(_object(found, "contentDetails"), "duration")),
        views=int(views) if views.isdecimal() else None,
    )


def found_videos(answer: Json, fetched_at: datetime) -> list[Track]:
    """The videos of a search, which come HTML-escaped and without their length."""
    tracks = []
    for item in items(answer):
        video_id = _text(_object(item, "id"), "videoId")
        if video_id:
            snippet = _object(item, "snippet")
            title, channel = (html.unescape(_text(snippet, key)) for key in ("title", "channelTitle"))
            tracks.append(_track(video_id, title, channel, fetched_at, available=True))
    return tracks


def completed(tracks: Iterable[Track], details: Mapping[str, Track]) -> list[Track]:
    """The tracks with length, views and availability of ``details``; a video that is not there is not available."""
    full = []
    for track in tracks:
        known = details.get(track.external_id)
        if known is None:
            full.append(replace(track, available=False))
            continue
        full.append(
            replace(
                track,
                duration=known.duration,
                views=known.views if known.views is not None else track.views,
                available=track.available and known.available,
            )
        )
    return full


def seconds(text: str) -> float | None:
    """An ISO 8601 length in seconds; None where there is none, as for a live broadcast."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    total = sum(float(part) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True) if part)
    return total or None


def items(answer: Json) -> list[Json]:
    found = answer.get("items")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _track(video_id: str, title: str, channel: str, fetched_at: datetime, *, available: bool) -> Track:
    topic = _TOPIC.search(channel)
    return Track(
        service=Service.YOUTUBE,
        external_id=video_id,
        title=title,
        artists=(channel[: topic.start()],) if topic else (),
        channel=channel or None,
        kind=CandidateKind.SONG if topic else CandidateKind.VIDEO,
        available=available,
        fetched_at=fetched_at,
    )


def _object(found: Json, key: str) -> Json:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _moment(text: str) -> datetime | None:
    """An RFC 3339 time; None where there is none that can be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _text(found: Json, key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""
