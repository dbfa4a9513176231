"""The meter: how many calls and units the work of the current task has spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from bot.model.quota import Bucket


@dataclass(slots=True)
class Meter:
    """Filled while it is held; ``units`` are YouTube's, the only ones that differ from calls."""

    calls: int = 0
    units: int = 0

    def count(self, bucket: Bucket, *, calls: int, units: int) -> None:
        self.calls += calls
        if bucket is Bucket.YOUTUBE_UNITS:
            self.units += units


_held: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is spent inside, by this task and the tasks started in it."""
    meter = Meter()
    token = _held.set(meter)
    try:
        yield meter
    finally:
        _held.reset(token)


def count(bucket: Bucket, *, calls: int, units: int) -> None:
    """Told by the ledger for each charge; outside of any ``metered`` nothing listens."""
    meter = _held.get()
    if meter is not None:
        meter.count(bucket, calls=calls, units=units)
