"""A clock that stands still until it is told otherwise."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class FakeClock:
    """Implements ``bot.clock.Clock``; sleeping moves the time on and lets other tasks run, and takes none itself."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, by: float | timedelta) -> datetime:
        """Moves the time on by seconds or a timedelta; the new time."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self._now
