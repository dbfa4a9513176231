"""The types of our columns: aware UTC times, words of an enum, versioned JSON, free text, ids and snowflakes."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator

JSON_VERSION = 1

# SQLite hands out AUTOINCREMENT ids only to a column that is declared INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")
Snowflake = BigInteger


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out; naive times are refused. SQLite keeps them without a zone, as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is refused; give aware UTC")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A member of one enum, kept as its value; other words are refused with ValueError."""

    impl = String(32)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class Prose(TypeDecorator[str]):
    """Free text from outside. NUL and lone surrogates, which the engines refuse, are taken out."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\x00", "").encode(errors="replace").decode()


class Versioned(TypeDecorator[dict[str, Any]]):
    """A JSON object that carries the version of its shape in ``v``; 1 is put in where none is given."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else {"v": JSON_VERSION, **value}
