"""A condition made into a question about one value of its field: true, false, or None where the value does not tell."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, partial
from typing import Any

from bot.engine.routing.layout import Span, comparable, span
from bot.engine.routing.scripts import spoken_in, written_in
from bot.model.rules import Condition, Field, Kind, Op, Value

Ask = Callable[[Any], bool | None]  # of a known, comparable value of the condition's field, as ``Base.column`` has it

# Writing systems without gaps between words, or (Hangul) with endings: there a word may stand anywhere.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_SPACED = rf"(?:(?![{_UNSPACED}_])\w)"
_LETTER = re.compile(_SPACED)


def ask(condition: Condition, *, now: datetime, zone: tzinfo) -> Ask:
    """``now`` (aware) and ``zone`` say what today is. MISSING is no question about a known value."""
    field, op, values = condition.field, condition.op, condition.values
    match field.kind:
        case Kind.TEXT:
            return _text(op, values)
        case Kind.NAMES:
            one = cache(_text(Op.CONTAINS if field is Field.GENRE and op in (Op.IS, Op.IN) else op, values))
            return lambda names: any(map(one, names))
        case Kind.CODE:
            return _code(field, frozenset(map(str, values)))
        case Kind.FLAG:
            return partial(_same, values[0])
        case Kind.DATE:
            low, high = _days(op, values, now.astimezone(zone).date())
            return _moment_in(low, high, zone) if field is Field.ADDED else partial(_within, low, high)
        case _:
            return _number(op, values)


def _text(op: Op, values: tuple[Value, ...]) -> Ask:
    texts = [comparable(str(value)) for value in values]
    match op:
        case Op.CONTAINS:
            return _holds([text for text in texts if text])
        case Op.MATCHES:
            return _fits(texts[0])
        case _:
            return frozenset(texts).__contains__


def _holds(texts: list[str]) -> Ask:
    if len(texts) != 1:
        each = [_holds([text]) for text in texts]
        return lambda text: any(holds(text) for holds in each)
    only, whole = texts[0], re.compile(_whole_words(texts[0]))
    return lambda text: only in text and whole.search(text) is not None


def _whole_words(text: str) -> str:
    """The text where no letter goes on before or behind it; a sign at its end is its own end."""
    before = rf"(?<!{_SPACED})" if _LETTER.match(text) else ""
    behind = rf"(?!{_SPACED})" if _LETTER.match(text[-1:]) else ""
    return before + re.escape(text) + behind


def _fits(pattern: str) -> Ask:
    """Each piece between stars is looked for once, at its first place (atomic groups): no pattern can run away."""
    first, *rest = (re.escape(piece).replace(r"\?", ".") for piece in pattern.split("*"))
    if not rest:
        fits = re.compile(first, re.DOTALL)
    else:
        *middle, last = rest
        fits = re.compile(first + "".join(rf"(?>.*?{piece})" for piece in middle) + f".*{last}", re.DOTALL)
    return lambda text: fits.fullmatch(text) is not None


def _code(field: Field, wanted: frozenset[str]) -> Ask:
    match field:
        case Field.SCRIPT:
            return lambda scripts: written_in(scripts, wanted)
        case Field.LANGUAGE:
            return lambda known: known[0] in wanted if known[0] else spoken_in(known[1], wanted)
        case _:
            return wanted.__contains__


def _same(wanted: Value, value: object) -> bool:
    return value is wanted


def _number(op: Op, values: tuple[Value, ...]) -> Ask:
    low, high = _ends(op, values)
    match op:
        case Op.IS | Op.IN:
            return frozenset(values).__contains__
        case Op.BETWEEN:
            return lambda value: low <= value <= high
        case Op.BELOW:
            return lambda value: value < low
        case Op.ABOVE:
            return lambda value: value > low
        case Op.AT_MOST:
            return lambda value: value <= low
        case _:
            return lambda value: value >= low


def _ends(op: Op, values: tuple[Value, ...]) -> tuple[int, int]:
    """The two ends of a range; the same twice where one is given."""
    return int(values[0]), int(values[-1])


def _days(op: Op, values: tuple[Value, ...], today: date) -> Span:
    """The first and last day that the condition means."""
    if op is Op.LAST:
        return today - timedelta(days=int(values[0]) - 1), today
    if op is Op.THIS:
        return _period(str(values[0]), today)
    first, last = _span(values[0]), _span(values[-1])
    return {
        Op.IS: first,
        Op.BETWEEN: (first[0], last[1]),
        Op.BELOW: (date.min, first[0] - timedelta(days=1)),
        Op.ABOVE: (first[1] + timedelta(days=1), date.max),
        Op.AT_MOST: (date.min, first[1]),
        Op.AT_LEAST: (first[0], date.max),
    }[op]


def _span(value: Value) -> Span:
    found = span(str(value))
    assert found is not None  # checked when the condition was made
    return found


def _period(period: str, today: date) -> Span:
    match period:
        case "day":
            return today, today
        case "week":
            monday = today - timedelta(days=today.weekday())
            return monday, monday + timedelta(days=6)
        case "month":
            found = span(f"{today:%Y-%m}")
        case _:
            found = span(f"{today:%Y}")
    assert found is not None  # today is a date
    return found


def _within(low: date, high: date, days: Span) -> bool | None:
    """Of a release date that may be no more than a year: None where some of its days would fit and some not."""
    if days[1] < low or days[0] > high:
        return False
    return True if low <= days[0] and days[1] <= high else None


def _moment_in(low: date, high: date, zone: tzinfo) -> Ask:
    """Days in the guild's timezone as moments."""
    start = _midnight(low, zone) if low > date.min else _EVER
    end = _midnight(high + timedelta(days=1), zone) if high < date.max else _NEVER
    return lambda moment: start <= moment < end


_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
