"""What plans and queues cost, and when they are through."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.forecast import Step, cost, last_reset, next_reset, work_cost
from bot.model.item import Action
from bot.model.mapping import Direction, Side
from bot.model.music import Service, Track
from bot.model.plan import Add, Cost, Move, Plan, Remove
from bot.model.quota import Bucket, BucketState, UsageRow
from tests.unit.applying import mapping_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # 04:00 in Los Angeles
MIDNIGHT = datetime(2026, 11, 21, 8, tzinfo=UTC)
DAY = timedelta(days=1)
A_TRACK = Track(service=Service.SPOTIFY, external_id="s", title="One")
A_VIDEO = Track(service=Service.YOUTUBE, external_id="v", title="One")


def states(units: int = 0, searches: int = 0, calls: int = 0) -> list[BucketState]:
    """The usual limits with so much used."""
    return [
        BucketState(bucket=Bucket.YOUTUBE_UNITS, limit=10_000, used=units, resets_at=MIDNIGHT),
        BucketState(bucket=Bucket.YOUTUBE_SEARCH, limit=100, used=searches, resets_at=MIDNIGHT),
        BucketState(bucket=Bucket.SPOTIFY_CALLS, limit=900, used=calls, resets_at=NOON),
    ]


def adds(count: int, side: Side = Side.RIGHT, destination_id: str = "") -> tuple[Add, ...]:
    return tuple(Add(side=side, source=A_TRACK, destination_id=destination_id) for _ in range(count))


def of(plan: Plan, used: list[BucketState] | None = None, now: datetime = NOON, **options: Any) -> Cost:
    return cost(plan, mapping_of(direction=Direction.TWO_WAY), states() if used is None else used, now, **options)


def test_an_empty_plan_costs_nothing_and_is_done_now() -> None:
    assert of(Plan(mapping_id=1)) == Cost(done_at=NOON)


def test_a_youtube_write_costs_50_units_and_a_search_one_search_and_the_lengths() -> None:
    plan = Plan(
        mapping_id=1,
        adds=adds(2) + adds(3, destination_id="v"),
        removes=(Remove(side=Side.RIGHT, track=A_VIDEO),),
        moves=(Move(side=Side.RIGHT, track=A_VIDEO, origin=0, position=1),),
        renames=((Side.RIGHT, "new"),),
    )
    assert of(plan) == Cost(youtube_units=8 * 50 + 2, youtube_searches=2, done_at=NOON)


def test_search_without_quota_costs_none() -> None:
    assert of(Plan(mapping_id=1, adds=adds(4)), official_search=False) == Cost(youtube_units=200, done_at=NOON)


def test_spotify_adds_go_out_by_the_hundred_and_all_else_one_by_one() -> None:
    removes = tuple(Remove(side=Side.LEFT, track=A_TRACK) for _ in range(3))
    plan = Plan(mapping_id=1, adds=adds(201, Side.LEFT, "s") + adds(10, Side.LEFT), removes=removes)
    assert of(plan).spotify_calls == 3 + 3 + 10


@pytest.mark.parametrize(
    ("count", "used", "end"),
    [
        (100, states(), NOON),
        (101, states(), MIDNIGHT),
        (200, states(), MIDNIGHT),
        (201, states(), MIDNIGHT + DAY),
        (1, states(searches=100), MIDNIGHT),
        (1, states(units=9_949), NOON),
        (1, states(units=9_950), MIDNIGHT),
        # Searches left today are of no use without units: all 150 wait for tomorrow, 50 of them for the day after.
        (150, states(units=10_000), MIDNIGHT + DAY),
    ],
)
def test_what_does_not_fit_today_is_done_after_the_resets_it_needs(
    count: int, used: list[BucketState], end: datetime
) -> None:
    assert of(Plan(mapping_id=1, adds=adds(count)), used).done_at == end


def test_known_counterparts_do_not_wait_for_searches() -> None:
    plan = Plan(mapping_id=1, adds=adds(100, destination_id="v"))
    assert of(plan, states(searches=100)).done_at == NOON


def test_a_bucket_without_room_for_one_step_never_ends() -> None:
    nothing = [BucketState(bucket=Bucket.YOUTUBE_SEARCH, limit=0, used=0, resets_at=MIDNIGHT)]
    assert of(Plan(mapping_id=1, adds=adds(1)), nothing).done_at is None
    assert of(Plan(mapping_id=1, adds=adds(1, destination_id="v")), nothing).done_at == NOON
    none_for_spotify = [BucketState(bucket=Bucket.SPOTIFY_CALLS, limit=0, used=0, resets_at=NOON)]
    assert of(Plan(mapping_id=1, adds=adds(1, Side.LEFT)), none_for_spotify).done_at is None


def test_without_limits_everything_is_done_now() -> None:
    assert of(Plan(mapping_id=1, adds=adds(5_000) + adds(5_000, Side.LEFT)), []).done_at == NOON


def usage(hour: int, calls: int) -> UsageRow:
    at = NOON.replace(hour=hour)
    return UsageRow(bucket=Bucket.SPOTIFY_CALLS, hour=at, operation="search", mapping_id=0, calls=calls, units=calls)


def test_spotify_calls_come_free_a_day_after_the_hour_they_were_made_in() -> None:
    rows = [usage(10, 400), usage(2, 500)]
    full = states(calls=900)
    plan = {count: Plan(mapping_id=1, adds=adds(count, Side.LEFT)) for count in (490, 600)}
    assert of(plan[490], full, usage=rows).done_at == datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert of(plan[600], full, usage=rows).done_at == datetime(2026, 11, 21, 11, tzinfo=UTC)


def test_more_spotify_calls_than_a_day_holds_take_days() -> None:
    plan = Plan(mapping_id=1, adds=adds(2_000, Side.LEFT))
    assert of(plan).spotify_calls == 2_020
    assert of(plan).done_at == NOON + 2 * DAY + timedelta(hours=1)


def test_a_queue_costs_what_its_steps_cost() -> None:
    queue = {
        Step(Service.YOUTUBE, Action.ADD_TRACK, search=True): 1,
        Step(Service.YOUTUBE, Action.ADD_TRACK): 1,
        Step(Service.YOUTUBE, Action.REMOVE_TRACK): 1,
        Step(Service.SPOTIFY, Action.ADD_TRACK, search=True): 1,
    }
    expected = Cost(youtube_units=151, youtube_searches=1, spotify_calls=2, done_at=NOON)
    assert work_cost(queue, states(), NOON) == expected


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (datetime(2026, 3, 8, 20, tzinfo=UTC), 23),
        (datetime(2026, 11, 1, 20, tzinfo=UTC), 25),
        (datetime(2026, 7, 1, 20, tzinfo=UTC), 24),
    ],
)
def test_quota_days_have_23_24_or_25_hours(day: datetime, hours: int) -> None:
    assert next_reset(day) - last_reset(day) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (datetime(2026, 3, 8, 0, tzinfo=UTC), datetime(2026, 3, 9, 7, tzinfo=UTC)),
        (datetime(2026, 10, 31, 20, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC)),
    ],
)
def test_forecasts_count_days_in_los_angeles(now: datetime, end: datetime) -> None:
    """Two resets on, over a change of the clocks."""
    assert of(Plan(mapping_id=1, adds=adds(300)), now=now).done_at == end


@given(st.integers(0, 5 * 365 * 24 * 3600).map(lambda seconds: NOON + timedelta(seconds=seconds)))
def test_every_moment_lies_between_its_resets(now: datetime) -> None:
    assert last_reset(now) <= now < next_reset(now)
    assert last_reset(next_reset(now)) == next_reset(now)
