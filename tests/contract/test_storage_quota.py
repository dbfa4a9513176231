"""The ledger's sums: by hour and operation, and by whose mapping, without telling other servers' names."""

from datetime import datetime, timedelta

from bot.engine.quota import Quota, QuotaLimits
from bot.model.quota import Bucket, UsageRow
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, mapped

ROOM = 1_000_000


async def spend(
    storage: Storage,
    mapping_id: int,
    units: int,
    at: datetime,
    bucket: Bucket = Bucket.YOUTUBE_UNITS,
    operation: str = "x",
) -> None:
    assert await storage.quota.spend(
        bucket=bucket,
        operation=operation,
        units=units,
        calls=1,
        mapping_id=mapping_id,
        now=at,
        window_start=at,
        limit=ROOM,
    )


async def test_sums_add_up_mappings_by_hour_and_operation(each_storage: Storage, clock: FakeClock) -> None:
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    for mapping_id, operation, units, hours in (
        (1, "a", 5, 0),
        (2, "a", 7, 0),
        (1, "b", 1, 0),
        (1, "a", 9, 30),
        (1, "a", 4, 99),
    ):
        await spend(each_storage, mapping_id, units, now - timedelta(hours=hours), operation=operation)
    sums = await each_storage.quota.sums(now - timedelta(hours=40))
    shape = [(row.hour, row.operation, row.mapping_id, row.calls, row.units) for row in sums]
    assert shape == [(now - timedelta(hours=30), "a", 0, 1, 9), (now, "a", 0, 2, 12), (now, "b", 0, 1, 1)]
    assert all(isinstance(row, UsageRow) for row in sums)


async def test_shares_name_the_servers_own_mappings_and_put_the_others_together(
    each_storage: Storage, clock: FakeClock
) -> None:
    mine, gone = await mapped(each_storage, "Mine"), await mapped(each_storage, "Gone")
    theirs = [await mapped(each_storage, f"Secret {number}", guild_id=GUILD + 1) for number in range(2)]
    await each_storage.mappings.remove(gone.id)
    now = clock.now()
    for mapping_id, units, days in (
        (mine.id, 50, 0), (mine.id, 100, 3), (mine.id, 9, 60), (gone.id, 7, 2), (0, 1, 0),
        (theirs[0].id, 30, 0), (theirs[1].id, 20, 1), (987_654, 5, 5),
    ):  # fmt: skip
        await spend(each_storage, mapping_id, units, now - timedelta(days=days))
    await spend(each_storage, mine.id, 1, now, Bucket.SPOTIFY_CALLS)
    shares = await Quota(each_storage, clock, QuotaLimits()).shares(GUILD)
    units = Bucket.YOUTUBE_UNITS
    assert [(share.mapping_id, share.name) for share in shares] == [
        (mine.id, "Mine"), (None, ""), (gone.id, "Gone"), (0, ""),
    ]  # fmt: skip
    assert (shares[0].window[units], shares[0].total[units]) == (50, 150)
    assert shares[0].window[Bucket.SPOTIFY_CALLS] == 1
    assert (shares[1].window[units], shares[1].total[units]) == (30, 55), (
        "one that nobody knows any more is nobody's here"
    )
    assert (shares[2].window[units], shares[2].total[units]) == (0, 7)


async def test_thirty_days_begin_with_a_pacific_midnight_also_when_the_clocks_change(
    each_storage: Storage, clock: FakeClock
) -> None:
    now = clock.now()  # in November; thirty days before, Los Angeles has summer time
    quota = Quota(each_storage, clock, QuotaLimits())
    for days in range(33):
        await spend(each_storage, 1, 1, now - timedelta(days=days))
    rows = await quota.usage(30)
    assert sum(row.units for row in rows) == 30
    assert [row.hour.date() for row in quota.used_now(rows)] == [now.date()]
