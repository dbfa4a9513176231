"""Names of artists and channels: when two spellings mean the same one."""

import re
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
    """Whether two single names are spellings of one name: folded, transliterated, or by consonants."""
    a, b = squeeze(one), squeeze(other)
    if a == b:
        return bool(a)
    x, y = latin(a), latin(b)
    if x and x == y:
        return True
    if a.isascii() and b.isascii():
        return len(x) >= 8 and fuzz.ratio(x, y) >= 92
    alike = 93 if a.isascii() == b.isascii() else 80  # romanisations of one name differ; names in one script do not
    if (len(x) >= 4 and fuzz.ratio(x, y) >= alike) or sorted(cut(one).words) == sorted(cut(other).words):
        return True
    bones = skeleton(one)
    return len(bones) >= 2 and a.isascii() != b.isascii() and _no_vowels(a + b) and bones == skeleton(other)


def _no_vowels(text: str) -> bool:
    """Whether a script without written vowels (Hebrew, Arabic) takes part."""
    return any("\u0590" <= c <= "\u07ff" for c in text)


@lru_cache(maxsize=32768)
def credited(wanted: str, credit: str) -> bool:
    """Whether a credit, perhaps of several people in one string, names the artist."""
    names = split(wanted)
    offered = split(credit)
    if names[:1] and names[0] in offered:
        return True
    return any(same(names[0] if names else wanted, part) for part in offered)


@lru_cache(maxsize=32768)
def channel_key(channel: str) -> str:
    """A channel's name without what channels add: ``DaftPunkVEVO`` and ``Daft Punk - Topic`` → ``daftpunk``."""
    key = squeeze(_TOPIC.sub("", fold(channel)))
    while (shorter := _CHANNEL_TAIL.sub("", key)) and shorter != key:
        key = shorter
    return key


def is_topic(channel: str) -> bool:
    """Whether YouTube made this channel for an artist's audio releases."""
    return channel.endswith("- Topic")


@lru_cache(maxsize=32768)
def owns(artist: str, channel: str) -> bool:
    """Whether a channel is the artist's own, as far as its name tells."""
    name = channel_key(artist)
    key = channel_key(channel)
    if not name or not key:
        return False
    if name == key or squeeze(artist) == squeeze(channel):
        return True
    if len(name) >= 5 and (key.startswith(name) or key.endswith(name)):
        return True
    return (len(key) >= 5 and name.startswith(key)) or same(name, key)
