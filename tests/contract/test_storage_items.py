"""The queue keeps its promises on both engines."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.model.errors import Bug, NotFound
from bot.model.guild import GuildSettings
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.mapping import Link, LinkState, Mapping, Side
from bot.model.music import Service
from bot.model.plan import LinkChange
from bot.model.run import RunKind, Trigger
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, content, mapped, new_item, queued, started

MINUTE = timedelta(minutes=1)


async def claim(storage: Storage, mapping: Mapping, token: str, limit: int = 10) -> list[SyncItem]:
    now = storage.db.now()
    return await storage.items.claim_due(
        now, now + MINUTE, token, limit=limit, mapping_id=mapping.id, service=Service.YOUTUBE
    )


def new_link(left: str, right: str, **fields: object) -> LinkChange:
    return LinkChange(before=None, after=Link(left_track_id=left, right_track_id=right, mapping_id=0, **fields))  # type: ignore[arg-type]


async def test_an_effect_that_is_open_is_not_queued_again(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    run = await queued(each_storage, mapping, "a", "b")
    again = [new_item("a"), new_item("b", occurrence=1), new_item("c")]
    assert await each_storage.items.enqueue(mapping.id, run.id, again, []) == 2
    queue = await each_storage.items.open_of_mapping(mapping.id)
    assert [(item.source_track_id, item.occurrence) for item in queue] == [("a", 0), ("b", 0), ("b", 1), ("c", 0)]


async def test_the_database_itself_refuses_a_second_open_item(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    twin = text(
        "INSERT INTO sync_items (mapping_id, run_id, guild_id, service, action, source_track_id, occurrence,"
        " source_track_title, source_service, destination_service, payload, status, attempts, lease_token, last_error,"
        " created_at) SELECT mapping_id, run_id, guild_id, service, action, source_track_id, occurrence,"
        " source_track_title, source_service, destination_service, payload, 'unknown', 0, '', '', created_at"
        " FROM sync_items"
    )
    with pytest.raises(Bug) as refused:
        await each_storage.db.write(lambda connection: connection.execute(twin))
    assert refused.value.code == "integrity"


@pytest.mark.parametrize("status", [ItemStatus.DONE, ItemStatus.ERROR, ItemStatus.CANCELLED, ItemStatus.BLACKLISTED])
async def test_an_ended_item_does_not_block_the_same_effect_later(each_storage: Storage, status: ItemStatus) -> None:
    mapping = await mapped(each_storage)
    run = await queued(each_storage, mapping, "a")
    [item] = await claim(each_storage, mapping, "w")
    assert await each_storage.items.settle(item.id, "w", status, now=each_storage.db.now())
    assert await each_storage.items.enqueue(mapping.id, run.id, [new_item("a")], []) == 1


async def test_enqueue_is_all_or_nothing(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    run = await started(each_storage, mapping)
    broken = LinkChange(before=None, after=Link(mapping_id=0, left_track_id="a", right_track_id=None))  # type: ignore[arg-type]
    with pytest.raises(Bug):
        await each_storage.items.enqueue(mapping.id, run.id, [new_item("a")], [new_link("x", "y"), broken])
    assert await each_storage.items.open_of_mapping(mapping.id) == []
    assert await each_storage.links.of_mapping(mapping.id) == []


async def test_nothing_is_queued_for_a_removed_mapping(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    run = await started(each_storage, mapping)
    await each_storage.mappings.remove(mapping.id)
    with pytest.raises(NotFound):
        await each_storage.items.enqueue(mapping.id, run.id, [new_item("a")], [])


async def test_many_items_are_queued_in_order(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    names = [f"t{n}" for n in range(1300)]
    await queued(each_storage, mapping, *names)
    claimed = await claim(each_storage, mapping, "w", limit=1200)
    assert [item.source_track_id for item in claimed] == names[:1200]


async def test_two_workers_never_get_the_same_item(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, *(f"t{n}" for n in range(60)))
    hands = await asyncio.gather(*(claim(each_storage, mapping, f"w{n}", limit=3) for n in range(30)))
    ids = [item.id for hand in hands for item in hand]
    assert len(ids) == len(set(ids)) == 60
    for n, hand in enumerate(hands):
        assert {item.lease_token for item in hand} <= {f"w{n}"}


async def test_a_claim_takes_only_what_is_due_for_that_mapping_and_service(
    each_storage: Storage, clock: FakeClock
) -> None:
    mapping, other = await mapped(each_storage), await mapped(each_storage, "Other")
    await queued(each_storage, mapping, "a", "b")
    await queued(each_storage, other, "c")
    [first] = await claim(each_storage, mapping, "w", limit=1)
    later = clock.now() + MINUTE
    await each_storage.items.settle(first.id, "w", ItemStatus.PENDING, now=clock.now(), not_before=later)
    assert [item.source_track_id for item in await claim(each_storage, mapping, "w")] == ["b"]
    clock.advance(MINUTE)
    [again] = await claim(each_storage, mapping, "w")
    assert (again.source_track_id, again.attempts, again.status) == ("a", 1, ItemStatus.RUNNING)
    now = clock.now()
    none = await each_storage.items.claim_due(now, now, "w", limit=9, mapping_id=other.id, service=Service.SPOTIFY)
    assert none == []


async def test_a_claim_points_items_to_the_run_that_works_on_them(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    burst = await started(each_storage, mapping, RunKind.EXECUTION)
    now = each_storage.db.now()
    await each_storage.items.claim_due(
        now, now + MINUTE, "w", limit=9, mapping_id=mapping.id, service=Service.YOUTUBE, run_id=burst.id
    )
    assert len(await each_storage.items.of_run(burst.id)) == 1
    assert (await each_storage.items.counts_of_run(burst.id))[ItemStatus.RUNNING] == 1


async def test_a_lost_lease_settles_nothing(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    [item] = await claim(each_storage, mapping, "old")
    clock.advance(2 * MINUTE)
    assert await each_storage.items.recover_leases(clock.now()) == 1
    await claim(each_storage, mapping, "new")
    items, now = each_storage.items, clock.now()
    assert not await items.settle_done(item.id, "old", now=now, link=new_link("a", "A"))
    assert not await items.settle(item.id, "old", ItemStatus.ERROR, now=now)
    assert not await items.keep_payload(item.id, "old", {"track_id": "A"})
    assert not await items.write_intent([item.id], "old", now, 0)
    assert await items.to_unknown([item.id], "old", not_before=now) == 0
    assert await each_storage.links.of_mapping(mapping.id) == []
    there = await items.get(item.id)
    assert there is not None
    assert (there.status, there.lease_token, there.intent_at) == (ItemStatus.RUNNING, "new", None)
    assert await items.settle_done(item.id, "new", now=now)
    assert not await items.settle_done(item.id, "new", now=now), "an item is settled once"


async def test_done_and_its_link_come_together(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    [item] = await claim(each_storage, mapping, "w")
    change = new_link("a", "A", written_side=Side.RIGHT)
    done = await each_storage.items.settle_done(
        item.id, "w", now=each_storage.db.now(), link=change, payload={"track_id": "A"}
    )
    there = await each_storage.items.get(item.id)
    [link] = await each_storage.links.of_mapping(mapping.id)
    assert done
    assert there is not None
    assert (there.status, there.destination_id, there.payload) == (ItemStatus.DONE, "A", {"v": 1, "track_id": "A"})
    assert (link.mapping_id, link.state, link.written_side) == (mapping.id, LinkState.ACTIVE, Side.RIGHT)


async def test_an_intent_is_written_for_all_items_or_for_none(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a", "b", "c")
    [a] = await claim(each_storage, mapping, "w", limit=1)
    [b] = await claim(each_storage, mapping, "w", limit=1)
    [c] = await claim(each_storage, mapping, "other", limit=1)
    now = each_storage.db.now()
    assert not await each_storage.items.write_intent([a.id, c.id], "w", now, 0)
    assert await each_storage.items.write_intent([a.id, b.id], "w", now, {b.id: 2})
    rows = [await each_storage.items.get(each.id) for each in (a, b, c)]
    assert [(row.intent_at, row.copies_before) for row in rows if row] == [(now, 0), (now, 2), (None, None)]


async def test_recovery_tells_sent_items_from_unsent_ones(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "sent", "unsent")
    sent, unsent = await claim(each_storage, mapping, "dead")
    await each_storage.items.write_intent([sent.id], "dead", clock.now(), 0)
    assert await each_storage.items.recover_leases(clock.now()) == 0, "the lease still holds"
    assert await each_storage.items.recover_leases(clock.now(), everything=True) == 2
    rows = {item.id: item for item in await each_storage.items.open_of_mapping(mapping.id)}
    assert rows[unsent.id].status is ItemStatus.PENDING
    assert rows[sent.id].status is ItemStatus.UNKNOWN
    assert rows[sent.id].intent_at == clock.now()
    assert await each_storage.items.unknown_with_intent(clock.now()) == [], "not before the settle time"
    clock.advance(60)
    assert [item.id for item in await each_storage.items.unknown_with_intent(clock.now())] == [sent.id]
    assert [item.id for item in await each_storage.items.unknown_with_intent()] == [sent.id]


async def test_a_worker_that_stops_lets_go_of_its_items(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a", "b")
    sent, _ = await claim(each_storage, mapping, "w")
    await each_storage.items.write_intent([sent.id], "w", clock.now(), 0)
    assert await each_storage.items.release("w", settle=timedelta(seconds=5)) == 2
    assert (await each_storage.items.counts(GUILD))[ItemStatus.UNKNOWN] == 1
    there = await each_storage.items.get(sent.id)
    assert there is not None
    assert there.not_before == clock.now() + timedelta(seconds=5)


async def test_an_unknown_item_is_read_back_by_one_worker(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    [item] = await claim(each_storage, mapping, "w")
    await each_storage.items.write_intent([item.id], "w", clock.now(), 1)
    assert await each_storage.items.to_unknown([item.id], "w", not_before=clock.now() + MINUTE, last_error="reset") == 1
    assert await claim(each_storage, mapping, "x") == [], "what may have happened is never sent again"
    clock.advance(MINUTE)

    async def read_back(token: str) -> list[SyncItem]:
        now = clock.now()
        return await each_storage.items.claim_unknown(
            now, now + MINUTE, token, mapping_id=mapping.id, service=Service.YOUTUBE
        )

    hands = await asyncio.gather(*(read_back(f"r{n}") for n in range(8)))
    [[mine]] = [hand for hand in hands if hand]
    assert (mine.status, mine.attempts, mine.copies_before, mine.last_error) == (ItemStatus.UNKNOWN, 1, 1, "reset")
    done = await each_storage.items.settle(mine.id, mine.lease_token, ItemStatus.PENDING, now=clock.now(), attempts=0)
    [again] = await claim(each_storage, mapping, "x")
    assert done
    assert (again.intent_at, again.copies_before, again.attempts) == (None, None, 1)


async def test_a_lease_is_extended_while_the_work_goes_on(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    await claim(each_storage, mapping, "w")
    assert await each_storage.items.extend("w", clock.now() + 5 * MINUTE) == 1
    clock.advance(3 * MINUTE)
    assert await each_storage.items.recover_leases(clock.now()) == 0


async def test_due_groups_put_people_first_then_the_longest_waiting(each_storage: Storage, clock: FakeClock) -> None:
    old, new, asked = [await mapped(each_storage, name) for name in ("old", "new", "asked")]
    await queued(each_storage, old, "a", "b")
    clock.advance(MINUTE)
    await queued(each_storage, new, "c")
    clock.advance(MINUTE)
    await queued(each_storage, asked, "d", trigger=Trigger.COMMAND)
    groups = await each_storage.items.due_groups(clock.now())
    assert [(group.mapping_id, group.service, group.people_first) for group in groups] == [
        (asked.id, Service.YOUTUBE, True),
        (old.id, Service.YOUTUBE, False),
        (new.id, Service.YOUTUBE, False),
    ]
    assert groups[1].oldest == clock.now() - 2 * MINUTE


async def test_paused_work_is_not_due(each_storage: Storage, clock: FakeClock) -> None:
    mapping, elsewhere = await mapped(each_storage), await mapped(each_storage, guild_id=GUILD + 1)
    await queued(each_storage, mapping, "a")
    await queued(each_storage, elsewhere, "b")
    await each_storage.mappings.update(mapping.id, enabled=False)
    await each_storage.guilds.save(GuildSettings(guild_id=GUILD + 1, paused=True))
    assert await each_storage.items.due_groups(clock.now()) == []


async def test_waiting_items_are_postponed_and_woken_together(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a", "b")
    until = clock.now() + timedelta(hours=8)
    assert await each_storage.items.postpone(until, service=Service.YOUTUBE, last_error="quota") == 2
    assert await each_storage.items.postpone(until - MINUTE, service=Service.YOUTUBE) == 0, "never sooner than said"
    assert await each_storage.items.next_due_at() == until
    assert await each_storage.items.due_groups(clock.now()) == []
    assert await each_storage.items.wake(mapping_id=mapping.id) == 2
    assert len(await claim(each_storage, mapping, "w")) == 2
    assert await each_storage.items.next_due_at() is None


async def test_the_queue_says_when_its_next_work_is_due(each_storage: Storage, clock: FakeClock) -> None:
    mapping, paused = await mapped(each_storage), await mapped(each_storage, "paused")
    await queued(each_storage, mapping, "sent", "late")
    await queued(each_storage, paused, "never mind")
    await each_storage.mappings.update(paused.id, enabled=False)
    sent, late = await claim(each_storage, mapping, "w")
    assert await each_storage.items.next_due_at() is None, "what is running or paused is not due"
    soon, later = clock.now() + MINUTE, clock.now() + 5 * MINUTE
    await each_storage.items.to_unknown([sent.id], "w", not_before=soon)
    await each_storage.items.settle(late.id, "w", ItemStatus.PENDING, now=clock.now(), not_before=later)
    assert await each_storage.items.next_due_at() == soon
    assert await each_storage.items.next_due_at(after=soon) == later
    assert await each_storage.items.next_due_at(after=later) is None


async def test_a_failed_item_is_retried_once_and_only_in_its_guild(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    run = await queued(each_storage, mapping, "a")
    [item] = await claim(each_storage, mapping, "w")
    assert not await each_storage.items.retry(item.id), "it is being worked on"
    await each_storage.items.settle(item.id, "w", ItemStatus.ERROR, now=clock.now(), last_error="gone")
    assert not await each_storage.items.retry(item.id, guild_id=GUILD + 1)
    await each_storage.items.enqueue(mapping.id, run.id, [new_item("a")], [])
    assert not await each_storage.items.retry(item.id), "the same effect is in the queue"
    await each_storage.items.cancel_open(mapping.id)
    answers = await asyncio.gather(*(each_storage.items.retry(item.id) for _ in range(5)))
    assert sorted(answers) == [False, False, False, False, True]
    there = await each_storage.items.get(item.id)
    assert there is not None
    assert (there.status, there.attempts, there.completed_at) == (ItemStatus.PENDING, 0, None)


async def test_cancelling_leaves_alone_what_is_being_written(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a", "b", "c")
    await claim(each_storage, mapping, "w", limit=1)
    pending = [item for item in await each_storage.items.open_of_mapping(mapping.id) if not item.lease_token]
    assert await each_storage.items.cancel_open(mapping.id, [pending[0].id], "no longer wanted") == 1
    assert await each_storage.items.cancel_open(mapping.id) == 1
    counts = await each_storage.items.counts(GUILD)
    assert (counts[ItemStatus.RUNNING], counts[ItemStatus.CANCELLED]) == (1, 2)


async def test_a_removed_mapping_takes_its_open_items_along(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a", "b")
    [item] = await claim(each_storage, mapping, "w", limit=1)
    assert await each_storage.mappings.remove(mapping.id)
    assert not await each_storage.items.settle_done(item.id, "w", now=each_storage.db.now())
    assert (await each_storage.items.counts(GUILD))[ItemStatus.CANCELLED] == 2


async def test_counts_and_lists_stay_within_the_guild(each_storage: Storage) -> None:
    here, there = await mapped(each_storage), await mapped(each_storage, guild_id=GUILD + 1)
    await queued(each_storage, here, "a", "b", "c")
    await queued(each_storage, there, "d")
    [b] = [item for item in await each_storage.items.open_of_mapping(here.id) if item.source_track_id == "b"]
    await each_storage.items.cancel_open(here.id, [b.id])
    counts = await each_storage.items.counts(GUILD)
    assert (counts[ItemStatus.PENDING], counts[ItemStatus.CANCELLED], counts[ItemStatus.DONE]) == (2, 1, 0)
    assert (await each_storage.items.counts())[ItemStatus.PENDING] == 3
    newest = await each_storage.items.list_of_guild(GUILD, limit=2)
    assert [item.source_track_id for item in newest] == ["c", "b"]
    older = await each_storage.items.list_of_guild(GUILD, limit=2, before_id=newest[-1].id)
    assert [item.source_track_id for item in older] == ["a"]
    only = await each_storage.items.list_of_guild(GUILD, [ItemStatus.CANCELLED], mapping_id=here.id)
    assert only == [newest[1]]
    assert await each_storage.items.get(b.id, guild_id=GUILD + 1) is None


async def test_old_finished_items_are_dropped_in_batches(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a", "b", "c")
    await each_storage.items.cancel_open(mapping.id)
    await queued(each_storage, mapping, "d")
    assert await each_storage.items.delete_finished(clock.now(), batch=2) == 0
    clock.advance(1)
    assert await each_storage.items.delete_finished(clock.now(), batch=2) == 2
    assert await each_storage.items.delete_finished(clock.now(), batch=2) == 1
    assert [item.source_track_id for item in await each_storage.items.open_of_mapping(mapping.id)] == ["d"]


async def test_done_items_stay_as_long_as_an_undo_can_start_from_their_snapshot(
    each_storage: Storage, clock: FakeClock
) -> None:
    mapping = await mapped(each_storage)
    run = await queued(each_storage, mapping, "a", "b")
    [a, _] = await claim(each_storage, mapping, "mine")
    await each_storage.items.settle_done(a.id, "mine", now=clock.now())
    await each_storage.items.release("mine")
    await each_storage.items.cancel_open(mapping.id)
    await each_storage.snapshots.add(mapping.id, run.id, Side.LEFT, content("p", []), clock.now())
    clock.advance(1)
    assert await each_storage.items.delete_finished(clock.now()) == 1
    assert await each_storage.items.get(a.id) is not None
    await each_storage.mappings.remove(mapping.id)
    assert await each_storage.snapshots.delete_older(clock.now()) == 1
    assert await each_storage.items.delete_finished(clock.now()) == 1


async def test_every_action_has_its_own_place_in_the_queue(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    run = await started(each_storage, mapping)
    new = [new_item("a", action=action) for action in Action]
    assert await each_storage.items.enqueue(mapping.id, run.id, [*new, *new], []) == len(Action)
