"""How people name a playlist: a URL, a ``spotify:`` URI, a choice of the autocomplete, or a playlist to be made.

Liked songs are named so, too, although they are no playlist: by their link, their URI, or "liked".
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

from bot.model.errors import UserMistake
from bot.model.music import LIKED, LIKED_NAME, Service

VALUE_LENGTH = 100  # what Discord carries in a choice

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_LIKED_URI = re.compile(rf"(?:user:[^:]+:)?collection(?::tracks)?|{LIKED}(?::([0-9]{{1,18}}))?")
_YOUTUBE_ID = re.compile(r"[0-9A-Za-z_-]{10,64}")
_YOUTUBE_HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be")
_SPOTIFY_HOSTS = ("open.spotify.com", "play.spotify.com")
# Lists that YouTube makes itself: watch later, likes, history, mixes and radios. Its API neither reads nor writes them.
_YOUTUBE_OWN = re.compile(r"(?:WL|LL|LM|HL)$|RD|UL")
_HELP = (
    "Paste a playlist's link, such as https://open.spotify.com/playlist/… or https://www.youtube.com/playlist?list=…,"
    " or pick one from the list."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistAddress:
    """``account_id``: our row of the account whose liked songs are meant; 0 where that is not told."""

    service: Service
    external_id: str
    account_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlaylist:
    """A playlist that is to be made on the service when the mapping is."""

    service: Service
    name: str


def playlist_value(service: Service, external_id: str) -> str:
    """What an autocomplete choice of an existing playlist carries."""
    return f"{service.value}:playlist:{external_id}"


def liked_value(account_id: int) -> str:
    """What the choice of an account's liked songs carries."""
    return f"spotify:{LIKED}:{account_id}"


def create_value(service: Service, name: str) -> str:
    """What the choice "create it there" carries, at most 100 characters."""
    return f"create:{service.value}:{name}"[:VALUE_LENGTH]


def address_of(text: str) -> PlaylistAddress | NewPlaylist:
    """Read what a person gave. Raises UserMistake with a sentence on what is wrong with it."""
    text = text.strip().strip("<>")  # Discord's way to write a link without its preview
    if text.casefold() in (LIKED, LIKED_NAME.casefold()):
        return _liked()
    kind, _, rest = text.partition(":")
    if kind == "create":
        return _new(rest)
    if kind in ("spotify", "youtube") and not rest.startswith("//"):
        return _by_uri(Service(kind), rest)
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError as error:
        raise UserMistake(f"That is no link to a Spotify or YouTube playlist. {_HELP}") from error
    host = (address.hostname or "").lower()
    if host in _SPOTIFY_HOSTS:
        return _on_spotify(address.path)
    if host in _YOUTUBE_HOSTS:
        return _on_youtube(parse_qs(address.query).get("list", [""])[0])
    raise UserMistake(f"That is no link to a Spotify or YouTube playlist. {_HELP}")


def _new(rest: str) -> NewPlaylist:
    word, _, name = rest.partition(":")
    if word not in list(Service) or not name.strip():
        raise UserMistake(f"A new playlist needs a service and a name. {_HELP}")
    return NewPlaylist(service=Service(word), name=name.strip())


def _by_uri(service: Service, rest: str) -> PlaylistAddress:
    """``spotify:playlist:ID``, the older ``spotify:user:NAME:playlist:ID``, and ``youtube:playlist:ID``.

    Liked songs: ``spotify:collection``, ``spotify:user:NAME:collection``, and our own ``spotify:liked:ACCOUNT``.
    """
    if service is Service.SPOTIFY and (liked := _LIKED_URI.fullmatch(rest)):
        return _liked(int(liked[1] or 0))
    *_, kind, external_id = ["", *rest.split(":")]
    if kind != "playlist":
        raise UserMistake(f"That names no playlist. {_HELP}")
    return _on_youtube(external_id) if service is Service.YOUTUBE else _spotify(external_id)


def _on_spotify(path: str) -> PlaylistAddress:
    parts = [part for part in path.split("/") if part]
    if parts[-2:] == ["collection", "tracks"]:
        return _liked()
    for kind, external_id in pairwise(parts):
        if kind == "playlist":
            return _spotify(external_id)
    if parts[:1] in (["track"], ["album"], ["artist"]) or parts[1:2] in (["track"], ["album"], ["artist"]):
        raise UserMistake(f"That is a link to a Spotify {parts[-2]}, not to a playlist. {_HELP}")
    raise UserMistake(f"That Spotify link names no playlist. {_HELP}")


def _liked(account_id: int = 0) -> PlaylistAddress:
    return PlaylistAddress(service=Service.SPOTIFY, external_id=LIKED, account_id=account_id)


def _spotify(external_id: str) -> PlaylistAddress:
    if not _SPOTIFY_ID.fullmatch(external_id):
        raise UserMistake(f"That Spotify link is cut off or mistyped: a playlist's id has 22 characters. {_HELP}")
    return PlaylistAddress(service=Service.SPOTIFY, external_id=external_id)


def _on_youtube(external_id: str) -> PlaylistAddress:
    if not external_id:
        raise UserMistake(f"That YouTube link names no playlist: it has no `list=…`. {_HELP}")
    if _YOUTUBE_OWN.match(external_id):
        raise UserMistake("YouTube lets no program use Watch later, liked videos, history and mixes; take a playlist.")
    if not _YOUTUBE_ID.fullmatch(external_id):
        raise UserMistake(f"That YouTube link is cut off or mistyped. {_HELP}")
    # YouTube Music shows the same playlist under an id with VL before it.
    return PlaylistAddress(service=Service.YOUTUBE, external_id=external_id.removeprefix("VL"))
