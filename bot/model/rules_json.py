"""Rules as JSON and back: ``{"v": 1, "where": …, "unknown": …, "sort": …, "limit": …}``.

A condition is ``{"field", "op", "value"}``; ``value`` is a list for ``in`` and ``between`` and absent for ``missing``.
A group is ``{"all": […]}``, ``{"any": […]}`` or ``{"none": […]}``. ``where`` null holds everything.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from bot.model.errors import UserMistake
from bot.model.rule_values import MAX_COUNT, MAX_DEPTH, MAX_NODES, MAX_SEED, MAX_SIGNS, ValueFault, condition, whole
from bot.model.rules import (
    SORTABLE,
    By,
    Condition,
    Field,
    Group,
    Join,
    Limit,
    Node,
    Op,
    Rules,
    Sort,
    Unknown,
    conditions,
)

VERSION = 1
Word = TypeVar("Word", bound=StrEnum)


class RulesMistake(UserMistake):
    """Rules that cannot be taken. ``path`` names the place, such as ``where.all[1].value``; '' is the whole."""

    code = "bad_rules"

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"The rules are wrong at {path}: {sentence}." if path else f"The rules are wrong: {sentence}.")
        self.path = path
        self.sentence = sentence


def to_json(rules: Rules) -> dict[str, Any]:
    """The stored form; what is at its default is left out, save ``where`` and ``unknown``."""
    found: dict[str, Any] = {"v": VERSION, "where": _node_json(rules.where), "unknown": rules.unknown.value}
    if rules.sort is not None:
        found["sort"] = {"field": rules.sort.field.value, "descending": rules.sort.descending}
    if rules.limit is not None:
        found["limit"] = {"count": rules.limit.count, "by": rules.limit.by.value}
        if rules.limit.by is By.RANDOM:
            found["limit"]["seed"] = rules.limit.seed
    return found


def from_json(found: object) -> Rules:
    """Raises RulesMistake with the path of the first fault."""
    top = _object(found, "", {"v", "where", "unknown", "sort", "limit"})
    if top.get("v") != VERSION or isinstance(top.get("v"), bool):
        raise RulesMistake("v", f"this program reads version {VERSION}")
    where = top.get("where")
    rules = Rules(
        where=None if where is None else _Reader().node(where, "where", 1),
        unknown=_word(Unknown, top.get("unknown", Unknown.EXCLUDE.value), "unknown"),
        sort=_sort(top.get("sort")),
        limit=_limit(top.get("limit")),
    )
    if signs(rules) > MAX_SIGNS:
        raise RulesMistake("where", f"all values together have at most {MAX_SIGNS} signs")
    return rules


def signs(rules: Rules) -> int:
    """How many signs all values of the rules have together."""
    return sum(len(str(value)) for one in conditions(rules.where) for value in one.values)


def _node_json(node: Node | None) -> dict[str, Any] | None:
    match node:
        case None:
            return None
        case Group(join=join, members=members):
            return {join.value: [_node_json(member) for member in members]}
        case Condition(field=field, op=op, values=values):
            found: dict[str, Any] = {"field": field.value, "op": op.value}
            if op in (Op.IN, Op.BETWEEN):
                found["value"] = list(values)
            elif values:
                found["value"] = values[0]
            return found


class _Reader:
    """Reads one tree and counts its nodes."""

    def __init__(self) -> None:
        self._nodes = 0

    def node(self, found: object, path: str, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise RulesMistake(path, f"a rule has at most {MAX_NODES} conditions and groups")
        if depth > MAX_DEPTH:
            raise RulesMistake(path, f"groups may stand in each other {MAX_DEPTH} deep")
        if isinstance(found, dict) and "field" in found:
            return _condition(found, path)
        joins = [join for join in Join if isinstance(found, dict) and join.value in found]
        if len(joins) != 1:
            raise RulesMistake(path, "a condition with `field`, or one of `all`, `any`, `none`, is wanted here")
        return self._group(_object(found, path, {joins[0].value}), joins[0], path, depth)

    def _group(self, found: Mapping[str, Any], join: Join, path: str, depth: int) -> Group:
        path = f"{path}.{join.value}"
        members = found[join.value]
        if not isinstance(members, list) or not members:
            raise RulesMistake(path, "a list of at least one condition is wanted here")
        read = (self.node(member, f"{path}[{index}]", depth + 1) for index, member in enumerate(members))
        return Group(join, tuple(read))


def _condition(found: Mapping[str, Any], path: str) -> Condition:
    _object(found, path, {"field", "op", "value"})
    field = _word(Field, found["field"], f"{path}.field")
    op = _word(Op, found.get("op"), f"{path}.op")
    listed = op in (Op.IN, Op.BETWEEN)
    value = found.get("value")
    if listed and not isinstance(value, list):
        raise RulesMistake(f"{path}.value", "a list is wanted here")
    values: list[object] = value if isinstance(value, list) and listed else [value] if "value" in found else []
    try:
        return condition(field, op, values)
    except ValueFault as fault:
        at = "op" if fault.index is None else f"value[{fault.index}]" if listed else "value"
        raise RulesMistake(f"{path}.{at}", str(fault)) from None


def _sort(found: object) -> Sort | None:
    if found is None:
        return None
    sort = _object(found, "sort", {"field", "descending"})
    field = _word(Field, sort.get("field"), "sort.field")
    if field not in SORTABLE:
        raise RulesMistake("sort.field", f"tracks can be sorted by {', '.join(SORTABLE)}")
    descending = sort.get("descending", False)
    if not isinstance(descending, bool):
        raise RulesMistake("sort.descending", "true or false is wanted here")
    return Sort(field, descending)


def _limit(found: object) -> Limit | None:
    if found is None:
        return None
    limit = _object(found, "limit", {"count", "by", "seed"})
    by = _word(By, limit.get("by", By.ORDER.value), "limit.by")
    if "seed" in limit and by is not By.RANDOM:
        raise RulesMistake("limit.seed", "only a random limit has a seed")
    return Limit(
        _whole(limit.get("count"), 1, MAX_COUNT, "limit.count"),
        by,
        _whole(limit.get("seed", 0), 0, MAX_SEED, "limit.seed"),
    )


def _whole(value: object, least: int, most: int, path: str) -> int:
    try:
        return whole(value, least, most, "this")
    except ValueFault as fault:
        raise RulesMistake(path, str(fault)) from None


def _object(found: object, path: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise RulesMistake(path, "an object is wanted here")
    for key in found:
        if key not in known:
            raise RulesMistake(path, f"`{str(key)[:40]}` is not known here; known are {', '.join(sorted(known))}")
    return found


def _word(words: type[Word], value: object, path: str) -> Word:
    if isinstance(value, str) and value in set(words):
        return words(value)
    raise RulesMistake(path, f"one of {', '.join(words)} is wanted here")
