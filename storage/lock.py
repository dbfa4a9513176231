"""The lock file beside a SQLite database: it admits one process, and ends with that process however it ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import DatabaseLocked, DatabaseUnusable

if sys.platform == "win32":
    import msvcrt

    def _seize(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _seize(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def only_process(database: Path) -> Iterator[None]:
    """Holds ``<database>.lock``. Raises DatabaseLocked while another process (or another Storage) holds it."""
    path = database.with_name(database.name + ".lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DatabaseUnusable(f"{path} cannot be written; check the folder and its permissions.") from error
    try:
        try:
            _seize(handle)
        except OSError as error:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            raise DatabaseLocked(
                f"Another process (id {holder}) works on {database}; stop it first, or name another DATABASE_URL."
            ) from error
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        # The file stays: removing it would let two processes lock two different files of that name.
        os.close(handle)
