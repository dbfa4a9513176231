"""A whole copy of the SQLite database, taken while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote

from bot.model.errors import UserMistake

_SQLITE = "sqlite+aiosqlite:///"


def copy_database(url: str, target: Path) -> int:
    """Copy the database at ``url`` to ``target`` by SQLite's online backup; returns the bytes of the copy.

    The copy is whole when it appears under its name. An existing ``target`` is never touched. Raises UserMistake.
    """
    source = _source(url)
    if target.exists():
        raise UserMistake(f"{target} exists already and is left as it is; name a new file.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        os.link(draft, target)  # unlike a rename it refuses a name that was taken meanwhile
        return target.stat().st_size
    except FileExistsError:
        raise UserMistake(f"{target} exists already and is left as it is; name a new file.") from None
    except OSError as error:
        raise UserMistake(f"{target} cannot be written ({error.strerror}); name a file in a folder of yours.") from None
    except sqlite3.Error as error:
        raise UserMistake(f"{source} cannot be copied ({error}); is it a database of Crossfade's?") from None
    finally:
        draft.unlink(missing_ok=True)


def _source(url: str) -> Path:
    if not url.startswith(_SQLITE):
        raise UserMistake(
            "DATABASE_URL names PostgreSQL, which has its own tool for this; run pg_dump --format=custom with that"
            " address (without +asyncpg)."
        )
    source = Path(unquote(url.removeprefix(_SQLITE).partition("?")[0]))
    if not source.is_file():
        raise UserMistake(f"There is no database at {source} yet; start the bot once, or correct DATABASE_URL.")
    return source


def _copy(source: Path, draft: Path) -> None:
    # Read-only, because below SQLite 3.51.3 a second writing connection can damage the log (PLATFORM.md).
    address = f"file:{quote(str(source.absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database, closing(sqlite3.connect(draft)) as copy:
        database.backup(copy)
