"""YouTube's JSON: how the simulated service words channels, playlists, items, videos, pages and errors."""

import base64
import binascii
import html
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bot.sandbox import ids
from bot.sandbox.people import PEOPLE, Person
from bot.sandbox.shelf import Entry, Playlist
from bot.sandbox.videos import Video
from bot.sandbox.wire import Answer, Refusal

Json = dict[str, Any]

_STATUS_WORDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def refuse(status: int, reason: str, message: str, *, domain: str = "youtube.playlistItem", **more: str) -> Refusal:
    """Google's error body; ``more`` goes into the single error: location, locationType."""
    single = {"message": message, "domain": domain, "reason": reason, **more}
    error: Json = {"code": status, "message": message, "errors": [single]}
    if domain != "youtube.quota" and status in _STATUS_WORDS:
        error["status"] = _STATUS_WORDS[status]
    return Refusal(Answer(status=status, body={"error": error}))


def over_quota() -> Refusal:
    """What comes until midnight in Los Angeles once the day's share is spent."""
    message = (
        "The request cannot be completed because you have exceeded your "
        '<a href="/youtube/v3/getting-started#quota">quota</a>.'
    )
    return refuse(403, "quotaExceeded", message, domain="youtube.quota")


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def escaped(text: str) -> str:
    """A title as ``search.list`` gives it."""
    return html.escape(text, quote=True).replace("&#x27;", "&#39;")


def duration(seconds: int) -> str:
    """ISO 8601, without the parts that are zero: PT3M5S, PT1H."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if value]
    return "PT" + ("".join(parts) or "0S")


def page_token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"PT:{offset}".encode()).decode().rstrip("=")


def offset_of(token: str) -> int:
    """Where the page of a token starts. Refuses what no answer ever gave."""
    try:
        mark, _, offset = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
        if mark == "PT" and offset.isdecimal():
            return int(offset)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass  # no token of ours: refused below like a readable one with nonsense in it
    raise refuse(
        400,
        "invalidPageToken",
        "The request specifies an invalid page token.",
        domain="youtube.parameter",
        location="pageToken",
        locationType="parameter",
    )


def listing(kind: str, rows: Sequence[Json], *, size: int, offset: int, total: int) -> Json:
    """One page of a list response."""
    body: Json = {"kind": f"youtube#{kind}", "etag": ids.etag(kind, *(row["etag"] for row in rows), total)}
    if offset + size < total:
        body["nextPageToken"] = page_token(offset + size)
    if offset:
        body["prevPageToken"] = page_token(max(0, offset - size))
    return body | {"pageInfo": {"totalResults": total, "resultsPerPage": size}, "items": list(rows)}


def _resource(kind: str, identity: str, version: object, parts: Collection[str], **all_parts: Json) -> Json:
    head: Json = {"kind": f"youtube#{kind}", "etag": ids.etag(kind, identity, version), "id": identity}
    return head | {name: value for name, value in all_parts.items() if name in parts}


def _thumbnails(identity: str) -> Json:
    return {"default": {"url": f"https://i.ytimg.com/vi/{identity}/default.jpg", "width": 120, "height": 90}}


def channel(person: Person, parts: Collection[str]) -> Json:
    snippet = {
        "title": person.name,
        "description": "",
        "customUrl": f"@{person.key}",
        "publishedAt": "2012-05-01T12:00:00Z",
        "thumbnails": {},
        "localized": {"title": person.name, "description": ""},
    }
    related = {"relatedPlaylists": {"likes": "LL", "uploads": "UU" + person.channel_id[2:]}}
    return _resource("channel", person.channel_id, 1, parts, snippet=snippet, contentDetails=related)


def playlist(state: Playlist, parts: Collection[str]) -> Json:
    owner = PEOPLE[state.owner]
    snippet = {
        "publishedAt": instant(state.created_at),
        "channelId": owner.channel_id,
        "title": state.name,
        "description": state.description,
        "thumbnails": _thumbnails(state.media[0]) if state.media else {},
        "channelTitle": owner.name,
        "localized": {"title": state.name, "description": state.description},
    }
    return _resource(
        "playlist",
        state.id,
        state.revision,
        parts,
        snippet=snippet,
        status={"privacyStatus": state.privacy},
        contentDetails={"itemCount": len(state.entries)},
    )


def playlist_item(
    state: Playlist, row: Entry, position: int, video: Video, status: str, parts: Collection[str]
) -> Json:
    """A row of a playlist. A video that is gone leaves its id and a title that says so."""
    owner = PEOPLE[state.owner]
    snippet: Json = {
        "publishedAt": instant(row.added_at),
        "channelId": owner.channel_id,
        "title": video.title,
        "description": video.description,
        "thumbnails": _thumbnails(video.id),
        "channelTitle": owner.name,
        "playlistId": state.id,
        "position": position,
        "resourceId": {"kind": "youtube#video", "videoId": video.id},
    }
    details = {"videoId": video.id}
    if status == "public":
        snippet |= {"videoOwnerChannelTitle": video.channel, "videoOwnerChannelId": video.channel_id}
        details["videoPublishedAt"] = video.published
    else:
        word = {"deleted": "unavailable", "private": "private"}[status]
        snippet |= {
            "title": f"{status.capitalize()} video",
            "description": f"This video is {word}.",
            "thumbnails": {},
        }
    privacy = {"deleted": "privacyStatusUnspecified"}.get(status, status)
    return _resource(
        "playlistItem",
        row.key,
        (position, status),
        parts,
        snippet=snippet,
        contentDetails=details,
        status={"privacyStatus": privacy},
    )


def _video_snippet(video: Video) -> Json:
    return {
        "publishedAt": video.published,
        "channelId": video.channel_id,
        "title": video.title,
        "description": video.description,
        "thumbnails": _thumbnails(video.id),
        "channelTitle": video.channel,
        "liveBroadcastContent": "none",
    }


def video_json(video: Video, parts: Collection[str]) -> Json:
    snippet = _video_snippet(video) | {
        "categoryId": "10",
        "localized": {"title": video.title, "description": video.description},
    }
    details = {
        "duration": duration(video.seconds),
        "dimension": "2d",
        "definition": "hd",
        "caption": "false",
        "licensedContent": video.right,
        "contentRating": {},
        "projection": "rectangular",
    }
    status = {
        "uploadStatus": "processed",
        "privacyStatus": "public",
        "license": "youtube",
        "embeddable": True,
        "publicStatsViewable": True,
        "madeForKids": False,
    }
    counts = {"viewCount": str(video.views), "likeCount": str(video.views // 60), "favoriteCount": "0"}
    return _resource(
        "video", video.id, 1, parts, snippet=snippet, contentDetails=details, status=status, statistics=counts
    )


def search_result(video: Video) -> Json:
    """A result of ``search.list``: titles escaped for HTML, and no duration."""
    snippet = _video_snippet(video)
    snippet |= {
        "title": escaped(video.title),
        "channelTitle": escaped(video.channel),
        "description": escaped(video.description[:120]),
        "publishTime": video.published,
    }
    return {
        "kind": "youtube#searchResult",
        "etag": ids.etag("searchResult", video.id),
        "id": {"kind": "youtube#video", "videoId": video.id},
        "snippet": snippet,
    }
