"""Makes rules of what the grammar found, piece by piece, and checks each value at its place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lark import Token, Transformer, v_args

from bot.engine.routing.grammar import FIELD_NAMES, TONGUES
from bot.model.rule_values import MAX_COUNT, MAX_DEPTH, MAX_NODES, MAX_SEED, MAX_SIGNS, ValueFault, condition, whole
from bot.model.rules import SORTABLE, By, Field, Group, Join, Kind, Limit, Node, Op, Rules, Sort, Unknown

_COMPARED = {
    "BELOW": Op.BELOW, "LESS": Op.BELOW, "ABOVE": Op.ABOVE, "MORE": Op.ABOVE, "AT_MOST": Op.AT_MOST,
    "UP_TO": Op.AT_MOST, "AT_LEAST": Op.AT_LEAST, "FROM": Op.AT_LEAST, "CONTAINS": Op.CONTAINS,
    "MATCHES": Op.MATCHES, "LAST": Op.LAST,
}  # fmt: skip
_ORDERS = {**{by.value: by for by in By}, "duration": By.SHORTEST}
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-5][0-9])")
_UNITS = re.compile(
    r"(?=[0-9])(?:([0-9]{1,2}) ?h(?:ours?)?)? ?(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?)? ?"
    r"(?:([0-9]{1,5}) ?s(?:ec(?:ond)?s?)?)?"
)
_DAYS = re.compile(r"([0-9]{1,5}) ?(d(?:ays?)?|w(?:eeks?)?)")
_DECADE = re.compile(r"(1[0-9]|20)?([0-9]0)['’]?s")
_YEARS = re.compile(r"([0-9]{4})[-–]([0-9]{4})")
_ESCAPED = re.compile(r"\\(.)")


class Misread(Exception):
    """``at``: the index of the sign in the text where the fault is."""

    def __init__(self, at: int, sentence: str) -> None:
        super().__init__(sentence)
        self.at = at
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class _Part:
    """A tree with its measures."""

    node: Node
    at: int
    depth: int = 1
    nodes: int = 1
    signs: int = 0


@dataclass(frozen=True, slots=True)
class _Text:
    """A value as it was typed. ``more_at``: where its second word stands, if it has one."""

    text: str
    at: int
    more_at: int | None = None


@dataclass(frozen=True, slots=True)
class _Tail:
    """What follows a field. ``op`` None: the one that goes without saying."""

    op: Op | None
    values: tuple[_Text, ...]
    at: int


@dataclass(frozen=True, slots=True)
class _Clause:
    name: str
    at: int
    found: Sort | Limit | Unknown


@v_args(inline=True)
class Builder(Transformer[Any, Any]):
    """One method a rule of the grammar. It keeps nothing between calls."""

    def start(self, *pieces: Any) -> Rules:
        clauses: dict[str, Any] = {}
        for clause in pieces:
            if isinstance(clause, _Clause):
                if clause.name in clauses:
                    raise Misread(clause.at, f"`{clause.name}` stands twice")
                clauses[clause.name] = clause.found
        where = next((piece.node for piece in pieces if isinstance(piece, _Part)), None)
        return Rules(where=where, **clauses)

    # Groups

    def any(self, *pieces: _Part | Token) -> _Part:
        return _joined(Join.ANY, _parts(pieces))

    def all(self, *pieces: _Part | Token) -> _Part:
        return _joined(Join.ALL, _parts(pieces))

    def opposite(self, negation: Token, part: _Part) -> _Part:
        return _group(Join.NONE, [part], _at(negation))

    def inner(self, part: _Part) -> _Part:
        return part

    def group(self, join: Token, *parts: _Part) -> _Part:
        return _group(Join[join.type], parts, _at(join))

    # Conditions

    def bare(self, field: Token) -> _Part:
        if _field(field).kind is not Kind.FLAG:
            label = _field(field).label
            raise Misread(field.end_pos or 0, f"`{label}` wants an operator and a value, such as `{_EXAMPLES[label]}`")
        return _Part(condition(_field(field), Op.IS, [True]), _at(field))

    def plain(self, field: Token, tail: _Tail) -> _Part:
        default = Op.CONTAINS if _field(field) is Field.TITLE else Op.IS
        return _condition(field, tail, default)

    def unlike(self, field: Token, negation: Token, tail: _Tail) -> _Part:
        return _group(Join.NONE, [self.plain(field, tail)], _at(field))

    def exactly(self, field: Token, sign: Token, tail: _Tail) -> _Part:
        return _condition(field, tail, Op.IS)

    def not_exactly(self, field: Token, *rest: Any) -> _Part:
        return _group(Join.NONE, [_condition(field, rest[-1], Op.IS)], _at(field))

    def missing(self, field: Token, *words: Token) -> _Part:
        return _Part(condition(_field(field), Op.MISSING), _at(field))

    def not_missing(self, field: Token, *words: Token) -> _Part:
        return _group(Join.NONE, [self.missing(field)], _at(field))

    def tongue(self, word: Token) -> _Part:
        return _Part(TONGUES[" ".join(word.lower().split())], _at(word), signs=2)

    def decade(self, word: Token) -> _Part:
        return _made(Field.YEAR, Op.IS, [_Text(word, _at(word))], _at(word))

    def length(self, compare: Token, value: _Text) -> _Part:
        return _made(Field.DURATION, _COMPARED[compare.type], [value], _at(compare))

    # What follows a field

    def one(self, value: _Text) -> _Tail:
        return _Tail(None, (value,), value.at)

    def range(self, low: _Text, high: _Text) -> _Tail:
        return _Tail(Op.BETWEEN, (low, high), low.at)

    def between(self, word: Token, *pieces: Any) -> _Tail:
        return _Tail(Op.BETWEEN, tuple(piece for piece in pieces if isinstance(piece, _Text)), _at(word))

    def listed(self, word: Token, *values: _Text) -> _Tail:
        return _Tail(Op.IN, values, _at(word))

    def within(self, word: Token, value: _Text) -> _Tail:
        return _Tail(Op.IS, (value,), _at(word))

    def operated(self, word: Token, value: _Text) -> _Tail:
        return _Tail(_COMPARED[word.type], (value,), _at(word))

    def this(self, word: Token, period: Token) -> _Tail:
        return _Tail(Op.THIS, (_Text(period.lower(), _at(period)),), _at(word))

    def today(self, word: Token) -> _Tail:
        return _Tail(Op.THIS, (_Text("day", _at(word)),), _at(word))

    def compare(self, sign: Token) -> Token:
        return sign

    def value(self, *words: Token) -> _Text:
        first = words[0]
        if first.type != "STRING":
            return _Text(" ".join(words), _at(first), _at(words[1]) if len(words) > 1 else None)
        inside = first[1:-1]
        return _Text(_ESCAPED.sub(r"\1", inside) if first.startswith('"') else inside, _at(first))

    # Clauses

    def sort(self, word: Token, name: Token, direction: Token | None = None) -> _Clause:
        field = _field(name)
        if field not in SORTABLE:
            known = ", ".join(each.label for each in SORTABLE)
            raise Misread(_at(name), f"tracks can be sorted by {known}")
        return _Clause("sort", _at(word), Sort(field, direction is not None and direction.type == "DOWN"))

    def direction(self, word: Token) -> Token:
        return word

    def limit(self, word: Token, count: Token, *rest: Token) -> _Clause:
        most = _whole(count, 1, MAX_COUNT)
        names = [piece for piece in rest if piece.type == "WORD"]
        direction = next((piece for piece in rest if piece.type in ("UP", "DOWN")), None)
        by = _order(names[0], direction) if names else By.ORDER
        if len(names) > 1 and by is not By.RANDOM:
            raise Misread(_at(names[1]), "only `random` takes a number, its seed")
        return _Clause("limit", _at(word), Limit(most, by, _whole(names[1], 0, MAX_SEED) if len(names) > 1 else 0))

    def unknown(self, word: Token, choice: Token) -> _Clause:
        if choice.lower() not in set(Unknown):
            raise Misread(_at(choice), "`unknown` takes `exclude` or `include`")
        return _Clause("unknown", _at(word), Unknown(choice.lower()))


_EXAMPLES = {
    "title": "title contains live", "artist": "artist is Queen", "album": "album is Thriller",
    "genre": "genre in (metal, rock)", "released": "released before 1999-06", "year": "year 1990..1999",
    "duration": "duration < 3:00", "added": "added in last 30 days", "added by": "added by ann",
    "language": "language is Japanese", "script": "script is Cyrillic", "country": "country in (GB, IE)",
    "position": "position <= 100", "popularity": "popularity >= 50",
}  # fmt: skip


def _at(token: Token) -> int:
    return token.start_pos or 0


def _field(token: Token) -> Field:
    return FIELD_NAMES[" ".join(token.lower().replace("_", " ").split())]


def _parts(pieces: Sequence[_Part | Token]) -> list[_Part]:
    return [piece for piece in pieces if isinstance(piece, _Part)]


def _joined(join: Join, parts: Sequence[_Part]) -> _Part:
    return parts[0] if len(parts) == 1 else _group(join, parts, parts[0].at)


def _group(join: Join, parts: Sequence[_Part], at: int) -> _Part:
    """Bounds are held here, at every step, so that no text grows a tree beyond them."""
    nodes, signs = 1, 0
    for part in parts:
        nodes += part.nodes
        signs += part.signs
        if nodes > MAX_NODES:
            raise Misread(part.at, f"a rule has at most {MAX_NODES} conditions and groups")
        if signs > MAX_SIGNS:
            raise Misread(part.at, f"all values together have at most {MAX_SIGNS} signs")
    depth = 1 + max(part.depth for part in parts)
    if depth > MAX_DEPTH:
        raise Misread(at, f"groups may stand in each other {MAX_DEPTH} deep")
    return _Part(Group(join, tuple(part.node for part in parts)), at, depth, nodes, signs)


def _condition(field: Token, tail: _Tail, default: Op) -> _Part:
    return _made(_field(field), tail.op or default, tail.values, _at(field), op_at=tail.at)


def _made(field: Field, op: Op, texts: Sequence[_Text], at: int, *, op_at: int | None = None) -> _Part:
    if op is Op.IS and (years := _years(field, texts[0].text)):
        op, texts = Op.BETWEEN, [_Text(year, texts[0].at) for year in years]
    values = [_typed(field, op, text) for text in texts]
    try:
        made = condition(field, op, values)
    except ValueFault as fault:
        place = at if op_at is None else op_at
        raise Misread(place if fault.index is None else texts[fault.index].at, str(fault)) from None
    return _Part(made, at, signs=sum(len(str(value)) for value in made.values))


def _years(field: Field, text: str) -> tuple[str, str] | None:
    """The ends of a decade ("90s", "2010s") or of years with a dash, where years are asked for."""
    if field not in (Field.YEAR, Field.RELEASED):
        return None
    if found := _YEARS.fullmatch(text):
        return found[1], found[2]
    if found := _DECADE.fullmatch(text.lower()):
        # Without its century a decade is the last one that has begun in every reader's lifetime: the 30s are 1930s.
        first = int((found[1] or ("20" if found[2] in ("00", "10", "20") else "19")) + found[2])
        return str(first), str(first + 9)
    return None


def _typed(field: Field, op: Op, value: _Text) -> object:
    """What was typed as the kind of value that the field has; text stays as it is."""
    text = value.text
    if op is Op.LAST:
        return _days(value)
    if op is Op.THIS or field.kind in (Kind.TEXT, Kind.NAMES):
        return text
    match field.kind:
        case Kind.NUMBER:
            return _number(value)
        case Kind.LENGTH:
            return _seconds(value)
        case Kind.FLAG:
            return _FLAGS.get(text.lower())
        case _:
            return text


def _number(value: _Text) -> int:
    first, _, more = value.text.partition(" ")
    if more and first.isdecimal() and value.more_at is not None:
        raise Misread(value.more_at, "`and` or `or` is wanted between two conditions")
    if not (value.text.isascii() and value.text.isdecimal() and len(value.text) <= 9):
        raise Misread(value.at, "a whole number is wanted here")
    return int(value.text)


def _whole(token: Token, least: int, most: int) -> int:
    try:
        return whole(_number(_Text(token, _at(token))), least, most, "this")
    except ValueFault as fault:
        raise Misread(_at(token), str(fault)) from None


def _seconds(value: _Text) -> int:
    text = value.text.lower()
    found = _CLOCK.fullmatch(text) or _UNITS.fullmatch(text)
    if found is None:
        raise Misread(value.at, "a length is written `3:00`, `3 minutes` or `90 s`")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _days(value: _Text) -> int:
    found = _DAYS.fullmatch(value.text.lower())
    if found is None:
        raise Misread(value.at, "a number of days or weeks is wanted here, such as `30 days`")
    return int(found[1]) * (7 if found[2].startswith("w") else 1)


def _order(name: Token, direction: Token | None) -> By:
    by = _ORDERS.get(name.lower())
    if by is None:
        raise Misread(_at(name), f"a limit goes by {', '.join(_ORDERS)}")
    if direction is None:
        return by
    if name.lower() != "duration":
        raise Misread(_at(direction), "only `duration` takes a direction here")
    return By.LONGEST if direction.type == "DOWN" else By.SHORTEST
