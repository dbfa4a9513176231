"""Which entries of a base playlist its rules choose, in the child's order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import blake2b
from typing import Any

from bot.engine.routing.asking import Ask, ask
from bot.engine.routing.layout import Base
from bot.model.rules import By, Condition, Facts, Field, Group, Join, Kind, Limit, Node, Op, Rules, Sort, Unknown

Verdict = tuple[int, int]  # one byte an entry, 1 or 0: surely chosen, and possibly chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """``chosen``: what the child shall hold, in its order, each copy of the base by itself.

    ``undecided``: the entries, in the base's order, for which the rule stayed open because something is not known;
    ``rules.unknown`` decided about them. ``unknown``: the same entries by the fields that were not known of them.
    ``beyond``: how many fitted but went over the limit.
    """

    chosen: tuple[Facts, ...]
    undecided: tuple[Facts, ...] = ()
    unknown: Mapping[Field, tuple[Facts, ...]]
    beyond: int = 0


def route(entries: Sequence[Facts] | Base, rules: Rules, *, now: datetime, zone: tzinfo) -> Routed:
    """``now`` (aware) and ``zone``, the guild's timezone, say which days "this month" and "the last 7 days" are.

    For several children make one ``Base(entries)``, so that the entries are prepared once.
    """
    base = entries if isinstance(entries, Base) else Base(entries)
    judge = _Judge(base, now, zone)
    surely, possibly = judge.verdict(rules.where)
    fitting = base.picked(surely if rules.unknown is Unknown.EXCLUDE else possibly)
    ordered = _sorted(base, fitting, rules.sort)
    kept = _limited(base, ordered, rules.limit)
    open_ones = surely ^ possibly
    return Routed(
        chosen=tuple(base.entries[index] for index in kept),
        undecided=tuple(base.entries[index] for index in base.picked(open_ones)),
        unknown={
            field: tuple(base.entries[index] for index in base.picked(mask & open_ones))
            for field, mask in judge.open_by_field.items()
            if mask & open_ones
        },
        beyond=len(ordered) - len(kept),
    )


class _Judge:
    """Answers a tree of conditions for all entries at once.

    Kleene's logic in two bits: a group of ALL is sure where all members are sure and possible where all are possible,
    ANY likewise with one of them, and NONE is sure exactly where no member is possible.
    """

    def __init__(self, base: Base, now: datetime, zone: tzinfo) -> None:
        self._base = base
        self._now = now
        self._zone = zone
        self.open_by_field: dict[Field, int] = {}

    def verdict(self, node: Node | None) -> Verdict:
        everything = self._base.everything
        match node:
            case None:
                return everything, everything
            case Condition():
                return self._condition(node)
            case Group(join=Join.ALL, members=members):
                surely = possibly = everything
                for member in members:
                    sure, possible = self.verdict(member)
                    surely, possibly = surely & sure, possibly & possible
                return surely, possibly
            case Group(join=join, members=members):
                surely = possibly = 0
                for member in members:
                    sure, possible = self.verdict(member)
                    surely, possibly = surely | sure, possibly | possible
                return (surely, possibly) if join is Join.ANY else (everything ^ possibly, everything ^ surely)

    def _condition(self, condition: Condition) -> Verdict:
        column = self._base.column(condition.field)
        question = _question(condition, self._now, self._zone)
        of_unknown = True if condition.op is Op.MISSING else None
        answers = map(_BITS.__getitem__, (of_unknown, *map(question, column.distinct[1:])))
        both = column.spread(bytes(answers))
        surely, possibly = both >> 1 & self._base.everything, both & self._base.everything
        known = self.open_by_field.get(condition.field, 0)
        self.open_by_field[condition.field] = known | (surely ^ possibly)
        return surely, possibly


_BITS = {False: 0b00, None: 0b01, True: 0b11}  # possibly, and surely above it


def _question(condition: Condition, now: datetime, zone: tzinfo) -> Ask:
    """MISSING holds of a known value where that is a known nothing."""
    if condition.op is Op.MISSING:
        return (lambda names: not names) if condition.field.kind is Kind.NAMES else (lambda _: False)
    return ask(condition, now=now, zone=zone)


def _sorted(base: Base, indexes: list[int], sort: Sort | None) -> list[int]:
    return indexes if sort is None else _ordered(base, indexes, sort.field, descending=sort.descending)


def _ordered(base: Base, indexes: list[int], field: Field, *, descending: bool) -> list[int]:
    """By a field, the unknown last either way; equals stay as they are."""
    column = base.column(field)

    def value(index: int) -> Any:
        return column.distinct[column.codes[index]]

    known = [index for index in indexes if column.codes[index]]
    return [
        *sorted(known, key=value, reverse=descending),
        *(index for index in indexes if not column.codes[index]),
    ]


def _limited(base: Base, ordered: list[int], limit: Limit | None) -> list[int]:
    """At most so many, in the order given."""
    if limit is None or len(ordered) <= limit.count:
        return ordered
    kept = set(_ranked(base, ordered, limit)[: limit.count])
    return [index for index in ordered if index in kept]


def _ranked(base: Base, indexes: list[int], limit: Limit) -> list[int]:
    """Whom the limit keeps first. Of tracks added at the same moment, or when is not told, the later place is newer."""
    match limit.by:
        case By.ORDER:
            return indexes
        case By.NEWEST:
            return _ordered(base, sorted(indexes, reverse=True), Field.ADDED, descending=True)
        case By.OLDEST:
            return _ordered(base, sorted(indexes), Field.ADDED, descending=False)
        case By.SHORTEST | By.LONGEST:
            return _ordered(base, sorted(indexes), Field.DURATION, descending=limit.by is By.LONGEST)
        case By.RANDOM:
            return sorted(sorted(indexes), key=lambda index: _lot(base.entries[index], limit.seed))


def _lot(entry: Facts, seed: int) -> bytes:
    """A track's lot hangs on nothing but itself and the seed, so that a draw stays when others come and go."""
    key = f"{seed}:{entry.track.service}:{entry.track.external_id}"
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
