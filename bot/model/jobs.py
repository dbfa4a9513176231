"""What to show of the jobs: filters of runs and of items, with their order, as JSON and back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import PlainSerializer, TypeAdapter, ValidationError

from bot.model.item import Action, ItemStatus
from bot.model.run import RunKind, RunStatus, Trigger

F = TypeVar("F")

VERSION = 1

# Snowflakes are strings in JSON: other readers of it round large numbers.
PersonId = Annotated[int, PlainSerializer(str, return_type=str, when_used="json")]


class Sort(StrEnum):
    CREATED = "created"
    STARTED = "started"
    COMPLETED = "completed"  # what has not ended yet counts as the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which runs, and in which order. Empty fields let all pass; those that are set hold together.

    ``since`` and ``until`` (not included) are about when it was created, ``text`` about its error and those of its
    items.
    """

    statuses: tuple[RunStatus, ...] = ()
    kinds: tuple[RunKind, ...] = ()
    mapping_id: int | None = None
    triggers: tuple[Trigger, ...] = ()
    actor_id: PersonId | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    id: int | None = None
    sort: Sort = Sort.CREATED
    ascending: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"v": VERSION, **_JOBS.dump_python(self, mode="json", exclude_defaults=True)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "JobFilter":
        """Raises ValueError for what no version of ours has written."""
        return _read(_JOBS, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items, and in which order; as ``JobFilter``. ``run_id``: asked for or last worked on by that run.

    ``triggers`` and ``actor_id`` are those of the run that last worked on it, ``reason`` is the normalised one.
    """

    statuses: tuple[ItemStatus, ...] = ()
    actions: tuple[Action, ...] = ()
    mapping_id: int | None = None
    run_id: int | None = None
    triggers: tuple[Trigger, ...] = ()
    actor_id: PersonId | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    reason: str | None = None
    id: int | None = None
    sort: Sort = Sort.CREATED
    ascending: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"v": VERSION, **_ITEMS.dump_python(self, mode="json", exclude_defaults=True)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ItemFilter":
        """Raises ValueError for what no version of ours has written."""
        return _read(_ITEMS, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a list: its row's sort value (None: not yet) and id."""

    value: datetime | None
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a cancellation did. ``asked``: the run was under way and now stops at its next safe point.

    ``already``: somebody had asked before. ``items``: waiting items that are cancelled now.
    """

    asked: bool = False
    already: bool = False
    items: int = 0


_JOBS = TypeAdapter(JobFilter)
_ITEMS = TypeAdapter(ItemFilter)


def _read(adapter: TypeAdapter[F], values: dict[str, Any]) -> F:
    try:
        return adapter.validate_python({name: value for name, value in values.items() if name != "v"})
    except ValidationError as error:
        raise ValueError("this filter was written by another version") from error
