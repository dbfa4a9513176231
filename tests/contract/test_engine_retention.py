"""What is forgotten when: by each server's own days, in batches, and at once when the setting changes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bot.engine.hub import Hub
from bot.engine.preferences import Preferences
from bot.engine.retention import BATCH, Retention
from bot.model.events import SettingsChanged
from bot.model.item import ItemStatus
from bot.model.logline import JobType, Level, LogLine
from storage import Storage
from storage.schema import sync_items
from tests import factories
from tests.clock import FakeClock
from tests.factories import GUILD

PERSON = 4242


def line(at: datetime, message: str, *, guild_id: int = GUILD, **fields: object) -> LogLine:
    values: dict[str, object] = {"job_type": JobType.EXECUTION, "event": "item.added", "level": Level.INFO}
    return LogLine(at=at, message=message, guild_id=guild_id, **(values | fields))  # type: ignore[arg-type]


async def messages(storage: Storage, guild_id: int = GUILD) -> set[str]:
    return {each.message for each in await storage.logs.query(guild_id, limit=500)}


async def test_nought_days_keep_today_as_the_server_understands_it(each_storage: Storage, clock: FakeClock) -> None:
    # 21 November has begun in Tokyo at 15:00 UTC of the 20th.
    clock.advance(timedelta(hours=6))
    assert clock.now() == datetime(2026, 11, 20, 18, tzinfo=UTC)
    await each_storage.guilds.update(GUILD, retention_days=0, timezone="Asia/Tokyo")
    await each_storage.guilds.update(GUILD + 1, retention_days=0)
    for guild_id in (GUILD, GUILD + 1):
        for hour in (0, 14, 16):
            at = datetime(2026, 11, 20, hour, tzinfo=UTC)
            await each_storage.logs.append([line(at, f"at {hour}", guild_id=guild_id)])
        await each_storage.logs.append([line(clock.now() - timedelta(days=1), "yesterday", guild_id=guild_id)])
    await Retention(each_storage, clock).run()
    assert await messages(each_storage) == {"at 16"}
    assert await messages(each_storage, GUILD + 1) == {"at 0", "at 14", "at 16"}


async def test_what_people_did_stays_thirty_days_and_no_longer(each_storage: Storage, clock: FakeClock) -> None:
    await each_storage.guilds.update(GUILD, retention_days=0)
    for days in (29, 31):
        at = clock.now() - timedelta(days=days)
        mine = line(at, f"done {days} days ago", job_type=JobType.USER_ACTION, actor_id=PERSON)
        asked = line(at, f"asked {days} days ago", actor_id=PERSON)
        await each_storage.logs.append([mine, asked, line(at, f"happened {days} days ago")])
    await Retention(each_storage, clock).run()
    assert await messages(each_storage) == {"done 29 days ago", "asked 29 days ago"}


@pytest.mark.parametrize("status", list(ItemStatus))
async def test_lines_of_an_item_stay_while_it_is_open_or_waits_for_a_person(
    storage: Storage, clock: FakeClock, status: ItemStatus
) -> None:
    await storage.guilds.update(GUILD, retention_days=0)
    mapping = await factories.mapped(storage)
    run = await factories.queued(storage, mapping, "track")
    item_id = (await storage.items.of_run(run.id))[0].id
    await _set(storage, item_id, status)
    await storage.logs.append([line(clock.now() - timedelta(days=5), "of the item", sync_item_id=item_id)])
    await Retention(storage, clock).run()
    ended = {ItemStatus.DONE, ItemStatus.SKIPPED, ItemStatus.CANCELLED}
    assert await messages(storage) == (set() if status in ended else {"of the item"})


async def test_many_lines_go_in_batches_with_room_for_others_between(storage: Storage, clock: FakeClock) -> None:
    old = clock.now() - timedelta(days=20)
    await storage.logs.append([line(old, "old")] * (2 * BATCH + 1))
    began = clock.monotonic()
    assert await Retention(storage, clock).run() == 2 * BATCH + 1
    assert clock.monotonic() > began, "it paused between the batches"


async def test_a_shorter_retention_holds_at_once_for_this_server_only(storage: Storage, clock: FakeClock) -> None:
    retention, hub = Retention(storage, clock), Hub()
    facts: list[SettingsChanged] = []
    hub.subscribe(SettingsChanged, facts.append)
    preferences = Preferences(storage, hub, clock, forget=retention.soon)
    old = clock.now() - timedelta(days=3)
    await storage.logs.append([line(old, "old"), line(old, "old", guild_id=GUILD + 1)])
    await preferences.change(GUILD, PERSON, refresh_seconds=20)
    assert not retention.busy
    await preferences.change(GUILD, PERSON, retention_days=1)
    assert retention.busy
    async with asyncio.timeout(20):
        while retention.busy:  # noqa: ASYNC110 - it works by itself
            await asyncio.sleep(0)
    assert await messages(storage) == set()
    assert await messages(storage, GUILD + 1) == {"old"}
    assert facts == [SettingsChanged(guild_id=GUILD)] * 2


async def _set(storage: Storage, item_id: int, status: ItemStatus) -> None:
    statement = update(sync_items).where(sync_items.c.id == item_id).values(status=status)
    await storage.db.write(lambda connection: connection.execute(statement))
