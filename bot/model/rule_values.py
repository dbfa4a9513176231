"""Which values a condition may hold, brought to one form; one place for the text and the JSON of rules."""

import calendar
import re
import unicodedata
from collections.abc import Callable, Sequence

from bot.model.rules import OPERATORS, PERIODS, Condition, Field, Kind, Op, Value
from bot.model.tongues import LANGUAGE_NAMES, SCRIPT_NAMES

# Bounds that no rule of a person meets: they keep a stored rule small, and evaluation fast.
MAX_LIST = 50  # values of one condition
MAX_VALUE = 100  # signs of one value
MAX_STARS = 10  # of one pattern
MAX_DEPTH = 8  # groups within groups
MAX_NODES = 100  # conditions and groups together
MAX_SIGNS = 4000  # of all values together; a modal of Discord holds no more
MAX_COUNT = 10_000  # tracks of a playlist
MAX_SEED = 999_999_999

_RANGES = {Field.YEAR: (1000, 2999), Field.POSITION: (1, 100_000), Field.POPULARITY: (0, 100)}
LONGEST = 24 * 3600  # seconds of one track
MOST_DAYS = 36_500
_DATE = re.compile(r"([12][0-9]{3})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class ValueFault(ValueError):
    """``index``: which value is at fault, None: the operator or the number of values. The text says what is wanted."""

    def __init__(self, sentence: str, index: int | None = None) -> None:
        super().__init__(sentence)
        self.index = index


def condition(field: Field, op: Op, values: Sequence[object] = ()) -> Condition:
    """A condition with its values in their one form. Raises ValueFault."""
    if op not in OPERATORS[field.kind]:
        able = ", ".join(each.value for each in OPERATORS[field.kind])
        raise ValueFault(f"`{field.label}` does not know this operator; it knows {able}")
    _check_count(field, op, len(values))
    reader = _reader(field, op)
    settled: list[Value] = []
    for index, value in enumerate(values):
        try:
            settled.append(reader(value))
        except ValueFault as fault:
            raise ValueFault(str(fault), index) from None
    if op is Op.BETWEEN and _disordered(*settled):
        raise ValueFault("the first end of a range must not be after the second", 1)
    return Condition(field, op, tuple(settled))


def name(value: object) -> str:
    """A text with single spaces. Raises ValueFault for what is empty, too long or not printable."""
    if not isinstance(value, str):
        raise ValueFault("a text is wanted here")
    text = " ".join(value.split())
    if not text:
        raise ValueFault("a text must not be empty")
    if len(text) > MAX_VALUE:
        raise ValueFault(f"a text here has at most {MAX_VALUE} signs")
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text):
        raise ValueFault("a text must not hold control signs")
    return text


def whole(value: object, least: int, most: int, what: str) -> int:
    """Raises ValueFault for what is no whole number within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueFault(f"{what} is a whole number from {least} to {most}")
    return value


def _check_count(field: Field, op: Op, count: int) -> None:
    if op is Op.IN and not 1 <= count <= MAX_LIST:
        raise ValueFault(f"`in` takes 1 to {MAX_LIST} values")
    wanted = {Op.IN: count, Op.BETWEEN: 2, Op.MISSING: 0}.get(op, 1)
    if count != wanted:
        raise ValueFault(f"`{field.label} {op.value}` takes {('no value', 'one value', 'two values')[wanted]}")


def _reader(field: Field, op: Op) -> Callable[[object], Value]:
    if op is Op.LAST:
        return lambda value: whole(value, 1, MOST_DAYS, "a number of days")
    if op is Op.THIS:
        return _period
    if op is Op.MATCHES:
        return _pattern
    match field.kind:
        case Kind.NUMBER:
            least, most = _RANGES[field]
            return lambda value: whole(value, least, most, f"`{field.label}`")
        case Kind.LENGTH:
            return lambda value: whole(value, 0, LONGEST, "a length in seconds")
        case Kind.DATE:
            return _date
        case Kind.FLAG:
            return _flag
        case Kind.CODE:
            return _CODES[field]
        case _:
            return name


def _pattern(value: object) -> str:
    pattern = name(value)
    if pattern.count("*") > MAX_STARS:
        raise ValueFault(f"a pattern has at most {MAX_STARS} stars")
    return pattern


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueFault("yes or no is wanted here")
    return value


def _period(value: object) -> str:
    if value not in PERIODS:
        raise ValueFault(f"one of {', '.join(PERIODS)} is wanted here")
    return str(value)


def _date(value: object) -> str:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueFault("a date is written 1999, 1999-05 or 1999-05-31")
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise ValueFault(f"{found[0]} is not in the calendar")
    return found[0]


def _language(value: object) -> str:
    code = LANGUAGE_NAMES.get(name(value).casefold())
    if code is None:
        raise ValueFault("a language is an English name or a code of two letters, such as Japanese or ja")
    return code


def _script(value: object) -> str:
    script = SCRIPT_NAMES.get(name(value).casefold())
    if script is None:
        raise ValueFault(f"the scripts are {', '.join(sorted(set(SCRIPT_NAMES.values())))}")
    return script


def _country(value: object) -> str:
    code = name(value).upper()
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        raise ValueFault("a country is a code of two letters, such as GB")
    return code


_CODES: dict[Field, Callable[[object], str]] = {
    Field.LANGUAGE: _language,
    Field.SCRIPT: _script,
    Field.COUNTRY: _country,
}


def _disordered(low: Value, high: Value) -> bool:
    """Numbers by size, dates by the day on which they begin."""
    if isinstance(low, str) and isinstance(high, str):
        return _first_day(low) > _first_day(high)
    return not isinstance(low, str) and not isinstance(high, str) and low > high


def _first_day(date: str) -> str:
    return date + {4: "-01-01", 7: "-01"}.get(len(date), "")
