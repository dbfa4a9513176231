"""Incidents outlive the process, whole, on both engines; those of another guild do not exist."""

from dataclasses import replace
from datetime import timedelta

from bot.model.incident import Example, Incident
from bot.model.logline import Level
from storage import Storage

GUILD = 7


def incident(storage: Storage, key: str = "task.failed||x", guild_id: int = GUILD) -> Incident:
    now = storage.db.now()
    return Incident(
        guild_id=guild_id,
        key=key,
        level=Level.WARN,
        event="task.failed",
        message="Task x failed",
        first_seen_at=now,
        last_seen_at=now,
        mapping_id=3,
        count=12,
        facts={"task": "x"},
        examples=(Example(message="m", title="Song", item_id=5), Example(message="n")),
        item_ids=(5, 6),
        until=now + timedelta(hours=3),
        acknowledged_by=2**60,
        acknowledged_at=now,
        acknowledged_name="Max",
        silenced_until=now + timedelta(hours=8),
        silenced_name="Ada",
        silenced_count=4,
        missed=2,
        left_out=9,
        shown=11,
        over_at=now,
        channel_id=2**61,
        message_id=2**62,
    )


async def test_what_is_kept_comes_back_whole(each_storage: Storage) -> None:
    (kept,) = await each_storage.incidents.keep([incident(each_storage)])
    assert kept.id
    assert await each_storage.incidents.get(kept.id, GUILD) == kept
    assert await each_storage.incidents.get(kept.id, GUILD + 1) is None
    assert await each_storage.incidents.open() == [kept]


async def test_a_closed_one_makes_room_for_the_next_of_its_key_in_one_step(each_storage: Storage) -> None:
    (first,) = await each_storage.incidents.keep([incident(each_storage)])
    closed = replace(first, closed_at=each_storage.db.now())
    _, second = await each_storage.incidents.keep([closed, replace(incident(each_storage), count=1)])
    assert second.id != first.id
    assert await each_storage.incidents.open() == [second]
    assert await each_storage.incidents.get(first.id, GUILD) == closed


async def test_two_new_ones_of_a_key_are_one(each_storage: Storage) -> None:
    one, other = await each_storage.incidents.keep([incident(each_storage), replace(incident(each_storage), count=13)])
    assert one.id == other.id
    assert (await each_storage.incidents.open())[0].count == 13


async def test_only_closed_ones_are_forgotten_in_batches(each_storage: Storage) -> None:
    now = each_storage.db.now()
    old = [replace(incident(each_storage, f"k{n}"), closed_at=now - timedelta(days=31)) for n in range(3)]
    young = replace(incident(each_storage, "young"), closed_at=now - timedelta(days=29))
    kept = await each_storage.incidents.keep([*old, young, incident(each_storage, "open")])
    before = now - timedelta(days=30)
    assert [await each_storage.incidents.delete_closed(before, 2) for _ in range(3)] == [2, 1, 0]
    assert [row.key for row in await each_storage.incidents.open()] == ["open"]
    assert await each_storage.incidents.get(kept[3].id, GUILD) is not None
