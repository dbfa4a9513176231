"""The terminal as a sink: a thread of its own, so that a stuck terminal holds nobody up."""

import threading
from collections.abc import Callable
from typing import Self, TextIO

from bot.logs.queue import LineQueue
from bot.model.logline import LogLine

CAPACITY = 5_000
BATCH = 200
LAST_WORDS_SECONDS = 2.0  # how long the end of the program waits for a slow terminal


class Console:
    """Writes queued lines to ``stream`` while open; ``render`` makes the text of a line."""

    def __init__(self, stream: TextIO, render: Callable[[LogLine], str]) -> None:
        self._stream = stream
        self._render = render
        self._arrived = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._write_forever, name="log-console", daemon=True)
        self.queue = LineQueue(CAPACITY, self._arrived.set)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._arrived.set()
        self._thread.join(LAST_WORDS_SECONDS)

    def _write_forever(self) -> None:
        while not (self._closing and not self.queue):
            self._arrived.wait()
            self._arrived.clear()
            try:
                self._write_queued()
            except (OSError, ValueError):
                return  # the terminal is gone (closed pipe, closed file); there is nobody left to tell

    def _write_queued(self) -> None:
        while lines := self.queue.peek(BATCH):
            text = "".join(f"{self._render(line)}\n" for line in lines)
            dropped = self.queue.take_dropped()
            if dropped:
                text += f"({dropped} log lines were dropped because this terminal could not keep up)\n"
            self._stream.write(text)
            self._stream.flush()
            self.queue.clear(len(lines))
