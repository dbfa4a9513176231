"""Text made comparable: folded in its own script, a Latin reading beside it, and cut into words and groups."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

# Marks that people leave out or add freely: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs, and
# invisible direction and joining marks. Vowel signs of Indic and Thai scripts are letters and stay.
_MARKS = re.compile(
    r"[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)
# Letters that have no decomposition, and typographic signs that stand for plain ones.
_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ŋ": "n", "ħ": "h",
        "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "׳": "'", "״": '"', "“": '"', "”": '"', "„": '"',
        "‐": "-", "‑": "-", "−": "-", "ǀ": "|", "∣": "|", "│": "|", "｜": "|", "¿": " ", "¡": " ", "…": " ", "×": " x ",
    }
)  # fmt: skip
# Everything that is no letter, digit or vowel sign of any script.
_GAP = (
    r"\s!-/:-@\[-`{-~\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00f7\u0589\u060c\u061b\u061f\u06d4"
    r"\u0964\u0965\u2000-\u2bff\u3000-\u3004\u3008-\u3030\u303d\u30fb\ufd3e\ufd3f\U0001f000-\U0001faff\U000e0000-\U000e0fff"
)
_WORD = rf"[^{_GAP}]+(?:'+[^{_GAP}]+)*"
_TOKEN = re.compile(
    rf"\bm/v\b|\bw/|{_WORD}|(?<=\s)-+|-+(?=\s)|//|[()\[\]{{}}<>「」『』【】〈〉《》〔〕“”\"«»|/\\–—―~_#:,;&+*•·・►▶★☆❤⭐@]|(?<!\S)'(?=[^\s\d])|(?<=\S)'(?!\S)"
)
_OPENERS = frozenset("([{<「『【〈《〔")
_CLOSERS = frozenset(")]}>」』】〉》〕")
_SEPARATORS = frozenset("()[]{}<>「」『』【】〈〉《》〔〕“”\"«»|/\\–—―~_#:,;&+*•·・►▶★☆❤⭐@'-")
_TITLE_QUOTES = frozenset("「」『』\"'“”«»")  # what they hold is a title as often as an aside
_JOINERS = frozenset(",;&+")
_INSIDE = frozenset("/\\\"'“”«»:")  # within brackets these part nothing: (From "Tangled"), (feat. Ol' Dirty Bastard)
_ACRONYM = re.compile(r"(?<![^\W_])([^\W\d_])\.(?=[^\W_])")
_LAST_G = re.compile(r"(?<=[^\W_]{3})ing(?![^\W_])")
_BANG = re.compile(r"(?<=[^\W_])!(?=[^\W_])")
_DOLLAR = re.compile(r"\$(?=[^\W\d_])|(?<=[^\W_])\$")

# Words before a number that name one piece of a work, each with its common form.
_PART_FORMS = {
    "pt": "part", "pts": "part", "parts": "part", "teil": "part", "parte": "part", "partes": "part", "partie": "part",
    "deel": "part", "czesc": "part", "cz": "part", "часть": "part", "ч": "part", "nr": "no", "number": "no",
    "opus": "op", "volume": "vol", "kapitel": "chapter", "capitulo": "chapter", "chapitre": "chapter",
}  # fmt: skip
PART_WORDS = frozenset({*_PART_FORMS.values(), "act", "folge", "episode", "season", "book"})
_NUMBER_WORDS = {
    w: str(n) for n, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), start=1)
}
_ROMAN = {w: str(n) for n, w in enumerate("i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi".split(), start=1)}
_PLAIN_ROMAN = {w: n for w, n in _ROMAN.items() if w not in {"i", "v", "x", "vi", "xi"}}  # those are words as well
# Words brought to one form wherever they stand; the empty form drops the word ("Florence + The Machine").
_FORMS = {"the": "", "and": "", **_PART_FORMS, **_PLAIN_ROMAN}
_BEFORE_NUMBER = PART_WORDS | frozenset(_ROMAN.values())
ARTICLES = frozenset("la el los las le les il lo gli der die das o os a an de het".split())


def plain(text: str) -> str:
    """Casefolded text without accents, letters and typographic signs in their plain form; every script is kept."""
    if text.isascii():
        return text.lower()
    folded = text.casefold().translate(_LETTERS)
    if not folded.isascii():
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", folded)).casefold()
        if not folded.isascii():
            folded = unicodedata.normalize("NFC", folded)
    return folded


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """``plain`` text with stylised letters and spoken endings resolved; every script is kept as it is."""
    folded = plain(text)
    if "$" in folded:
        folded = _DOLLAR.sub("s", folded)  # Ke$ha, A$AP, Paper Trail$
    if "!" in folded:
        folded = _BANG.sub("i", folded)  # P!nk
    if "." in folded:
        folded = _ACRONYM.sub(r"\1", folded)  # G.O.A.T., B.o.B
    if "ing" in folded:
        folded = _LAST_G.sub("in", folded)  # Sittin' is Sitting
    return folded


@lru_cache(maxsize=16384)
def latin(text: str) -> str:
    """A Latin reading of folded text, letters and digits only: ``камин`` → ``kamin``; may be empty for signs."""
    return "".join(c for c in (text if text.isascii() else anyascii(text)).lower() if c.isalnum())


_LONGEST = 400  # YouTube's titles end at 100, Spotify's longest are movements of works; the rest is somebody's joke


@dataclass(slots=True)
class Group:
    """A stretch of a title between two separators. ``lead`` is the separator before it, ``aside`` means bracketed."""

    lead: str
    aside: bool
    quoted: bool


@dataclass(slots=True)
class Text:
    """A title cut up: ``words[i]`` stands in ``groups[where[i]]``; ``joins`` are indexes that follow ``,`` or ``&``."""

    words: list[str]
    where: list[int]
    groups: list[Group]
    joins: set[int]


def cut(text: str) -> Text:
    """Cut a title into words and groups; text without any letter keeps its signs as its one word."""
    words: list[str] = []
    where: list[int] = []
    joins: set[int] = set()
    groups = _Groups()
    for token in _TOKEN.findall(fold(text[:_LONGEST])):
        first = token[0]
        if first not in _SEPARATORS:
            word = _FORMS.get(token, token)
            if word:
                if words and words[-1] in _BEFORE_NUMBER:
                    word = _number(words, word)
                words.append(word if word.isalnum() else _smooth(word))
                where.append(groups.current)
        elif first in _JOINERS or (groups.depth and first in _INSIDE) or (first == "#" and len(words) in joins):
            joins.add(len(words))
        else:
            groups.part(first, filled=bool(where) and where[-1] == groups.current)
    if not words:
        signs = "".join(text.split()).casefold()
        if signs:
            words, where = [signs], [groups.current]
    return Text(words, where, groups.all, joins)


class _Groups:
    """The groups of a title while it is cut, with the brackets and quotes that are open."""

    __slots__ = ("all", "current", "depth", "quoted")

    def __init__(self) -> None:
        self.all = [Group("", False, False)]
        self.current = 0
        self.depth = 0
        self.quoted = False

    def part(self, sign: str, *, filled: bool) -> None:
        """Begin a group at a sign; a group without words is not kept but takes the sign on."""
        if sign in _OPENERS:
            self.depth += 1
        elif sign in _CLOSERS:
            self.depth = max(0, self.depth - 1)
        elif sign in _TITLE_QUOTES:
            self.quoted = not self.quoted
        titled = sign in "「『"
        group = Group("-" if sign in "-–—―" else sign, self.depth > 0 and not titled, self.quoted or titled)
        if filled:
            self.all.append(group)
            self.current += 1
            return
        before = self.all[-1].lead
        if before and before in "|/-" and sign in _TITLE_QUOTES:
            group.lead = before  # - "Title": the dash parts more than the quote
        self.all[-1] = group


def _smooth(word: str) -> str:
    """A word without its apostrophes and slashes: "don't", "m/v"."""
    return word.replace("'", "").replace("/", "")


def _number(words: list[str], word: str) -> str:
    """The digits of a number that follows "part": words, Roman numerals, and the end of a range ("Parts I-V")."""
    if words[-1] in PART_WORDS:
        return _NUMBER_WORDS.get(word) or _ROMAN.get(word, word)
    if len(words) > 1 and words[-2] in PART_WORDS:
        return _ROMAN.get(word, word)
    return word


@lru_cache(maxsize=65536)
def squeeze(text: str) -> str:
    """The words of a text without gaps and fillers: the key under which spellings of one name meet."""
    return "".join(cut(text).words) or fold(text).strip()


_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc]+")
_KANJI = re.compile(r"[\u3400-\u9fff々〆]+")
_RUNS = re.compile(rf"{_KANA.pattern}|{_KANJI.pattern}")


def reads_as(japanese: str, romaji: str) -> bool:
    """Whether Latin text can be the reading of a Japanese title: its kana appear in order, kanji read as anything.

    At least two kana must bear it; a title of kanji alone says nothing about its reading.
    """
    if not romaji.isascii() or len("".join(_KANA.findall(japanese))) < 2:
        return False
    reading = latin(romaji)
    at, kanji_before = 0, False
    for run in _RUNS.findall(japanese):
        if _KANJI.match(run):
            kanji_before = True
            continue
        kana = latin(run)
        found = reading.find(kana, at + 1) if kanji_before else at
        if found < 0 or not reading.startswith(kana, found):
            return False
        at, kanji_before = found + len(kana), False
    return at < len(reading) if kanji_before else at == len(reading)


_VOWELS = str.maketrans("", "", "aeiouywh'`")


def skeleton(text: str) -> str:
    """The consonants of a folded name's Latin reading, for scripts that do not write vowels (Hebrew, Arabic)."""
    return latin(text).translate(_VOWELS).replace("v", "").replace("ck", "k").replace("q", "k")
