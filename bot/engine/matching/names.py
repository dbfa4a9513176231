"""Names of artists and channels: when two spellings mean the same one."""

import re
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from bot.engine.matching.text import cut, fold, latin, skeleton, squeeze

# Between names glued into one string, by services and by their translations ("und" from German YouTube Music).
_GLUE = re.compile(
    r"\s*(?:,|;|&|\+|/|、|・|\s(?:and|und|y|e|et|og|och|i|en|и|x|feat\.?|ft\.?|featuring|with|vs\.?|-)\s)\s*"
)
_CHANNEL_TAIL = re.compile(
    r"(?:topic|vevo|official(?:channel)?|oficial|officiel|offiziell|ufficiale|resmi|music|musik|musica|tv|channel|band|"
    r"videos?|artist|records|utube|hq|hd|公式|공식)$"
)
_TOPIC = re.compile(r"\s+[-–—]\s+topic$")


@lru_cache(maxsize=32768)
def split(name: str) -> tuple[str, ...]:
    """The squeezed names inside a credit, the whole first: ``"A, B und C"`` → ``("abundc", "a", "b", "c")``."""
    whole = squeeze(name)
    parts = [squeeze(part) for part in _GLUE.split(fold(name)) if part]
    return tuple(dict.fromkeys(p for p in (whole, *parts) if p))


@lru_cache(maxsize=32768)
def same(one: str, other: str) -> bool:
    """Whether two squeezed names are spellings of one: transliterated, in another order, or by their consonants."""
    if one == other:
        return bool(one)
    if len(one) == len(other) >= 8 and one in other * 2:
        return True  # "Utada Hikaru", "Hikaru Utada"
    if one.isascii() and other.isascii():
        return len(one) >= 8 and fuzz.ratio(one, other) >= 92
    x, y = latin(one), latin(other)
    mixed = one.isascii() != other.isascii()
    alike = 80 if mixed else 93  # romanisations of one name differ; names in one script do not
    if (x and x == y) or (len(x) >= 4 and fuzz.ratio(x, y) >= alike):
        return True
    bones = skeleton(one)
    return mixed and len(bones) >= 2 and _no_vowels(one + other) and bones == skeleton(other)


def _no_vowels(text: str) -> bool:
    """Whether a script without written vowels (Hebrew, Arabic) takes part."""
    return any("\u0590" <= c <= "\u07ff" for c in text)


def credited(wanted: str, offered: Sequence[str]) -> bool:
    """Whether one of the credits, each perhaps of several people in one string, names the artist (squeezed)."""
    parts = [part for credit in offered for part in split(credit)]
    return wanted in parts or any(same(wanted, part) for part in parts)


@lru_cache(maxsize=32768)
def channel_key(channel: str) -> str:
    """A channel's name without what channels add: ``DaftPunkVEVO`` and ``Daft Punk - Topic`` → ``daftpunk``."""
    key = squeeze(_TOPIC.sub("", fold(channel)))
    if key.startswith("official") and len(key) > len("official"):
        key = key.removeprefix("official")
    while (shorter := _CHANNEL_TAIL.sub("", key)) and shorter != key:
        key = shorter
    return key


def is_topic(channel: str) -> bool:
    """Whether YouTube made this channel for an artist's audio releases."""
    return channel.endswith("- Topic")


@lru_cache(maxsize=32768)
def owns(artist: str, channel: str) -> bool:
    """Whether a channel is the artist's own, as far as its name tells."""
    name, key = channel_key(artist), channel_key(channel)
    if name and same(name, key):
        return True
    if _glued(artist) == _CHANNEL_TAIL.sub("", _glued(channel)):
        return True  # "TheBeatlesVEVO": glued, its "the" is no word of its own
    return bool(name) and (squeeze(artist) == squeeze(channel) or name in _by_script(channel))


def _glued(name: str) -> str:
    return "".join(c for c in fold(name) if c.isalnum())


def _by_script(channel: str) -> tuple[str, str]:
    """The two names of a channel that is called in two scripts: "Kenshi Yonezu 米津玄師"."""
    words = cut(channel).words
    return "".join(w for w in words if w.isascii()), "".join(w for w in words if not w.isascii())


@lru_cache(maxsize=32768)
def resembles(artist: str, channel: str) -> bool:
    """Whether a channel's name begins or ends as the artist's: "SouljaBoyTellem", but also "Queen Latifah"."""
    name, key = channel_key(artist), channel_key(channel)
    if min(len(name), len(key)) < 5:
        return False
    return key.startswith(name) or key.endswith(name) or name.startswith(key)
