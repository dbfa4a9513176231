"""A base playlist laid out for routing: one column a field, each different value looked at once for all children."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import compress
from typing import Any

from bot.engine.matching.text import plain
from bot.engine.routing.scripts import scripts_of
from bot.model.rules import Facts, Field

# Prefixes of ISRCs that stand beside a country's own code, as the agencies of these countries name them. Codes that ISO
# keeps for users (QM to QZ, X…, ZZ) or reserves, and those of worldwide registrants, tell no country.
_SAME_COUNTRY = {
    "QM": "US", "QT": "US", "QZ": "US", "UK": "GB", "GX": "GB", "FX": "FR", "KS": "KR", "CB": "CA",
    "BC": "BR", "BK": "BR", "BP": "BR", "BX": "BR",
}  # fmt: skip
_NO_COUNTRY = frozenset({"AA", "ZZ", "TC", "CP", "DG"})

Compared = Callable[[Any], Hashable]
Span = tuple[date, date]  # the first and the last day that a date may mean


@dataclass(frozen=True, slots=True)
class Column:
    """What a field is for each entry: ``distinct[codes[i]]``. ``distinct[0]`` is None, the unknown."""

    distinct: Sequence[Any]
    codes: Sequence[int]

    def spread(self, answers: bytes) -> int:
        """One byte an entry out of one byte a distinct value, as a whole number for fast logic over all entries."""
        return int.from_bytes(bytes(map(answers.__getitem__, self.codes)), "little")


class Base:
    """The entries of a base playlist, in order. Columns are made when a rule first asks for them, and kept."""

    def __init__(self, entries: Iterable[Facts]) -> None:
        self.entries: tuple[Facts, ...] = tuple(entries)
        self._columns: dict[Field, Column] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def everything(self) -> int:
        """One byte 1 an entry."""
        return int.from_bytes(b"\1" * len(self.entries), "little")

    def column(self, field: Field) -> Column:
        """Of comparable values: texts without case and accents, dates as spans of days, ``added`` as moments."""
        found = self._columns.get(field)
        if found is None:
            told, compared = _READ[field]
            found = self._columns[field] = _column(map(told, self.entries), compared)
        return found

    def picked(self, mask: int) -> list[int]:
        """The indexes of the entries whose byte in ``mask`` is set."""
        return list(compress(range(len(self)), mask.to_bytes(len(self), "little"))) if mask else []


def _column(values: Iterable[Hashable], compared: Compared) -> Column:
    """What is told often is brought to its comparable form once."""
    numbers: dict[Hashable, int] = {None: 0}
    known: dict[Hashable, int] = {None: 0}
    codes = []
    for value in values:
        code = known.get(value)
        if code is None:
            code = known[value] = numbers.setdefault(compared(value), len(numbers))
        codes.append(code)
    return Column(tuple(numbers), codes)


def span(text: str | None) -> Span | None:
    """The days that YYYY, YYYY-MM or YYYY-MM-DD means; None for what is no date, such as Spotify's 0000."""
    try:
        if text and len(text) == 10:
            day_itself = date.fromisoformat(text)
            return day_itself, day_itself
        year, *rest = map(int, (text or "").split("-"))
        month = rest[0] if rest else 0
        if month:
            last = date(year + month // 12, month % 12 + 1, 1)
            return date(year, month, 1), date.fromordinal(last.toordinal() - 1)
        return date(year, 1, 1), date(year, 12, 31)
    except (ValueError, OverflowError):
        return None


def country(prefix: str) -> str | None:
    """The country to which the first two letters of an ISRC belong; None where they tell none."""
    code = _SAME_COUNTRY.get(prefix.upper(), prefix.upper())
    private = code[:1] == "X" or (code[:1] == "Q" and code[1:] >= "M")
    return None if len(code) < 2 or private or code in _NO_COUNTRY else code


def comparable(text: str) -> str:
    """Without case, accents and spare spaces."""
    return " ".join(plain(text).split())


def _text(text: str) -> str | None:
    return comparable(text) or None


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(comparable, names))


def _year(text: str) -> int | None:
    days = span(text)
    return days[0].year if days else None


def _language(told: tuple[str | None, str]) -> tuple[str | None, frozenset[str]] | None:
    language, scripts = told[0], scripts_of(told[1])
    return (language, scripts) if language or scripts else None


def _as_told(value: Any) -> Any:
    return value


# How a field is read off an entry, and the form in which it is compared; None and what becomes None is unknown.
# A genre list that is empty is known to be so; other empty lists tell nothing.
_READ: dict[Field, tuple[Callable[[Facts], Hashable], Compared]] = {
    Field.TITLE: (lambda entry: entry.track.title, _text),
    Field.ARTIST: (lambda entry: entry.track.artists or None, _names),
    Field.ALBUM: (lambda entry: entry.track.album, _text),
    Field.GENRE: (lambda entry: entry.genres, _names),
    Field.RELEASED: (lambda entry: entry.track.release_date, span),
    Field.YEAR: (lambda entry: (entry.track.release_date or "")[:4], _year),
    Field.DURATION: (lambda entry: entry.track.duration, int),
    Field.EXPLICIT: (lambda entry: entry.track.explicit, _as_told),
    Field.ADDED: (lambda entry: entry.added_at, _as_told),
    Field.ADDED_BY: (lambda entry: entry.added_by or None, _names),
    Field.LANGUAGE: (lambda entry: (entry.language, entry.track.title), _language),
    Field.SCRIPT: (lambda entry: entry.track.title, lambda title: scripts_of(title) or None),
    Field.COUNTRY: (lambda entry: (entry.track.isrc or "")[:2], country),
    Field.POSITION: (lambda entry: entry.position + 1, _as_told),
    Field.POPULARITY: (lambda entry: entry.popularity, _as_told),
}
