"""The text of a rule read into rules; whatever is wrong is said with its column."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from bot.engine.routing.building import Builder, Misread
from bot.engine.routing.grammar import FIELD_NAMES, parser
from bot.model.errors import UserMistake
from bot.model.rules import Rules

LONGEST = 20_000  # signs; the longest rule that the bounds of a rule allow is shorter
_SHOWN = 60  # signs of the text around a mistake
_OPERATORS = frozenset({"IS", "CONTAINS", "IN", "WORD", "STRING", "BETWEEN"})
# What each token is called, in the order in which they are offered.
_OFFERED = {
    "FIELD": "a condition such as `year 1990..1999`",
    "AND": "`and`", "OR": "`or`", "COMMA": "`,`", "RPAR": "`)`", "LPAR": "`(`", "UP": "`asc`", "DOWN": "`desc`",
    "BY": "`by`", "UNKNOWN": "`unknown`", "SORT": "`sort by`", "LIMIT": "`limit`", "$END": "the end",
}  # fmt: skip


class RulesTextMistake(UserMistake):
    """A rule's text that cannot be read. ``column`` counts from 1 and may be one past the end.

    ``pointer`` is two lines, the text around the place and a caret under it, for a code block; like the sentence it
    holds words of the person.
    """

    code = "bad_rules"

    def __init__(self, text: str, at: int, sentence: str) -> None:
        self.column = min(at, len(text)) + 1
        self.sentence = sentence
        self.pointer = _pointer(text, self.column - 1)
        super().__init__(f"Column {self.column}: {sentence}.")


def parse(text: str) -> Rules:
    """Case and spacing are free. Raises RulesTextMistake, and nothing else."""
    flat = "".join(" " if sign.isspace() else sign for sign in text)
    if len(flat) > LONGEST:
        raise RulesTextMistake(flat, LONGEST, f"a rule has at most {LONGEST} signs")
    if not flat.strip():
        raise RulesTextMistake(flat, 0, "a rule is wanted, such as `year 1990..1999 and not explicit`, or `everything`")
    try:
        rules = _parser().parse(flat)
    except Misread as mistake:
        raise RulesTextMistake(flat, mistake.at, mistake.sentence) from None
    except UnexpectedInput as error:
        raise _unexpected(flat, error) from None
    assert isinstance(rules, Rules)  # what the builder makes of the start rule
    return rules


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return parser(Builder())


@dataclass(frozen=True, slots=True)
class _Place:
    at: int
    word: str  # '' at the end
    expected: frozenset[str]


def _unexpected(text: str, error: UnexpectedInput) -> RulesTextMistake:
    place = _place(text, error)
    if place.word in ('"', "“", "„", "«"):
        return RulesTextMistake(text, place.at, "this quote is never closed")
    wanted = _wanted(place.expected)
    if not place.word:
        return RulesTextMistake(text, place.at, f"something is missing at the end: {wanted}")
    hint = _field_hint(place.word) if "FIELD" in place.expected else ""
    return RulesTextMistake(text, place.at, f"`{place.word}` does not fit here; expected is {wanted}{hint}")


def _place(text: str, error: UnexpectedInput) -> _Place:
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return _Place(len(text.rstrip()), "", frozenset(error.expected))
        return _Place(error.token.start_pos or 0, _quotable(error.token), frozenset(error.expected))
    at = error.pos_in_stream or 0
    allowed = error.allowed if isinstance(error, UnexpectedCharacters) else None
    return _Place(at, text[at : at + 1], frozenset(allowed or ()))


def _quotable(word: str) -> str:
    return word if len(word) <= 30 else word[:29] + "…"


def _wanted(expected: frozenset[str]) -> str:
    """In words, what may stand there."""
    if expected >= _OPERATORS:
        return "`is`, `in`, `contains`, a comparison or a value"
    if expected & {"WORD", "STRING"}:
        return "a value (in quotes where it is a keyword or holds signs)"
    return _listed([words for token, words in _OFFERED.items() if token in expected])


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words) or "nothing more"


def _field_hint(word: str) -> str:
    close = get_close_matches(word.lower(), FIELD_NAMES, n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; for a genre write `genre {word}`, for a word of the title `title {word}`" if word.isalpha() else ""


def _pointer(text: str, at: int) -> str:
    start = max(0, at - _SHOWN // 2)
    shown = text[start : start + _SHOWN]
    return f"{shown}\n{' ' * sum(map(_width, shown[: at - start]))}^"


def _width(sign: str) -> int:
    """In a font of fixed width."""
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
