"""The tables. Names are those of the design; every index here answers a question that some repository asks."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.model.account import AccountStatus
from bot.model.item import Action, ItemStatus
from bot.model.logline import JobType, Level
from bot.model.mapping import Direction, LinkState, Order, Removals, Side
from bot.model.matching import MatchPolicy
from bot.model.music import CandidateKind, Service
from bot.model.quota import Bucket
from bot.model.review import BlacklistReason, BlacklistState, DecidedBy
from bot.model.run import RunKind, RunStatus, Trigger
from storage.columns import Prose, RowId, Snowflake, UtcDateTime, Versioned, Word
from storage.words import PlanState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# The conditions of the partial indexes. Queries use these very texts: SQLite only takes a partial index for a condition
# that it can read, and it cannot look into a bound parameter.
ITEM_IS_OPEN = text("status IN ('pending', 'running', 'unknown')")
ITEM_IS_PENDING = text("status = 'pending'")
ITEM_IS_DELAYED = text("status = 'pending' AND not_before IS NOT NULL")
ITEM_IS_NOT_DONE = text("status <> 'done'")
ITEM_HAS_ERROR = text("last_error <> ''")
ITEM_IS_HELD = text("status IN ('running', 'unknown')")
RUN_IS_ACTIVE = text("status IN ('queued', 'in_progress')")
RUN_HAS_FAILED = text("status = 'failed'")
LINE_IS_TROUBLE = text("level <> 'info'")
BLACKLIST_IS_OPEN = text("state = 'open'")
INCIDENT_IS_OPEN = text("closed_at IS NULL")
FILTER_HAS_NAME = text("name_key <> ''")
MAPPING_IS_THERE = text("removed_at IS NULL")


def _id() -> Column[int]:
    """Ids are never reused: buttons in Discord carry them for months."""
    return Column("id", RowId, Identity(), primary_key=True)


def _partial(name: str, *columns: str, where: object, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("discord_user_id", Snowflake, nullable=False),
    Column("guild_id", Snowflake, nullable=False),  # where it was linked
    Column("service", Word(Service), nullable=False),
    Column("external_id", Prose, nullable=False),
    Column("display_name", Prose, nullable=False),
    Column("scopes", Text, nullable=False),  # separated by spaces, as OAuth writes them
    Column("status", Word(AccountStatus), nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("token_dies_at", UtcDateTime),
    Column("token", LargeBinary),  # sealed by storage.crypto, bound to "service|external_id"
    UniqueConstraint("discord_user_id", "service", "external_id"),
    sqlite_autoincrement=True,
)

guild_settings = Table(
    "guild_settings",
    metadata,
    Column("guild_id", Snowflake, primary_key=True, autoincrement=False),
    Column("log_channel_id", Snowflake),
    Column("log_level", String(16), nullable=False),
    Column("moderator_role_id", Snowflake),
    Column("admin_role_id", Snowflake),
    Column("timezone", String(64), nullable=False),
    Column("retention_days", Integer, nullable=False),
    Column("refresh_seconds", Integer, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("digest_hour", Integer),  # of the guild's day; NULL: no daily digest
)

playlists = Table(
    "playlists",
    metadata,
    _id(),
    Column("service", Word(Service), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("account_id", RowId, ForeignKey("accounts.id"), nullable=False),
    Column("name", Prose, nullable=False),
    Column("name_key", Prose, nullable=False),  # casefolded, for autocomplete in any script
    Column("url", Prose, nullable=False),
    Column("owner_id", Prose, nullable=False),
    Column("writable", Boolean, nullable=False),
    Column("listed", Boolean, nullable=False),  # the account's latest list of playlists held it
    Column("item_count", Integer),
    Column("change_token", Text, nullable=False),  # as of the last full read; '' before it
    Column("fetched_at", UtcDateTime),  # the last full read
    UniqueConstraint("service", "external_id", "account_id"),
    Index(None, "account_id", "name_key"),
    sqlite_autoincrement=True,
)

tracks = Table(
    "tracks",
    metadata,
    Column("service", Word(Service), primary_key=True),
    Column("external_id", String(255), primary_key=True),
    Column("title", Prose, nullable=False),
    Column("artists", Versioned, nullable=False),  # {"v": 1, "names": [...], "ids": [...] where told}
    Column("album", Prose),
    Column("duration", Float),  # seconds
    Column("isrc", String(32)),
    Column("explicit", Boolean),
    Column("release_date", String(32)),
    Column("track_number", Integer),
    Column("channel", Prose),
    Column("kind", Word(CandidateKind), nullable=False),
    Column("views", RowId),
    Column("available", Boolean, nullable=False),
    Column("fetched_at", UtcDateTime),
    Column("album_id", String(255)),
    Index(None, "isrc"),
)

mappings = Table(
    "mappings",
    metadata,
    _id(),
    Column("guild_id", Snowflake, nullable=False),
    Column("name", Prose, nullable=False),
    Column("name_key", Prose, nullable=False),  # casefolded: names are unique in a guild whatever their case
    Column("left_playlist_id", RowId, ForeignKey("playlists.id"), nullable=False),
    Column("right_playlist_id", RowId, ForeignKey("playlists.id"), nullable=False),
    Column("direction", Word(Direction), nullable=False),
    Column("removals", Word(Removals), nullable=False),
    Column("order", Word(Order), nullable=False),
    Column("schedule", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("pause_reason", Prose, nullable=False),
    Column("max_adds", Integer, nullable=False),
    Column("max_removals", Integer, nullable=False),
    Column("policy", Word(MatchPolicy), nullable=False),
    Column("created_by", Snowflake, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_run_at", UtcDateTime),
    Column("last_analysed_at", UtcDateTime),
    Column("hidden", Boolean, nullable=False),
    Column("removed_at", UtcDateTime),  # its runs and items are history and keep their mapping
    _partial("uq_mappings_guild_id_name_key", "guild_id", "name_key", where=MAPPING_IS_THERE, unique=True),
    Index(None, "left_playlist_id"),
    Index(None, "right_playlist_id"),
    sqlite_autoincrement=True,
)

mapping_sources = Table(
    "mapping_sources",
    metadata,
    Column("mapping_id", RowId, ForeignKey("mappings.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("playlist_id", RowId, ForeignKey("playlists.id"), nullable=False),
    Index(None, "playlist_id"),
)

links = Table(
    "links",
    metadata,
    _id(),
    Column("mapping_id", RowId, ForeignKey("mappings.id"), nullable=False),
    Column("left_track_id", String(255), nullable=False),
    Column("right_track_id", String(255), nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("state", Word(LinkState), nullable=False),
    Column("written_side", Word(Side)),
    Column("suspect", Boolean, nullable=False),
    UniqueConstraint("mapping_id", "left_track_id", "right_track_id", "occurrence"),
    sqlite_autoincrement=True,
)

base_playlists = Table(
    "base_playlists",
    metadata,
    _id(),
    Column("guild_id", Snowflake, nullable=False),
    Column("name", Prose, nullable=False),
    Column("name_key", Prose, nullable=False),  # casefolded
    Column("playlist_id", RowId, ForeignKey("playlists.id"), nullable=False),
    Column("schedule", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("pause_reason", Prose, nullable=False),
    Column("created_by", Snowflake, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_run_at", UtcDateTime),
    Column("last_routed_at", UtcDateTime),
    Column("content", Versioned),  # as last read, with when and by whom each entry was added; NULL: not read yet
    Column("removed_at", UtcDateTime),  # its runs are history and keep their base
    _partial("uq_base_playlists_guild_id_name_key", "guild_id", "name_key", where=MAPPING_IS_THERE, unique=True),
    Index(None, "playlist_id"),
    sqlite_autoincrement=True,
)

child_playlists = Table(
    "child_playlists",
    metadata,
    _id(),
    Column("base_id", RowId, ForeignKey("base_playlists.id"), nullable=False),
    Column("mapping_id", RowId, ForeignKey("mappings.id"), nullable=False),  # hidden: base to child, exact
    Column("name", Prose, nullable=False),
    Column("name_key", Prose, nullable=False),  # casefolded
    Column("rules", Versioned, nullable=False),
    Column("last_routed", Versioned),  # what was last put into the queue for it; NULL: nothing yet
    Column("last_routed_at", UtcDateTime),
    Column("last_error", Prose, nullable=False),
    Column("created_by", Snowflake, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    _partial("uq_child_playlists_base_id_name_key", "base_id", "name_key", where=MAPPING_IS_THERE, unique=True),
    Index(None, "mapping_id"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    _id(),
    Column("kind", Word(RunKind), nullable=False),
    Column("mapping_id", RowId, ForeignKey("mappings.id")),  # of a routing run: none
    Column("base_playlist_id", RowId, ForeignKey("base_playlists.id")),  # of a routing run only
    Column("guild_id", Snowflake, nullable=False),  # the mapping's; here so that lists need no join
    Column("trigger", Word(Trigger), nullable=False),
    Column("actor", Snowflake, nullable=False),  # 0: the program itself
    Column("status", Word(RunStatus), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    Column("heartbeat_at", UtcDateTime),
    Column("error", Prose, nullable=False),
    Column("tracks_processed", Integer, nullable=False),
    Column("adds", Integer, nullable=False),
    Column("removals", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("api_requests", Integer, nullable=False),
    Column("cached_requests", Integer, nullable=False),
    Column("quota_units", Integer, nullable=False),
    Column("undoes_run_id", RowId),  # an undo, and the bursts that carry it out: the run whose effects are taken back
    Column("reason", String(128), nullable=False, server_default=text("''")),  # error without what is particular
    Column("cancelled_by", Snowflake),  # who asked it to stop; what it holds never goes back into the queue
    Column("details", Versioned),  # of a routing run: {"v": 1, "children": [ids], "cache_hits", "cache_misses", …}
    _partial("uq_runs_active_mapping_id", "mapping_id", where=RUN_IS_ACTIVE, unique=True),
    Index(None, "base_playlist_id", "id"),
    _partial("uq_runs_active_base_playlist_id", "base_playlist_id", where=RUN_IS_ACTIVE, unique=True),
    _partial("ix_runs_failed", "guild_id", "completed_at", where=RUN_HAS_FAILED),
    Index(None, "guild_id", "id"),
    Index(None, "mapping_id", "id"),
    sqlite_autoincrement=True,
)

plans = Table(
    "plans",
    metadata,
    Column("run_id", RowId, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("plan", Versioned, nullable=False),
    Column("state", Word(PlanState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    _id(),
    Column("mapping_id", RowId, ForeignKey("mappings.id"), nullable=False),
    Column("run_id", RowId, ForeignKey("runs.id")),
    Column("side", Word(Side), nullable=False),
    Column("service", Word(Service), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("info", Versioned, nullable=False),  # the PlaylistInfo
    Column("entries", Versioned, nullable=False),  # {"v": 1, "entries": [[position, track id, entry id, available]]}
    Column("skipped", Integer, nullable=False),
    Index(None, "mapping_id", "side", "id"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)

matches = Table(
    "matches",
    metadata,
    _id(),
    Column("source_service", Word(Service), nullable=False),
    Column("source_id", String(255), nullable=False),
    Column("destination_service", Word(Service), nullable=False),
    Column("destination_id", String(255), nullable=False),  # '': not on that service
    Column("guild_id", Snowflake, nullable=False),  # 0: for everybody
    Column("score", Float),
    Column("parts", Versioned, nullable=False),
    Column("found_by", String(32), nullable=False),
    Column("decided_by", Word(DecidedBy), nullable=False),
    Column("decided_by_user", Snowflake, nullable=False),
    Column("explanation", Prose, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    UniqueConstraint("source_service", "source_id", "destination_service", "guild_id", name="uq_matches_question"),
    Index(None, "decided_at"),
    sqlite_autoincrement=True,
)

sync_items = Table(
    "sync_items",
    metadata,
    _id(),
    Column("mapping_id", RowId, ForeignKey("mappings.id"), nullable=False),
    Column("run_id", RowId, ForeignKey("runs.id"), nullable=False),
    Column("origin_run_id", RowId),  # the run that asked for it; ``run_id`` becomes the burst that works on it
    Column("guild_id", Snowflake, nullable=False),  # the mapping's; here so that counts and lists need no join
    Column("service", Word(Service), nullable=False),
    Column("action", Word(Action), nullable=False),
    Column("source_track_id", String(255), nullable=False, server_default=text("''")),
    Column("occurrence", Integer, nullable=False, server_default=text("0")),
    Column("source_track_title", Prose, nullable=False),
    Column("source_service", Word(Service), nullable=False),
    Column("destination_service", Word(Service), nullable=False),
    Column("payload", Versioned, nullable=False),
    Column("position", Integer),
    Column("status", Word(ItemStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcDateTime),
    Column("lease_token", String(64), nullable=False),
    Column("lease_until", UtcDateTime),
    Column("intent_at", UtcDateTime),
    Column("copies_before", Integer),
    Column("last_error", Prose, nullable=False),
    Column("reason", String(128), nullable=False, server_default=text("''")),  # last_error without what is particular
    Column("created_at", UtcDateTime, nullable=False),
    Column("completed_at", UtcDateTime),
    _partial(
        "uq_sync_items_open",
        "mapping_id",
        "service",
        "action",
        "source_track_id",
        "occurrence",
        where=ITEM_IS_OPEN,
        unique=True,
    ),
    _partial("ix_sync_items_pending", "mapping_id", "service", "id", where=ITEM_IS_PENDING),
    _partial("ix_sync_items_delayed", "guild_id", "mapping_id", "service", "not_before", where=ITEM_IS_DELAYED),
    _partial("ix_sync_items_not_done", "guild_id", "status", where=ITEM_IS_NOT_DONE),
    _partial("ix_sync_items_held", "lease_token", where=ITEM_IS_HELD),
    _partial("ix_sync_items_has_error", "guild_id", "id", where=ITEM_HAS_ERROR),
    # Holds all that grouping failures needs, so that no row is read for it.
    _partial(
        "ix_sync_items_reason",
        "guild_id",
        "status",
        "reason",
        "mapping_id",
        "service",
        "completed_at",
        "not_before",
        where=ITEM_IS_NOT_DONE,
    ),
    Index(None, "guild_id", "status", "id"),
    Index(None, "mapping_id", "id"),
    Index(None, "run_id"),
    # Holds all that the list of what runs changed needs.
    Index("ix_sync_items_origin", "mapping_id", "origin_run_id", "status", "action", "service", "intent_at"),
    Index(None, "origin_run_id"),
    Index(None, "guild_id", "mapping_id", "service", "status"),
    Index(None, "guild_id", "completed_at", "status"),
    sqlite_autoincrement=True,
)

playlist_leases = Table(
    "playlist_leases",
    metadata,
    Column("playlist_key", String(300), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

blacklist = Table(
    "blacklist",
    metadata,
    _id(),
    Column("mapping_id", RowId, ForeignKey("mappings.id"), nullable=False),
    Column("service", Word(Service), nullable=False),
    Column("track_id", String(255), nullable=False),
    Column("title", Prose, nullable=False),
    Column("artists", Versioned, nullable=False),  # {"v": 1, "names": [...]}
    Column("reason", Word(BlacklistReason), nullable=False),
    Column("explanation", Prose, nullable=False),
    Column("candidates", Versioned, nullable=False),  # {"v": 1, "candidates": [...]}
    Column("best_score", Float),  # of the candidate that nothing rivals; NULL where there is none
    Column("skip_count", Integer, nullable=False),
    Column("last_skipped_at", UtcDateTime),
    Column("state", Word(BlacklistState), nullable=False),
    Column("next_look_at", UtcDateTime),
    Column("looks", Integer, nullable=False),
    Column("item_id", RowId),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("mapping_id", "service", "track_id"),
    _partial("ix_blacklist_open_next_look_at", "next_look_at", where=BLACKLIST_IS_OPEN),
    _partial("ix_blacklist_open", "mapping_id", "id", "reason", "best_score", where=BLACKLIST_IS_OPEN),
    sqlite_autoincrement=True,
)

logs = Table(
    "logs",
    metadata,
    _id(),
    Column("at", UtcDateTime, nullable=False),
    Column("level", Word(Level), nullable=False),
    Column("event", String(64), nullable=False),
    Column("message", Prose, nullable=False),  # at most 1024 characters
    Column("job_type", Word(JobType), nullable=False),
    # No foreign keys here: the log outlives what it tells of.
    Column("sync_item_id", RowId),
    Column("run_id", RowId),
    Column("mapping_id", RowId),
    Column("guild_id", Snowflake),
    Column("actor", Snowflake),
    Column("details", Versioned, nullable=False),
    Column("source", String(128), nullable=False),
    Index(None, "guild_id", "id"),
    Index(None, "guild_id", "at"),
    Index(None, "guild_id", "job_type", "id"),
    Index(None, "guild_id", "event", "id"),
    _partial("ix_logs_trouble", "guild_id", "id", where=LINE_IS_TROUBLE),
    _partial("ix_logs_run_id", "run_id", "id", where=text("run_id IS NOT NULL")),
    _partial("ix_logs_mapping_id", "mapping_id", "id", where=text("mapping_id IS NOT NULL")),
    _partial("ix_logs_sync_item_id", "sync_item_id", "id", where=text("sync_item_id IS NOT NULL")),
    _partial("ix_logs_actor", "actor", "id", where=text("actor IS NOT NULL")),
    sqlite_autoincrement=True,
)

task_status = Table(
    "task_status",
    metadata,
    Column("task_name", String(64), primary_key=True),
    Column("last_run", UtcDateTime),
    Column("next_run", UtcDateTime),
    Column("status", String(16), nullable=False),
    Column("last_error", Prose, nullable=False),
    Column("last_result", Prose, nullable=False),
)

quota_usage = Table(
    "quota_usage",
    metadata,
    Column("bucket", Word(Bucket), primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),  # the start of a UTC hour
    Column("operation", String(64), primary_key=True),
    Column("mapping_id", RowId, primary_key=True, autoincrement=False),  # 0: none
    Column("calls", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    # A month of many mappings is summed from these alone.
    Index("ix_quota_usage_sums", "bucket", "hour", "operation", "units", "calls"),
    Index("ix_quota_usage_shares", "mapping_id", "bucket", "hour", "units"),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    _id(),
    Column("state_hash", String(128), nullable=False),
    Column("service", Word(Service), nullable=False),
    Column("discord_user_id", Snowflake, nullable=False),
    Column("guild_id", Snowflake, nullable=False),
    Column(
        "secrets", LargeBinary, nullable=False
    ),  # interaction token and PKCE verifier, sealed and bound to the state
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    UniqueConstraint("state_hash"),
    sqlite_autoincrement=True,
)

service_pauses = Table(
    "service_pauses",
    metadata,
    Column("subject", String(64), primary_key=True),  # a service
    Column("until", UtcDateTime, nullable=False),
    Column("reason", Prose, nullable=False),
)

queue_pauses = Table(
    "queue_pauses",
    metadata,
    # Zero and '' stand for "every": NULLs would not be unique.
    Column("guild_id", Snowflake, primary_key=True, autoincrement=False),  # 0: every guild
    Column("service", String(16), primary_key=True),
    Column("mapping_id", RowId, primary_key=True, autoincrement=False),
    Column("actor", Snowflake, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("reason", Prose, nullable=False),
)

saved_filters = Table(
    "saved_filters",
    metadata,
    _id(),
    Column("guild_id", Snowflake, nullable=False),  # 0: across guilds, the owner's
    Column("subject", String(32), nullable=False),  # what it filters: jobs, items, errors, logs, activity, review
    Column("name", Prose, nullable=False),  # '': in use behind a message's buttons only
    Column("name_key", Prose, nullable=False),  # casefolded
    Column("filter", Versioned, nullable=False),
    Column("digest", String(64), nullable=False),  # of the filter, so that the same one is kept once
    Column("created_by", Snowflake, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    _partial("uq_saved_filters_name", "guild_id", "subject", "name_key", where=FILTER_HAS_NAME, unique=True),
    Index(None, "guild_id", "subject", "digest"),
    sqlite_autoincrement=True,
)

incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("guild_id", Snowflake, nullable=False),
    Column("key", String(255), nullable=False),  # what makes lines one incident
    Column("level", Word(Level), nullable=False),
    Column("event", String(64), nullable=False),
    Column("message", Prose, nullable=False),  # of the latest line
    Column("mapping_id", RowId),
    Column("run_id", RowId),
    Column("sync_item_id", RowId),
    Column("count", Integer, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("acknowledged_by", Snowflake),
    Column("acknowledged_at", UtcDateTime),
    Column("silenced_until", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("channel_id", Snowflake),
    Column("message_id", Snowflake),
    Column("details", Versioned, nullable=False),  # what else the card says: facts, examples, item ids, names
    _partial("uq_incidents_open", "guild_id", "key", where=INCIDENT_IS_OPEN, unique=True),
    Index(None, "guild_id", "id"),
    sqlite_autoincrement=True,
)
