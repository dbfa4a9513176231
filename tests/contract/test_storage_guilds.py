"""What servers chose: written column by column, so that nobody's choice is undone by somebody else's."""

import asyncio

import pytest

from bot.model.guild import GuildSettings
from storage import Storage
from tests.factories import GUILD


async def test_only_the_given_columns_are_written_and_before_and_after_are_told(each_storage: Storage) -> None:
    guilds = each_storage.guilds
    before, after = await guilds.update(GUILD, timezone="Asia/Tokyo", retention_days=0)
    assert before == GuildSettings(guild_id=GUILD)
    assert after == GuildSettings(guild_id=GUILD, timezone="Asia/Tokyo", retention_days=0)
    before, after = await guilds.update(GUILD, digest_hour=0)
    assert before.timezone == after.timezone == "Asia/Tokyo"
    assert (await guilds.update(GUILD))[1] == after == await guilds.get(GUILD)
    assert await guilds.get(GUILD + 1) == GuildSettings(guild_id=GUILD + 1)
    cleared = (await guilds.update(GUILD, digest_hour=None))[1]
    assert cleared.digest_hour is None


async def test_changes_at_the_same_moment_all_hold_and_each_knows_what_it_changed(each_storage: Storage) -> None:
    changes = [{"retention_days": days} for days in range(8)] + [{"refresh_seconds": 77}, {"log_level": "error"}]
    told = await asyncio.gather(*(each_storage.guilds.update(GUILD, **change) for change in changes))
    after = await each_storage.guilds.get(GUILD)
    assert (after.refresh_seconds, after.log_level) == (77, "error")
    days = [(before.retention_days, now.retention_days) for before, now in told[:8]]
    chain = {before: now for before, now in days if before != now}
    present = 7
    for _ in range(len(chain)):  # each begins where another one ended
        present = chain.get(present, present)
    assert present == after.retention_days


async def test_a_field_that_does_not_exist_is_a_mistake_of_ours(each_storage: Storage) -> None:
    with pytest.raises(TypeError, match="retention"):
        await each_storage.guilds.update(GUILD, retention=1)
