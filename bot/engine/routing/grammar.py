"""The grammar of rules as people write them: ``year 1990..1999 and genre in (metal, rock) and not explicit``.

Keywords end at a gap, bracket, comma, quote or comparison sign, and outrank words only where the grammar takes both; so
``title contains in the end`` needs no quotes, and ``title "this or that"`` does.
"""

import re
from typing import Any

from lark import Lark, Transformer

from bot.model.rules import Condition, Field, Op
from bot.model.tongues import SCRIPTS, TELLING

_SIGNS = r'\s(),"“”„«»<>='  # what ends a bare word
_END = rf"(?=[{_SIGNS}]|\.\.|$)"
_WORD = rf"(?:(?!\.\.)[^{_SIGNS}])+"
_STRING = r'"(?:[^"\\]|\\.)*"|[“„][^“”]*[“”]|«[^»]*»'

# How people call the fields, beside their own names.
FIELD_NAMES: dict[str, Field] = {
    **{field.label: field for field in Field},
    "artists": Field.ARTIST, "genres": Field.GENRE, "release date": Field.RELEASED, "released at": Field.RELEASED,
    "length": Field.DURATION, "added at": Field.ADDED, "isrc country": Field.COUNTRY,
}  # fmt: skip
# What stands for a condition by itself: "Japanese", "cyrillic".
TONGUES: dict[str, Condition] = {
    **{script: Condition(Field.SCRIPT, Op.IS, (script,)) for script in SCRIPTS},
    **{script: Condition(Field.LANGUAGE, Op.IS, (language,)) for script, language in TELLING.items()},
}


def _either(words: dict[str, Any]) -> str:
    """A pattern for one of the words, the longest first."""
    return "|".join(word.replace(" ", r"[\s_]+") for word in sorted(words, key=len, reverse=True))


_KEYWORDS = {
    "FIELD": _either(FIELD_NAMES),
    "TONGUE": _either(TONGUES),
    "DECADE": r"(?:1[0-9]|20)?[0-9]0['’]?s",
    "AND": "and|but",
    "OR": "or",
    "NOT": "not",
    "NO": "no",
    "ALL": r"all\s+of",
    "ANY": r"any\s+of",
    "NONE": r"none\s+of",
    "EVERYTHING": "everything",
    "IS": "is",
    "IN": "in",
    "CONTAINS": "contains?",
    "MATCHES": "match(?:es)?",
    "BETWEEN": "between",
    "MISSING": "missing",
    "LAST": r"(?:in\s+)?(?:the\s+)?last",
    "THIS": "this",
    "TODAY": "today",
    "BELOW": r"below|under|before|less\s+than|shorter\s+than",
    "ABOVE": r"above|over|after|more\s+than|longer\s+than",
    "AT_MOST": r"at\s+most|until",
    "AT_LEAST": r"at\s+least|since",
    "SORT": r"sort(?:ed)?(?:\s+by)?",
    "LIMIT": "limit",
    "BY": "by",
    "UP": "asc(?:ending)?|up",
    "DOWN": "desc(?:ending)?|down",
    "UNKNOWN": "unknown",
}
_COMPARISONS = {"EQUAL": "==?", "DIFFERS": "!=|<>", "LESS": "<(?![=>])", "MORE": ">(?!=)", "UP_TO": "<=", "FROM": ">="}
# "in the last" before "in"; the others do not begin alike.
_FIRST = {"LAST", "ALL", "ANY", "NONE", "AT_MOST", "AT_LEAST"}

_RULES = r"""
start: (EVERYTHING | any)? clause*

any: all (OR all)*
all: unary (AND unary)*
unary: (NOT | NO) unary                                 -> opposite
     | "(" any ")"                                      -> inner
     | (ALL | ANY | NONE) "(" any ("," any)* ")"        -> group
     | condition                                        -> inner

condition: FIELD                                        -> bare
    | FIELD tail                                        -> plain
    | FIELD NOT tail                                    -> unlike
    | FIELD (IS | EQUAL) tail                           -> exactly
    | FIELD IS NOT tail                                 -> not_exactly
    | FIELD DIFFERS tail                                -> not_exactly
    | FIELD IS (MISSING | UNKNOWN)                      -> missing
    | FIELD IS NOT (MISSING | UNKNOWN)                  -> not_missing
    | FIELD MISSING                                     -> missing
    | TONGUE                                            -> tongue
    | DECADE                                            -> decade
    | compare value                                     -> length

tail: value                                             -> one
    | value ".." value                                  -> range
    | BETWEEN value (AND | "..") value                  -> between
    | IN "(" value ("," value)* ")"                     -> listed
    | IN value                                          -> within
    | CONTAINS value                                    -> operated
    | MATCHES value                                     -> operated
    | compare value                                     -> operated
    | LAST value                                        -> operated
    | THIS WORD                                         -> this
    | TODAY                                             -> today

!compare: BELOW | ABOVE | AT_MOST | AT_LEAST | LESS | MORE | UP_TO | FROM
value: WORD+ | STRING

clause: SORT FIELD direction?                           -> sort
      | LIMIT WORD (BY WORD ("(" WORD ")")? direction?)? -> limit
      | UNKNOWN WORD                                    -> unknown
!direction: UP | DOWN
"""


def grammar() -> str:
    """The whole grammar in the notation of lark."""
    lines = [_RULES]
    for name, pattern in _KEYWORDS.items():
        lines.append(f"{name}.{4 if name in _FIRST else 3}: /(?:{pattern}){_END}/i")
    lines += [f"{name}.3: /{pattern}/" for name, pattern in _COMPARISONS.items()]
    lines += [f"WORD.1: /{_WORD}/", f"STRING.2: /{_STRING}/", "%ignore /\\s+/"]
    return "\n".join(lines)


def parser(builder: Transformer[Any, Any]) -> Lark:
    """A parser whose reductions go to ``builder`` as they happen, without recursion over the depth of the text."""
    return Lark(grammar(), parser="lalr", lexer="contextual", transformer=builder)


_KEYWORD = re.compile("|".join(f"(?:{pattern})" for pattern in _KEYWORDS.values()), re.IGNORECASE)
_WORD_ALONE = re.compile(r"[\w*?#+'’/-]+(?:\.[\w*?#+'’/-]+)*")


def needs_quotes(text: str) -> bool:
    """Whether a value would not be read back as it is: several words, signs, or a word that is a keyword."""
    return not _WORD_ALONE.fullmatch(text) or _KEYWORD.fullmatch(text) is not None
