"""The small SQLite file in which a simulated world outlives its process."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS writes (
    number INTEGER PRIMARY KEY, at TEXT, service TEXT, playlist TEXT, action TEXT, media TEXT, hand TEXT);
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, at TEXT, service TEXT, method TEXT, path TEXT, person TEXT, units INTEGER,
    searches INTEGER, status INTEGER, committed INTEGER, fault TEXT);
"""


class Store:
    """Documents by kind and key, and two append-only tables: writes and requests.

    A commit is handed to the operating system before it returns, so it outlives a SIGKILL of the process. It is not
    forced onto the disk: a power cut of the simulated services is no case that anybody tests, and syncing would cost
    milliseconds a call. Callers hold the world's lock.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is saved inside is committed together; nested ones join the outer one."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def save(self, kind: str, key: str, value: Any) -> None:
        """Write one JSON document, in place of an older one."""
        self._database.execute(
            "INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            (kind, key, json.dumps(value, ensure_ascii=False)),
        )

    def drop(self, kind: str, key: str) -> None:
        self._database.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def load(self, kind: str) -> dict[str, Any]:
        """All documents of a kind, by key."""
        rows = self._database.execute("SELECT key, value FROM documents WHERE kind = ?", (kind,))
        return {key: json.loads(value) for key, value in rows}

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement over the append-only tables."""
        return self._database.execute(statement, values)
