"""A base playlist laid out for routing: one column a field, each different value looked at once for all children."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
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
            found = self._columns[field] = _column(map(READ[field], self.entries))
        return found

    def picked(self, mask: int) -> list[int]:
        """The indexes of the entries whose byte in ``mask`` is set."""
        return [index for index, bit in enumerate(mask.to_bytes(len(self.entries), "little")) if bit]


def _column(values: Iterable[Hashable]) -> Column:
    numbers: dict[Hashable, int] = {None: 0}
    codes = [numbers.setdefault(value, len(numbers)) for value in values]
    return Column(tuple(numbers), codes)


def span(text: str | None) -> Span | None:
    """The days that YYYY, YYYY-MM or YYYY-MM-DD means; None for what is no date, such as Spotify's 0000."""
    try:
        year, *rest = map(int, (text or "").split("-"))
        month, day = (*rest, 0, 0)[:2]
        if day:
            return date(year, month, day), date(year, month, day)
        if month:
            last = date(year + month // 12, month % 12 + 1, 1)
            return date(year, month, 1), date.fromordinal(last.toordinal() - 1)
        return date(year, 1, 1), date(year, 12, 31)
    except (ValueError, OverflowError):
        return None


def country(isrc: str | None) -> str | None:
    """The country under whose code the recording was registered; None where the code tells none."""
    code = (isrc or "")[:2].upper()
    code = _SAME_COUNTRY.get(code, code)
    private = code[:1] == "X" or (code[:1] == "Q" and code[1:] >= "M")
    return None if len(code) < 2 or private or code in _NO_COUNTRY else code


def comparable(text: str) -> str:
    """Without case, accents and spare spaces."""
    return " ".join(plain(text).split())


def _title(entry: Facts) -> str | None:
    return comparable(entry.track.title) or None


def _names(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """None stays unknown; no names at all are a known nothing."""
    return None if names is None else tuple(map(comparable, names))


def _year(entry: Facts) -> int | None:
    days = span(entry.track.release_date)
    return days[0].year if days else None


def _language(entry: Facts) -> tuple[str | None, frozenset[str]] | None:
    scripts = scripts_of(entry.track.title)
    return (entry.language, scripts) if entry.language or scripts else None


READ: dict[Field, Callable[[Facts], Hashable]] = {
    Field.TITLE: _title,
    Field.ARTIST: lambda entry: _names(entry.track.artists or None),
    Field.ALBUM: lambda entry: comparable(entry.track.album or "") or None,
    Field.GENRE: lambda entry: _names(entry.genres),
    Field.RELEASED: lambda entry: span(entry.track.release_date),
    Field.YEAR: _year,
    Field.DURATION: lambda entry: None if entry.track.duration is None else int(entry.track.duration),
    Field.EXPLICIT: lambda entry: entry.track.explicit,
    Field.ADDED: lambda entry: entry.added_at,
    Field.ADDED_BY: lambda entry: _names(entry.added_by or None),
    Field.LANGUAGE: _language,
    Field.SCRIPT: lambda entry: scripts_of(entry.track.title) or None,
    Field.COUNTRY: lambda entry: country(entry.track.isrc),
    Field.POSITION: lambda entry: entry.position + 1,
    Field.POPULARITY: lambda entry: entry.popularity,
}
