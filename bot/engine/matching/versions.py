"""What a group of words in a title says of the recording, of guests, and of the upload."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.engine.matching import words as lists
from bot.engine.matching.text import cut

_SAME, _UPLOAD = "same", "upload"
# These differ by whose they are: the "Galantis Remix" is not the "Meduza Remix".
QUALIFIED = frozenset({"remix", "unnamed"})


def _set(listed: str) -> frozenset[str]:
    return frozenset(word for entry in listed.split() for word in cut(entry).words)


_VERSION = _set(lists.VERSION)
_GUEST = _set(lists.GUEST)
_GUEST_APART = _set(lists.GUEST_APART)
_CREDIT = _set(lists.CREDIT)
_CONTEXT = _set(lists.CONTEXT)
_LANGUAGES = _set(lists.LANGUAGES.replace(",", " "))
_GUESTS_END = _set(
    "official oficial video audio lyric lyrics visualizer visualiser remix live prod mv clip clipe 4k hd"
)


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """First word → its phrases with what they mean, the longest first: "mix master" goes before "mix"."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}

    def enter(phrase: str, meaning: str) -> None:
        words = tuple(cut(phrase.strip()).words)
        table.setdefault(words[0], []).append((words, meaning))

    for tag, listed in [*lists.RECORDINGS.items(), (_SAME, lists.SAME_RECORDING), (_UPLOAD, lists.UPLOAD)]:
        for phrase in listed.split(","):
            enter(phrase, tag)
    for language in sorted(_LANGUAGES):
        for word in ("version", "ver", "versión en", "version in", "versão em", "version auf"):
            enter(f"{word} {language}", f"{language} language")
        for word in ("version", "ver", "versión"):
            enter(f"{language} {word}", f"{language} language")
        for word in ("song", "video", "lyric", "lyrics", "lyrical", "audio", "sub", "subs", "subtitles", "full", "hit"):
            enter(f"{language} {word}", _UPLOAD)
    for options in table.values():
        options.sort(key=lambda option: -len(option[0]))
    return table


_TABLE = _phrases()


@dataclass(slots=True)
class Said:
    """What a group of words says beside the title."""

    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)  # kind of recording → whose: ("galantis",)
    rest: list[str] = field(default_factory=list)  # words that nothing explains
    guests: list[str] = field(default_factory=list)  # the words after "feat."
    context: bool = False  # names a film, game or series: "From …", "… Soundtrack"
    same: bool = False  # remaster, radio edit: the same performance
    upload: bool = False  # speaks of the upload: "Official Video"


def said(words: Sequence[str], *, apart: bool) -> Said:
    """Read one group of words. ``apart``: it does not touch the title, so that "with X" names guests."""
    meant = Said()
    plain: list[str] = []
    years: list[str] = []
    unnamed = False
    at, size = 0, len(words)
    while at < size:
        word = words[at]
        phrase = _phrase_at(words, at)
        if phrase is not None:
            _note(meant, phrase[1])
            at += len(phrase[0])
        elif word in _GUEST or (at == 0 and apart and word in _GUEST_APART):
            end = _guests_end(words, at + 1)
            meant.guests += words[at + 1 : end]
            at = end
        elif word in _CREDIT:
            break
        else:
            if word in _CONTEXT:
                meant.context = True
            elif word in _VERSION:
                unnamed = True
            elif _is_year(word):
                years.append(word)
            else:
                plain.append(word)
            at += 1
    meant.rest = _settle(meant, plain, years, unnamed=unnamed, apart=apart)
    return meant


def _phrase_at(words: Sequence[str], at: int) -> tuple[tuple[str, ...], str] | None:
    options = _TABLE.get(words[at])
    if options is None:
        return None
    for option in options:
        phrase = option[0]
        if len(phrase) == 1 or tuple(words[at : at + len(phrase)]) == phrase:
            return option
    return None


def _note(meant: Said, meaning: str) -> None:
    if meaning == _UPLOAD:
        meant.upload = True
    elif meaning == _SAME:
        meant.same = True
    else:
        meant.tags[meaning] = ()


def _guests_end(words: Sequence[str], at: int) -> int:
    while at < len(words) and words[at] not in _GUESTS_END:
        at += 1
    return at


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdigit() and word[:2] in ("19", "20")


def _settle(meant: Said, plain: list[str], years: list[str], *, unnamed: bool, apart: bool) -> list[str]:
    """Give plain words to what they qualify ("Galantis" to remix, "Wembley" to live); return what is left."""
    if meant.same:
        meant.tags.pop("remix", None)  # "2012 Mix/Master", "Original Mix"
    if "remix" in meant.tags:
        meant.tags["remix"] = (*plain, *years)
        return []
    if (meant.tags or meant.same) and apart:
        return []
    if unnamed and (plain or years) and not meant.context:
        meant.tags["unnamed"] = (*plain, *years)
        return []
    if apart and len(plain) > 1 and plain[0] == "at":
        meant.tags["unnamed"] = (*plain[1:], *years)  # "(At The Grammys 2018)": where it was performed
        return []
    if apart and len(plain) == 1 and plain[0] in _LANGUAGES and not meant.upload:
        meant.tags[f"{plain[0]} language"] = ()
        return []
    if years and not apart and not (plain or meant.tags or meant.same or meant.upload or unnamed):
        return years  # "Title 2016" is not "Title"
    return plain
