"""Of several processes over one PostgreSQL database exactly one leads."""

import asyncio

from storage import open_storage
from storage.leader import leading
from tests.clock import FakeClock


async def test_a_second_process_leads_only_when_the_first_has_ended(postgres_url: str, clock: FakeClock) -> None:
    async with (
        open_storage(postgres_url, clock=clock) as one,
        open_storage(postgres_url, clock=clock) as other,
    ):
        asked, freed = asyncio.Event(), asyncio.Event()

        async def wait_a_turn(_: float) -> None:
            asked.set()
            await freed.wait()

        async def second() -> str:
            async with leading(other.db, wait_a_turn):
                return "leads"

        async with leading(one.db):
            waiting = asyncio.create_task(second())
            await asked.wait()
            assert not waiting.done()
        freed.set()
        assert await waiting == "leads"


async def test_sqlite_needs_no_election(sqlite_url: str, clock: FakeClock) -> None:
    async with open_storage(sqlite_url, clock=clock) as storage, leading(storage.db) as leadership:
        lost = asyncio.create_task(leadership.lost())
        await asyncio.sleep(0)
        assert not lost.done()
        lost.cancel()
