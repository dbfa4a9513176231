"""Migrations lead to the schema that the code describes, on both engines, and only forward."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.engine.interfaces import ReflectedIndex

from storage.database import writing_engine
from storage.migration import configuration, prepare
from storage.schema import metadata
from tests import databases

VERSIONS = Path(__file__).parents[2] / "storage" / "migrations" / "versions"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield databases.sqlite_url(tmp_path / "empty.db")
        return
    if not databases.POSTGRES:
        pytest.skip(databases.NO_POSTGRES)
    with databases.postgres_database() as url:
        yield url


async def inspected(url: str, look: Any) -> Any:
    async with writing_engine(url) as engine, engine.begin() as connection:
        return await connection.run_sync(look)


def shape(connection: Connection) -> dict[str, Any]:
    """Everything that makes a schema, in a form that can be compared."""
    inspector = inspect(connection)
    return {name: _table(inspector, name) for name in inspector.get_table_names() if name != "alembic_version"}


def _table(inspector: Inspector, name: str) -> dict[str, Any]:
    keys = [(each["constrained_columns"], each["referred_table"]) for each in inspector.get_foreign_keys(name)]
    unique = [(str(each["name"]), each["column_names"]) for each in inspector.get_unique_constraints(name)]
    return {
        "columns": {
            column["name"]: (str(column["type"]), column["nullable"], str(column["default"]))
            for column in inspector.get_columns(name)
        },
        "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
        "unique": sorted(unique),
        "foreign keys": sorted(keys),
        "indexes": sorted(_index(each) for each in inspector.get_indexes(name)),
    }


def _index(index: ReflectedIndex) -> tuple[str, list[str | None], bool, list[str]]:
    conditions = [str(option) for option in index.get("dialect_options", {}).values()]
    return (str(index["name"]), index["column_names"], bool(index["unique"]), conditions)


def fresh_shape(connection: Connection) -> dict[str, Any]:
    metadata.create_all(connection)
    return shape(connection)


async def test_migrated_equals_fresh(empty_url: str) -> None:
    fresh = await inspected(empty_url, fresh_shape)
    await inspected(empty_url, metadata.drop_all)
    await prepare(empty_url, migrate=True)
    migrated = await inspected(empty_url, shape)
    assert set(migrated) == set(metadata.tables)
    assert migrated == fresh


async def test_partial_indexes_and_autoincrement_are_migrated_word_for_word(tmp_path: Path) -> None:
    """Reflection does not show them on SQLite, so that their text is compared."""

    def texts(connection: Connection) -> set[str]:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type <> 'trigger' AND sql IS NOT NULL"
        ).all()
        kept = [(name, " ".join(sql.split())) for name, sql in rows if not name.startswith(("alembic", "sqlite_"))]
        return {sql if "INDEX" in sql else f"{name} {'AUTOINCREMENT' in sql}" for name, sql in kept}

    fresh_url, migrated_url = (databases.sqlite_url(tmp_path / name) for name in ("fresh.db", "migrated.db"))
    await inspected(fresh_url, metadata.create_all)
    await prepare(migrated_url, migrate=True)
    fresh = await inspected(fresh_url, texts)
    assert await inspected(migrated_url, texts) == fresh
    assert "sync_items True" in fresh
    assert any("WHERE status IN ('pending', 'running', 'unknown')" in text for text in fresh)


async def test_the_code_has_not_drifted_from_the_migrations(each_url: str) -> None:
    def drift(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert await inspected(each_url, drift) == []


async def test_migrating_twice_does_nothing_twice(empty_url: str) -> None:
    for _ in range(2):
        await prepare(empty_url, migrate=True)
    await prepare(empty_url, migrate=False)


async def test_two_processes_that_start_together_migrate_once(migrated_postgres: str) -> None:
    with databases.postgres_database() as url:
        await asyncio.gather(*(prepare(url, migrate=True) for _ in range(4)))
        assert set(metadata.tables) < set(await inspected(url, lambda c: inspect(c).get_table_names()))


def test_there_is_one_line_of_revisions_and_none_leads_back() -> None:
    scripts = ScriptDirectory.from_config(configuration())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    for file in VERSIONS.glob("0*.py"):
        text = file.read_text()
        assert "def downgrade" not in text
        assert not re.search(r"^(from|import) (bot|storage)", text, re.MULTILINE), "a released revision stands alone"


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    url = databases.sqlite_url(tmp_path / "x.db")

    def fail(connection: Connection) -> None:
        from alembic import command

        command.upgrade(configuration(connection), "head")
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        await inspected(url, fail)
    assert await inspected(url, lambda connection: inspect(connection).get_table_names()) == []
