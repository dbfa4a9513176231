"""Which scripts a title is written in, and what they tell of its language.

Latin letters tell no language, and neither do Cyrillic, Arabic or Devanagari ones, which several languages share;
Chinese characters alone may be Chinese or Japanese. Nothing is guessed.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Set
from functools import lru_cache

from bot.model.tongues import OWN_SCRIPTS, SCRIPTS, TELLING

# The first word of a letter's Unicode name is its script, save for these.
_BY_NAME = {"cjk": "han", "hiragana": "japanese", "katakana": "japanese", "hangul": "korean"}
_ALONE = frozenset({"han", "korean"})  # one letter of these is a word; of others it may be a sign: Δ, ツ


@lru_cache(maxsize=65536)
def scripts_of(title: str) -> frozenset[str]:
    """The scripts in which the title has letters; empty where it has none. Kanji beside kana are Japanese."""
    if title.isascii():
        return _LATIN if _ASCII_LETTER.search(title) else _NONE
    counted = Counter(map(_script, unicodedata.normalize("NFKC", _ASCII.sub("", title))))
    counted["latin"] += len(_ASCII_LETTER.findall(title))
    if counted["japanese"] and counted["han"]:
        counted["japanese"] += counted.pop("han")
    found = {script for script, count in counted.items() if script and (count > 1 or script in _ALONE)}
    return frozenset(found or {script for script, count in counted.items() if script and count})


def written_in(scripts: Set[str], wanted: Set[str]) -> bool | None:
    """Whether a title in ``scripts`` is written in one of ``wanted``; None where its letters do not tell."""
    if scripts & wanted:
        return True
    return None if not scripts or (scripts == {"han"} and "japanese" in wanted) else False


def spoken_in(scripts: Set[str], wanted: Set[str]) -> bool | None:
    """Whether a title in ``scripts`` is in one of the languages ``wanted``; None where its letters do not tell."""
    own = scripts - {"latin"}
    told = {TELLING[script] for script in own if script in TELLING}
    if told:
        return bool(told & wanted)
    if own and not any(OWN_SCRIPTS[language] & own for language in wanted):
        return False
    return None


_ASCII = re.compile("[\0-\x7f]+")
_ASCII_LETTER = re.compile("[A-Za-z]")
_LATIN = frozenset({"latin"})
_NONE: frozenset[str] = frozenset()


@lru_cache(maxsize=16384)
def _script(sign: str) -> str:
    """The script of a letter; '' for other signs, and for letters of a script that no rule can name."""
    if not sign.isalpha():
        return ""
    first = unicodedata.name(sign, "").partition(" ")[0].lower()
    script = _BY_NAME.get(first, first)
    return script if script in SCRIPTS else ""
