"""What operations from chat need: pauses of the queue, incidents, saved filters, reasons of failures, undo, digest."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("guild_settings", sa.Column("digest_hour", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("undoes_run_id", _ROW_ID, nullable=True))
    op.add_column("runs", sa.Column("cancelled_by", sa.BigInteger(), nullable=True))
    _partial("ix_sync_items_has_error", "sync_items", ["guild_id", "id"], "last_error <> ''", unique=False)
    op.add_column(
        "sync_items", sa.Column("reason", sa.String(length=128), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("runs", sa.Column("reason", sa.String(length=128), server_default=sa.text("''"), nullable=False))
    _partial("ix_runs_failed", "runs", ["guild_id", "completed_at"], "status = 'failed'", unique=False)
    _partial(
        "ix_sync_items_reason",
        "sync_items",
        ["guild_id", "status", "reason", "mapping_id", "service", "completed_at", "not_before"],
        "status <> 'done'",
        unique=False,
    )
    op.add_column("blacklist", sa.Column("best_score", sa.Float(), nullable=True))
    _score_the_open_reviews()
    _partial(
        "ix_blacklist_open", "blacklist", ["mapping_id", "id", "reason", "best_score"], "state = 'open'", unique=False
    )
    op.create_index("ix_quota_usage_sums", "quota_usage", ["bucket", "hour", "operation", "units", "calls"])
    op.create_index("ix_quota_usage_shares", "quota_usage", ["mapping_id", "bucket", "hour", "units"])
    op.create_index("ix_logs_guild_id_event_id", "logs", ["guild_id", "event", "id"])
    op.create_table(
        "queue_pauses",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("service", sa.String(length=16), nullable=False),
        sa.Column("mapping_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "service", "mapping_id", name=op.f("pk_queue_pauses")),
    )
    op.create_table(
        "saved_filters",
        sa.Column("id", _ROW_ID, sa.Identity(always=False), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("filter", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_filters_guild_id_subject_digest", "saved_filters", ["guild_id", "subject", "digest"])
    _partial("uq_saved_filters_name", "saved_filters", ["guild_id", "subject", "name_key"], "name_key <> ''")
    op.create_table(
        "incidents",
        sa.Column("id", _ROW_ID, sa.Identity(always=False), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("mapping_id", _ROW_ID, nullable=True),
        sa.Column("run_id", _ROW_ID, nullable=True),
        sa.Column("sync_item_id", _ROW_ID, nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silenced_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incidents_guild_id_id", "incidents", ["guild_id", "id"])
    _partial("uq_incidents_open", "incidents", ["guild_id", "key"], "closed_at IS NULL")
    op.create_index(
        "ix_sync_items_guild_id_mapping_id_service_status",
        "sync_items",
        ["guild_id", "mapping_id", "service", "status"],
    )
    _partial(
        "ix_sync_items_delayed",
        "sync_items",
        ["guild_id", "mapping_id", "service", "not_before"],
        "status = 'pending' AND not_before IS NOT NULL",
        unique=False,
    )
    op.create_index("ix_sync_items_guild_id_completed_at_status", "sync_items", ["guild_id", "completed_at", "status"])
    op.add_column("sync_items", sa.Column("origin_run_id", _ROW_ID, nullable=True))
    # Which analysis asked for an older item is not known: the burst that did it stands for it.
    op.execute("UPDATE sync_items SET origin_run_id = run_id")
    op.create_index(
        "ix_sync_items_origin",
        "sync_items",
        ["mapping_id", "origin_run_id", "status", "action", "service", "intent_at"],
    )
    op.create_index("ix_sync_items_origin_run_id", "sync_items", ["origin_run_id"])


def _partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = True) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _score_the_open_reviews() -> None:
    """The score of each open row's candidate that nothing rivals: not rejected, and 0.05 ahead of all that are not."""
    table = sa.table(
        "blacklist",
        sa.column("id", _ROW_ID),
        sa.column("state", sa.String()),
        sa.column("candidates", sa.JSON()),
        sa.column("best_score", sa.Float()),
    )
    connection, last = op.get_bind(), 0
    while True:
        some = sa.select(table.c.id, table.c.candidates).where(table.c.state == "open", table.c.id > last)
        rows = connection.execute(some.order_by(table.c.id).limit(500)).all()
        if not rows:
            return
        for row_id, candidates in rows:
            score = _unrivalled(candidates["candidates"])
            if score is not None:
                connection.execute(table.update().where(table.c.id == row_id).values(best_score=score))
        last = rows[-1][0]


def _unrivalled(candidates: list[dict[str, Any]]) -> float | None:
    if not candidates:
        return None
    best, *others = candidates
    if best["score"]["verdict"] == "reject" or not best["track"].get("available", True):
        return None
    for other in others:
        same = other["track"]["external_id"] == best["track"]["external_id"]
        if (
            not same
            and other["score"]["verdict"] != "reject"
            and other["score"]["total"] > best["score"]["total"] - 0.05
        ):
            return None
    return float(best["score"]["total"])
