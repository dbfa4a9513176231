"""The search of YouTube Music, as far as the unofficial client reads it: no sign-in, no quota."""

from typing import Any

from bot.sandbox import ids
from bot.sandbox.catalogue import artist_id
from bot.sandbox.videos import Kind, Video
from bot.sandbox.wire import Answer, Call, Price, Refusal
from bot.sandbox.world import World

Json = dict[str, Any]

ROOT = "/youtubei/v1"
PAGE = 20
_FILTERS = {"EgWKAQII": "Songs", "EgWKAQIQ": "Videos"}  # how the client's `params` begin
_SONGS = frozenset({Kind.TOPIC, Kind.KARAOKE, Kind.SPED_UP, Kind.SLOWED})  # released as audio, right or not


class YouTubeMusic:
    """Answers ``/youtubei/v1/search`` with the filters for songs and videos. Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def price(self, call: Call) -> Price:
        """Costs no quota."""
        return Price()

    def answer(self, call: Call, *, paid: bool) -> Answer:
        if (call.method, call.path) != ("POST", f"{ROOT}/search"):
            raise Refusal(Answer(status=404, body={"error": {"code": 404, "message": "Not Found"}}))
        shelf = _FILTERS.get(str(call.fields.get("params", ""))[:8])
        if shelf is None:
            message = "The sandbox searches songs and videos only."
            raise Refusal(Answer(status=400, body={"error": {"code": 400, "message": message}}))
        found = self._found(str(call.fields.get("query", "")))
        shown = [video for video in found if (video.kind in _SONGS) == (shelf == "Songs")][:PAGE]
        return Answer(body=_page(shelf, [self._row(video) for video in shown]) if shown else {})

    def _found(self, query: str) -> list[Video]:
        """An ISRC typed as the query brings its own upload first."""
        by_isrc = [video for track in self._world.by_isrc(query) for video in self._world.videos_of(track.id)]
        exact = [video for video in by_isrc if video.kind is Kind.TOPIC]
        return exact or self._world.search_videos(query, 100)

    def _row(self, video: Video) -> Json:
        track = self._world.tracks[video.number]
        if video.kind is Kind.TOPIC:
            names = _joined([_link(name, ids.channel(name)) for name in track.artists])
            album = _link(track.album, "MPREb_" + artist_id(track.album)[:11])
            runs = [*names, _dot(), album, _dot(), _text(_clock(video.seconds))]
        else:
            runs = [_link(video.channel, video.channel_id), _dot(), _text(_clock(video.seconds))]
        views = _text(f"{_short(video.views)} {'plays' if video.kind in _SONGS else 'views'}")
        kind = "MUSIC_VIDEO_TYPE_ATV" if video.kind in _SONGS else "MUSIC_VIDEO_TYPE_UGC"
        row: Json = {
            "flexColumns": [_column([_text(video.title)]), _column(runs), _column([views])],
            "overlay": _play_button(video.id, kind),
        }
        if track.explicit and video.kind is Kind.TOPIC:
            label = {"accessibilityData": {"accessibilityData": {"label": "Explicit"}}}
            row["badges"] = [{"musicInlineBadgeRenderer": label}]
        return {"musicResponsiveListItemRenderer": row}


def _page(shelf: str, rows: list[Json]) -> Json:
    section = {"musicShelfRenderer": {"title": {"runs": [_text(shelf)]}, "contents": rows}}
    content = {"sectionListRenderer": {"contents": [section]}}
    return {"contents": {"tabbedSearchResultsRenderer": {"tabs": [{"tabRenderer": {"content": content}}]}}}


def _column(runs: list[Json]) -> Json:
    return {"musicResponsiveListItemFlexColumnRenderer": {"text": {"runs": runs}}}


def _play_button(video_id: str, kind: str) -> Json:
    music = {"watchEndpointMusicConfig": {"musicVideoType": kind}}
    watch = {"watchEndpoint": {"videoId": video_id, "watchEndpointMusicSupportedConfigs": music}}
    button = {"musicPlayButtonRenderer": {"playNavigationEndpoint": watch}}
    return {"musicItemThumbnailOverlayRenderer": {"content": button}}


def _text(text: str) -> Json:
    return {"text": text}


def _link(text: str, browse_id: str) -> Json:
    return {"text": text, "navigationEndpoint": {"browseEndpoint": {"browseId": browse_id}}}


def _dot() -> Json:
    return {"text": " • "}


def _joined(runs: list[Json]) -> list[Json]:
    """Names with the separators that stand between them."""
    joined = [part for run in runs for part in (run, _text(", "))]
    return joined[:-1]


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _short(views: int) -> str:
    """1234567 as 1.2M."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")):
        if views >= size:
            return f"{views / size:.1f}{letter}"
    return str(views)
