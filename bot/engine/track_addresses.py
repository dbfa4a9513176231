"""How people name one track: a link or a URI of Spotify or YouTube in any usual form, or the bare id."""

import re
from itertools import pairwise
from urllib.parse import SplitResult, parse_qs, urlsplit

from bot.model.errors import UserMistake
from bot.model.music import Service

LONGEST = 500  # characters of a link that is worth reading

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_YOUTUBE_ID = re.compile(r"[0-9A-Za-z_-]{11}")
_SPOTIFY_HOSTS = frozenset({"open.spotify.com", "play.spotify.com"})
_SPOTIFY_SHORT = frozenset({"spotify.link", "spotify.app.link", "spoti.fi"})
_YOUTUBE_HOSTS = frozenset(
    {
        "youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "gaming.youtube.com",
        "youtube-nocookie.com", "www.youtube-nocookie.com",
    }
)  # fmt: skip
_YOUTUBE_SHORT = frozenset({"youtu.be", "www.youtu.be"})
_VIDEO_PATHS = frozenset({"shorts", "embed", "live", "v", "e", "vi"})
_SPOTIFY_KINDS = ("album", "playlist", "artist", "episode", "show", "user", "concert", "audiobook")
_EXAMPLES = {
    Service.SPOTIFY: "https://open.spotify.com/track/… or spotify:track:…",
    Service.YOUTUBE: "https://www.youtube.com/watch?v=… or https://youtu.be/…",
}


def track_of(text: str, wanted: Service) -> str:
    """The id of the track on ``wanted`` that ``text`` names. Raises UserMistake: what is wrong, what to paste."""
    text = text.strip().strip("<>").strip()  # Discord's way to write a link without its preview
    if not text or len(text) > LONGEST:
        raise _mistake("That is no link to a track.", wanted)
    if _id_pattern(wanted).fullmatch(text):
        return text
    kind, _, rest = text.partition(":")
    if kind.lower() in list(Service) and not rest.startswith("//"):
        service, external_id = _by_uri(Service(kind.lower()), rest, wanted)
    else:
        service, external_id = _by_link(text, wanted)
    if service is not wanted:
        raise _mistake(f"That is a link to {service.label}, but what lacks is the track on {wanted.label}.", wanted)
    if not _id_pattern(wanted).fullmatch(external_id):
        length = 22 if wanted is Service.SPOTIFY else 11
        raise _mistake(f"That link is cut off or mistyped: an id there has {length} characters.", wanted)
    return external_id


def _by_uri(service: Service, rest: str, wanted: Service) -> tuple[Service, str]:
    """``spotify:track:ID`` and, in the same manner, ``youtube:video:ID``."""
    kind, _, external_id = rest.partition(":")
    if kind not in ("track", "video"):
        raise _not_a_track(service, kind, wanted)
    return service, external_id


def _by_link(text: str, wanted: Service) -> tuple[Service, str]:
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        host = (address.hostname or "").lower()
    except ValueError as error:
        raise _mistake("That is no link to a track.", wanted) from error
    parts = [part for part in address.path.split("/") if part]
    if host in _SPOTIFY_SHORT:
        raise _mistake("That is a short link, which does not tell its track. Open it and copy the long one.", wanted)
    if host in _SPOTIFY_HOSTS:
        return Service.SPOTIFY, _on_spotify(parts, wanted)
    if host in _YOUTUBE_SHORT:
        return Service.YOUTUBE, parts[0] if parts else ""
    if host in _YOUTUBE_HOSTS:
        return Service.YOUTUBE, _on_youtube(address, parts, wanted)
    raise _mistake("That is no link to a track on Spotify or YouTube.", wanted)


def _on_spotify(parts: list[str], wanted: Service) -> str:
    """``/track/ID``, also behind a language (``/intl-de``) or ``/embed``."""
    for kind, external_id in pairwise(parts):
        if kind == "track":
            return external_id
    kind = next((part for part in parts if part in _SPOTIFY_KINDS), "")
    raise _not_a_track(Service.SPOTIFY, kind, wanted)


def _on_youtube(address: SplitResult, parts: list[str], wanted: Service) -> str:
    given = parse_qs(address.query).get("v", [""])[0]
    if given:
        return given
    if len(parts) > 1 and parts[0] in _VIDEO_PATHS:
        return parts[1]
    if parts[:1] in (["playlist"], ["browse"]):
        raise _not_a_track(Service.YOUTUBE, "playlist", wanted)
    if parts[:1] in (["channel"], ["c"], ["user"]) or (parts and parts[0].startswith("@")):
        raise _not_a_track(Service.YOUTUBE, "channel", wanted)
    raise _not_a_track(Service.YOUTUBE, "", wanted)


def _id_pattern(service: Service) -> re.Pattern[str]:
    return _SPOTIFY_ID if service is Service.SPOTIFY else _YOUTUBE_ID


def _not_a_track(service: Service, kind: str, wanted: Service) -> UserMistake:
    noun = "video" if service is Service.YOUTUBE else "track"
    if kind:
        return _mistake(f"That is a link to a {service.label} {kind[:20]}, not to one {noun}.", wanted)
    return _mistake(f"That {service.label} link names no {noun}.", wanted)


def _mistake(what: str, wanted: Service) -> UserMistake:
    return UserMistake(f"{what} Nothing was changed. Paste a link such as {_EXAMPLES[wanted]}.")
