"""Cancelled work stops between two writes, loses nothing and can be planned anew; what failed is retried once."""

import asyncio
from collections.abc import Callable

import pytest

from bot.engine.jobs import Jobs
from bot.model.errors import UserMistake
from bot.model.item import ItemStatus
from bot.model.jobs import ItemFilter, JobFilter
from bot.model.mapping import Mapping
from bot.model.run import RunKind, RunStatus
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock

TRACKS = 6


def jobs_of(engine: Engine) -> Jobs:
    return Jobs(engine.storage, engine.clock, wake=engine.executor.wake, stop=engine.executor.stop_cancelled)


class At:
    """Calls ``do`` when the executor comes to ``point`` for the ``number``-th time."""

    def __init__(self, point: str, number: int) -> None:
        self.point, self.left = point, number
        self.do: Callable[[], object] | None = None

    def __call__(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0 and self.do is not None:
                self.do()


async def planned(engine: Engine, count: int = TRACKS) -> Mapping:
    """A mapping of tracks that are all found, its items waiting."""
    await engine.link_both()
    source = engine.sandbox.world.create_spotify_playlist("alice", "Source", engine.tracks_with_videos(count))
    mapping = await engine.map(source, engine.youtube_playlist())
    await engine.sync.start(mapping.id, ALICE)
    return mapping


async def statuses(engine: Engine, mapping: Mapping) -> list[ItemStatus]:
    return [item.status for item in await engine.items(mapping)]


async def cancelled_in_the_middle(engine: Engine, mapping: Mapping, at: At) -> None:
    """Work until nothing is due; the burst is cancelled where ``at`` says."""
    tasks: list[asyncio.Task[object]] = []

    async def cancel() -> None:
        [run] = await engine.storage.runs.active(GUILD)
        done = await jobs_of(engine).cancel(GUILD, run.id, ALICE)
        assert done.asked

    at.do = lambda: tasks.append(asyncio.ensure_future(cancel()))
    await engine.executor.drain()
    await asyncio.gather(*tasks)
    assert len(tasks) == 1


@pytest.mark.parametrize("point", ["after_claim", "after_resolve", "before_intent", "after_send", "after_settle"])
async def test_a_cancelled_burst_stops_between_two_writes_and_the_next_sync_plans_the_rest(
    sqlite_url: str, point: str
) -> None:
    clock, at = NotingClock(), At(point, 1 if point == "after_claim" else 2)
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, crash=at) as engine:
            mapping = await planned(engine)
            await cancelled_in_the_middle(engine, mapping, at)
            run = await engine.last_run(mapping)
            assert (run.kind, run.status, run.cancelled_by) == (RunKind.EXECUTION, RunStatus.CANCELLED, ALICE)
            left = await statuses(engine, mapping)
            done = left.count(ItemStatus.DONE)
            assert done < TRACKS
            assert left.count(ItemStatus.CANCELLED) == TRACKS - done
            assert len(sandbox.world.youtube_items(mapping.right.external_id)) == done
            at.do = None
            started = await engine.sync.start(mapping.id, ALICE)
            assert started.enqueued == TRACKS - done, "what was cancelled is planned anew"
            await engine.executor.drain()
            videos = sandbox.world.youtube_items(mapping.right.external_id)
            assert len(videos) == len(set(videos)) == TRACKS


async def test_an_unknown_item_of_a_cancelled_run_ends_as_its_read_back_says(sqlite_url: str) -> None:
    clock, at = NotingClock(), At("before_settle", 1)
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, crash=at) as engine:
            mapping = await planned(engine, 3)
            items = await engine.items(mapping)
            [run] = await engine.storage.runs.of_mapping(mapping.id, 1)
            # As a burst leaves it whose write had no trustworthy answer and never arrived.
            burst = await engine.storage.runs.start(RunKind.EXECUTION, mapping.id, run.trigger, ALICE, clock.now())
            assert burst is not None
            claimed = await engine.storage.items.claim_due(
                clock.now(),
                clock.advance(60),
                "token",
                limit=1,
                mapping_id=mapping.id,
                service=items[0].service,
                run_id=burst.id,
            )
            found = {"track_id": engine.right_video(claimed[0].source_track_id), "v": 1, "side": "right"}
            await engine.storage.items.keep_payload(claimed[0].id, "token", found)
            await engine.storage.items.write_intent([claimed[0].id], "token", clock.now())
            await engine.storage.items.to_unknown([claimed[0].id], "token", not_before=clock.now())
            done = await jobs_of(engine).cancel(GUILD, burst.id, ALICE)
            assert (done.asked, done.items) == (True, 2)
            await engine.storage.runs.finish(burst.id, RunStatus.COMPLETED, clock.now())
            clock.advance(120)
            await engine.executor.drain()
            assert await statuses(engine, mapping) == [ItemStatus.CANCELLED] * 3
            assert sandbox.world.youtube_items(mapping.right.external_id) == []


async def test_a_cancelled_analysis_changes_nothing_and_the_next_one_sees_everything(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(4), engine.youtube_playlist())
            task = asyncio.create_task(engine.sync.start(mapping.id, ALICE))
            while not (active := await engine.storage.runs.active(GUILD)):  # noqa: ASYNC110 - the row is the event
                await asyncio.sleep(0)
            await jobs_of(engine).cancel(GUILD, active[0].id, ALICE)
            with pytest.raises(UserMistake, match="was cancelled by a person"):
                await task
            run = await engine.last_run(mapping)
            assert (run.status, run.cancelled_by) == (RunStatus.CANCELLED, ALICE)
            assert await engine.items(mapping) == []
            assert (await engine.sync.start(mapping.id, ALICE)).enqueued == 4


async def test_what_an_ended_run_has_waiting_is_cancelled_and_planned_anew(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await planned(engine, 3)
            run, jobs = await engine.last_run(mapping), jobs_of(engine)
            done = await jobs.cancel(GUILD, run.id, ALICE)
            assert (done.asked, done.items) == (False, 3)
            with pytest.raises(UserMistake, match="nothing of it waits"):
                await jobs.cancel(GUILD, run.id, ALICE)
            with pytest.raises(UserMistake, match="no such run"):
                await jobs.cancel(GUILD + 1, run.id, ALICE)
            assert (await engine.sync.start(mapping.id, ALICE)).enqueued == 3


async def test_a_cancelled_run_can_be_retried_and_its_items_are_done(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await planned(engine, 3)
            run, jobs = await engine.last_run(mapping), jobs_of(engine)
            await jobs.cancel(GUILD, run.id, ALICE)
            assert (await jobs.show(GUILD, run.id)).can_retry == 3
            assert await jobs.retry_run(GUILD, run.id, ALICE) == 3
            with pytest.raises(UserMistake, match="nothing to retry"):
                await jobs.retry_run(GUILD, run.id, ALICE)
            await engine.executor.drain()
            assert await statuses(engine, mapping) == [ItemStatus.DONE] * 3


async def test_a_process_that_dies_while_its_run_is_being_cancelled_leaves_it_cancelled(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await planned(engine, 3)
            [run] = await engine.storage.runs.of_mapping(mapping.id, 1)
            burst = await engine.storage.runs.start(RunKind.EXECUTION, mapping.id, run.trigger, ALICE, clock.now())
            assert burst is not None
            items = await engine.items(mapping)
            until = clock.advance(60)
            service = items[0].service
            await engine.storage.items.claim_due(
                clock.now(), until, "dead", limit=2, mapping_id=mapping.id, service=service, run_id=burst.id
            )
            await jobs_of(engine).cancel(GUILD, burst.id, ALICE)
            await engine.executor.recover()
            there = await engine.storage.runs.get(burst.id)
            assert there is not None
            assert there.status is RunStatus.CANCELLED
            assert await statuses(engine, mapping) == [ItemStatus.CANCELLED] * 3


async def test_all_that_matches_is_cancelled_and_all_that_matches_is_retried(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mappings = [await planned(engine, 3) for _ in range(2)]
            jobs = jobs_of(engine)
            assert await jobs.count_cancellable(GUILD, JobFilter()) == (2, 6)
            assert await jobs.cancel_all(GUILD, JobFilter(mapping_id=mappings[0].id), ALICE) == (1, 3)
            assert await statuses(engine, mappings[1]) == [ItemStatus.PENDING] * 3
            assert await jobs.cancel_all(GUILD, ItemFilter(), ALICE) == (0, 3)
            with pytest.raises(UserMistake, match="nothing to cancel"):
                await jobs.cancel_all(GUILD, JobFilter(), ALICE)
            gone = ItemFilter(statuses=(ItemStatus.CANCELLED,))
            assert await jobs.count_retriable(GUILD, gone) == 6
            assert await jobs.count_retriable(GUILD, ItemFilter()) == 0, "what people cancelled is not failed"
            answers = await asyncio.gather(
                *(jobs.retry_all(GUILD, gone, ALICE) for _ in range(2)), return_exceptions=True
            )
            assert sorted(map(type, answers), key=str) == sorted([int, UserMistake], key=str)
