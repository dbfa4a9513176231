"""A crash loop backs off across restarts, so that Discord never resets the token."""

from datetime import UTC, datetime, timedelta

from bot.identify import Identifies, delay
from storage import Storage
from tests.clock import FakeClock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_first_five_of_an_hour_wait_for_nothing_and_the_next_ones_ever_longer() -> None:
    waits = [delay([NOW - timedelta(minutes=1)] * count, NOW) for count in range(20)]
    assert waits[:5] == [0.0] * 5
    assert waits[5:9] == [5.0, 10.0, 20.0, 40.0]
    assert waits == sorted(waits)
    assert waits[-1] == 600.0


def test_a_day_of_crash_loops_stays_far_below_a_thousand_identifies() -> None:
    moment, moments = NOW, list[datetime]()
    while moment - NOW < timedelta(days=1):
        moment += timedelta(seconds=delay(moments, moment) + 1)
        moments.append(moment)
    assert len(moments) < 300


async def test_each_process_remembers_the_identifies_of_those_before_it(storage: Storage, clock: FakeClock) -> None:
    began = clock.now()
    for _ in range(7):
        await Identifies(storage, clock).wait()
    assert (clock.now() - began).total_seconds() == 15.0  # 5 s before the sixth, 10 s before the seventh
    clock.advance(timedelta(hours=2))
    calm = clock.now()
    await Identifies(storage, clock).wait()
    assert clock.now() == calm
