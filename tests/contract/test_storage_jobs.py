"""Lists of runs and items: each filter, each order, pages that neither skip nor repeat, and one guild's own only."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model.item import Action, ItemStatus
from bot.model.jobs import Cursor, ItemFilter, JobFilter, Sort
from bot.model.run import Run, RunCounts, RunKind, RunStatus, Trigger
from storage import Storage
from storage.jobs import item_cursor, run_cursor
from tests.clock import FakeClock
from tests.factories import GUILD, PERSON, mapped, new_item, queued, started

ACTOR = 5


async def run(storage: Storage, clock: FakeClock, mapping_id: int, **fields: object) -> Run:
    """A run that ended, a minute after the one before."""
    usual = {"kind": RunKind.EXECUTION, "trigger": Trigger.SCHEDULE, "actor": 0, "status": RunStatus.COMPLETED}
    given = usual | {"error": ""} | fields
    clock.advance(60)
    begun = await storage.runs.start(given["kind"], mapping_id, given["trigger"], given["actor"], clock.now())  # type: ignore[arg-type]
    assert begun is not None
    clock.advance(5)
    ended = await storage.runs.finish(begun.id, given["status"], clock.now(), str(given["error"]))  # type: ignore[arg-type]
    assert ended is not None
    return ended


async def history(storage: Storage, clock: FakeClock) -> list[Run]:
    """Seven runs of two mappings, and one of another guild."""
    trip, gym = await mapped(storage, "Trip"), await mapped(storage, "Gym")
    elsewhere = await mapped(storage, "Elsewhere", guild_id=GUILD + 1)
    await run(storage, clock, elsewhere.id, error="quota", actor=ACTOR)
    found = [
        await run(storage, clock, trip.id, kind=RunKind.ANALYSIS),
        await run(storage, clock, trip.id),
        await run(storage, clock, gym.id, kind=RunKind.ANALYSIS, trigger=Trigger.COMMAND, actor=ACTOR),
        await run(storage, clock, gym.id, status=RunStatus.FAILED, error="The quota is 100% spent"),
        await run(storage, clock, trip.id, status=RunStatus.CANCELLED),
        await run(storage, clock, trip.id),
    ]
    return [*found, await started(storage, gym, RunKind.EXECUTION)]


async def test_each_filter_of_runs_leaves_what_it_says(each_storage: Storage, clock: FakeClock) -> None:
    runs = await history(each_storage, clock)
    trip, gym = runs[0].mapping_id, runs[2].mapping_id
    cases = [
        (JobFilter(), [6, 5, 4, 3, 2, 1, 0]),
        (JobFilter(statuses=(RunStatus.FAILED,)), [3]),
        (JobFilter(statuses=(RunStatus.FAILED, RunStatus.CANCELLED)), [4, 3]),
        (JobFilter(kinds=(RunKind.ANALYSIS,)), [2, 0]),
        (JobFilter(mapping_id=gym), [6, 3, 2]),
        (JobFilter(mapping_id=trip, kinds=(RunKind.EXECUTION,)), [5, 4, 1]),
        (JobFilter(triggers=(Trigger.COMMAND,)), [2]),
        (JobFilter(actor_id=ACTOR), [2]),
        (JobFilter(since=runs[4].created_at), [6, 5, 4]),
        (JobFilter(until=runs[2].created_at), [1, 0]),
        (JobFilter(text="QUOTA"), [3]),
        (JobFilter(text="100%"), [3]),
        (JobFilter(text="0% s_ent"), []),
        (JobFilter(id=runs[4].id), [4]),
        (JobFilter(sort=Sort.STARTED), [6, 5, 4, 3, 2, 1, 0]),
        (JobFilter(sort=Sort.COMPLETED), [6, 5, 4, 3, 2, 1, 0]),
        (JobFilter(sort=Sort.COMPLETED, ascending=True), [0, 1, 2, 3, 4, 5, 6]),
        (JobFilter(ascending=True, mapping_id=gym), [2, 3, 6]),
    ]
    for wanted, expected in cases:
        found = await each_storage.jobs.runs(GUILD, wanted, limit=100)
        assert [each.id for each in found] == [runs[n].id for n in expected], wanted
        assert await each_storage.jobs.count(GUILD, wanted) == len(expected)
        assert await each_storage.jobs.active(GUILD, wanted) is (6 in expected)


async def test_an_error_of_its_items_is_an_error_of_the_run(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    asked = await queued(each_storage, mapping, "a")
    burst = await started(each_storage, mapping, RunKind.EXECUTION)
    until = clock.now() + timedelta(minutes=1)
    [item] = await each_storage.items.claim_due(
        clock.now(), until, "t", limit=1, mapping_id=mapping.id, service=new_item("a").service, run_id=burst.id
    )
    await each_storage.items.settle(item.id, "t", ItemStatus.ERROR, now=clock.now(), last_error="a 503 came")
    assert {each.id for each in await each_storage.jobs.runs(GUILD, JobFilter(text="503"))} == {asked.id, burst.id}
    counts, errors = await each_storage.jobs.tally_of_run(GUILD, asked.id, 5)
    assert (counts[ItemStatus.ERROR], counts[ItemStatus.DONE], errors) == (1, 0, [("a 503 came", 1)])
    assert await each_storage.jobs.tally_of_run(GUILD + 1, asked.id, 5) == (dict.fromkeys(ItemStatus, 0), [])


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("ascending", [False, True])
async def test_pages_of_runs_neither_skip_nor_repeat_in_either_direction(
    each_storage: Storage, clock: FakeClock, sort: Sort, ascending: bool
) -> None:
    await history(each_storage, clock)
    wanted = JobFilter(sort=sort, ascending=ascending)
    every = await each_storage.jobs.runs(GUILD, wanted, limit=100)
    walked: list[Run] = []
    after: Cursor | None = None
    while page := await each_storage.jobs.runs(GUILD, wanted, limit=2, after=after):
        walked += page
        after = run_cursor(page[-1], wanted)
        place = await each_storage.jobs.count(GUILD, wanted, before=run_cursor(page[0], wanted))
        assert every[place] == page[0]
    assert walked == every
    back = await each_storage.jobs.runs(GUILD, wanted, limit=3, before=run_cursor(every[5], wanted))
    assert back == every[2:5]
    assert [each async for page in each_storage.jobs.run_pages(GUILD, wanted, 3) for each in page] == every


async def items(storage: Storage, clock: FakeClock) -> list[int]:
    """Six items of two mappings in six states; their ids."""
    trip, gym = await mapped(storage, "Trip"), await mapped(storage, "Gym")
    await queued(storage, await mapped(storage, "Elsewhere", guild_id=GUILD + 1), "z")
    states = [ItemStatus.DONE, ItemStatus.ERROR, ItemStatus.SKIPPED, ItemStatus.BLACKLISTED]
    first = await queued(storage, trip, *"abcd", trigger=Trigger.COMMAND)
    burst = await started(storage, trip, RunKind.EXECUTION)
    until = clock.now() + timedelta(minutes=1)
    claimed = await storage.items.claim_due(
        clock.now(), until, "t", limit=9, mapping_id=trip.id, service=new_item("a").service, run_id=burst.id
    )
    for item, state in zip(claimed, states, strict=True):
        clock.advance(1)
        error = "" if state is ItemStatus.DONE else f"why {state.value}"
        await storage.items.settle(item.id, "t", state, now=clock.now(), last_error=error)
    clock.advance(60)
    run = await started(storage, gym)
    moved = replace(new_item("f"), action=Action.MOVE_TRACK)
    await storage.items.enqueue(gym.id, run.id, [new_item("e"), moved])
    assert first.id < burst.id
    return [item.id for item in (await storage.jobs.items(GUILD, ItemFilter(ascending=True), limit=100))]


async def test_each_filter_of_items_leaves_what_it_says(each_storage: Storage, clock: FakeClock) -> None:
    ids = await items(each_storage, clock)
    [first, *_] = await each_storage.jobs.items(GUILD, ItemFilter(id=ids[0]))
    late = first.created_at + timedelta(seconds=30) if first.created_at else None
    cases = [
        (ItemFilter(), [5, 4, 3, 2, 1, 0]),
        (ItemFilter(statuses=(ItemStatus.ERROR,)), [1]),
        (ItemFilter(statuses=(ItemStatus.ERROR, ItemStatus.PENDING)), [5, 4, 1]),
        (ItemFilter(actions=(Action.MOVE_TRACK,)), [5]),
        (ItemFilter(mapping_id=first.mapping_id), [3, 2, 1, 0]),
        (ItemFilter(run_id=first.run_id), [3, 2, 1, 0]),
        (ItemFilter(run_id=first.origin_run_id), [3, 2, 1, 0]),
        (ItemFilter(triggers=(Trigger.COMMAND,)), []),
        (ItemFilter(actor_id=PERSON), []),
        (ItemFilter(since=late), [5, 4]),
        (ItemFilter(until=late), [3, 2, 1, 0]),
        (ItemFilter(text="WHY"), [3, 2, 1]),
        (ItemFilter(text="skip"), [2]),
        (ItemFilter(sort=Sort.COMPLETED), [5, 4, 3, 2, 1, 0]),
        (ItemFilter(sort=Sort.COMPLETED, ascending=True), [0, 1, 2, 3, 4, 5]),
    ]
    for wanted, expected in cases:
        found = await each_storage.jobs.items(GUILD, wanted, limit=100)
        assert [each.id for each in found] == [ids[n] for n in expected], wanted
        assert await each_storage.jobs.count(GUILD, wanted) == len(expected)
        assert await each_storage.jobs.active(GUILD, wanted) is (5 in expected)
        pages = each_storage.jobs.item_pages(GUILD, wanted, 2)
        assert [each.id async for page in pages for each in page] == [ids[n] for n in expected]
    wanted = ItemFilter(sort=Sort.COMPLETED)
    every = await each_storage.jobs.items(GUILD, wanted, limit=100)
    assert await each_storage.jobs.items(GUILD, wanted, limit=2, before=item_cursor(every[3], wanted)) == every[1:3]
    assert await each_storage.jobs.items(GUILD + 2, ItemFilter()) == []


async def test_only_what_failed_is_retried_and_of_doubles_one(each_storage: Storage, clock: FakeClock) -> None:
    ids = await items(each_storage, clock)
    assert await each_storage.jobs.count_retriable(GUILD, ItemFilter()) == 1
    assert await each_storage.jobs.count_retriable(GUILD, ItemFilter(statuses=(ItemStatus.DONE,))) == 0
    assert await each_storage.jobs.count_retriable(GUILD, JobFilter()) == 1
    assert (await each_storage.jobs.retry_some(GUILD + 1, ItemFilter())).items == 0
    named = ItemFilter(statuses=(ItemStatus.ERROR, ItemStatus.BLACKLISTED))
    assert (await each_storage.jobs.retry_some(GUILD, named)).items == 2
    assert (await each_storage.jobs.retry_some(GUILD, named)).items == 0
    there = await each_storage.items.get(ids[1])
    assert there is not None
    assert (there.status, there.attempts) == (ItemStatus.PENDING, 0)


async def test_of_two_failures_of_the_same_effect_the_newest_is_retried(
    each_storage: Storage, clock: FakeClock
) -> None:
    mapping = await mapped(each_storage)
    for _ in range(2):
        await queued(each_storage, mapping, "same")
        until = clock.now() + timedelta(minutes=1)
        [item] = await each_storage.items.claim_due(
            clock.now(), until, "t", limit=1, mapping_id=mapping.id, service=new_item("a").service
        )
        await each_storage.items.settle(item.id, "t", ItemStatus.ERROR, now=clock.now(), last_error="e")
    assert (await each_storage.jobs.retry_some(GUILD, ItemFilter())).items == 1
    there = await each_storage.items.get(item.id)
    assert there is not None
    assert there.status is ItemStatus.PENDING
    assert await each_storage.jobs.count_retriable(GUILD, ItemFilter()) == 0, "its twin is in the queue"


async def test_a_queued_run_that_nobody_works_on_ends_at_once(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    run_ = await started(each_storage, mapping)

    async def back(connection: object) -> None:
        await connection.exec_driver_sql(f"UPDATE runs SET status = 'queued' WHERE id = {run_.id}")  # type: ignore[attr-defined]

    await each_storage.db.write(back)
    assert await each_storage.jobs.cancel_run(GUILD + 1, run_.id, PERSON) is None
    done = await each_storage.jobs.cancel_run(GUILD, run_.id, PERSON)
    assert done is not None
    assert done.asked
    there = await each_storage.runs.get(run_.id)
    assert there is not None
    assert (there.status, there.cancelled_by, there.completed_at) == (RunStatus.CANCELLED, PERSON, clock.now())


async def test_a_run_asked_to_stop_ends_cancelled_however_it_ends(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    run_ = await started(each_storage, mapping)
    first = await each_storage.jobs.cancel_run(GUILD, run_.id, PERSON)
    second = await each_storage.jobs.cancel_run(GUILD, run_.id, PERSON + 1)
    assert first is not None
    assert second is not None
    assert (first.asked, first.already, second.asked, second.already) == (True, False, False, True)
    await each_storage.items.enqueue(mapping.id, run_.id, [new_item("late")])
    ended = await each_storage.runs.finish(run_.id, RunStatus.COMPLETED, clock.now())
    assert ended is not None
    assert (ended.status, ended.cancelled_by) == (RunStatus.CANCELLED, PERSON)
    assert ended.counts == RunCounts()
    [late] = await each_storage.jobs.items(GUILD, ItemFilter())
    assert late.status is ItemStatus.CANCELLED


def test_filters_come_back_from_json_and_nothing_else_does() -> None:
    at = FakeClock().now()
    job = JobFilter(statuses=(RunStatus.FAILED,), actor_id=PERSON, since=at, text="x", sort=Sort.STARTED, id=3)
    item = ItemFilter(actions=(Action.ADD_TRACK,), reason="", run_id=4, until=at, ascending=True)
    assert JobFilter.from_json(job.to_json()) == job
    assert ItemFilter.from_json(item.to_json()) == item
    assert (job.to_json()["v"], job.to_json()["actor_id"]) == (1, str(PERSON))
    with pytest.raises(ValueError, match="another version"):
        JobFilter.from_json({"v": 9, "statuses": ["exploded"]})
