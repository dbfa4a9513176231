"""The daily copy of the database, beside it, with the oldest ones dropped."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import Clock
from bot.model.errors import UserMistake
from bot.model.events import Event
from storage import backup
from storage.database import sqlite_file

log = logging.getLogger(__name__)

KEPT = 7
FRESH_FOR = timedelta(days=1)
_STAMP = "crossfade-%Y%m%dT%H%M%SZ.db"
_POSTGRES = "Nothing was copied: a PostgreSQL database is backed up by its own server, say daily with `pg_dump`."


class Backups:
    """Copies of the database at ``url`` in the folder ``backups`` beside it; other files there are left alone."""

    def __init__(self, url: str, clock: Clock, *, kept: int = KEPT) -> None:
        self._url = url
        self._clock = clock
        self._kept = kept
        file = sqlite_file(url)
        self.folder = None if file is None else file.absolute().parent / "backups"

    async def run(self) -> str:
        """Make today's copy, then drop the oldest; says what it did.

        Raises UserMistake, DatabaseUnusable and what SQLite's failures are translated to; no copy is dropped then.
        """
        if self.folder is None:
            return _POSTGRES
        target = self.folder / self._clock.now().astimezone(UTC).strftime(_STAMP)
        await asyncio.to_thread(_made, self.folder)
        size = await backup.copy(self._url, target)
        dropped = await asyncio.to_thread(self._drop_old)
        log.info(Event.BACKUP_DONE, extra={"file": target.name, "size": _megabytes(size)})
        return f"{target.name} written ({_megabytes(size)}), {dropped} older dropped, the last {self._kept} are kept"

    def due(self) -> bool:
        """Whether the newest copy is a day old, or there is none."""
        if self.folder is None:
            return False
        newest = max(self._copies(), default=None)
        return newest is None or self._clock.now() - newest[0] >= FRESH_FOR

    def _copies(self) -> list[tuple[datetime, Path]]:
        """Our copies with their moments, as their names tell them."""
        if self.folder is None or not self.folder.is_dir():
            return []
        found = ((_moment(path.name), path) for path in self.folder.iterdir())
        return [(at, path) for at, path in found if at is not None]

    def _drop_old(self) -> int:
        old = sorted(self._copies())[: -self._kept]
        for _, path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _made(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserMistake(
            f"{folder} cannot be made, so nothing was copied; check the permissions beside it."
        ) from error


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
