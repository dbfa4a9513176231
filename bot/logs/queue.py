"""A bounded queue of log lines between whoever logs, in any thread, and one sink."""

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice

from bot.model.logline import LogLine


class LineQueue:
    """Lines stay until the sink says that they are safe; what finds no room is counted, never waited for.

    ``notify`` is called, in the thread that logs, when a line arrives in the empty queue.
    """

    def __init__(self, capacity: int, notify: Callable[[], object]) -> None:
        self._lines: deque[LogLine] = deque()
        self._capacity = capacity
        self._notify = notify
        self._lock = threading.Lock()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._lines)

    def offer(self, line: LogLine) -> None:
        with self._lock:
            if len(self._lines) >= self._capacity:
                self._dropped += 1
                return
            self._lines.append(line)
            first = len(self._lines) == 1
        if first:
            self._notify()

    def peek(self, limit: int) -> tuple[LogLine, ...]:
        """The oldest lines, at most ``limit``; they stay queued until ``clear``."""
        with self._lock:
            return tuple(islice(self._lines, limit))

    def clear(self, count: int) -> None:
        """Forget the ``count`` oldest lines: the sink has them."""
        with self._lock:
            for _ in range(count):
                self._lines.popleft()

    def take_dropped(self) -> int:
        """How many lines found no room since the last call."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped
