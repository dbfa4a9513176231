"""ListenBrainz and MusicBrainz, as far as genres are asked of them: identification, tags, their limits and refusals."""

import re
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox import genres, ids
from bot.sandbox.catalogue import Track
from bot.sandbox.wire import Answer, Call, Price, Refusal
from bot.sandbox.world import World

Json = dict[str, Any]

LOOKUPS = 50  # MAX_LOOKUPS_PER_POST of ListenBrainz
RECORDINGS = 1000  # its MAX_ITEMS_PER_GET
QUERY_LENGTH = 250
WINDOW, IN_WINDOW = timedelta(seconds=10), 30
SEARCH_LIMIT = 100  # of MusicBrainz
UNKNOWN = 0.04  # share of the recordings that the volunteers have not entered yet
_CONTACT = re.compile(r"\S+/\S+ \( ?\S+ ?\)")
_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]")
_NAMESPACE = uuid.UUID("8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11")
_AGENT = "Requests need a User-Agent with the application's name, version and contact."


class ListenBrainz:
    """Answers below ``/listenbrainz/1``. Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._recent: deque[datetime] = deque()

    def price(self, call: Call) -> Price:
        return Price()

    def answer(self, call: Call, *, paid: bool) -> Answer:
        headers = self._limited(call)
        handlers: dict[str, Callable[[Call], Any]] = {
            "/listenbrainz/1/metadata/lookup": self._lookup,
            "/listenbrainz/1/metadata/recording": self._recordings,
        }
        handler = handlers.get(call.path)
        if handler is None or call.method != "POST":
            raise _said(404, "The requested URL was not found on the server.")
        return Answer(body=handler(call), headers=headers)

    def _limited(self, call: Call) -> dict[str, str]:
        if not _CONTACT.search(call.headers.get("user-agent", "")):
            raise _said(403, _AGENT)
        now = self._world.now()
        while self._recent and self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        ends = (self._recent[0] if self._recent else now) + WINDOW
        left = IN_WINDOW - len(self._recent)
        headers = {
            "X-RateLimit-Limit": str(IN_WINDOW),
            "X-RateLimit-Remaining": str(max(0, left - 1)),
            "X-RateLimit-Reset-In": str(max(1, round((ends - now).total_seconds()))),
        }
        if left <= 0:
            raise Refusal(Answer(status=429, body={"code": 429, "error": "Too many requests"}, headers=headers))
        self._recent.append(now)
        return headers

    def _lookup(self, call: Call) -> list[Json]:
        token = call.headers.get("authorization", "")
        if self._world.switches.listenbrainz_needs_token and not token.startswith("Token "):
            raise _said(401, "You need to provide an Authorization header.")
        wanted = call.fields.get("recordings")
        if not isinstance(wanted, list) or not wanted:
            raise _said(400, "recordings is invalid or not present in body")
        if len(wanted) > LOOKUPS:
            raise _said(400, f"Number of recordings in request body exceeds maximum permitted. ({LOOKUPS})")
        return [self._found(index, one) for index, one in enumerate(wanted)]

    def _found(self, index: int, wanted: Json) -> Json:
        artist, title = str(wanted.get("artist_name") or ""), str(wanted.get("recording_name") or "")
        if not artist or not title:
            raise _said(400, f"Recording {index} artist_name or recording_name is invalid or not present")
        if len(artist) + len(title) + len(wanted.get("release_name") or "") > QUERY_LENGTH:
            raise _said(400, f"Recording {index} total number of characters must be less than {QUERY_LENGTH}")
        asked = {"artist_name_arg": artist, "recording_name_arg": title, "release_name_arg": None, "index": index}
        track = next((one for one in self._world.tracks if _same(one, artist, title) and _entered(one)), None)
        if track is None:
            return asked
        return asked | {
            "recording_mbid": mbid("recording", track),
            "recording_name": track.title,
            "release_mbid": mbid("release", track),
            "release_name": track.album,
            "artist_credit_name": " & ".join(track.artists),
            "artist_mbids": [_uuid("artist", name) for name in track.artists],
            "artist_credit_id": track.number + 1,
        }

    def _recordings(self, call: Call) -> Json:
        wanted = call.fields.get("recording_mbids")
        if not isinstance(wanted, list) or not wanted:
            raise _said(400, "At least one valid recording_mbid must be present.")
        if len(wanted) > RECORDINGS:
            raise _said(400, f"Maximum number of recordings_mbids that can be fetched at once is {RECORDINGS}")
        known = {mbid("recording", track): track for track in self._world.tracks}
        incs = str(call.fields.get("inc") or "").split()
        return {each: _metadata(known[each], incs) for each in wanted if each in known}


class MusicBrainz:
    """Answers the search of recordings below ``/musicbrainz/ws/2``. Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last: datetime | None = None

    def price(self, call: Call) -> Price:
        return Price()

    def answer(self, call: Call, *, paid: bool) -> Answer:
        if not _CONTACT.search(call.headers.get("user-agent", "")):
            raise Refusal(Answer(status=403, body={"error": _AGENT}))
        now = self._world.now()
        if self._last is not None and now < self._last + timedelta(seconds=1):
            body = {"error": "Your requests are exceeding the allowable rate limit."}
            raise Refusal(Answer(status=503, body=body, headers={"Retry-After": "5"}))
        self._last = now
        if (call.method, call.path) != ("GET", "/musicbrainz/ws/2/recording") or call.query.get("fmt") != "json":
            raise Refusal(Answer(status=404, body={"error": "Not Found"}))
        limit = int(call.query.get("limit", "25"))
        if limit > SEARCH_LIMIT:
            raise Refusal(Answer(status=400, body={"error": "Invalid limit"}))
        isrcs = re.findall(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", call.query.get("query", "").upper())
        found = [track for track in self._world.tracks if track.isrc in isrcs and _entered(track)]
        rows = [_recording(track) for track in found[:limit]]
        return Answer(body={"created": now.isoformat(), "count": len(found), "offset": 0, "recordings": rows})


def mbid(kind: str, track: Track) -> str:
    """The MusicBrainz id of a track's recording or release."""
    return _uuid(kind, f"{track.title} {track.artists[0]}")


def _uuid(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {name}"))


def _entered(track: Track) -> bool:
    return ids.fraction("musicbrainz", track.title, *track.artists) >= UNKNOWN


def _same(track: Track, artist: str, title: str) -> bool:
    return _plain(track.title) == _plain(title) and _plain(artist) in map(
        _plain, (*track.artists, " ".join(track.artists))
    )


def _plain(text: str) -> str:
    """Letters and digits only; what stands in brackets is no part of a name, as for their matcher."""
    named = _BRACKETS.sub("", text) or text
    return "".join(sign for sign in named.casefold() if sign.isalnum())


def _metadata(track: Track, incs: list[str]) -> Json:
    found: Json = {"recording": {"name": track.title, "length": track.length_ms, "rels": []}}
    if "tag" in incs:
        found["tag"] = {
            "recording": [_tag(genre, 3) for genre in genres.of_track(track)[:1]],
            "artist": [
                {"artist_mbid": _uuid("artist", name), **_tag(genre, 9 - place)}
                for name in track.artists
                for place, genre in enumerate(genres.of_artist(name))
            ]
            + [{"artist_mbid": _uuid("artist", track.artists[0]), "count": 2, "tag": "seen live"}],
            "release_group": [],
        }
    if "release" in incs:
        found["release"] = {"name": track.album, "mbid": mbid("release", track), "year": int(track.released[:4])}
    return found


def _tag(genre: str, count: int) -> Json:
    return {"tag": genre, "count": count, "genre_mbid": _uuid("genre", genre)}


def _recording(track: Track) -> Json:
    row: Json = {
        "id": mbid("recording", track),
        "score": 100,
        "title": track.title,
        "length": track.length_ms,
        "video": None,
        "artist-credit": [
            {"name": name, "artist": {"id": _uuid("artist", name), "name": name}} for name in track.artists
        ],
        "first-release-date": track.released,
        "releases": [{"id": mbid("release", track), "title": track.album, "date": track.released}],
        "isrcs": [track.isrc],
    }
    named = genres.of_track(track)
    return row | {"tags": [{"count": 1, "name": genre} for genre in named]} if named else row


def _said(status: int, message: str) -> Refusal:
    """ListenBrainz's error body."""
    return Refusal(Answer(status=status, body={"code": status, "error": message}))
