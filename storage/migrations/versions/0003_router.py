"""The router: bases, children, their runs, and the lock that keeps both from changing while they are routed."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ACTIVE = "status IN ('queued', 'in_progress')"
_THERE = "removed_at IS NULL"

# What the database says when a base or a child is changed while it is routed; storage/errors.py knows it.
BUSY = "crossfade: this base playlist is being routed"


def upgrade() -> None:
    op.add_column("tracks", sa.Column("album_id", sa.String(length=255), nullable=True))
    op.create_table(
        "base_playlists",
        sa.Column("id", _ROW_ID, sa.Identity(always=False), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("playlist_id", _ROW_ID, nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_routed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["playlist_id"], ["playlists.id"], name=op.f("fk_base_playlists_playlist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_playlists")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_base_playlists_playlist_id", "base_playlists", ["playlist_id"])
    _partial("uq_base_playlists_guild_id_name_key", "base_playlists", ["guild_id", "name_key"], _THERE)
    op.create_table(
        "child_playlists",
        sa.Column("id", _ROW_ID, sa.Identity(always=False), nullable=False),
        sa.Column("base_id", _ROW_ID, nullable=False),
        sa.Column("mapping_id", _ROW_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("rules", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("last_routed", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("last_routed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["base_id"], ["base_playlists.id"], name=op.f("fk_child_playlists_base_id")),
        sa.ForeignKeyConstraint(["mapping_id"], ["mappings.id"], name=op.f("fk_child_playlists_mapping_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_child_playlists")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_child_playlists_mapping_id", "child_playlists", ["mapping_id"])
    _partial("uq_child_playlists_base_id_name_key", "child_playlists", ["base_id", "name_key"], _THERE)
    _open_runs()
    for statement in _locks(op.get_bind().dialect.name):
        op.execute(statement)


def _open_runs() -> None:
    """A run belongs to a mapping or to a base. SQLite copies the table for that, and must not forget its last id."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    last = (
        op.get_bind().execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'runs'")).scalar() if sqlite else 0
    )
    with op.batch_alter_table("runs", table_kwargs={"sqlite_autoincrement": True}) as runs:
        runs.alter_column("mapping_id", existing_type=_ROW_ID, nullable=True)
        runs.add_column(sa.Column("base_playlist_id", _ROW_ID, nullable=True))
        runs.add_column(sa.Column("details", sa.JSON(none_as_null=True), nullable=True))
        runs.create_foreign_key(op.f("fk_runs_base_playlist_id"), "base_playlists", ["base_playlist_id"], ["id"])
    if last:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'runs'")
        op.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', :last)").bindparams(last=last))
    op.create_index("ix_runs_base_playlist_id_id", "runs", ["base_playlist_id", "id"])
    _partial("uq_runs_active_base_playlist_id", "runs", ["base_playlist_id"], _ACTIVE)


def _locks(dialect: str) -> Iterator[str]:
    """Triggers that refuse to change a base or its children while one of their runs is active."""
    guarded = {
        "base_playlists": ("id", "name, playlist_id, removed_at"),
        "child_playlists": ("base_id", "base_id, mapping_id, name, rules, removed_at"),
    }
    if dialect == "postgresql":
        yield _POSTGRES_FUNCTION
    for table, (key, columns) in guarded.items():
        events = {"update": f"UPDATE OF {columns}", "delete": "DELETE"}
        if table == "child_playlists":
            events["insert"] = "INSERT"
        for name, event in events.items():
            row = "NEW" if name == "insert" else "OLD"
            trigger = f"routing_locks_{table}_{name}"
            if dialect == "postgresql":
                yield (
                    f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW "
                    f"EXECUTE FUNCTION refuse_while_routing('{key}')"
                )
            else:
                yield (
                    f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW "
                    f"WHEN {_is_routing(f'{row}.{key}')} BEGIN SELECT RAISE(ABORT, '{BUSY}'); END"
                )


def _is_routing(base_id: str) -> str:
    """The condition, with the name of a column or variable that holds the base's id."""
    return (
        f"EXISTS (SELECT 1 FROM runs WHERE {_ACTIVE} AND (base_playlist_id = {base_id} OR mapping_id IN "  # noqa: S608 - our own names
        f"(SELECT mapping_id FROM child_playlists WHERE base_id = {base_id} AND {_THERE})))"
    )


# The base's row is locked before the look, as it is by whoever starts a run: neither can miss the other.
_POSTGRES_FUNCTION = f"""
CREATE FUNCTION refuse_while_routing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    base bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        base := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
    ELSE
        base := (to_jsonb(OLD) ->> TG_ARGV[0])::bigint;
    END IF;
    PERFORM 1 FROM base_playlists WHERE id = base FOR UPDATE;
    IF {_is_routing("base")} THEN
        RAISE EXCEPTION '{BUSY}' USING ERRCODE = 'object_in_use';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$
"""


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)
