"""What to ask a service's search for, in which order, so that a certain match costs one call."""

import re
from dataclasses import dataclass

from bot.engine.matching.names import is_topic
from bot.engine.matching.text import cut, fold
from bot.engine.matching.versions import said
from bot.model.music import Service, Track

_BRACKET = re.compile(r"[(\[{【「『]([^()\[\]{}【】「」『』]*)[)\]}】」』]")
_TAIL = re.compile(r"\s+(?:feat\.?|ft\.?|featuring)\s.*$", re.IGNORECASE)
_CHANNEL_DRESS = re.compile(r"\s*(?:-\s*Topic|VEVO|Official(?:\s+Channel)?)\s*$", re.IGNORECASE)
_PARTS = re.compile(r"\s+[-–—|]\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One search. With ``isrc`` the text is the bare ISRC in upper case; the adapter dresses it for its service."""

    text: str
    isrc: bool = False


def queries(track: Track, service: Service, *, official_search: bool) -> tuple[Query, ...]:
    """The searches for a track on ``service``, best first; ask the next only while the answer is not ``settled``.

    ``official_search``: YouTube's own search, which knows no ISRC and has a hundred calls a day; it gets one query, and
    a second only for a title that is not in Latin letters. Spotify and YouTube Music are asked by ISRC first.
    """
    plan: list[Query] = []
    if track.isrc and (service is Service.SPOTIFY or not official_search):
        plan.append(Query(text=track.isrc.upper(), isrc=True))
    title = _title(track.title)
    plan.append(Query(text=" ".join(part for part in (_performer(track, title), title) if part)))
    if not fold(title).isascii():
        plan.append(Query(text=_longest_part(title)))
    return tuple(dict.fromkeys(query for query in plan if query.text))


def _title(title: str) -> str:
    """The title as written, without guests, the words of an upload, and the dash before a version."""

    def keep(match: re.Match[str]) -> str:
        meant = said(cut(match[1]).words, apart=True)
        return match[0] if meant.tags or (meant.rest and not meant.guests) else " "

    bare = _TAIL.sub("", _BRACKET.sub(keep, title))
    first, *others = _PARTS.split(bare)
    kept = [first, *(part for part in others if _says_something(part))]
    return " ".join(" ".join(kept).split()) or title.strip()


def _says_something(part: str) -> bool:
    meant = said(cut(part).words, apart=True)
    return bool(meant.tags or meant.rest or meant.context)


def _performer(track: Track, title: str) -> str:
    """The first artist, else the channel where the title does not name a performer itself."""
    if track.artists:
        return "" if _names(title, track.artists[0]) else track.artists[0]
    if not track.channel or (_PARTS.search(track.title) and not is_topic(track.channel)):
        return ""
    name = _CHANNEL_DRESS.sub("", track.channel)
    return "" if _names(title, name) else name


def _names(title: str, name: str) -> bool:
    """Whether a title holds all the words of a name, so that the name needs no second mention."""
    return set(cut(name).words) <= set(cut(title).words)


def _longest_part(title: str) -> str:
    """The part of a title that is not in Latin letters, which a search in its own script finds best."""
    words = [word for word in title.split() if not fold(word).isascii()]
    return " ".join(words) or title
