"""Pages of the log: the same answers on both engines, both ways, and never more than a stretch at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model.log_filter import LogFilter, LogPage, from_json
from bot.model.logline import JobType, Level, LogLine
from cogs._ui import line_paging
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, PERSON

HERE = LogFilter(guild_id=GUILD)


async def _written(storage: Storage, clock: FakeClock, count: int = 40) -> None:
    """Lines 0, 1, 2 …, a minute apart: every fifth an error, every fourth another server's, every tenth of nobody."""
    lines = []
    for number in range(count):
        elsewhere = GUILD + 1 if number % 4 == 3 else GUILD
        lines.append(
            LogLine(
                at=clock.now(),
                level=Level.ERROR if number % 5 == 0 else Level.WARN if number % 7 == 0 else Level.INFO,
                event="item.error" if number % 5 == 0 else "item.added" if number % 2 else "sync.requested",
                message=f"Line {number} of the Log",
                job_type=JobType.USER_ACTION if number % 6 == 0 else JobType.EXECUTION,
                guild_id=None if number % 10 == 9 else elsewhere,
                run_id=number % 3,
                mapping_id=number % 2 + 1,
                sync_item_id=number,
                actor_id=PERSON if number % 6 == 0 else None,
            )
        )
        clock.advance(60)
    await storage.logs.append(lines)


def numbers(page: LogPage) -> list[int]:
    return [int(line.message.split()[1]) for line in page.lines]


FILTERS = {
    "everything": LogFilter(guild_id=GUILD),
    "everywhere": LogFilter(guild_id=None),
    "warnings": replace(HERE, least=Level.WARN),
    "errors": replace(HERE, least=Level.ERROR),
    "errors everywhere": LogFilter(guild_id=None, least=Level.ERROR),
    "job type": replace(HERE, job_type=JobType.USER_ACTION),
    "event": replace(HERE, events=("item.added",)),
    "events": replace(HERE, events=("item.error", "sync.requested")),
    "events of a mapping": replace(HERE, events=("item.error", "sync.requested"), mapping_id=1),
    "events everywhere": LogFilter(guild_id=None, events=("item.error", "sync.requested")),
    "run": replace(HERE, run_id=1),
    "mapping": replace(HERE, mapping_id=2),
    "mapping everywhere": LogFilter(guild_id=None, mapping_id=2),
    "item": replace(HERE, item_id=12),
    "item of another server": replace(HERE, item_id=3),
    "actor": replace(HERE, actor_id=PERSON),
    "text": replace(HERE, text="LINE 2"),
    "no pattern": replace(HERE, text="%"),
    "all together": replace(
        HERE, least=Level.WARN, run_id=0, mapping_id=1, text="log", events=("item.error",), job_type=JobType.USER_ACTION
    ),
}


def fits(wanted: LogFilter, line: LogLine) -> bool:
    """What the filter means, said once more in plain words."""
    return (
        wanted.guild_id in (None, line.guild_id)
        and list(Level).index(line.level) >= list(Level).index(wanted.least)
        and wanted.job_type in (None, line.job_type)
        and (not wanted.events or line.event in wanted.events)
        and wanted.run_id in (None, line.run_id)
        and wanted.mapping_id in (None, line.mapping_id)
        and wanted.item_id in (None, line.sync_item_id)
        and wanted.actor_id in (None, line.actor_id)
        and wanted.text.lower() in line.message.lower()
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.until is None or line.at < wanted.until)
    )


async def test_every_filter_finds_its_lines_whether_read_down_up_or_in_short_stretches(
    each_storage: Storage, clock: FakeClock
) -> None:
    began = clock.now()
    await _written(each_storage, clock)
    every = await each_storage.logs.query(None, limit=100)
    span = {"since": began + timedelta(minutes=8), "until": began + timedelta(minutes=31)}
    for name, wanted in FILTERS.items():
        for narrowed in (wanted, replace(wanted, **span)):
            expected = [line.id for line in every if fits(narrowed, line)]
            for stretch in (100, 7):
                assert await _read(each_storage, narrowed, stretch, down=True) == expected, name
                assert await _read(each_storage, narrowed, stretch, down=False) == expected, name


async def _read(storage: Storage, wanted: LogFilter, stretch: int, *, down: bool) -> list[int]:
    """The ids of all pages of three, newest first."""
    found: list[int] = []
    edge: int | None = None if down else 0
    while True:
        side = {"before_id": edge} if down else {"after_id": edge}
        page = await storage.logs.page(wanted, limit=3, stretch=stretch, **side)  # type: ignore[arg-type]
        assert len(page.lines) <= 3
        ids = [line.id for line in page.lines]
        found = found + ids if down else ids + found
        if not page.more:
            return found
        edge = page.stopped_id or (ids[-1] if down else ids[0])


async def test_a_search_says_where_it_stopped_and_goes_on_from_there(each_storage: Storage, clock: FakeClock) -> None:
    began = clock.now()
    await _written(each_storage, clock)
    wanted = LogFilter(guild_id=None, text="Line 0 of")
    page = await each_storage.logs.page(wanted, stretch=10)
    assert (page.lines, page.more, page.stopped_at) == ((), True, began + timedelta(minutes=30))
    page = await each_storage.logs.page(wanted, stretch=30, before_id=page.stopped_id)
    assert page.stopped_id is not None
    assert numbers(page) == [0]


async def test_lines_that_are_read_in_order_need_no_stop(each_storage: Storage, clock: FakeClock) -> None:
    await _written(each_storage, clock)
    page = await each_storage.logs.page(HERE, limit=2, stretch=1)
    assert (numbers(page), page.more, page.stopped_id) == ([38, 37], True, None)


async def test_moments_before_and_after_all_lines_bound_nothing_and_everything(
    each_storage: Storage, clock: FakeClock
) -> None:
    assert await each_storage.logs.page(replace(HERE, since=clock.now())) == LogPage(lines=())
    began = clock.now()
    await _written(each_storage, clock, 3)
    assert numbers(await each_storage.logs.page(replace(HERE, since=began - timedelta(days=1)))) == [2, 1, 0]
    assert numbers(await each_storage.logs.page(replace(HERE, until=began))) == []
    assert numbers(await each_storage.logs.page(replace(HERE, since=clock.now()))) == []
    assert numbers(await each_storage.logs.page(replace(HERE, until=clock.now()))) == [2, 1, 0]


async def test_lines_that_came_a_little_late_are_not_taken_for_newer_ones(
    each_storage: Storage, clock: FakeClock
) -> None:
    began = clock.now()
    moments = [began + timedelta(minutes=minute) for minute in (0, 5, 1, 6)]
    usual = LogLine(at=began, level=Level.INFO, event="item.added", message="", guild_id=GUILD)
    await each_storage.logs.append(
        [replace(usual, at=moment, message=f"Line {number}") for number, moment in enumerate(moments)]
    )
    three = began + timedelta(minutes=3)
    assert numbers(await each_storage.logs.page(replace(HERE, until=three))) == [2, 0]
    assert numbers(await each_storage.logs.page(replace(HERE, since=began + timedelta(minutes=5)))) == [3]


async def test_a_line_of_another_server_cannot_be_opened(each_storage: Storage, clock: FakeClock) -> None:
    await _written(each_storage, clock, 4)
    line = (await each_storage.logs.query(GUILD + 1))[0]
    assert await each_storage.logs.get(line.id) == line
    assert await each_storage.logs.get(line.id, GUILD) is None


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_a_filter_survives_being_saved(wanted: LogFilter, clock: FakeClock) -> None:
    dated = replace(wanted, since=clock.now(), until=clock.now())
    for each in (wanted, dated):
        assert from_json({"v": 1, "new": 2, **each.as_json()}, each.guild_id) == each


async def test_a_press_on_search_on_goes_through_several_stretches_until_it_finds_something(
    storage: Storage, clock: FakeClock
) -> None:
    await _written(storage, clock)
    wanted = LogFilter(guild_id=None, text="Line 0 of")
    first = await storage.logs.page(wanted, stretch=5)
    assert first.stopped_id is not None
    assert numbers(await line_paging.older(storage.logs, wanted, first.stopped_id, 3, stretch=5)) == [0]
    nothing = await line_paging.older(storage.logs, replace(wanted, text="nowhere"), first.stopped_id, 3, stretch=5)
    assert (nothing.lines, nothing.more) == ((), False)
