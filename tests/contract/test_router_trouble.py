"""What goes wrong with a routing run: dead and silent processes, children that fail by themselves, owners who go."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.engine.accounts import BASE_GONE, GONE
from bot.engine.routed import Chooser, Known, OnlyEntries
from bot.engine.router import Ended, Router
from bot.engine.scheduler import SILENT_FOR
from bot.model.errors import LoginNeeded, UserMistake
from bot.model.item import ItemStatus
from bot.model.music import PlaylistEntry, Service
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.rules import Field
from bot.model.run import RunStatus, Trigger
from bot.sandbox.world import LOCAL
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_router import based, child, held, routed

BOB = ALICE + 1


async def fresh(engine: Engine, base: BasePlaylist) -> BasePlaylist:
    found = await engine.storage.routers.base(base.id)
    assert found is not None
    return found


async def fresh_child(engine: Engine, one: ChildPlaylist) -> ChildPlaylist:
    found = await engine.storage.routers.child(one.id)
    assert found is not None
    return found


class Slow:
    """A source that takes its time, until it is let go."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def facts(self, entries: Sequence[PlaylistEntry], asked: frozenset[Field], account_id: int) -> Known:
        self.asked.set()
        await self.go.wait()
        return await OnlyEntries().facts(entries, asked, account_id)


def slow_router(engine: Engine, slow: Slow) -> Router:
    chooser = Chooser(engine.storage, engine.services, slow, engine.clock)
    return Router(engine.storage, engine.services, engine.hub, engine.sync, chooser, engine.clock, sign_of_life=0.01)


async def test_what_a_dead_process_was_routing_is_taken_up_though_its_base_has_no_schedule(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(8))
            few = await child(engine, base, "Few", "position <= 4", Service.SPOTIFY)
            assert await engine.storage.runs.start_routing(base.id, Trigger.COMMAND, ALICE, clock.now())
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            assert await engine.router.due() == 0, "nobody asked for it, and it has no schedule"
            await engine.executor.recover()
            (run,) = await engine.router.history(GUILD, base.id)
            assert run.status is RunStatus.FAILED
            assert await engine.router.due() == 1
            await engine.executor.drain()
            assert len(held(engine, few)) == 4
            assert await engine.router.due() == 0, "once is enough"


async def test_slow_sources_do_not_make_a_run_look_dead(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(4))
            await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            slow = Slow()
            running = asyncio.create_task(slow_router(engine, slow).run(GUILD, base.id, ALICE))
            await slow.asked.wait()
            clock.advance(SILENT_FOR + timedelta(minutes=1))
            for _ in range(200):
                await asyncio.sleep(0.01)
                (run,) = await engine.router.history(GUILD, base.id)
                if run.heartbeat_at == clock.now():
                    break
            await engine.scheduler.run_now("heartbeats")
            slow.go.set()
            done = await running
            assert done.run is not None
            assert done.run.status is RunStatus.COMPLETED


async def test_a_run_that_was_given_up_ends_and_enqueues_nothing(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(4))
            every = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            slow = Slow()
            running = asyncio.create_task(slow_router(engine, slow).run(GUILD, base.id, ALICE))
            await slow.asked.wait()
            await engine.storage.runs.fail_all_active(clock.now(), "It gave no sign of life.")
            with pytest.raises(Ended):
                await running
            assert await engine.items(every.mapping) == []
            assert await engine.router.due() == 1, "its work is taken up"


async def test_a_child_without_a_login_waits_by_itself_and_says_so_once(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(5), schedule="every 30m")
            videos = await child(engine, base, "Videos", "position <= 2", Service.YOUTUBE)
            every = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            await engine.storage.accounts.needs_login(videos.playlist.account_id)
            for _ in range(3):
                clock.advance(timedelta(minutes=31))
                await engine.router.due()
                await engine.executor.drain()
            assert len(held(engine, every)) == 5
            assert "new login" in (await fresh_child(engine, videos)).last_error
            told = [line for line in caplog.records if "routing.child_failed" in line.getMessage()]
            assert len(told) == 1
            await engine.link(Service.YOUTUBE)
            clock.advance(timedelta(minutes=31))
            await engine.router.due()
            assert (await fresh_child(engine, videos)).last_error == ""
            assert await engine.items(videos.mapping)


async def test_a_childs_playlist_that_is_gone_stops_that_child_until_it_is_resumed(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(5), schedule="every 30m")
            lost = await child(engine, base, "Lost", "position <= 2", Service.YOUTUBE)
            every = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            sandbox.world.delete(lost.playlist.external_id)
            for _ in range(4):
                clock.advance(timedelta(minutes=31))
                await engine.router.due()
                await engine.executor.drain()
            assert len(held(engine, every)) == 5
            stopped = await fresh_child(engine, lost)
            assert not stopped.mapping.enabled
            assert "paused" in stopped.last_error
            told = [line for line in caplog.records if "routing.child_failed" in line.getMessage()]
            assert len(told) <= 2, "what stays the same is no news"
            assert (await fresh(engine, base)).enabled
            await engine.bases.resume(GUILD, base.id, ALICE)
            assert (await fresh_child(engine, lost)).mapping.enabled


async def test_a_service_that_asks_for_silence_holds_up_only_its_own_children(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(5))
            videos = await child(engine, base, "Videos", "position <= 2", Service.YOUTUBE)
            every = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            until = clock.now() + timedelta(hours=3)
            sandbox.faults.next("youtube", "GET", "playlists", "429", retry_after=3 * 3600)
            done = await engine.router.run(GUILD, base.id, ALICE)
            await engine.executor.drain()
            assert len(held(engine, every)) == 5
            (waits,) = [one for one in done.children if one.error]
            assert (waits.child.id, waits.again) == (videos.id, until)
            assert await engine.router.due() == 0
            clock.advance(timedelta(hours=3, minutes=1))
            assert await engine.router.due() == 1, "the others follow when the service is back"
            assert await engine.items(videos.mapping)


async def test_a_base_whose_service_rests_is_due_when_that_is_back_not_at_its_next_time(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(3), schedule="every 24h")
            await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            clock.advance(timedelta(hours=25))
            until = clock.now() + timedelta(hours=1)
            sandbox.faults.next("spotify", "GET", "playlists", "429", retry_after=3600)
            await engine.router.due()
            assert (await fresh(engine, base)).next_run_at == until


async def test_disconnecting_pauses_the_base_and_says_so_and_resuming_needs_the_login(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(3), schedule="every 30m")
            same = await child(engine, base, "Same", "position >= 1", Service.SPOTIFY)
            videos = await child(engine, base, "Videos", "position >= 1", Service.YOUTUBE)
            gone = await engine.accounts.disconnect(base.playlist.account_id, ALICE)
            assert [one.name for one in gone.bases] == ["Everything"]
            paused = await fresh(engine, base)
            assert (paused.enabled, paused.pause_reason) == (False, BASE_GONE)
            assert (await fresh_child(engine, same)).mapping.pause_reason == GONE
            assert (await fresh_child(engine, videos)).mapping.enabled, "its own account is still there"
            clock.advance(timedelta(hours=1))
            assert await engine.router.due() == 0
            with pytest.raises(UserMistake, match="not linked"):
                await engine.bases.resume(GUILD, base.id, ALICE)
            await engine.link(Service.SPOTIFY)
            await engine.bases.resume(GUILD, base.id, ALICE)
            assert (await fresh(engine, base)).enabled
            assert (await fresh_child(engine, same)).mapping.enabled
            assert await engine.router.due() == 1
            await engine.executor.drain()
            assert len(held(engine, same)) == 3


async def test_who_is_forgotten_made_no_base_and_added_no_track(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(3))
            one = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            await routed(engine, base)
            kept = await engine.storage.routers.content(base.id)
            assert kept is not None
            assert all(entry.added_by for entry in kept.entries), "Spotify tells who added it"
            await engine.accounts.forget(ALICE)
            kept = await engine.storage.routers.content(base.id)
            assert kept is not None
            assert not any(entry.added_by for entry in kept.entries)
            assert (await fresh(engine, base)).created_by == 0
            assert (await fresh_child(engine, one)).created_by == 0
            with pytest.raises((LoginNeeded, UserMistake)):
                await engine.router.run(GUILD, base.id, BOB)


async def test_what_no_child_can_be_given_is_named_once_and_asked_for_never(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            videos = [engine.right_video(track) for track in engine.tracks_with_videos(4)]
            base = await based(engine, engine.youtube_playlist(videos, "Base"))
            children = [await child(engine, base, name, "position >= 1", Service.YOUTUBE) for name in ("One", "Two")]
            sandbox.world.set_video(videos[1], "deleted")
            for _ in range(3):
                await routed(engine, base)
            assert [held(engine, one) for one in children] == [[videos[0], *videos[2:]]] * 2
            told = [line for line in caplog.records if line.getMessage() == "routing.skipped"]
            assert len(told) == 1
            assert await engine.items(children[0].mapping, ItemStatus.PENDING, ItemStatus.ERROR) == []


async def test_a_track_that_turns_unreadable_in_the_base_leaves_the_children_at_the_second_look(
    sqlite_url: str,
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(6)
            source = sandbox.world.create_spotify_playlist("alice", "Base", tracks)
            base = await based(engine, source)
            everything = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            await routed(engine, base)
            sandbox.world.remove(source, tracks[2])
            sandbox.world.add(source, LOCAL, 2)
            await routed(engine, base)
            assert held(engine, everything) == tracks, "it may hide in the unreadable entry"
            await routed(engine, base)
            assert held(engine, everything) == [*tracks[:2], *tracks[3:]], "the second look says the same"
