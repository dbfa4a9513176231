"""Opens the database: lock, version gate, migrations, connections, repositories."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import Clock
from storage.accounts import Accounts
from storage.blacklist import Blacklist
from storage.crypto import Vault
from storage.database import Database, check_sqlite_version, open_database, sqlite_file
from storage.decisions import Decisions
from storage.digests import Digests
from storage.effects import Effects
from storage.errors import DatabaseUnusable, translated
from storage.failures import Failures
from storage.filters import Filters
from storage.guilds import Guilds
from storage.incidents import Incidents
from storage.items import Items
from storage.jobs import Jobs
from storage.leases import Leases
from storage.links import Links
from storage.lock import only_process
from storage.logs import Logs
from storage.mappings import Mappings
from storage.matches import Matches
from storage.migration import prepare
from storage.notes import Notes
from storage.oauth import OAuthStates
from storage.pauses import Pauses
from storage.playlists import Playlists
from storage.queue import Queue
from storage.queue_pauses import QueuePauses
from storage.quota import Ledger
from storage.review_list import ReviewList
from storage.routers import Routers
from storage.runs import Runs
from storage.snapshots import Snapshots
from storage.stats import Stats
from storage.tasks import Tasks
from storage.tracks import Tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Everything that is kept. Each method of a repository is a transaction of its own."""

    db: Database
    accounts: Accounts
    guilds: Guilds
    playlists: Playlists
    tracks: Tracks
    mappings: Mappings
    links: Links
    snapshots: Snapshots
    matches: Matches
    runs: Runs
    jobs: Jobs
    items: Items
    effects: Effects
    leases: Leases
    blacklist: Blacklist
    review_list: ReviewList
    decisions: Decisions
    logs: Logs
    tasks: Tasks
    quota: Ledger
    oauth: OAuthStates
    pauses: Pauses
    stats: Stats
    filters: Filters
    routers: Routers
    failures: Failures
    incidents: Incidents
    digests: Digests
    queue: Queue
    queue_pauses: QueuePauses
    meta: Notes


@asynccontextmanager
async def open_storage(
    url: str, *, keys: Sequence[bytes] = (), clock: Clock | Callable[[], datetime], migrate: bool = True
) -> AsyncIterator[Storage]:
    """The storage at ``url`` (sqlite+aiosqlite:///FILE or postgresql+asyncpg://…), migrated unless told otherwise.

    ``keys``: 32 bytes each, newest first; without any, logins can be neither kept nor read. Raises DatabaseNewer,
    DatabaseLocked or DatabaseUnusable, each with its remedy, and KeysUnusable.
    """
    vault = Vault(keys)
    async with AsyncExitStack() as stack:
        file = sqlite_file(url)
        if file is not None:
            check_sqlite_version()
            if not migrate and not file.exists():
                raise DatabaseUnusable("There is no database yet; run `crossfade migrate` first.")
            _make_folder(file)
            stack.enter_context(only_process(file))
            _make_private(file)
            await asyncio.to_thread(_probe, file)
        await prepare(url, migrate=migrate)
        now = clock if callable(clock) else clock.now
        db = await stack.enter_async_context(open_database(url, now))
        yield _storage(db, vault)


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(f"{file.parent} cannot be made; check its permissions.") from error


def _make_private(file: Path) -> None:
    """A new database is its owner's only: it holds logins, sealed as they are."""
    try:
        file.touch(mode=0o600)
    except OSError as error:
        raise DatabaseUnusable(f"{file} cannot be written; check its owner and permissions.") from error


def _probe(file: Path) -> None:
    """Opens the file once in plain sight: aiosqlite's thread cannot report a failed opening after the loop is gone."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        raise translated(error) from error


def _storage(db: Database, vault: Vault) -> Storage:
    return Storage(
        db=db,
        accounts=Accounts(db, vault),
        guilds=Guilds(db),
        playlists=Playlists(db),
        tracks=Tracks(db),
        mappings=Mappings(db),
        links=Links(db),
        snapshots=Snapshots(db),
        matches=Matches(db),
        runs=Runs(db),
        jobs=Jobs(db),
        items=Items(db),
        effects=Effects(db),
        leases=Leases(db),
        blacklist=Blacklist(db),
        review_list=ReviewList(db),
        decisions=Decisions(db),
        logs=Logs(db),
        tasks=Tasks(db),
        quota=Ledger(db),
        oauth=OAuthStates(db, vault),
        pauses=Pauses(db),
        stats=Stats(db),
        filters=Filters(db),
        routers=Routers(db),
        failures=Failures(db),
        incidents=Incidents(db),
        digests=Digests(db),
        queue=Queue(db),
        queue_pauses=QueuePauses(db),
        meta=Notes(db),
    )
