"""Brings a database to the program's revision, and refuses one that is ahead of it or not ours."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import writing_engine
from storage.errors import DatabaseNewer, DatabaseUnusable, translated

_SCRIPTS = Path(__file__).parent / "migrations"


async def prepare(url: str, *, migrate: bool) -> None:
    """Migrates the database at ``url`` forward in one transaction, or with ``migrate=False`` only checks it.

    Raises DatabaseNewer, or DatabaseUnusable when it is not ours, too old to be used unmigrated, or cannot be opened.
    """
    async with writing_engine(url, foreign_keys=False) as engine:
        try:
            async with engine.begin() as connection:
                await _alone(connection)
                await connection.run_sync(_bring_forward if migrate else _check)
        except (DBAPIError, OSError) as error:
            raise translated(error) from error


def head() -> str:
    """The revision that this program works with."""
    revision = ScriptDirectory.from_config(configuration()).get_current_head()
    assert revision is not None
    return revision


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's settings; ``connection`` is what the migrations run on."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


async def _alone(connection: AsyncConnection) -> None:
    """Two processes that start together on PostgreSQL must not migrate at once."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('crossfade migrations'))"))


def _bring_forward(connection: Connection) -> None:
    if _revision(connection) == head():
        return
    command.upgrade(configuration(connection), "head")
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise DatabaseUnusable("The migration would break the database; nothing was changed. Please report this.")


def _check(connection: Connection) -> None:
    if _revision(connection) != head():
        raise DatabaseUnusable("The database is older than the program; run `crossfade migrate` first.")


def _revision(connection: Connection) -> str | None:
    """The revision that stands in the database, None for an empty one. Raises when it is unknown or not ours."""
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        if inspect(connection).get_table_names():
            raise DatabaseUnusable("DATABASE_URL names a database of another program; name one of its own.")
        return None
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if revision not in known:
        raise DatabaseNewer(
            "The database was made by a newer version of Crossfade; install that version, or put back an older backup."
        )
    return revision
