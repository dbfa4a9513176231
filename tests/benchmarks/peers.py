"""Other projects' matchers on the same lists, run from their own packages where the extra ``bench`` installed them.

A length that is not known is given to them as the track's own, so that it counts neither way; nothing is fetched.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bot.model.matching import Verdict

Row = dict[str, Any]
Outcome = tuple[Verdict, str | None]
Decider = Callable[[Row, list[Row]], Outcome]


def installed() -> dict[str, Decider]:
    """The peers that can be imported here, by name."""
    found: dict[str, Decider] = {}
    for package, make in (("spotdl", _spotdl), ("beets", _beets), ("spotify_to_ytmusic", _spotify_to_ytmusic)):
        if find_spec(package) is not None:
            found[package] = make()
    return found


def _outcome(chosen: str | None) -> Outcome:
    return (Verdict.ACCEPT, chosen) if chosen else (Verdict.REJECT, None)


def _names(row: Row) -> list[str]:
    return row.get("artists") or [row.get("channel") or ""]


def _is_song(row: Row) -> bool:
    return (row.get("kind") or "video") == "song" or (row.get("channel") or "").endswith("- Topic")


def _length(row: Row, track: Row) -> float:
    return float(row.get("duration_s") or track.get("duration_s") or 0.0)


def _spotdl() -> Decider:
    """spotDL's own search over its YouTube Music provider, its answers taken from the list instead of the network."""
    provider = import_module("spotdl.providers.audio.ytmusic").YouTubeMusic
    result_type = import_module("spotdl.types.result").Result
    song_type = import_module("spotdl.types.song").Song

    class Listed(provider):  # type: ignore[misc, valid-type]  # a class known only where it is installed
        def __init__(self, track: Row, rows: list[Row]) -> None:
            self.search_query = None
            self.filter_results = True
            self.track, self.rows = track, rows

        def get_results(self, search_term: str, **options: Any) -> list[Any]:
            by_isrc = search_term == self.track.get("isrc")
            wanted = {"songs": True, "videos": False}.get(options.get("filter", ""))
            rows = [row for row in self.rows if bool(row.get("from_isrc_query")) or not by_isrc]
            return [self.result(row) for row in rows if wanted is None or _is_song(row) is wanted]

        def get_views(self, url: str) -> int:
            return next((int(row.get("views") or 0) for row in self.rows if row["video_id"] == url), 0)

        def result(self, row: Row) -> Any:
            names = _names(row)
            return result_type(
                source="ytmusic",
                url=row["video_id"],
                verified=_is_song(row),
                name=row.get("title") or "",
                duration=_length(row, self.track),
                author=names[0],
                result_id=row["video_id"],
                isrc_search=bool(row.get("from_isrc_query")),
                artists=tuple(names),
                views=int(row.get("views") or 0),
                explicit=row.get("explicit"),
                album=row.get("album"),
            )

    def decide(track: Row, rows: list[Row]) -> Outcome:
        artists = track.get("artists") or [""]
        blank = dict.fromkeys(song_type.__dataclass_fields__)
        song = song_type(
            **{
                **blank,
                "name": track["title"],
                "artists": artists,
                "artist": artists[0],
                "album_name": track.get("album") or "",
                "duration": track.get("duration_s") or 0,
                "song_id": track.get("id") or "",
                "explicit": bool(track.get("explicit")),
                "isrc": track.get("isrc"),
            }
        )
        return _outcome(Listed(track, rows).search(song))

    return decide


def _beets() -> Decider:
    """beets: the smallest track distance, accepted where its importer would without asking ("strong")."""
    config = import_module("beets").config
    track_distance = import_module("beets.autotag.distance").track_distance
    info_type = import_module("beets.autotag.hooks").TrackInfo
    item_type = import_module("beets.library").Item
    config.read(user=False)
    strong = config["match"]["strong_rec_thresh"].as_number()

    def decide(track: Row, rows: list[Row]) -> Outcome:
        artist = ", ".join(track.get("artists") or ())
        item = item_type(title=track["title"], artist=artist, length=track.get("duration_s") or 0.0)
        best, chosen = 1.0, None
        for row in rows:
            info = info_type(title=row.get("title") or "", artist=", ".join(_names(row)), length=_length(row, track))
            distance = track_distance(item, info, incl_artist=True).distance
            if distance < best:
                best, chosen = distance, row["video_id"]
        return _outcome(chosen if best <= strong else None)

    return decide


def _spotify_to_ytmusic() -> Decider:
    """spotify_to_ytmusic: it takes the best fit, whatever its score."""
    get_best_fit_song_id = import_module("spotify_to_ytmusic.utils.match").get_best_fit_song_id

    def decide(track: Row, rows: list[Row]) -> Outcome:
        results = [
            {
                "resultType": "song" if _is_song(row) else "video",
                "videoId": row["video_id"],
                "title": row.get("title") or "",
                "artists": [{"name": name} for name in _names(row)],
                "album": {"name": row["album"]} if row.get("album") else None,
                "duration": "{}:{:02}".format(*divmod(round(_length(row, track)), 60)),
            }
            for row in rows
        ]
        wanted = {
            "name": track["title"],
            "artist": " ".join(track.get("artists") or ()),
            "album": track.get("album") or "",
            "duration": track.get("duration_s") or 0,
        }
        return _outcome(get_best_fit_song_id(results, wanted))

    return decide
