"""What can be wrong with the database itself, each as one sentence with its remedy, and the translation of the drivers'
errors into ours.
"""

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.model.errors import Bug, CrossfadeError, RetryLater, UserMistake


class DatabaseUnusable(UserMistake):
    """The database cannot be opened or written; ``str(error)`` says why and what to do."""

    code = "database_unusable"


class DatabaseNewer(DatabaseUnusable):
    """A newer version of the program has migrated this database; exit code 3."""

    code = "database_newer"


class DatabaseLocked(DatabaseUnusable):
    """Another process works on this SQLite database."""

    code = "database_locked"


class KeysUnusable(UserMistake):
    """``SECRET_KEYS`` is empty or holds a key of the wrong length."""

    code = "keys_unusable"


class BaseBusy(UserMistake):
    """A base playlist or one of its children cannot be changed now, because a run of theirs is active."""

    code = "base_busy"


# What the triggers of revision 0003 say.
_BASE_IS_ROUTED = "crossfade: this base playlist is being routed"

CROSSED = "database_crossed"  # rolled back whole; the same again will do

# SQLite's primary result codes (sqlite.org/rescode.html) and what a person can do about them.
_SQLITE = {
    3: "The database file may not be read or written by this user; check its owner and permissions.",
    8: "The database is read-only; check the permissions of the file and its folder, and that the disk is not "
    "mounted read-only.",
    10: "The disk failed while the database was read or written; check the disk before starting again.",
    11: "The database file is damaged; put back a backup, or let `sqlite3 FILE .recover` save what it can.",
    13: "The disk is full; nothing was changed. Free some space and start again.",
    14: "The database file cannot be opened; check that its folder exists and that this user may write there.",
    26: "DATABASE_URL names a file that is not a SQLite database; move it away or name another file.",
}
_SQLITE_BUSY = (5, 6)  # busy, locked: another program holds the file, for instance an open `sqlite3` shell

# PostgreSQL's error classes and codes (Appendix A of its manual), longest match first.
_POSTGRES = {
    "28": "The database refused the login; check user and password in DATABASE_URL.",
    "3D000": "The database in DATABASE_URL does not exist on that server; create it with `createdb`.",
    "42501": "The database user may not do this; it must own the schema that it works in.",
    "25006": "The database server is read-only; name the primary server in DATABASE_URL.",
    "53100": "The disk of the database server is full; nothing was changed. Free some space there.",
}
_POSTGRES_PASSING = ("08", "53", "55P03", "57")  # connection, resources, lock, shutdown
_POSTGRES_CROSSED = "40"  # a deadlock, or two transactions that cannot both have been first


def translated(error: Exception) -> CrossfadeError:
    """Our error for a driver's. Certain that the transaction did not happen, unless it is a ``Bug``."""
    if isinstance(error, OSError):
        return DatabaseUnusable("The database server cannot be reached; check DATABASE_URL and that the server runs.")
    if isinstance(error, PoolTimeout):
        return RetryLater("All connections to the database are busy.", code="database_busy")
    origin: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        origin = error.orig
    if _BASE_IS_ROUTED in str(origin):
        return BaseBusy(
            "This base playlist is being synced right now, so nothing was changed. Try again when that is done; "
            "`/jobs list` shows it."
        )
    if isinstance(error, IntegrityError):
        return Bug(f"The database refused a row: {type(origin).__name__}", code="integrity")
    sqlite_code = getattr(origin, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return _from_sqlite(sqlite_code & 0xFF, origin)
    return _from_postgres(str(getattr(origin, "sqlstate", None) or ""), origin)


def _from_sqlite(code: int, origin: BaseException) -> CrossfadeError:
    if code in _SQLITE:
        return DatabaseUnusable(_SQLITE[code])
    if code in _SQLITE_BUSY:
        return RetryLater("Another program holds the database.", code="database_busy")
    return Bug(f"The database failed: {origin}")


def _from_postgres(state: str, origin: BaseException) -> CrossfadeError:
    for length in (5, 2):
        if state[:length] in _POSTGRES:
            return DatabaseUnusable(_POSTGRES[state[:length]])
    if state.startswith(_POSTGRES_CROSSED):
        return RetryLater("Two changes of the database crossed.", code=CROSSED)
    if state.startswith(_POSTGRES_PASSING):
        return RetryLater(f"The database server could not answer ({state}).", code="database_busy")
    return Bug(f"The database failed: {origin}")
