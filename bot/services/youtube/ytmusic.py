"""The unofficial search of YouTube Music, through ytmusicapi; used only where the owner has chosen it."""

import copy
import importlib
import json
import locale
import re
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import requests

from bot.clock import Clock
from bot.model.errors import RetryLater, UserMistake
from bot.model.music import CandidateKind, Service, Track
from bot.services.sending import Rejection, Sending, Workers

_OWN_API = "https://music.youtube.com/youtubei/v1/"
_OPERATION = "ytmusic.search"
_COUNT = re.compile(r"([\d.,]+)\s*([KMB]?)\b")
_COUNT_UNITS = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}


class YouTubeMusic:
    """Costs no quota. Every failure is RetryLater, so that none turns into a search that does."""

    def __init__(self, api_url: str, *, workers: Workers, clock: Clock) -> None:
        self._api_url = api_url
        self._workers = workers
        self._clock = clock
        self._building = threading.Lock()
        self._built: Any = None

    async def search(self, text: str, *, isrc: bool) -> list[Track]:
        """About twenty songs, then as many videos unless ``text`` is an ISRC, each once."""
        found = await self._ask(text, "songs")
        if not isrc:
            found += await self._ask(text, "videos")
        now = self._clock.now()
        tracks = (song_or_video(item, now, from_isrc=isrc) for item in found)
        return list({track.external_id: track for track in reversed(list(tracks)) if track is not None}.values())[::-1]

    async def _ask(self, text: str, kind: str) -> list[Mapping[str, Any]]:
        def send(sending: Sending) -> list[Mapping[str, Any]]:
            client = copy.copy(self._client())
            client._session = _OneRequest(sending, self._api_url)
            try:
                answer = client.search(text, filter=kind, limit=0)  # 0: the first page, whole, and no second request
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                # The library trips over pages that change without notice.
                raise RetryLater(f"{_OPERATION}: the answer was not understood", code="garbage") from error
            return [item for item in answer if isinstance(item, dict)]

        try:
            return await self._workers.run(send, operation=_OPERATION)
        except Rejection as no:
            at = None if no.retry_after is None else self._clock.now() + timedelta(seconds=no.retry_after)
            code = f"http_{no.status}"
            raise RetryLater(f"{_OPERATION}: YouTube Music answered {no.status}", at=at, code=code) from no

    def _client(self) -> Any:
        """The library's client, built once: it sets the locale of the whole process while it is built."""
        with self._building:
            if self._built is None:
                try:
                    library = importlib.import_module("ytmusicapi")
                except ImportError as error:
                    raise UserMistake(
                        "YOUTUBE_SEARCH is ytmusic, but the extra is not installed; run: pip install crossfade[ytmusic]"
                    ) from error
                before = locale.setlocale(locale.LC_ALL)
                try:
                    built = library.YTMusic(requests_session=requests.Session())
                finally:
                    locale.setlocale(locale.LC_ALL, before)
                # Given here, so that the library does not fetch the start page to find one.
                built.base_headers = {**_headers(), "X-Goog-Visitor-Id": ""}
                self._built = built
            return self._built


class _OneRequest(requests.Session):
    """ytmusicapi's session: its one request leaves by our way out, for the address that is set."""

    def __init__(self, sending: Sending, api_url: str) -> None:
        super().__init__()
        self._sending = sending
        self._api_url = f"{api_url.rstrip('/')}/"

    def request(self, method: Any, url: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        cookie = "; ".join(f"{key}={value}" for key, value in (given.get("cookies") or {}).items())
        address = self._api_url + str(url).removeprefix(_OWN_API)
        return self._sending.send(
            str(method), address, headers={**given["headers"], "Cookie": cookie}, data=json.dumps(given.get("json"))
        )


def _headers() -> dict[str, str]:
    return {
        "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:88.0) Gecko/20100101 Firefox/88.0",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Origin": "https://music.youtube.com",
    }


def song_or_video(item: Mapping[str, Any], fetched_at: datetime, *, from_isrc: bool) -> Track | None:
    """One search result of the library. None for what is neither, or has no id."""
    video_id = item.get("videoId")
    kind = item.get("resultType")
    if not isinstance(video_id, str) or not video_id or kind not in ("song", "video"):
        return None
    named = [artist.get("name") for artist in item.get("artists") or [] if isinstance(artist, dict)]
    artists = tuple(name for name in named if isinstance(name, str) and name)
    album = item.get("album")
    album_name = album.get("name") if isinstance(album, dict) else None
    seconds = item.get("duration_seconds")
    explicit = item.get("isExplicit")
    song = kind == "song"
    return Track(
        service=Service.YOUTUBE,
        external_id=video_id,
        title=str(item.get("title") or ""),
        artists=artists if song else (),  # of a video the library names the uploader
        album=album_name if isinstance(album_name, str) else None,
        duration=float(seconds) if isinstance(seconds, int | float) and seconds else None,
        explicit=explicit if isinstance(explicit, bool) else None,
        channel=None if song or not artists else artists[0],
        kind=CandidateKind.SONG if song else CandidateKind.VIDEO,
        views=_count(item.get("views")),
        from_isrc=from_isrc,
        fetched_at=fetched_at,
    )


def _count(text: object) -> int | None:
    """Counts come as people read them: ``386M``."""
    found = _COUNT.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        return int(float(found[1].replace(",", "")) * _COUNT_UNITS[found[2]])
    except ValueError:
        return None
