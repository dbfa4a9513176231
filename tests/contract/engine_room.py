"""The engine over a real database, with the simulated services at the other end of the wire; for the contract tests."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from bot.engine.accounts import Accounts
from bot.engine.bases import Bases
from bot.engine.destination import Destinations
from bot.engine.executor import Executor, no_crash
from bot.engine.hub import Hub
from bot.engine.mappings import Mappings, NewMapping
from bot.engine.queue import Queue
from bot.engine.quota import Quota, QuotaLimits
from bot.engine.reading import Reader
from bot.engine.recent import RecentWrites
from bot.engine.retention import Retention
from bot.engine.revalidation import Revalidation
from bot.engine.review import Reviews
from bot.engine.routed import Chooser, FactsSource, OnlyEntries
from bot.engine.router import Router
from bot.engine.scheduler import Scheduler
from bot.engine.sources import Sources
from bot.engine.stats import Stats
from bot.engine.sync import Sync
from bot.engine.undo import Undo
from bot.model.account import AccountStatus
from bot.model.events import AccountNeedsLogin, Fact, Progress, RunFinished, ServiceSilent
from bot.model.item import ItemStatus, SyncItem
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.run import Run
from bot.sandbox import Sandbox
from bot.sandbox.shelf import Hand, Write
from bot.services.config import ServiceConfig
from bot.services.registry import MusicServices
from storage import open_storage
from tests.contract.music_room import ALICE, GUILD, KEYS, NotingClock, Room, sandbox_config

SETTLE = timedelta(seconds=60)


class Killed(BaseException):
    """The process dies here: nothing of ours may run afterwards."""


@dataclass(kw_only=True)
class Engine(Room):
    """``facts`` holds what was announced, in order."""

    sandbox: Sandbox
    hub: Hub
    quota: Quota
    sync: Sync
    executor: Executor
    scheduler: Scheduler
    mappings: Mappings
    bases: Bases
    router: Router
    accounts: Accounts
    reviews: Reviews
    stats: Stats
    undo: Undo
    queue: Queue

    async def link_both(self) -> None:
        """Alice's accounts on both services, linked where they are not."""
        linked = {one.service for one in await self.storage.accounts.of_user(ALICE) if one.status is _CONNECTED}
        for service in Service:
            if service not in linked:
                await self.link(service)

    def spotify_playlist(self, count: int, *, start: int = 0, name: str = "Source") -> str:
        """A new Spotify playlist of Alice's with so many tracks of the catalogue."""
        tracks = [track.id for track in self.sandbox.world.tracks[start : start + count]]
        return self.sandbox.world.create_spotify_playlist("alice", name, tracks)

    def youtube_playlist(self, videos: list[str] | None = None, name: str = "Target") -> str:
        return self.sandbox.world.create_youtube_playlist("alice", name, videos or [])

    def right_video(self, track_id: str) -> str:
        """The audio release of the track, as its label uploaded it."""
        return next(video for video in sorted(self.sandbox.world.right_videos(track_id)) if self._is_release(video))

    def tracks_with_videos(self, count: int) -> list[str]:
        """So many tracks of the catalogue that have an audio release on YouTube."""
        world = self.sandbox.world
        found = (track.id for track in world.tracks if any(map(self._is_release, world.right_videos(track.id))))
        return list(islice(found, count))

    def _is_release(self, video_id: str) -> bool:
        return self.sandbox.world.video(video_id).channel.endswith(" - Topic")

    async def map(self, left_id: str, right_id: str, **changed: object) -> Mapping:
        """A mapping between two playlists of the sandbox; ``changed`` replaces what a person would give."""
        values: dict[str, object] = {
            "guild_id": GUILD,
            "actor_id": ALICE,
            "name": f"m{len(await self.mappings.of_guild(GUILD))}",
            "left": self.address(left_id),
            "right": self.address(right_id),
            "schedule": "off",
        }
        return await self.mappings.create(NewMapping(**(values | changed)))  # type: ignore[arg-type]

    def address(self, playlist_id: str) -> str:
        playlist = self.sandbox.world.playlist(playlist_id)
        assert playlist is not None
        if playlist.service == "spotify":
            return f"https://open.spotify.com/playlist/{playlist_id}"
        return f"https://www.youtube.com/playlist?list={playlist_id}"

    async def items(self, mapping: Mapping, *statuses: ItemStatus) -> list[SyncItem]:
        """The mapping's items in these statuses (none given: all), in the order of the queue."""
        wanted = statuses or tuple(ItemStatus)
        return (await self.storage.items.list_of_guild(GUILD, wanted, limit=10_000, mapping_id=mapping.id))[::-1]

    async def last_run(self, mapping: Mapping) -> Run:
        return (await self.storage.runs.of_mapping(mapping.id, 1))[0]

    def sent(self, playlist_id: str) -> list[Write]:
        """What the program has written to the playlist, in order."""
        return self.sandbox.books.writes(playlist_id, hand=Hand.APP)

    def calls(self) -> int:
        """Requests that the services have got, logins aside."""
        return len([one for one in self.sandbox.books.requests() if "token" not in one.path])


_CONNECTED = AccountStatus.CONNECTED


@contextmanager
def simulated(clock: NotingClock, **changed: object) -> Iterator[Sandbox]:
    """Both services on the test's clock."""
    with Sandbox.open(clock=clock.now, **changed) as sandbox:  # type: ignore[arg-type]
        config = ServiceConfig()
        for service in Service:
            sandbox.world.register_redirect(service.value, config.redirect_uri(service))
        yield sandbox


@asynccontextmanager
async def engine_room(
    url: str,
    sandbox: Sandbox,
    clock: NotingClock,
    *,
    limits: QuotaLimits | None = None,
    crash: Callable[[str], None] = no_crash,
    settle: timedelta = SETTLE,
    facts_of: Callable[[MusicServices], FactsSource] = lambda services: OnlyEntries(),
) -> AsyncIterator[Engine]:
    """One life of the program over the database at ``url``; ``facts_of`` makes what the router asks about tracks."""
    config = sandbox_config(sandbox)
    facts: list[Fact] = []
    async with open_storage(url, keys=KEYS, clock=clock) as storage:
        hub = Hub()
        for kind in (Progress, RunFinished, AccountNeedsLogin, ServiceSilent):
            hub.subscribe(kind, facts.append)
        quota = Quota(storage, clock, limits or QuotaLimits())
        services = MusicServices(config, storage, quota, clock, hub.announce)
        destinations = Destinations(clock, RecentWrites(settle))
        executor = Executor(storage, services, hub, clock, destinations=destinations, crash=crash)
        reader = Reader(storage, services, clock, destinations)
        chooser = Chooser(storage, services, facts_of(services), clock)
        merged = Sources(storage, services, clock, chooser.content_of)
        sync = Sync(storage, services, hub, quota, reader, clock, wake=executor.wake, chosen=merged.content_of)
        mappings = Mappings(storage, services, clock)
        accounts = Accounts(storage, services, clock, wake=executor.wake)
        try:
            yield Engine(
                services=services,
                storage=storage,
                clock=clock,
                config=config,
                facts=facts,
                sandbox=sandbox,
                hub=hub,
                quota=quota,
                sync=sync,
                executor=executor,
                scheduler=Scheduler(
                    storage, sync, executor, Retention(storage, clock), Revalidation(storage, services, clock), clock
                ),
                mappings=mappings,
                bases=Bases(storage, mappings, clock),
                router=Router(storage, services, hub, sync, chooser, clock),
                accounts=accounts,
                reviews=Reviews(storage, clock, wake=executor.wake),
                stats=Stats(storage, quota, clock),
                undo=Undo(
                    storage,
                    services,
                    hub,
                    quota,
                    reader,
                    clock,
                    wake=executor.wake,
                    chosen=merged.content_of,
                    crash=crash,
                ),
                queue=Queue(storage, quota, executor, clock),
            )
        finally:
            await accounts.close()
            await services.close()
