"""A copy of a SQLite database, taken while the bot may be at work."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.model.errors import UserMistake
from storage.database import sqlite_file
from storage.errors import DatabaseUnusable, translated


async def copy(url: str, target: Path) -> int:
    """Writes a consistent copy of the database at ``url`` to ``target``; its size in bytes.

    Raises UserMistake when ``target`` exists or cannot be made, DatabaseUnusable for a database that is not a file
    of ours to copy.
    """
    source = sqlite_file(url)
    if source is None:
        raise DatabaseUnusable("A PostgreSQL database is backed up with `pg_dump`.")
    if not source.exists():
        raise DatabaseUnusable(f"There is no database at {source} yet.")
    return await asyncio.to_thread(_copy, source, target)


def _copy(source: Path, target: Path) -> int:
    try:
        # It holds logins, sealed as they are; an empty file is what VACUUM INTO may write to.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise UserMistake(f"{target} exists already; name another file.") from error
    except OSError as error:
        raise UserMistake(f"{target} cannot be written; check that its folder exists and may be written to.") from error
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        target.unlink()
        raise translated(error) from error
    return target.stat().st_size
