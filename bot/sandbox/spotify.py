"""Spotify's Web API as an app in development mode meets it since 2026."""

import re
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox import genres, ids, people
from bot.sandbox import spotify_shapes as shapes
from bot.sandbox.catalogue import Track
from bot.sandbox.people import Person
from bot.sandbox.shelf import Entry, Hand, Playlist
from bot.sandbox.spotify_shapes import Json, refuse
from bot.sandbox.wire import Answer, Call, Price, Routes
from bot.sandbox.world import EPISODE, World

PAGE_LIMIT = 50
WRITE_LIMIT = 100
SEARCH_LIMIT = 10
PLAYLIST_LIMIT = 10_000

_GONE = re.compile(
    r"/v1/(?:(?:artists|albums|recommendations|audio-features|audio-analysis)(?:/[^/]+)?"
    r"|artists/[^/]+/(?:top-tracks|related-artists)|users/[^/]+/playlists|playlists/[^/]+/(?:tracks|followers)"
    r"|browse/.*)"
)


class Session:
    """Who calls, with what right."""

    def __init__(self, person: Person, scopes: tuple[str, ...]) -> None:
        self.person, self._scopes = person, scopes

    def needs(self, scope: str) -> None:
        """Refuse the call unless the consent covers ``scope``."""
        if scope not in self._scopes:
            raise refuse(403, "Insufficient client scope")

    def needs_reading(self, state: Playlist) -> None:
        """Refuse the call unless the consent covers reading what is not public."""
        if state.privacy != "public":
            self.needs("playlist-read-collaborative" if state.collaborative else "playlist-read-private")

    def may_write(self, state: Playlist) -> bool:
        return self.person.key == state.owner or self.person.key in state.collaborators

    def may_see(self, state: Playlist) -> bool:
        return self.may_write(state) or state.privacy == "public" or self.person.key in state.followers


class SpotifyApi:
    """Answers every call below ``/v1``. Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._recent: deque[datetime] = deque()
        self._routes = Routes(
            ("GET", "/v1/me", self._me),
            ("GET", "/v1/me/playlists", self._my_playlists),
            ("POST", "/v1/me/playlists", self._create),
            ("GET", "/v1/me/tracks", self._my_tracks),
            ("PUT", "/v1/me/library", self._library_add),
            ("DELETE", "/v1/me/library", self._library_remove),
            ("GET", "/v1/playlists/{playlist_id}", self._playlist),
            ("PUT", "/v1/playlists/{playlist_id}", self._change),
            ("GET", "/v1/playlists/{playlist_id}/items", self._items),
            ("POST", "/v1/playlists/{playlist_id}/items", self._add),
            ("PUT", "/v1/playlists/{playlist_id}/items", self._replace_or_reorder),
            ("DELETE", "/v1/playlists/{playlist_id}/items", self._remove),
            ("GET", "/v1/tracks", self._tracks),
            ("GET", "/v1/tracks/{track_id}", self._track),
            ("GET", "/v1/artists", self._artists),
            ("GET", "/v1/artists/{artist_id}", self._artist),
            ("GET", "/v1/albums", self._albums),
            ("GET", "/v1/albums/{album_id}", self._album),
            ("GET", "/v1/search", self._search),
        )

    def price(self, call: Call) -> Price:
        """Calls of Spotify cost nothing but their number."""
        return Price()

    def answer(self, call: Call, *, paid: bool) -> Answer:
        self._limit_rate()
        session = self._session(call)
        found = self._routes.find(call.method, call.path)
        if found is None:
            gone = _GONE.fullmatch(call.path)
            raise refuse(403, "Forbidden") if gone else refuse(404, "Service not found")
        handler, names = found
        return handler(call, session, **names)

    # Admission

    def _limit_rate(self) -> None:
        now, switches = self._world.now(), self._world.switches
        while self._recent and self._recent[0] <= now - timedelta(days=1):
            self._recent.popleft()
        if switches.spotify_calls_per_day is not None and len(self._recent) >= switches.spotify_calls_per_day:
            wait = self._recent[0] + timedelta(days=1) - now
            raise refuse(429, "Quota exceeded", reason="QUOTA_EXCEEDED", headers=_retry_after(wait))
        window = [at for at in self._recent if at > now - timedelta(seconds=30)]
        if switches.spotify_calls_per_30s is not None and len(window) >= switches.spotify_calls_per_30s:
            wait = window[0] + timedelta(seconds=30) - now
            raise refuse(429, "API rate limit exceeded", headers=_retry_after(wait))
        self._recent.append(now)

    def _session(self, call: Call) -> Session:
        if call.bearer is None:
            raise refuse(401, "No token provided")
        grant, too_old = self._world.consents.holder("spotify", call.bearer)
        if grant is None:
            raise refuse(401, "The access token expired" if too_old else "Invalid access token")
        person = people.PEOPLE[grant.person]
        if not person.listed:
            raise refuse(403, "User not registered in the Developer Dashboard")
        return Session(person, grant.scopes)

    # People

    def _me(self, call: Call, session: Session) -> Answer:
        return Answer(body=shapes.me(call.origin, session.person))

    def _my_playlists(self, call: Call, session: Session) -> Answer:
        session.needs("playlist-read-private")
        limit, offset = _window(call)
        mine = [
            state
            for state in reversed(self._world.spotify.all_seen())
            if not state.liked and (session.may_write(state) or session.person.key in state.followers)
        ]
        rows = [self._playlist_json(call, state, self._count(call, state)) for state in mine[offset : offset + limit]]
        return self._page(call, rows, limit, offset, len(mine))

    def _my_tracks(self, call: Call, session: Session) -> Answer:
        session.needs("user-library-read")
        limit, offset = _window(call)
        liked = self._world.spotify.seen(f"liked.{session.person.key}")
        rows = liked.entries if liked else ()
        shown = [
            {"added_at": shapes.instant(row.added_at), "track": self._item_json(call, row)}
            for row in rows[offset : offset + limit]
        ]
        return self._page(call, shown, limit, offset, len(rows))

    def _library_add(self, call: Call, session: Session) -> Answer:
        session.needs("user-library-modify")
        for uri in _uris(call):
            _, kind, identity = _parsed(uri)
            if kind == "playlist":
                state = self._visible(session, identity)
                self._world.spotify.edit(state, Hand.APP, followers=(*state.followers, session.person.key))
            elif uri not in (liked := self._world.liked(session.person.key)).media:
                self._world.spotify.insert(liked, [self._addable(uri)], 0, session.person.key, Hand.APP)
        return Answer()

    def _library_remove(self, call: Call, session: Session) -> Answer:
        session.needs("user-library-modify")
        for uri in _uris(call):
            _, kind, identity = _parsed(uri)
            if kind == "playlist":
                self._let_go(self._visible(session, identity), session)
            else:
                liked = self._world.liked(session.person.key)
                keys = [row.key for row in liked.entries if row.media == uri]
                self._world.spotify.remove(liked, keys, Hand.APP)
        return Answer()

    def _let_go(self, state: Playlist, session: Session) -> None:
        """Unfollow; for the owner that is deleting."""
        if state.owner == session.person.key:
            self._world.spotify.delete(state, Hand.APP)
        else:
            left = tuple(key for key in state.followers if key != session.person.key)
            self._world.spotify.edit(state, Hand.APP, followers=left)

    # Playlists

    def _create(self, call: Call, session: Session) -> Answer:
        name, public = call.fields.get("name"), call.fields.get("public", True)
        session.needs(_modify_scope(public=bool(public)))
        if not isinstance(name, str) or not name.strip():
            raise refuse(400, "Missing required field: name")
        state = Playlist(
            service="spotify",
            id=self._world.new_playlist_id("spotify"),
            owner=session.person.key,
            name=name,
            description=call.fields.get("description") or "",
            privacy="public" if public else "private",
            collaborative=bool(call.fields.get("collaborative", False)),
            created_at=self._world.now(),
        )
        state = self._world.spotify.create(state, (), Hand.APP)
        return Answer(status=201, body=self._playlist_json(call, state, self._rows(call, state, 100, 0)))

    def _playlist(self, call: Call, session: Session, playlist_id: str) -> Answer:
        state = self._visible(session, playlist_id)
        readable = session.may_write(state)
        if readable:
            session.needs_reading(state)
        return Answer(body=self._playlist_json(call, state, self._rows(call, state, 100, 0) if readable else None))

    def _change(self, call: Call, session: Session, playlist_id: str) -> Answer:
        state = self._writable(session, playlist_id)
        if state.owner != session.person.key:
            raise refuse(403, "You cannot change the details of a playlist you don't own")
        wanted = call.fields
        facts: Json = {key: wanted[key] for key in ("name", "description", "collaborative") if key in wanted}
        if "public" in wanted:
            facts["privacy"] = "public" if wanted["public"] else "private"
        if not facts or facts.get("name") == "":
            raise refuse(400, "Error parsing JSON.")
        self._world.spotify.edit(state, Hand.APP, **facts)
        return Answer()

    def _items(self, call: Call, session: Session, playlist_id: str) -> Answer:
        limit, offset = _window(call)
        state = self._visible(session, playlist_id)
        if not session.may_write(state):
            raise refuse(403, "Forbidden")
        session.needs_reading(state)
        return Answer(body=self._rows(call, state, limit, offset))

    def _add(self, call: Call, session: Session, playlist_id: str) -> Answer:
        state = self._writable(session, playlist_id)
        uris = _uris(call)
        if not uris:
            raise refuse(400, "No uris provided")
        media = [self._addable(uri) for uri in uris]
        position = _whole(call.query.get("position", call.fields.get("position")), len(state.entries), "position")
        if not 0 <= position <= len(state.entries):
            raise refuse(400, "Index out of bounds")
        if len(state.entries) + len(media) > PLAYLIST_LIMIT:
            raise refuse(400, "Playlist size limit reached")
        state = self._world.spotify.insert(state, media, position, session.person.key, Hand.APP)
        return _written(state, 201)

    def _replace_or_reorder(self, call: Call, session: Session, playlist_id: str) -> Answer:
        state = self._writable(session, playlist_id)
        if "range_start" not in call.fields:
            media = [self._addable(uri) for uri in _uris(call)]
            return _written(self._world.spotify.replace(state, media, session.person.key, Hand.APP))
        start = _whole(call.fields["range_start"], 0, "range_start")
        before = _whole(call.fields.get("insert_before"), -1, "insert_before")
        length = _whole(call.fields.get("range_length"), 1, "range_length")
        size = len(state.entries)
        if not (0 <= start < size and 0 <= before <= size and length >= 1 and start + length <= size):
            raise refuse(400, "Index out of bounds")
        if start <= before <= start + length:  # it stands there already
            return _written(state)
        return _written(self._world.spotify.move(state, start, length, before, Hand.APP))

    def _remove(self, call: Call, session: Session, playlist_id: str) -> Answer:
        """Every occurrence goes, whatever ``positions`` says."""
        state = self._writable(session, playlist_id)
        rows = call.fields.get("items", call.fields.get("tracks"))
        if not isinstance(rows, list) or not rows:
            raise refuse(400, "No items provided")
        if len(rows) > WRITE_LIMIT:
            raise refuse(400, f"You can remove a maximum of {WRITE_LIMIT} items per request.")
        gone = {_parsed(row.get("uri") if isinstance(row, dict) else row)[0] for row in rows}
        keys = [row.key for row in state.entries if row.media in gone]
        return _written(self._world.spotify.remove(state, keys, Hand.APP) if keys else state)

    # Catalogue

    def _track(self, call: Call, session: Session, track_id: str) -> Answer:
        return Answer(body=self._track_json(call, self._known_track(track_id)))

    def _tracks(self, call: Call, session: Session) -> Answer:
        """A batch get, with the popularity that others are no longer told."""
        known = (self._world.catalogue.by_id.get(track_id) for track_id in self._batch(call, 50))
        rows = [track and {**self._track_json(call, track), "popularity": shapes.popularity(track)} for track in known]
        return Answer(body={"tracks": rows})

    def _artists(self, call: Call, session: Session) -> Answer:
        names = (self._world.catalogue.artists.get(artist_id) for artist_id in self._batch(call, 50))
        rows = [name and {**shapes.artist(call.origin, name), "genres": list(genres.of_artist(name))} for name in names]
        return Answer(body={"artists": rows})

    def _albums(self, call: Call, session: Session) -> Answer:
        known = (self._world.catalogue.by_album.get(album_id) for album_id in self._batch(call, 20))
        rows = [tracks and {**shapes.album(call.origin, tracks[0], len(tracks)), "genres": []} for tracks in known]
        return Answer(body={"albums": rows})

    def _batch(self, call: Call, most: int) -> list[str]:
        """The ids of a batch get, which only apps with extended quota keep."""
        if not self._world.switches.extended_quota:
            raise refuse(403, "Forbidden")
        wanted = call.query.get("ids", "").split(",")
        if len(wanted) > most:
            raise refuse(400, "Too many ids requested")
        return wanted

    def _artist(self, call: Call, session: Session, artist_id: str) -> Answer:
        name = self._world.catalogue.artists.get(artist_id)
        if name is None:
            raise refuse(404, "Resource not found")
        return Answer(body={**shapes.artist(call.origin, name), "genres": [], "images": []})

    def _album(self, call: Call, session: Session, album_id: str) -> Answer:
        tracks = self._world.catalogue.by_album.get(album_id)
        if tracks is None:
            raise refuse(404, "Resource not found")
        rows = [self._track_json(call, track) for track in tracks]
        url = f"{call.origin}{call.path}/tracks"
        body = shapes.album(call.origin, tracks[0], len(tracks))
        body |= {"copyrights": [], "external_ids": {}, "genres": []}
        body["tracks"] = shapes.page(
            url, {}, [_without(row, "album", "external_ids") for row in rows], limit=50, offset=0, total=len(rows)
        )
        return Answer(body=body)

    def _search(self, call: Call, session: Session) -> Answer:
        query = call.query.get("q", "").strip()
        if not query:
            raise refuse(400, "No search query")
        limit = _whole(call.query.get("limit"), 5, "limit")
        offset = _whole(call.query.get("offset"), 0, "offset")
        if not 1 <= limit <= SEARCH_LIMIT:
            raise refuse(400, "Invalid limit")
        if not 0 <= offset <= 1000:
            raise refuse(400, "Invalid offset")
        if "track" not in call.query.get("type", "").split(","):
            raise refuse(400, "Bad search type field" if call.query.get("type") else "Missing parameter type")
        found = self._found(query)
        rows = [self._track_json(call, track) for track in found[offset : offset + limit]]
        query_left = _without(dict(call.query), "limit", "offset")
        shown = shapes.page(f"{call.origin}{call.path}", query_left, rows, limit=limit, offset=offset, total=len(found))
        return Answer(body={"tracks": shown})

    def _found(self, query: str) -> list[Track]:
        if match := re.search(r"\bisrc:\s*\"?([A-Za-z0-9-]+)", query):
            return self._world.by_isrc(match[1].replace("-", ""))
        return self._world.search_tracks(re.sub(r"\b(?:track|artist|album|year):", " ", query), 60)

    # Shared

    def _visible(self, session: Session, playlist_id: str) -> Playlist:
        """What readers see of a playlist now; 404 for editorial ones and for what the caller may not see."""
        state = self._world.spotify.seen(playlist_id)
        if state is None or state.liked or state.editorial or not session.may_see(state):
            raise refuse(404, "Resource not found")
        return state

    def _writable(self, session: Session, playlist_id: str) -> Playlist:
        """The committed state of a playlist that the caller may change."""
        state = self._world.spotify.truth(playlist_id)
        if state is None or state.liked or state.editorial or not session.may_see(state):
            raise refuse(404, "Resource not found")
        if not session.may_write(state):
            raise refuse(403, "Forbidden")
        session.needs(_modify_scope(public=state.privacy == "public"))
        return state

    def _known_track(self, track_id: str) -> Track:
        if not re.fullmatch(r"[0-9A-Za-z]{22}", track_id):
            raise refuse(400, "Invalid base62 id")
        track = self._world.catalogue.by_id.get(track_id)
        if track is None:
            raise refuse(404, "Resource not found")
        return track

    def _addable(self, uri: str) -> str:
        """The uri if it can be added to a playlist: a track or episode that exists, never a local file."""
        uri, kind, identity = _parsed(uri)
        if kind == "track" and re.fullmatch(r"[0-9A-Za-z]{22}", identity):
            if identity not in self._world.catalogue.by_id:
                raise refuse(400, "Payload contains a non-existing ID")
            return uri
        if uri == EPISODE:
            return uri
        raise refuse(400, f"Invalid track uri: {uri}")

    def _track_json(self, call: Call, track: Track) -> Json:
        album = self._world.catalogue.by_album.get(track.album_id, [track])
        place = next((number for number, other in enumerate(album, 1) if other.number == track.number), 1)
        shown = shapes.track_json(call.origin, track, place, len(album))
        if self._world.switches.legacy_shape:
            shown |= {"popularity": 50, "available_markets": ["GB", "US"]}
        return shown

    def _item_json(self, call: Call, row: Entry) -> Json | None:
        if row.media is None:
            return None
        if row.media.startswith("spotify:track:"):
            return self._track_json(call, self._world.track(row.media))
        return shapes.episode(call.origin) if row.media == EPISODE else shapes.local(row.media)

    def _rows(self, call: Call, state: Playlist, limit: int, offset: int) -> Json:
        legacy = self._world.switches.legacy_shape
        rows = [
            shapes.entry(call.origin, row, self._item_json(call, row), legacy=legacy)
            for row in state.entries[offset : offset + limit]
        ]
        url = f"{call.origin}/v1/playlists/{state.id}/items"
        return shapes.page(url, {}, rows, limit=limit, offset=offset, total=len(state.entries))

    def _count(self, call: Call, state: Playlist) -> Json:
        return {"href": f"{call.origin}/v1/playlists/{state.id}/items", "total": len(state.entries)}

    def _playlist_json(self, call: Call, state: Playlist, items: Json | None) -> Json:
        return shapes.playlist(call.origin, state, items, legacy=self._world.switches.legacy_shape)

    def _page(self, call: Call, rows: list[Any], limit: int, offset: int, total: int) -> Answer:
        return Answer(body=shapes.page(f"{call.origin}{call.path}", {}, rows, limit=limit, offset=offset, total=total))


def _retry_after(wait: timedelta) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(wait.total_seconds())))}


def _modify_scope(*, public: bool) -> str:
    return "playlist-modify-public" if public else "playlist-modify-private"


def _whole(value: object, default: int, name: str) -> int:
    if value is None or value == "":
        return default
    try:
        return int(str(value))
    except ValueError as error:
        raise refuse(400, f"Invalid {name}") from error


def _window(call: Call) -> tuple[int, int]:
    """Limit and offset of a page."""
    limit, offset = _whole(call.query.get("limit"), 20, "limit"), _whole(call.query.get("offset"), 0, "offset")
    if not 1 <= limit <= PAGE_LIMIT:
        raise refuse(400, "Invalid limit")
    if offset < 0:
        raise refuse(400, "Negative offset")
    return limit, offset


def _uris(call: Call) -> list[str]:
    """The uris of a write, from the query or from the body, which may be a bare list."""
    given = call.body if isinstance(call.body, list) else call.fields.get("uris", [])
    uris = call.query["uris"].split(",") if call.query.get("uris") else given
    if not isinstance(uris, list):
        raise refuse(400, "Error parsing JSON.")
    if len(uris) > WRITE_LIMIT:
        raise refuse(400, f"You can add a maximum of {WRITE_LIMIT} tracks per request.")
    return uris


def _parsed(uri: object) -> tuple[str, str, str]:
    """A uri with its kind and id."""
    if isinstance(uri, str) and (match := re.fullmatch(r"spotify:(\w+):(.+)", uri)):
        return uri, match[1], match[2]
    raise refuse(400, f"Invalid track uri: {uri}")


def _written(state: Playlist, status: int = 200) -> Answer:
    return Answer(status=status, body={"snapshot_id": ids.snapshot(state.id, state.revision)})


def _without(row: Json, *keys: str) -> Json:
    return {key: value for key, value in row.items() if key not in keys}
