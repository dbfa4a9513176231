"""Sets up logging: one handler that turns records into lines and hands them to the queues of the sinks."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from bot.logs.console import Console
from bot.logs.lines import as_json, as_text, line_of
from bot.logs.queue import LineQueue
from bot.logs.redact import Redactor

OUR_ROOMS = ("bot", "cogs", "storage")
# Libraries stay at warnings whatever LOG_LEVEL says: spotipy and google-auth print tokens when they debug.
LIBRARY_LEVEL = logging.WARNING
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Logs(logging.Handler):
    """The handler at the root. It redacts, makes the line and offers it to each queue; it neither waits nor writes."""

    def __init__(self, redactor: Redactor, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._redactor = redactor
        self._now = now
        self._outlets: tuple[tuple[LineQueue, tuple[str, ...], int], ...] = ()

    def attach(
        self, queue: LineQueue, *, leave_out: tuple[str, ...] = (), least: int = logging.NOTSET
    ) -> Callable[[], None]:
        """Hand every line from ``least`` (a level of logging) up to ``queue`` from now on, but those of loggers under
        ``leave_out``. Returns the detaching.
        """
        outlet = (queue, leave_out, least)
        self._outlets = (*self._outlets, outlet)

        def detach() -> None:
            self._outlets = tuple(held for held in self._outlets if held is not outlet)

        return detach

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = line_of(record, self._now(), self._redactor)
            for queue, leave_out, least in self._outlets:
                if record.levelno >= least and not _under(record.name, leave_out):
                    queue.offer(line)
        except Exception:  # noqa: BLE001 - the standard library's rule for handlers: logging never breaks what it watches
            self.handleError(record)


@contextmanager
def open_logs(
    *,
    level: str = "info",
    log_format: str = "text",
    secrets: Iterable[str] = (),
    now: Callable[[], datetime] = _utc_now,
    stream: TextIO | None = None,
) -> Iterator[Logs]:
    """Log to ``stream`` (standard error) from now on, in ``text`` or ``json``; further sinks attach to what is yielded.

    ``level`` is the terminal's; the others get what our rooms say from info up whatever it is, since the log in the
    database is the activity feed and the audit trail as well. On exit what is queued for the terminal is written and
    logging is as before.
    """
    logs = Logs(Redactor(secrets), now)
    with Console(stream or sys.stderr, as_json if log_format == "json" else as_text) as console:
        logs.attach(console.queue, least=_LEVELS[level])
        with _installed(logs, min(_LEVELS[level], logging.INFO)):
            yield logs


@contextmanager
def _installed(handler: logging.Handler, level: int) -> Iterator[None]:
    root = logging.getLogger()
    loggers = {root: LIBRARY_LEVEL} | {logging.getLogger(name): level for name in OUR_ROOMS}
    before = {logger: logger.level for logger in loggers}
    for logger, wanted in loggers.items():
        logger.setLevel(wanted)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for logger, old in before.items():
            logger.setLevel(old)


def _under(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)
