"""A value that is computed at most once in a while, however many ask for it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from bot.clock import Clock

T = TypeVar("T")


class Fresh(Generic[T]):
    """Shares one computation of ``compute`` among all who ask within ``seconds``, its failure too.

    Who stops waiting does not stop the computation for the others.
    """

    def __init__(self, compute: Callable[[], Coroutine[Any, Any, T]], clock: Clock, *, seconds: float = 1.0) -> None:
        self._compute = compute
        self._clock = clock
        self._seconds = seconds
        self._task: asyncio.Task[T] | None = None
        self._started = 0.0

    async def get(self) -> T:
        now = self._clock.monotonic()
        if self._task is None or (self._task.done() and now - self._started >= self._seconds):
            self._task = asyncio.create_task(self._compute())
            self._started = now
        return await asyncio.shield(self._task)
