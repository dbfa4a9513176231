"""The meter: how many calls and units the work of the current task has spent."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from bot.model.quota import Bucket


@dataclass(slots=True)
class Meter:
    """Filled while it is held; ``units`` are YouTube's, the only ones that differ from calls.

    ``calls`` are all, those to outside included.
    """

    calls: int = 0
    units: int = 0
    outside: Counter[str] = field(default_factory=Counter)  # calls to others than the music services, by name

    def count(self, bucket: Bucket, *, calls: int, units: int) -> None:
        self.calls += calls
        if bucket is Bucket.YOUTUBE_UNITS:
            self.units += units

    def add(self, other: "Meter") -> None:
        self.calls += other.calls
        self.units += other.units
        self.outside += other.outside


_held: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(*, through: bool = False) -> Iterator[Meter]:
    """Count what is spent inside, by this task and the tasks started in it.

    ``through``: it counts for the meter that was held before as well.
    """
    meter, outer = Meter(), _held.get()
    token = _held.set(meter)
    try:
        yield meter
    finally:
        _held.reset(token)
        if through and outer is not None:
            outer.add(meter)


def count_outside(name: str) -> None:
    """One call to somebody who keeps no quota with us."""
    meter = _held.get()
    if meter is not None:
        meter.calls += 1
        meter.outside[name] += 1


def count(bucket: Bucket, *, calls: int, units: int) -> None:
    """Told by the ledger for each charge; outside of any ``metered`` nothing listens."""
    meter = _held.get()
    if meter is not None:
        meter.count(bucket, calls=calls, units=units)
