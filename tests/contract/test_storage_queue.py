"""The numbers of the queue are right on both engines, and each guild's own."""

from datetime import datetime, timedelta

from bot.model.item import Action, ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service, Track
from bot.model.queue import Delay, HourCount, OpenWork
from bot.model.review import BlacklistReason
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, mapped, new_item, queued, started

YOUTUBE, SPOTIFY = Service.YOUTUBE, Service.SPOTIFY
HOUR = timedelta(hours=1)
OTHER = GUILD + 1


async def settled(
    storage: Storage,
    mapping: Mapping,
    status: ItemStatus,
    count: int = 1,
    *,
    error: str = "",
    until: datetime | None = None,
    service: Service = YOUTUBE,
) -> None:
    """The next ``count`` pending items of the mapping, ended or waiting."""
    now = storage.db.now()
    claimed = await storage.items.claim_due(now, now, "w", limit=count, mapping_id=mapping.id, service=service)
    assert len(claimed) == count
    for item in claimed:
        await storage.items.settle(item.id, "w", status, now=now, last_error=error, not_before=until)


async def test_lanes_count_each_mapping_and_service_with_what_is_delayed(
    each_storage: Storage, clock: FakeClock
) -> None:
    trip, gym = await mapped(each_storage, "Trip"), await mapped(each_storage, "Gym")
    foreign = await mapped(each_storage, "Far", guild_id=OTHER)
    run = await queued(each_storage, trip, "a", "b", "c", "d", "e")
    await each_storage.items.enqueue(trip.id, run.id, [new_item("back", service=SPOTIFY, source_service=YOUTUBE)])
    await queued(each_storage, gym, "f")
    await queued(each_storage, foreign, "g")
    tomorrow = clock.now() + timedelta(days=1)
    await settled(each_storage, trip, ItemStatus.DONE)
    await settled(each_storage, trip, ItemStatus.ERROR, error="x")
    await settled(each_storage, trip, ItemStatus.PENDING, 2, error="youtube.units is spent until …", until=tomorrow)
    [spotify, youtube, other] = await each_storage.queue.lanes(GUILD, clock.now())
    assert (spotify.mapping_id, spotify.service, spotify.waiting) == (trip.id, SPOTIFY, 1)
    assert (youtube.waiting, youtube.delayed, youtube.until) == (1, 2, tomorrow)
    assert (youtube.open, youtube.count(ItemStatus.DONE), youtube.count(ItemStatus.ERROR)) == (3, 1, 1)
    assert (other.mapping_id, other.waiting, other.delayed) == (gym.id, 1, 0)
    [later] = [lane for lane in await each_storage.queue.lanes(GUILD, tomorrow) if lane.service is YOUTUBE][:1]
    assert (later.waiting, later.delayed) == (3, 0)


async def test_delays_are_grouped_by_service_and_reason_the_largest_first(
    each_storage: Storage, clock: FakeClock
) -> None:
    trip = await mapped(each_storage, "Trip")
    await queued(each_storage, trip, *"abcdef")
    soon, late = clock.now() + HOUR, clock.now() + 2 * HOUR
    await settled(each_storage, trip, ItemStatus.PENDING, 1, error="“A” was odd", until=late)
    await settled(each_storage, trip, ItemStatus.PENDING, 1, error="youtube.units is spent until 12:00", until=soon)
    await settled(each_storage, trip, ItemStatus.PENDING, 1, error="youtube.units is spent until 13:00", until=late)
    found = await each_storage.queue.delays(GUILD, clock.now())
    assert found == [
        Delay(service=YOUTUBE, reason="quota_spent", items=2, first=soon, last=late),
        Delay(service=YOUTUBE, reason="“…” was odd", items=1, first=late, last=late),
    ]
    assert await each_storage.queue.delays(GUILD, clock.now(), limit=1) == found[:1]
    assert await each_storage.queue.delays(OTHER, clock.now()) == []


async def test_hours_follow_the_clock_and_hold_what_ended_in_them(each_storage: Storage, clock: FakeClock) -> None:
    trip = await mapped(each_storage, "Trip")
    await queued(each_storage, trip, *"abcdefg")
    await settled(each_storage, trip, ItemStatus.DONE, 2)  # at 12:00, the first moment of its hour
    clock.advance(HOUR - timedelta(seconds=1))
    await settled(each_storage, trip, ItemStatus.ERROR, error="x")
    clock.advance(2)
    await settled(each_storage, trip, ItemStatus.DONE)
    await settled(each_storage, trip, ItemStatus.SKIPPED)
    hours = await each_storage.queue.hours(GUILD, clock.now())
    noon = clock.now().replace(hour=12, minute=0, second=0)
    assert len(hours) == 24
    assert hours[-2:] == [HourCount(start=noon, done=2, failed=1), HourCount(start=noon + HOUR, done=1)]
    assert not any(hour.done or hour.failed for hour in hours[:-2])
    clock.advance(23 * HOUR)
    assert [hour.done for hour in await each_storage.queue.hours(GUILD, clock.now())][:2] == [1, 0]


async def test_open_work_is_counted_by_what_it_costs_and_leaves_out_stopped_mappings(each_storage: Storage) -> None:
    trip, gym = await mapped(each_storage, "Trip"), await mapped(each_storage, "Gym", guild_id=OTHER)
    run = await started(each_storage, trip)
    items = [
        new_item("a"),
        new_item("b"),
        new_item("c", payload={"track_id": "known"}),
        new_item("d", payload={"track_id": ""}),
        new_item("e", action=Action.REMOVE_TRACK, payload={"track_id": "x"}),
    ]
    await each_storage.items.enqueue(trip.id, run.id, items)
    await queued(each_storage, gym, "f")
    every = {"guild_id": GUILD, "mapping_id": trip.id, "service": YOUTUBE}
    add = Action.ADD_TRACK
    expected = {
        OpenWork(**every, action=add, search=True, items=3),  # type: ignore[arg-type]
        OpenWork(**every, action=add, search=False, items=1),  # type: ignore[arg-type]
        OpenWork(**every, action=Action.REMOVE_TRACK, search=False, items=1),  # type: ignore[arg-type]
        OpenWork(guild_id=OTHER, mapping_id=gym.id, service=YOUTUBE, action=add, search=True, items=1),
    }
    assert set(await each_storage.queue.open_work()) == expected
    await each_storage.mappings.update(gym.id, enabled=False)
    assert {work.mapping_id for work in await each_storage.queue.open_work()} == {trip.id}


async def test_clearing_keeps_errors_and_what_failed_later_and_asks_for_a_new_look(
    each_storage: Storage, clock: FakeClock
) -> None:
    trip, gym = await mapped(each_storage, "Trip"), await mapped(each_storage, "Gym")
    for mapping in (trip, gym):
        await queued(each_storage, mapping, "a", "b")
        await each_storage.mappings.update(mapping.id, last_analysed_at=clock.now())
        await settled(each_storage, mapping, ItemStatus.ERROR, error="no luck")
    until = clock.now()
    clock.advance(1)
    await settled(each_storage, trip, ItemStatus.ERROR, error="later")
    assert await each_storage.queue.failed(GUILD, until) == 2
    assert await each_storage.queue.failed(GUILD, until, trip.id) == 1
    assert await each_storage.queue.failed(OTHER, until) == 0
    assert await each_storage.queue.clear_failed(OTHER, until) == 0
    assert await each_storage.queue.clear_failed(GUILD, until, trip.id) == 1
    [cleared] = await each_storage.items.list_of_guild(GUILD, [ItemStatus.CANCELLED])
    assert (cleared.last_error, cleared.mapping_id, cleared.completed_at) == ("no luck", trip.id, until)
    assert await each_storage.queue.failed(GUILD, clock.now()) == 2
    looked = {one.id: one.last_analysed_at for one in await each_storage.mappings.of_guild(GUILD)}
    assert looked == {trip.id: None, gym.id: until}
    assert await each_storage.items.retry(cleared.id, GUILD)


async def test_what_runs_worked_on_is_counted_by_how_it_stands_and_who_must_choose(
    each_storage: Storage, clock: FakeClock
) -> None:
    trip = await mapped(each_storage, "Trip")
    run = await queued(each_storage, trip, *"abcdefg")
    other = await queued(each_storage, await mapped(each_storage, "Far", guild_id=OTHER), "z")
    now, until = clock.now(), clock.now() + HOUR
    claimed = await each_storage.items.claim_due(now, until, "w", limit=2, mapping_id=trip.id, service=YOUTUBE)
    await each_storage.items.write_intent([claimed[0].id], "w", now)
    await each_storage.items.settle_done(claimed[0].id, "w", now=now)
    await each_storage.items.settle_done(claimed[1].id, "w", now=now, wrote=False)
    await settled(each_storage, trip, ItemStatus.ERROR, error="x")
    await settled(each_storage, trip, ItemStatus.BLACKLISTED, 2)
    await settled(each_storage, trip, ItemStatus.PENDING, error="x", until=until)
    for name, reason in (("d", BlacklistReason.LOW_CONFIDENCE), ("e", BlacklistReason.SEARCH_FAILED)):
        source = Track(service=SPOTIFY, external_id=name, title=name)
        await each_storage.blacklist.put(trip.id, source, reason, "", (), None, now)
    standing, review = await each_storage.queue.of_runs([run.id])
    add = Action.ADD_TRACK
    assert sorted(standing) == [
        (ItemStatus.BLACKLISTED, add, False, 2),
        (ItemStatus.DONE, add, False, 1),
        (ItemStatus.DONE, add, True, 1),
        (ItemStatus.ERROR, add, False, 1),
        (ItemStatus.PENDING, add, False, 2),
    ]
    assert review == 1
    problems = await each_storage.queue.problems([run.id])
    assert [item.source_track_id for item in problems] == ["c", "d", "e"]
    assert await each_storage.queue.waits(trip.id) == (2, until)
    assert await each_storage.queue.of_runs([]) == ([], 0)
    assert (await each_storage.queue.of_runs([other.id]))[0] == [(ItemStatus.PENDING, add, False, 1)]
