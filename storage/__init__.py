"""The database: schema, migrations, and one repository for each subject; the only place with SQL."""

from storage.database import Database
from storage.errors import DatabaseLocked, DatabaseNewer, DatabaseUnusable, KeysUnusable
from storage.opening import Storage, open_storage

__all__ = [
    "Database",
    "DatabaseLocked",
    "DatabaseNewer",
    "DatabaseUnusable",
    "KeysUnusable",
    "Storage",
    "open_storage",
]
