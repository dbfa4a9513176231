"""The YouTube Data API v3: channels, playlists, their items, videos, search, and what each call costs."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from bot.sandbox import people
from bot.sandbox import youtube_shapes as shapes
from bot.sandbox.people import Person
from bot.sandbox.shelf import Entry, Hand, Playlist
from bot.sandbox.wire import Answer, Call, Price, Refusal, Routes
from bot.sandbox.world import World
from bot.sandbox.youtube_shapes import Json, refuse

ROOT = "/youtube/v3"
WRITE_UNITS = 50
READ_UNITS = 1
PAGE_LIMIT = 50
PLAYLIST_LIMIT = 5_000
SPECIAL = frozenset({"WL", "LL", "HL"})  # Watch later, Likes, History

_FULL = frozenset({"https://www.googleapis.com/auth/youtube", "https://www.googleapis.com/auth/youtube.force-ssl"})
_READ = _FULL | {"https://www.googleapis.com/auth/youtube.readonly"}


class YouTubeApi:
    """Answers every call below ``/youtube/v3``. Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes = Routes(
            ("GET", f"{ROOT}/channels", self._channels),
            ("GET", f"{ROOT}/playlists", self._playlists),
            ("POST", f"{ROOT}/playlists", self._create),
            ("PUT", f"{ROOT}/playlists", self._change),
            ("DELETE", f"{ROOT}/playlists", self._delete),
            ("GET", f"{ROOT}/playlistItems", self._items),
            ("POST", f"{ROOT}/playlistItems", self._insert),
            ("PUT", f"{ROOT}/playlistItems", self._move),
            ("DELETE", f"{ROOT}/playlistItems", self._remove),
            ("GET", f"{ROOT}/videos", self._videos),
            ("GET", f"{ROOT}/search", self._search),
        )

    def price(self, call: Call) -> Price:
        """Units by method; searches have a bucket of their own. Invalid calls cost the same."""
        if call.path == f"{ROOT}/search":
            return Price(searches=1)
        return Price(units=READ_UNITS if call.method == "GET" else WRITE_UNITS)

    def answer(self, call: Call, *, paid: bool) -> Answer:
        person = self._caller(call)
        if not paid:
            raise shapes.over_quota()
        found = self._routes.find(call.method, call.path)
        if found is None:
            raise refuse(404, "notFound", "Not Found", domain="global")
        if call.method != "DELETE" and not call.query.get("part"):
            raise _missing("part")
        handler, _ = found
        answer = handler(call, person)
        etag = answer.body.get("etag") if isinstance(answer.body, dict) else None
        if call.method == "GET" and etag and call.headers.get("if-none-match") == etag:
            return Answer(status=304)
        return answer

    # Admission

    def _caller(self, call: Call) -> Person:
        grant, _ = self._world.consents.holder("google", call.bearer or "")
        if grant is None:
            raise refuse(
                401,
                "authError" if call.bearer else "required",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                "valid authentication credential.",
                domain="global",
                location="Authorization",
                locationType="header",
            )
        if not (_READ if call.method == "GET" else _FULL) & set(grant.scopes):
            raise refuse(
                403,
                "insufficientPermissions",
                "Request had insufficient authentication scopes.",
                domain="global",
            )
        return people.PEOPLE[grant.person]

    def _with_channel(self, person: Person) -> None:
        if not person.has_channel:
            raise refuse(401, "youtubeSignupRequired", "Unauthorized", domain="youtube.header")

    # Channels

    def _channels(self, call: Call, person: Person) -> Answer:
        if call.query.get("mine") == "true":
            found = [person] if person.has_channel else []
        elif wanted := _listed(call, "id"):
            found = [other for other in people.PEOPLE.values() if other.channel_id in wanted and other.has_channel]
        else:
            raise _missing_filter()
        rows = [shapes.channel(each, _listed(call, "part")) for each in found]
        return Answer(body=shapes.listing("channelListResponse", rows, size=5, offset=0, total=len(rows)))

    # Playlists

    def _playlists(self, call: Call, person: Person) -> Answer:
        if call.query.get("mine") == "true":
            self._with_channel(person)
            found = [state for state in reversed(self._world.youtube.all_seen()) if state.owner == person.key]
        elif wanted := _listed(call, "id"):
            states = (self._world.youtube.seen(playlist_id) for playlist_id in wanted)
            found = [state for state in states if state and self._may_read(person, state)]
        elif owner := call.query.get("channelId"):
            found = [
                state
                for state in reversed(self._world.youtube.all_seen())
                if people.PEOPLE[state.owner].channel_id == owner and state.privacy == "public"
            ]
        else:
            raise _missing_filter()
        size, offset = _window(call)
        rows = [shapes.playlist(state, _listed(call, "part")) for state in found[offset : offset + size]]
        return Answer(body=shapes.listing("playlistListResponse", rows, size=size, offset=offset, total=len(found)))

    def _create(self, call: Call, person: Person) -> Answer:
        self._with_channel(person)
        snippet, status = _part(call, "snippet"), _part(call, "status")
        state = Playlist(
            service="youtube",
            id=self._world.new_playlist_id("youtube"),
            owner=person.key,
            name=_title(snippet),
            description=snippet.get("description", ""),
            privacy=_privacy(status.get("privacyStatus", "public")),
            created_at=self._world.now(),
        )
        state = self._world.youtube.create(state, (), Hand.APP)
        return Answer(body=shapes.playlist(state, _listed(call, "part")))

    def _change(self, call: Call, person: Person) -> Answer:
        state = self._own(call.fields.get("id", ""), person, "youtube.playlist")
        snippet, status = _part(call, "snippet"), _part(call, "status")
        facts: Json = {"name": _title(snippet), "description": snippet.get("description", "")}
        if "privacyStatus" in status:
            facts["privacy"] = _privacy(status["privacyStatus"])
        state = self._world.youtube.edit(state, Hand.APP, **facts)
        return Answer(body=shapes.playlist(state, _listed(call, "part")))

    def _delete(self, call: Call, person: Person) -> Answer:
        self._world.youtube.delete(self._own(call.query.get("id", ""), person, "youtube.playlist"), Hand.APP)
        return Answer(status=204)

    # Items

    def _items(self, call: Call, person: Person) -> Answer:
        size, offset = _window(call)
        if wanted := _listed(call, "id"):
            found = [place for key in wanted if (place := self._seen_item(key, person))]
        elif playlist_id := call.query.get("playlistId"):
            found = self._rows(playlist_id, person)
        else:
            raise _missing_filter()
        if video_id := call.query.get("videoId"):
            found = [place for place in found if place[1].media == video_id]
        parts = _listed(call, "part")
        rows = [self._item_json(*place, parts) for place in found[offset : offset + size]]
        return Answer(body=shapes.listing("playlistItemListResponse", rows, size=size, offset=offset, total=len(found)))

    def _rows(self, playlist_id: str, person: Person) -> list[tuple[Playlist, Entry, int]]:
        if playlist_id in SPECIAL:  # Google shows them empty to everybody since 2016
            return []
        state = self._world.youtube.seen(playlist_id)
        if state is None:
            raise _no_playlist()
        if not self._may_read(person, state):
            raise refuse(
                403,
                "playlistItemsNotAccessible",
                "The request is not properly authorized to retrieve the specified playlist.",
            )
        return [(state, row, place) for place, row in enumerate(state.entries)]

    def _insert(self, call: Call, person: Person) -> Answer:
        self._with_channel(person)
        snippet = _part(call, "snippet")
        video_id = self._playable(snippet)
        state = self._own(snippet.get("playlistId", ""), person)
        position = self._position(state, snippet, len(state.entries))
        if len(state.entries) >= PLAYLIST_LIMIT:
            message = "Playlist contains maximum number of items."
            raise refuse(403, "playlistContainsMaximumNumberOfVideos", message)
        if state.refuses_duplicates and video_id in state.media:
            raise refuse(
                409, "videoAlreadyInPlaylist", "The video that you are trying to add is already in the playlist."
            )
        state = self._world.youtube.insert(state, [video_id], position, person.key, Hand.APP)
        return Answer(body=self._item_json(state, state.entries[position], position, _listed(call, "part")))

    def _move(self, call: Call, person: Person) -> Answer:
        snippet = _part(call, "snippet")
        state, row, start = self._own_item(call.fields.get("id", ""), person)
        if snippet.get("playlistId") != state.id:
            raise refuse(400, "playlistIdRequired", "The playlist id is missing or does not hold the item.")
        if _video_id(snippet) != row.media:
            raise refuse(400, "resourceIdRequired", "The resource id is missing or is not the item's.")
        target = self._position(state, snippet, start, last=len(state.entries) - 1)
        if target != start:
            state = self._world.youtube.move(state, start, 1, target + (target > start), Hand.APP)
        return Answer(body=self._item_json(state, row, target, _listed(call, "part")))

    def _remove(self, call: Call, person: Person) -> Answer:
        state, row, _ = self._own_item(call.query.get("id", ""), person)
        self._world.youtube.remove(state, [row.key], Hand.APP)
        return Answer(status=204)

    def _playable(self, snippet: Json) -> str:
        """The video id of a resource, if the video is there to be added."""
        video_id = _video_id(snippet)
        if not self._world.has_video(video_id) or self._world.video_status(video_id) == "deleted":
            raise refuse(404, "videoNotFound", "Video not found.")
        if self._world.video_status(video_id) == "private":
            raise refuse(400, "failedPrecondition", "Precondition check failed.")
        return video_id

    def _position(self, state: Playlist, snippet: Json, default: int, last: int | None = None) -> int:
        """The position asked for, or ``default``; refused beyond ``last`` or where YouTube sorts by itself."""
        position = snippet.get("position")
        if position is None:
            return default
        if state.sorted_by_service:
            message = "Playlist sort type must be set to 'manual' to be able to add items with position."
            raise refuse(400, "manualSortRequired", message)
        if not isinstance(position, int) or not 0 <= position <= (len(state.entries) if last is None else last):
            raise refuse(
                400,
                "invalidPlaylistItemPosition",
                "The request attempts to set the playlist item's position to an invalid value.",
            )
        return position

    # Videos

    def _videos(self, call: Call, person: Person) -> Answer:
        wanted = _listed(call, "id")
        if not wanted:
            raise _missing_filter()
        if len(wanted) > PAGE_LIMIT:
            raise refuse(
                400, "invalidFilters", "The request specifies an invalid filter parameter.", domain="youtube.parameter"
            )
        there = (each for each in dict.fromkeys(wanted) if self._world.has_video(each))
        shown = [each for each in there if self._world.video_status(each) == "public"]
        rows = [shapes.video_json(self._world.video(each), _listed(call, "part")) for each in shown]
        return Answer(body=shapes.listing("videoListResponse", rows, size=max(1, len(rows)), offset=0, total=len(rows)))

    def _search(self, call: Call, person: Person) -> Answer:
        size, offset = _window(call)
        query, kinds = call.query.get("q", ""), _listed(call, "type")
        found = self._world.search_videos(query, 150) if not kinds or "video" in kinds else []
        rows = [shapes.search_result(video) for video in found[offset : offset + size]]
        body = shapes.listing("searchListResponse", rows, size=size, offset=offset, total=len(found))
        return Answer(body=body | {"regionCode": "GB"})

    # Shared

    def _may_read(self, person: Person, state: Playlist) -> bool:
        return state.owner == person.key or state.privacy in ("public", "unlisted")

    def _own(self, playlist_id: object, person: Person, domain: str = "youtube.playlistItem") -> Playlist:
        """The committed state of a playlist that the caller may change."""
        if not playlist_id:
            raise refuse(400, "playlistIdRequired", "The playlist id is missing.", domain=domain)
        if playlist_id in SPECIAL:
            raise refuse(
                400, "playlistOperationUnsupported", "The playlist does not support this operation.", domain=domain
            )
        self._with_channel(person)
        state = self._world.youtube.truth(str(playlist_id))
        if state is None:
            raise _no_playlist(domain)
        if state.owner != person.key:
            reason = "playlistForbidden" if domain == "youtube.playlist" else "playlistItemsNotAccessible"
            raise refuse(403, reason, "The request is not properly authorized to change this playlist.", domain=domain)
        return state

    def _own_item(self, key: object, person: Person) -> tuple[Playlist, Entry, int]:
        if not key:
            raise _missing("id")
        state = self._world.youtube.truth(_playlist_of(str(key)) or "")
        place = _place(state, str(key))
        if state is None or place is None:
            raise refuse(404, "playlistItemNotFound", "Playlist item not found.")
        return self._own(state.id, person), state.entries[place], place

    def _seen_item(self, key: str, person: Person) -> tuple[Playlist, Entry, int] | None:
        state = self._world.youtube.seen(_playlist_of(key) or "")
        place = _place(state, key)
        if state is None or place is None or not self._may_read(person, state):
            return None
        return state, state.entries[place], place

    def _item_json(self, state: Playlist, row: Entry, place: int, parts: Sequence[str]) -> Json:
        assert row.media is not None  # YouTube's playlists know no null entries
        status = self._world.video_status(row.media)
        return shapes.playlist_item(state, row, place, self._world.video(row.media), status, parts)


def _listed(call: Call, name: str) -> list[str]:
    """The values of a parameter, given with commas or several times."""
    return [value.strip() for given in call.repeated.get(name, ()) for value in given.split(",") if value.strip()]


def _window(call: Call) -> tuple[int, int]:
    """Size and start of a page."""
    given = call.query.get("maxResults", "5")
    if not given.isdecimal() or not 0 <= int(given) <= PAGE_LIMIT:
        raise refuse(
            400, "invalidValue", f"Invalid value '{given}'. Values must be within the range: [0, 50]", domain="global"
        )
    return max(1, int(given)), shapes.offset_of(call.query["pageToken"]) if call.query.get("pageToken") else 0


def _part(call: Call, name: str) -> dict[str, Any]:
    value = call.fields.get(name, {})
    return value if isinstance(value, dict) else {}


def _title(snippet: Json) -> str:
    title = snippet.get("title")
    if not isinstance(title, str) or not title.strip():
        raise refuse(
            400, "playlistTitleRequired", "The request must specify a playlist title.", domain="youtube.playlist"
        )
    if len(title) > 150:
        raise refuse(400, "invalidPlaylistSnippet", "The playlist snippet is invalid.", domain="youtube.playlist")
    return title


def _privacy(word: object) -> str:
    if word not in ("public", "private", "unlisted"):
        raise refuse(400, "invalidPrivacyStatus", "The privacy status is invalid.", domain="youtube.playlist")
    return str(word)


def _video_id(snippet: Json) -> str:
    resource = snippet.get("resourceId")
    if not isinstance(resource, dict) or not resource.get("videoId"):
        raise refuse(400, "resourceIdRequired", "The resource id is missing.")
    return str(resource["videoId"])


def _playlist_of(key: str) -> str | None:
    """The playlist whose id stands in an item's id."""
    try:
        return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode().rpartition(".")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None  # nothing that YouTube ever gave out; the caller answers "not found"


def _place(state: Playlist | None, key: str) -> int | None:
    return next((place for place, row in enumerate(state.entries if state else ()) if row.key == key), None)


def _no_playlist(domain: str = "youtube.playlistItem") -> Refusal:
    message = "The playlist identified with the request's <code>playlistId</code> parameter cannot be found."
    return refuse(404, "playlistNotFound", message, domain=domain, location="playlistId", locationType="parameter")


def _missing(name: str) -> Refusal:
    message = f"Required parameter: {name}"
    return refuse(400, "required", message, domain="global", location=name, locationType="parameter")


def _missing_filter() -> Refusal:
    message = "No filter selected. Expected one of: id, mine, playlistId"
    return refuse(400, "missingRequiredParameter", message, domain="youtube.parameter")
