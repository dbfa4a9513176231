"""Routing rules: which tracks of a base playlist a child playlist holds, and what is known of a track.

A rule is a tree. Groups say whether ``all``, ``any`` or ``none`` of their members must hold; a condition compares one
field. A condition about something that is not known of a track is neither true nor false, and so may be the groups
above it (Kleene's logic); ``Rules.unknown`` says what happens to a track for which the whole rule stays open.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from bot.model.music import PlaylistEntry, Track


class Kind(StrEnum):
    """What a field's values are; it decides the operators."""

    TEXT = "text"
    NAMES = "names"  # several texts; a condition holds when one of them fits
    CODE = "code"  # a word out of a known list
    NUMBER = "number"
    LENGTH = "length"  # whole seconds, as players show them: 3:00.9 is 3:00
    DATE = "date"  # in the text and in JSON YYYY, YYYY-MM or YYYY-MM-DD: a whole year, month or day
    FLAG = "flag"


class Field(StrEnum):
    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    GENRE = "genre"  # compared by whole words: "heavy metal" is a kind of "metal"
    RELEASED = "released"
    YEAR = "year"  # of the release
    DURATION = "duration"
    EXPLICIT = "explicit"
    ADDED = "added"  # when it was put into the base playlist
    ADDED_BY = "added_by"  # the service's user id, and names where known
    LANGUAGE = "language"  # of the title, ISO 639-1
    SCRIPT = "script"  # of the title; a title may have several
    COUNTRY = "country"  # where the ISRC was registered, ISO 3166-1; mostly, but not always, where the artist is from
    POSITION = "position"  # in the base playlist, counted from 1
    POPULARITY = "popularity"  # 0 to 100, where the service still tells

    @property
    def kind(self) -> Kind:
        return _KINDS[self]

    @property
    def label(self) -> str:
        """How the field is written in a rule's text."""
        return self.value.replace("_", " ")


_KINDS = {
    Field.TITLE: Kind.TEXT,
    Field.ARTIST: Kind.NAMES,
    Field.ALBUM: Kind.TEXT,
    Field.GENRE: Kind.NAMES,
    Field.RELEASED: Kind.DATE,
    Field.YEAR: Kind.NUMBER,
    Field.DURATION: Kind.LENGTH,
    Field.EXPLICIT: Kind.FLAG,
    Field.ADDED: Kind.DATE,
    Field.ADDED_BY: Kind.NAMES,
    Field.LANGUAGE: Kind.CODE,
    Field.SCRIPT: Kind.CODE,
    Field.COUNTRY: Kind.CODE,
    Field.POSITION: Kind.NUMBER,
    Field.POPULARITY: Kind.NUMBER,
}
SORTABLE = (
    Field.TITLE, Field.ARTIST, Field.ALBUM, Field.RELEASED, Field.YEAR, Field.DURATION, Field.ADDED, Field.POSITION,
    Field.POPULARITY,
)  # fmt: skip


class Op(StrEnum):
    IS = "is"
    IN = "in"  # is one of
    CONTAINS = "contains"  # holds these words, whole: "live" is not in "Alive"
    MATCHES = "matches"  # the whole text fits a pattern in which * is any text and ? one sign
    BETWEEN = "between"  # both ends included
    BELOW = "below"  # dates: before
    ABOVE = "above"  # dates: after
    AT_MOST = "at_most"  # dates: until
    AT_LEAST = "at_least"  # dates: since
    LAST = "last"  # within the last N days, today included, in the guild's timezone
    THIS = "this"  # within the calendar day, week (from Monday), month or year of today
    MISSING = "missing"  # not known, or known to be empty; the one question that is always answered


_TEXT_OPS = (Op.IS, Op.IN, Op.CONTAINS, Op.MATCHES, Op.MISSING)
_ORDER_OPS = (Op.BETWEEN, Op.BELOW, Op.ABOVE, Op.AT_MOST, Op.AT_LEAST)
OPERATORS: dict[Kind, tuple[Op, ...]] = {
    Kind.TEXT: _TEXT_OPS,
    Kind.NAMES: _TEXT_OPS,
    Kind.CODE: (Op.IS, Op.IN, Op.MISSING),
    Kind.NUMBER: (Op.IS, Op.IN, *_ORDER_OPS, Op.MISSING),
    Kind.LENGTH: (Op.IS, *_ORDER_OPS, Op.MISSING),
    Kind.DATE: (Op.IS, *_ORDER_OPS, Op.LAST, Op.THIS, Op.MISSING),
    Kind.FLAG: (Op.IS, Op.MISSING),
}

Value = str | int | bool
PERIODS = ("day", "week", "month", "year")  # what THIS takes


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. ``values``: one for most operators, two for BETWEEN, one or more for IN, none for MISSING.

    Texts and codes are ``str``, numbers and seconds ``int``, dates ``str`` as typed, flags ``bool``, LAST days ``int``.
    Made by ``bot.model.rule_values.condition``, which checks and normalises.
    """

    field: Field
    op: Op
    values: tuple[Value, ...] = ()


class Join(StrEnum):
    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """At least one member. NONE of one member is that member's opposite."""

    join: Join
    members: tuple["Node", ...]


Node = Condition | Group


class Unknown(StrEnum):
    EXCLUDE = "exclude"
    INCLUDE = "include"


class By(StrEnum):
    ORDER = "order"  # the first ones of the child's own order
    NEWEST = "newest"  # put into the base last; where that is not told, after all others
    OLDEST = "oldest"
    RANDOM = "random"  # drawn by the seed; the same tracks stay drawn when others come and go
    SHORTEST = "shortest"
    LONGEST = "longest"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` tracks; ``seed`` counts for RANDOM only."""

    count: int
    by: By = By.ORDER
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Sort:
    """The child's order; what is not known comes last either way, and equals keep the base's order."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one child holds. ``where`` None: everything. ``sort`` None: the base's order."""

    where: Node | None = None
    unknown: Unknown = Unknown.EXCLUDE
    sort: Sort | None = None
    limit: Limit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one entry of a base playlist; None is unknown. ``position`` counts from 0.

    ``genres`` empty: known to have none. ``language``: an ISO 639-1 code of a source that knows it; where None, the
    title's script may still tell.
    """

    track: Track
    position: int
    added_at: datetime | None = None
    added_by: tuple[str, ...] | None = None
    genres: tuple[str, ...] | None = None
    popularity: int | None = None
    language: str | None = None

    @classmethod
    def of(cls, entry: PlaylistEntry, *, genres: Sequence[str] | None = None, popularity: int | None = None) -> Self:
        """What an entry tells by itself, with what other sources know."""
        return cls(
            track=entry.track,
            position=entry.position,
            added_at=entry.added_at,
            added_by=(entry.added_by,) if entry.added_by else None,
            genres=None if genres is None else tuple(genres),
            popularity=popularity,
        )


def conditions(node: Node | None) -> Iterator[Condition]:
    """Every condition of a tree, from left to right."""
    match node:
        case Condition():
            yield node
        case Group(members=members):
            for member in members:
                yield from conditions(member)


def fields(rules: Rules) -> frozenset[Field]:
    """The fields that the rules look at: what has to be fetched for them."""
    asked = {one.field for one in conditions(rules.where)}
    if rules.sort:
        asked.add(rules.sort.field)
    if rules.limit and rules.limit.by in _ASKED_BY:
        asked.add(_ASKED_BY[rules.limit.by])
    return frozenset(asked)


_ASKED_BY = {
    By.NEWEST: Field.ADDED,
    By.OLDEST: Field.ADDED,
    By.SHORTEST: Field.DURATION,
    By.LONGEST: Field.DURATION,
}
