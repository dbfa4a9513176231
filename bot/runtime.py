"""The one place where the parts are put together: opened in order, closed in reverse, held in one frozen object."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.clock import Clock, SystemClock
from bot.config import KEY_FILE, Settings
from bot.engine.accounts import Accounts
from bot.engine.backups import Backups
from bot.engine.bases import Bases
from bot.engine.destination import Destinations
from bot.engine.digest import Digests
from bot.engine.estimate import Estimates
from bot.engine.executor import Executor, no_crash
from bot.engine.facts import Metadata
from bot.engine.failures import Failures
from bot.engine.hub import Hub
from bot.engine.incidents import Incidents
from bot.engine.jobs import Jobs
from bot.engine.lists import Lists
from bot.engine.mappings import Mappings
from bot.engine.meter import count_outside
from bot.engine.preferences import Preferences
from bot.engine.queue import Queue
from bot.engine.quota import Quota, QuotaLimits
from bot.engine.reading import Reader
from bot.engine.recent import RecentWrites
from bot.engine.retention import Retention
from bot.engine.revalidation import Revalidation
from bot.engine.review import Reviews
from bot.engine.review_search import ReviewSearch
from bot.engine.rounds import Rounds
from bot.engine.routed import Chooser
from bot.engine.router import Router
from bot.engine.scheduler import Scheduler, Task, daily, every
from bot.engine.sources import Sources
from bot.engine.stats import Stats
from bot.engine.sync import Sync
from bot.engine.tasks import Loop, Tasks
from bot.engine.undo import Undo
from bot.engine.warming import Warming
from bot.logs.database import Append, DatabaseLog, open_database_log
from bot.logs.feed import Feed, open_feed
from bot.logs.setup import Logs
from bot.model.events import AccountLinked, RunFinished
from bot.model.logline import Level, LogLine
from bot.services.cache import Cache, open_cache
from bot.services.config import ServiceConfig
from bot.services.metadata.opening import MetadataConfig, open_sources
from bot.services.oauth import OAuth
from bot.services.registry import MusicServices
from bot.services.tokens import Tokens
from storage import Storage, open_storage
from storage.database import sqlite_file
from storage.tasks import Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything that a door may use. Fields only; who wants behaviour asks one of them."""

    settings: Settings
    clock: Clock
    logs: Logs
    log: DatabaseLog
    feed: Feed
    storage: Storage
    hub: Hub
    quota: Quota
    services: MusicServices
    cache: Cache
    metadata: Metadata
    lists: Lists
    tokens: Tokens
    oauth: OAuth
    sync: Sync
    rounds: Rounds
    estimates: Estimates
    queue: Queue
    tasks: Tasks
    executor: Executor
    scheduler: Scheduler
    mappings: Mappings
    bases: Bases
    router: Router
    preferences: Preferences
    retention: Retention
    accounts: Accounts
    reviews: Reviews
    jobs: Jobs
    review_search: ReviewSearch
    incidents: Incidents
    digests: Digests
    stats: Stats
    undo: Undo
    failures: Failures


@asynccontextmanager
async def open_runtime(
    settings: Settings, logs: Logs, *, clock: Clock | None = None, crash: Callable[[str], None] = no_crash
) -> AsyncIterator[Runtime]:
    """The opened parts; nothing works by itself yet (``bot.app.at_work`` starts that).

    ``crash`` is called at the executor's named crash points. Raises what ``open_storage`` raises.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(settings.database_url, keys=settings.keys, clock=clock))
        await storage.accounts.reencrypt()
        log = await stack.enter_async_context(open_database_log(logs, _noted(storage, clock), clock))
        feed = await stack.enter_async_context(open_feed(logs, _feed_levels(storage), storage.incidents, clock))
        hub = Hub()
        stack.callback(hub.subscribe(RunFinished, feed.run_finished))
        official = settings.youtube_search == "official"
        quota = Quota(storage, clock, _limits(settings), official_search=official)
        services = MusicServices(_service_config(settings), storage, quota, clock, hub.announce)
        stack.push_async_callback(services.close)
        cache = await stack.enter_async_context(
            open_cache(_cache_folder(settings), clock, redis_url=_clear(settings.redis_url))
        )
        destinations = Destinations(clock, RecentWrites(timedelta(seconds=settings.settle_seconds)))
        reader = Reader(storage, services, clock, destinations)
        executor = Executor(
            storage,
            services,
            hub,
            clock,
            destinations=destinations,
            official_search=official,
            crash=crash,
        )
        accounts = Accounts(storage, services, clock, wake=executor.wake)
        stack.push_async_callback(accounts.close)
        stack.callback(hub.subscribe(AccountLinked, accounts.linked))
        sources = await stack.enter_async_context(open_sources(_metadata_config(settings), clock, count_outside))
        metadata = Metadata(services, cache, sources)
        lists = Lists(storage, services, cache)
        stack.push_async_callback(lists.close)
        chooser = Chooser(storage, services, metadata, clock)
        merged = Sources(storage, services, clock, chooser.content_of)
        sync = Sync(storage, services, hub, quota, reader, clock, wake=executor.wake, chosen=merged.content_of)
        router = Router(storage, services, hub, sync, chooser, clock)
        mappings = Mappings(storage, services, clock)
        retention = Retention(storage, clock)
        scheduler = Scheduler(storage, sync, executor, retention, Revalidation(storage, services, clock), clock)
        scheduler.add("backup", _backup(settings, clock))
        scheduler.add("routing", _routing(router))
        scheduler.add("warming", _warming(Warming(storage, metadata, clock)))
        stack.push_async_callback(retention.close)
        reviews = Reviews(storage, clock, wake=executor.wake)
        digests = Digests(storage, quota, clock, feed.offer_digest)
        scheduler.add("feed", _feed(feed))
        scheduler.add("digest", _digest(digests))
        failures = Failures(storage, clock, sync, wake=executor.wake)
        stack.push_async_callback(failures.close)
        yield Runtime(
            settings=settings,
            clock=clock,
            logs=logs,
            log=log,
            feed=feed,
            storage=storage,
            hub=hub,
            quota=quota,
            services=services,
            cache=cache,
            metadata=metadata,
            lists=lists,
            tokens=services.tokens,
            oauth=services.oauth,
            sync=sync,
            rounds=Rounds(sync),
            estimates=Estimates(storage, quota, clock),
            queue=Queue(storage, quota, executor, clock),
            tasks=Tasks(storage, scheduler, _loops(log, executor)),
            executor=executor,
            scheduler=scheduler,
            mappings=mappings,
            bases=Bases(storage, mappings, clock),
            router=router,
            retention=retention,
            preferences=Preferences(storage, hub, clock, forget=retention.soon),
            accounts=accounts,
            reviews=reviews,
            jobs=Jobs(storage, clock, wake=executor.wake, stop=executor.stop_cancelled),
            review_search=ReviewSearch(storage, services, reviews, clock),
            incidents=Incidents(storage, feed, reviews, clock),
            digests=digests,
            stats=Stats(storage, quota, clock),
            undo=Undo(
                storage, services, hub, quota, reader, clock, wake=executor.wake, chosen=merged.content_of, crash=crash
            ),
            failures=failures,
        )


def _noted(storage: Storage, clock: Clock) -> Append:
    """Storing log lines, with the signs of life that `/tasks` shows."""
    pulse = Pulse(storage.tasks, "log_writer", clock)

    async def append(lines: Sequence[LogLine]) -> None:
        try:
            await storage.logs.append(lines)
        except Exception as error:
            await pulse.failed(str(error))
            raise
        await pulse.beat(f"lines in the last batch: {len(lines):,}")

    return append


def _routing(router: Router) -> Task:
    async def route() -> str:
        return f"{await router.due()} base playlists routed"

    return Task(
        title="Router",
        purpose="Brings the children of base playlists up to date when their time has come",
        trigger=every(seconds=20),
        work=route,
    )


def _warming(warming: Warming) -> Task:
    return Task(
        title="Fetching ahead",
        purpose="Looks up at night what the rules of the next day's routing will ask for",
        trigger=every(minutes=30),
        work=warming.run,
    )


def _backup(settings: Settings, clock: Clock) -> Task:
    backups = Backups(settings.database_url, clock)
    return Task(
        title="Backup",
        purpose="Copies the database into the folder backups beside it and keeps the last seven",
        trigger=daily(3, 30),
        work=backups.run,
        at_start=backups.due,
    )


def _feed(feed: Feed) -> Task:
    return Task(
        title="Log channels",
        purpose="Closes cards of incidents that are over, and shows what was silenced when its time is up",
        trigger=every(minutes=1),
        work=feed.tend,
    )


def _digest(digests: Digests) -> Task:
    return Task(
        title="Daily digest",
        purpose="Posts each server's digest at the hour that it chose",
        trigger=every(minutes=1),
        work=digests.run,
    )


def _loops(log: DatabaseLog, executor: Executor) -> dict[str, Loop]:
    async def look_now() -> str:
        executor.wake()
        return "looks for due work now"

    async def write_now() -> str:
        return "every line is written" if await log.flush() else "the database refuses; the lines stay queued"

    return {
        "executor": Loop(
            title="Executor", purpose="Carries out what is due in the queues, a worker for each service", nudge=look_now
        ),
        "log_writer": Loop(title="Log writer", purpose="Stores log lines in batches", nudge=write_now),
    }


def _feed_levels(storage: Storage) -> Callable[[int | None], Awaitable[Level | None]]:
    async def level_of(guild_id: int | None) -> Level | None:
        """The least level that a guild's channel shows; None where it has no log channel."""
        if guild_id is None:
            return None
        guild = await storage.guilds.get(guild_id)
        return Level(guild.log_level) if guild.log_channel_id else None

    return level_of


def _cache_folder(settings: Settings) -> Path:
    """Beside the database; where that is a server's, beside the key file."""
    file = sqlite_file(settings.database_url)
    return (KEY_FILE if file is None else file).parent / "cache"


def _limits(settings: Settings) -> QuotaLimits:
    return QuotaLimits(
        youtube_units=settings.youtube_daily_units,
        youtube_searches=settings.youtube_daily_searches,
        spotify_calls=settings.spotify_daily_calls,
    )


def _service_config(settings: Settings) -> ServiceConfig:
    return ServiceConfig(
        public_url=settings.public_url,
        spotify_client_id=settings.spotify_client_id or "",
        spotify_client_secret=_clear(settings.spotify_client_secret),
        google_client_id=settings.google_client_id or "",
        google_client_secret=_clear(settings.google_client_secret),
        spotify_api_url=settings.spotify_api_url,
        spotify_accounts_url=settings.spotify_accounts_url,
        youtube_api_url=settings.youtube_api_url,
        google_auth_url=settings.google_auth_url,
        google_token_url=settings.google_token_url,
        ytmusic_api_url=settings.ytmusic_api_url,
        youtube_search=settings.youtube_search,
    )


def _metadata_config(settings: Settings) -> MetadataConfig:
    return MetadataConfig(
        enabled=settings.metadata_lookup == "on",
        contact=settings.metadata_contact or settings.public_url,
        listenbrainz_api_url=settings.listenbrainz_api_url,
        listenbrainz_token=_clear(settings.listenbrainz_token),
        musicbrainz_api_url=settings.musicbrainz_api_url,
    )


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
