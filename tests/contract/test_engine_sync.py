"""A sync from change tokens to settled items, at the wire and in the database."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.logs.database import open_database_log
from bot.logs.setup import open_logs
from bot.model.errors import UserMistake
from bot.model.events import Event, Progress, RunFinished
from bot.model.item import ItemStatus
from bot.model.logline import JobType, Level
from bot.model.mapping import Direction, LinkState, Order, Removals
from bot.model.music import Service
from bot.model.plan import GuardKind
from bot.model.review import BlacklistReason
from bot.model.run import RunKind, RunStatus, Trigger
from bot.sandbox.world import LOCAL
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock


async def synced(engine: Engine, mapping_id: int) -> None:
    """One sync by a person, to its end, and past the settle time."""
    await engine.sync.start(mapping_id, ALICE)
    await engine.executor.drain(mapping_id)
    engine.clock.advance(timedelta(minutes=2))


async def test_every_source_track_ends_in_the_destination_once_or_waits_for_a_person(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source, target = engine.spotify_playlist(30, start=40), engine.youtube_playlist()
            mapping = await engine.map(source, target)
            started = await engine.sync.start(mapping.id, ALICE)
            assert (started.enqueued, started.run.status) == (30, RunStatus.COMPLETED)
            assert started.plan.cost.youtube_searches == 30
            await engine.executor.drain(mapping.id)
            done = await engine.items(mapping, ItemStatus.DONE)
            passed = await engine.items(mapping, ItemStatus.BLACKLISTED)
            assert len(done) + len(passed) == 30
            assert Counter(sandbox.world.youtube_items(target)) == Counter(item.destination_id for item in done)
            for item in done:
                assert item.destination_id in sandbox.world.right_videos(item.source_track_id), item.source_track_title
            run = await engine.last_run(mapping)
            assert (run.kind, run.status, run.trigger) == (RunKind.EXECUTION, RunStatus.COMPLETED, Trigger.COMMAND)
            assert (run.counts.adds, run.counts.skipped, run.counts.waiting) == (len(done), len(passed), 0)
            assert run.counts.quota_units == 50 * len(done) + 30
            clock.advance(timedelta(minutes=2))
            writes = len(engine.sent(target))
            await synced(engine, mapping.id)
            assert len(engine.sent(target)) == writes, "a second sync writes nothing"


async def test_progress_is_announced_and_ends_with_the_finished_run(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(5), engine.youtube_playlist())
            await engine.sync.start(mapping.id, ALICE)
            engine.hub.subscribe(Progress, lambda _: clock.advance(1))
            await engine.executor.drain(mapping.id)
            progress = [fact for fact in engine.facts if isinstance(fact, Progress)]
            assert [fact.finished for fact in progress] == sorted(fact.finished for fact in progress)
            assert (progress[-1].finished, progress[-1].total, progress[-1].guild_id) == (5, 5, GUILD)
            finished = [fact.run for fact in engine.facts if isinstance(fact, RunFinished)]
            assert [run.kind for run in finished] == [RunKind.ANALYSIS, RunKind.EXECUTION]
            assert finished[-1].counts.tracks_processed == 5


async def test_unchanged_mappings_cost_one_call_for_each_service_and_nothing_else(sqlite_url: str) -> None:
    """Three mappings of one person: one list of playlists from each service, shared by all three."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            for number in range(3):
                mapping = await engine.map(
                    engine.spotify_playlist(3, start=number * 3), engine.youtube_playlist(), schedule="every 30m"
                )
                await synced(engine, mapping.id)
            clock.advance(timedelta(minutes=31))
            assert await engine.sync.due() == 3  # reads once what our own writes changed
            clock.advance(timedelta(minutes=31))
            calls, units = engine.calls(), sandbox.books.units()
            assert await engine.sync.due() == 3
            assert engine.calls() - calls == 2
            assert sandbox.books.units() - units == 1
            run = await engine.last_run(mapping)
            assert (run.status, run.trigger, run.counts.api_requests) == (RunStatus.COMPLETED, Trigger.SCHEDULE, 0)
            assert run.counts.cached_requests == 4, "two shared lists, and two playlists that were not read"
            assert await engine.sync.due() == 0, "nothing is due again before its time"


async def test_youtube_is_read_whole_once_a_day_although_its_etag_stayed(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist())
            await synced(engine, mapping.id)
            await synced(engine, mapping.id)
            assert (await engine.sync.start(mapping.id, ALICE)).unchanged
            clock.advance(timedelta(hours=24))
            reads = len(sandbox.books.requests("youtube", path="playlistItems"))
            assert not (await engine.sync.start(mapping.id, ALICE)).unchanged
            assert len(sandbox.books.requests("youtube", path="playlistItems")) == reads + 1


async def test_a_track_that_is_queued_already_is_not_queued_again(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(4)
            mapping = await engine.map(source, engine.youtube_playlist())
            assert (await engine.sync.start(mapping.id, ALICE)).enqueued == 4
            sandbox.world.add(source, engine.sandbox.world.tracks[10].id)
            again = await engine.sync.start(mapping.id, ALICE)
            assert (again.enqueued, len(await engine.items(mapping))) == (1, 5)


@pytest.mark.parametrize("destination", list(Service))
async def test_the_destination_is_searched_before_anything_is_added_and_the_found_id_is_stored_and_used(
    destination: Service, sqlite_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            (track,) = engine.tracks_with_videos(1)
            source = sandbox.world.create_spotify_playlist("alice", "S", [track])
            target = engine.youtube_playlist()
            if destination is Service.SPOTIFY:
                source = engine.youtube_playlist([engine.right_video(track)])
                target = sandbox.world.create_spotify_playlist("alice", "T", [])
            mapping = await engine.map(source, target)
            await synced(engine, mapping.id)
            asked = [one for one in sandbox.books.requests(destination.value) if "search" in one.path]
            (write,) = [one for one in sandbox.books.requests(destination.value, method="POST") if one.committed]
            assert asked
            assert all(one.number < write.number for one in asked)
            (item,) = await engine.items(mapping)
            (sent,) = engine.sent(target)
            assert [media.rpartition(":")[2] for media in sent.media] == [item.payload["track_id"]]


@pytest.mark.parametrize("known", [True, False])
async def test_spotify_is_asked_by_isrc_where_one_is_known_and_by_title_else(known: bool, sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            world = sandbox.world
            track = next(one for one in map(world.track, engine.tracks_with_videos(50)) if one.isrc)
            video = engine.right_video(track.id)
            target = world.create_spotify_playlist("alice", "T", [])
            mapping = await engine.map(engine.youtube_playlist([video]), target)
            await engine.sync.start(mapping.id, ALICE)
            if known:  # YouTube tells none; the catalogue may have it from elsewhere
                (row,) = (await engine.storage.tracks.get_many(Service.YOUTUBE, [video])).values()
                await engine.storage.tracks.remember([replace(row, isrc=track.isrc)])
            await engine.executor.drain(mapping.id)
            asked = {operation for _, operation in await engine.ledger() if operation.startswith("search.")}
            assert asked == ({"search.isrc"} if known else {"search.text"})
            assert world.spotify_items(target) == [track.id]


async def test_what_nothing_matches_is_blacklisted_with_search_failed_and_passed_over_later(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = sandbox.world.create_spotify_playlist(
                "alice", "S", [one.id for one in sandbox.world.tracks if not sandbox.world.right_videos(one.id)][:3]
            )
            mapping = await engine.map(source, engine.youtube_playlist())
            await synced(engine, mapping.id)
            items = await engine.items(mapping)
            assert {item.status for item in items} == {ItemStatus.BLACKLISTED}
            rows = await engine.storage.blacklist.open_of_mapping(mapping.id)
            assert {row.reason for row in rows} <= {BlacklistReason.SEARCH_FAILED, BlacklistReason.LOW_CONFIDENCE}
            assert BlacklistReason.SEARCH_FAILED in {row.reason for row in rows}
            assert {row.item_id for row in rows} == {item.id for item in items}
            searches = sandbox.books.searches()
            sandbox.world.touch(source)
            again = await engine.sync.start(mapping.id, ALICE)
            assert (again.enqueued, again.plan.in_review) == (0, len(items))
            assert sandbox.books.searches() == searches
            clock.advance(timedelta(days=1))
            assert (await engine.sync.start(mapping.id, ALICE)).enqueued == len(items), "the next look is due"


async def test_the_log_tells_the_run_with_level_job_type_and_item(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox, open_logs(now=clock.now) as logs:
        async with (
            engine_room(sqlite_url, sandbox, clock) as engine,
            open_database_log(logs, engine.storage.logs.append, clock) as database_log,
        ):
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(1), engine.youtube_playlist())
            sandbox.faults.next("youtube", "POST", "playlistItems", "503")
            await synced(engine, mapping.id)
            (item,) = await engine.items(mapping)
            sandbox.world.delete(mapping.right.external_id)
            await database_log.flush()
            lines = {line.event: line for line in await engine.storage.logs.query(GUILD, limit=100)}
            expected = {
                Event.ANALYSIS_STARTED: ("Starting analysis for 1 mapping", Level.INFO, JobType.ANALYSIS, None),
                Event.ANALYSIS_DIFFS: ("Found 1 diff for mapping m0", Level.INFO, JobType.ANALYSIS, None),
                Event.ANALYSIS_COMPLETE: ("Analysis complete", Level.INFO, JobType.ANALYSIS, None),
                Event.ITEM_PROCESSING: ("Processing item for track", Level.INFO, JobType.EXECUTION, item.id),
                Event.ITEM_UNKNOWN: ("No trustworthy answer", Level.WARN, JobType.EXECUTION, item.id),
                Event.ITEM_READ_BACK: ("Read back track", Level.INFO, JobType.EXECUTION, item.id),
                Event.ITEM_ADDED: ("Successfully added track", Level.INFO, JobType.EXECUTION, item.id),
            }
            for event, (words, level, job_type, item_id) in expected.items():
                line = lines[event]
                assert line.message.startswith(words)
                assert (line.level, line.job_type, line.sync_item_id, line.mapping_id) == (
                    level,
                    job_type,
                    item_id,
                    mapping.id,
                )


async def test_an_item_that_fails_for_good_says_why_and_can_be_retried_by_a_person(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox, open_logs(now=clock.now) as logs:
        async with (
            engine_room(sqlite_url, sandbox, clock) as engine,
            open_database_log(logs, engine.storage.logs.append, clock) as database_log,
        ):
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(1), engine.youtube_playlist())
            await engine.sync.start(mapping.id, ALICE)
            sandbox.faults.next("youtube", "GET", "search", "500", times=8)
            await engine.executor.drain(mapping.id, patience=timedelta(hours=1))
            (item,) = await engine.items(mapping)
            assert (item.status, item.attempts) == (ItemStatus.ERROR, 8)
            await database_log.flush()
            (line,) = await engine.storage.logs.query(GUILD, events=[Event.ITEM_ERROR])
            assert line.message.startswith("Error processing item: ")
            assert (line.level, line.sync_item_id) == (Level.ERROR, item.id)
            await engine.reviews.retry_item(GUILD, item.id, ALICE)
            await engine.executor.drain(mapping.id)
            assert [one.status for one in await engine.items(mapping)] == [ItemStatus.DONE]


async def test_a_preview_changes_nothing_and_is_applied_once(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(3), engine.youtube_playlist())
            shown = await engine.sync.preview(mapping.id, ALICE)
            assert (len(shown.plan.adds), shown.enqueued, await engine.items(mapping)) == (3, 0, [])
            assert await engine.sync.plan(shown.run.id, guild_id=GUILD) == shown.plan
            with pytest.raises(UserMistake, match="does not exist"):
                await engine.sync.apply(shown.run.id, ALICE, guild_id=GUILD + 1)
            reads = len(sandbox.books.requests(path="items"))
            applied = await engine.sync.apply(shown.run.id, ALICE, guild_id=GUILD)
            assert (applied.enqueued, applied.changed) == (3, False)
            assert len(sandbox.books.requests(path="items")) == reads, "unchanged playlists are not read again"
            with pytest.raises(UserMistake, match="already"):
                await engine.sync.apply(shown.run.id, ALICE)


async def test_a_preview_of_playlists_that_changed_since_is_made_anew_and_says_so(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(3)
            mapping = await engine.map(source, engine.youtube_playlist())
            shown = await engine.sync.preview(mapping.id, ALICE)
            sandbox.world.add(source, sandbox.world.tracks[20].id)
            applied = await engine.sync.apply(shown.run.id, ALICE)
            assert (applied.enqueued, applied.changed) == (4, True)


async def test_a_cancelled_preview_cannot_be_applied(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist())
            shown = await engine.sync.preview(mapping.id, ALICE)
            await engine.sync.cancel(shown.run.id, ALICE, guild_id=GUILD)
            with pytest.raises(UserMistake, match="already"):
                await engine.sync.apply(shown.run.id, ALICE)
            assert await engine.items(mapping) == []


async def test_a_plan_that_removes_too_much_is_stopped_and_can_be_forced_once(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(6)
            source = sandbox.world.create_spotify_playlist("alice", "S", tracks)
            target = engine.youtube_playlist()
            mapping = await engine.map(source, target, removals=Removals.MIRROR, max_removals=1)
            await synced(engine, mapping.id)
            for track in tracks[:3]:
                sandbox.world.remove(source, track)
            stopped = await engine.sync.start(mapping.id, ALICE)
            assert stopped.plan.guard is not None
            assert (stopped.plan.guard.kind, stopped.enqueued) == (GuardKind.TOO_MANY_REMOVALS, 0)
            again = await engine.sync.start(mapping.id, ALICE)
            assert again.plan.guard is not None, "whoever asks again is told again"
            forced = await engine.sync.force(again.run.id, ALICE, guild_id=GUILD)
            assert (forced.enqueued, forced.changed) == (3, False)
            await engine.executor.drain(mapping.id)
            assert len(sandbox.world.youtube_items(target)) == 3
            with pytest.raises(UserMistake):
                await engine.sync.force(again.run.id, ALICE)


async def test_a_forced_plan_that_would_do_more_than_was_shown_is_stopped_again(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(8)
            source = sandbox.world.create_spotify_playlist("alice", "S", tracks)
            mapping = await engine.map(source, engine.youtube_playlist(), removals=Removals.MIRROR, max_removals=1)
            await synced(engine, mapping.id)
            for track in tracks[:2]:
                sandbox.world.remove(source, track)
            shown = await engine.sync.start(mapping.id, ALICE)
            sandbox.world.remove(source, tracks[2])
            forced = await engine.sync.force(shown.run.id, ALICE)
            assert (forced.enqueued, forced.changed, forced.plan.guard is None) == (0, True, False)


async def test_a_collapsed_read_stops_the_plan_and_the_queue_stays_empty(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(8)
            source = sandbox.world.create_spotify_playlist("alice", "S", tracks)
            target = engine.youtube_playlist()
            mapping = await engine.map(source, target, removals=Removals.MIRROR)
            await synced(engine, mapping.id)
            for track in tracks[1:]:
                sandbox.world.remove(source, track)
            for _ in range(2):
                stopped = await engine.sync.start(mapping.id, ALICE)
                assert stopped.plan.guard is not None
                assert stopped.plan.guard.kind is GuardKind.COLLAPSED_READ
            assert len(sandbox.world.youtube_items(target)) == 8


async def test_a_track_that_turns_unreadable_is_not_taken_for_removed_at_once(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(6)
            source = sandbox.world.create_spotify_playlist("alice", "S", tracks)
            target = engine.youtube_playlist()
            mapping = await engine.map(source, target, removals=Removals.MIRROR)
            await synced(engine, mapping.id)
            sandbox.world.remove(source, tracks[2])
            sandbox.world.add(source, LOCAL, 2)
            await synced(engine, mapping.id)
            assert len(sandbox.world.youtube_items(target)) == 6, "it may hide in the unreadable entry"
            await synced(engine, mapping.id)
            assert len(sandbox.world.youtube_items(target)) == 5, "the second look says the same"


async def test_two_ways_pass_on_what_people_add_and_remove_on_either_side(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(6)
            left = sandbox.world.create_spotify_playlist("alice", "L", tracks[:4])
            right = engine.youtube_playlist([engine.right_video(track) for track in tracks[3:5]])
            mapping = await engine.map(left, right, direction=Direction.TWO_WAY, removals=Removals.MIRROR)
            await synced(engine, mapping.id)
            assert Counter(sandbox.world.spotify_items(left)) == Counter(tracks[:5])
            assert len(sandbox.world.youtube_items(right)) == 5
            sandbox.world.remove(left, tracks[0])
            sandbox.world.remove(right, engine.right_video(tracks[4]))
            await synced(engine, mapping.id)
            assert Counter(sandbox.world.spotify_items(left)) == Counter(tracks[1:4])
            assert len(sandbox.world.youtube_items(right)) == 3
            assert sandbox.books.duplicates() == {}


async def test_the_source_order_is_kept_where_the_mapping_wants_it(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(6)
            source = sandbox.world.create_spotify_playlist("alice", "S", tracks[:5])
            target = engine.youtube_playlist()
            mapping = await engine.map(source, target, order=Order.KEEP)
            await synced(engine, mapping.id)
            sandbox.world.move(source, 4, 0)
            sandbox.world.add(source, tracks[5], 2)
            await synced(engine, mapping.id)
            pairs = {
                link.right_track_id: link.left_track_id for link in await engine.storage.links.of_mapping(mapping.id)
            }
            assert [pairs[video] for video in sandbox.world.youtube_items(target)] == sandbox.world.spotify_items(
                source
            )


async def test_spotify_gets_its_tracks_in_one_batch_and_in_order(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(120)
            target = sandbox.world.create_spotify_playlist("alice", "Copy", [])
            mapping = await engine.map(source, target)
            await synced(engine, mapping.id)
            assert sandbox.world.spotify_items(target) == sandbox.world.spotify_items(source)
            assert [len(write.media) for write in engine.sent(target)] == [100, 20]


async def test_what_is_there_already_is_linked_without_a_search_or_a_write(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(5)
            target = engine.youtube_playlist([engine.right_video(track) for track in tracks])
            mapping = await engine.map(sandbox.world.create_spotify_playlist("alice", "S", tracks), target)
            await synced(engine, mapping.id)
            assert (sandbox.books.searches(), engine.sent(target)) == (0, [])
            links = await engine.storage.links.of_mapping(mapping.id)
            assert [(link.state, link.written_side) for link in links] == [(LinkState.ACTIVE, None)] * 5


async def test_a_playlist_that_is_deleted_pauses_its_mapping_and_loses_nothing(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source, target = engine.spotify_playlist(3), engine.youtube_playlist()
            mapping = await engine.map(source, target)
            await engine.sync.start(mapping.id, ALICE)
            sandbox.world.delete(target)
            await engine.executor.drain(mapping.id)
            paused = await engine.storage.mappings.get(mapping.id)
            assert paused is not None
            assert (paused.enabled, "is gone" in paused.pause_reason) == (False, True)
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.PENDING}
            with pytest.raises(UserMistake, match="paused"):
                await engine.sync.start(mapping.id, ALICE)
            await engine.mappings.resume(GUILD, mapping.id, ALICE)
            with pytest.raises(UserMistake, match="gone"):
                await engine.sync.start(mapping.id, ALICE)
            assert (await engine.last_run(mapping)).status is RunStatus.FAILED


async def test_a_mapping_is_analysed_by_one_run_at_a_time(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(3), engine.youtube_playlist())
            answers = await asyncio.gather(
                *(engine.sync.start(mapping.id, ALICE) for _ in range(3)), return_exceptions=True
            )
            mistakes = [str(one) for one in answers if isinstance(one, UserMistake)]
            assert len(mistakes) == 2
            assert all("being worked on" in one for one in mistakes)
            assert len(await engine.items(mapping)) == 3


async def test_a_late_press_on_a_plan_that_was_used_is_no_failed_run(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(3), engine.youtube_playlist())
            shown = await engine.sync.preview(mapping.id, ALICE)
            await engine.sync.apply(shown.run.id, ALICE, guild_id=GUILD)
            await engine.executor.drain(mapping.id)
            before = await engine.storage.runs.of_mapping(mapping.id, 50)
            with pytest.raises(UserMistake, match="already applied or cancelled"):
                await engine.sync.apply(shown.run.id, ALICE, guild_id=GUILD)
            assert await engine.storage.runs.of_mapping(mapping.id, 50) == before
