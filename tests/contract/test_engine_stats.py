"""The dashboard is counted at most once a second for everybody who asks, at each door together."""

import asyncio

from bot.engine.quota import Quota, QuotaLimits
from bot.engine.stats import Stats
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, mapped


async def test_all_who_ask_within_a_second_share_one_count_and_each_server_has_its_own(
    storage: Storage, clock: FakeClock
) -> None:
    stats = Stats(storage, Quota(storage, clock, QuotaLimits()), clock)
    everybody, again, own = await asyncio.gather(stats.dashboard(), stats.dashboard(), stats.dashboard(GUILD))
    assert everybody is again
    assert own is not everybody
    await mapped(storage)
    clock.advance(0.9)
    assert (await stats.dashboard(GUILD)).mappings_total == 0
    clock.advance(0.1)
    assert (await stats.dashboard(GUILD)).mappings_total == 1
    assert (await stats.dashboard(GUILD + 1)).mappings_total == 0
