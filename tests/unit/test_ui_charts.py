"""The picture of /quota shows each Pacific day's units by operation, the limit and the forecast."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.model.plan import Cost
from bot.model.quota import Bucket, BucketState, UsageRow
from cogs._ui import charts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _state(bucket: Bucket, limit: int, used: int) -> BucketState:
    return BucketState(bucket=bucket, limit=limit, used=used, resets_at=NOW + timedelta(hours=20))


def _row(operation: str, hour: datetime, units: int, bucket: Bucket = Bucket.YOUTUBE_UNITS) -> UsageRow:
    return UsageRow(bucket=bucket, hour=hour, operation=operation, mapping_id=0, calls=1, units=units)


def test_an_hour_before_pacific_midnight_counts_for_the_day_that_ends() -> None:
    rows = [
        _row("playlistItems.insert", datetime(2026, 11, 20, 7, tzinfo=UTC), 50),  # 23:00 on the 19th in Los Angeles
        _row("playlistItems.insert", datetime(2026, 11, 20, 8, tzinfo=UTC), 100),
        _row("videos.list", datetime(2026, 11, 20, 9, tzinfo=UTC), 1),
    ]
    states = {Bucket.YOUTUBE_UNITS: _state(Bucket.YOUTUBE_UNITS, 10_000, 151)}
    (panel,) = charts.panels(rows, states, Cost(), NOW)
    by_name = dict(panel.operations)
    assert by_name["adds"][panel.days.index(date(2026, 11, 19))] == 50
    assert by_name["adds"][panel.days.index(date(2026, 11, 20))] == 100
    assert panel.operations[0][0] == "adds"


def test_the_forecast_takes_what_is_left_today_and_a_full_limit_each_day_after() -> None:
    assert charts.spread(250, _state(Bucket.YOUTUBE_SEARCH, 100, 70)) == (30, 100, 100, 20)
    assert charts.spread(0, _state(Bucket.YOUTUBE_SEARCH, 100, 70)) == (0, 0, 0, 0)


@given(st.integers(0, 100_000), st.integers(0, 10_000), st.integers(0, 20_000))
def test_no_day_of_the_forecast_is_above_its_limit(amount: int, limit: int, used: int) -> None:
    state = _state(Bucket.YOUTUBE_UNITS, limit, used)
    shares = charts.spread(amount, state)
    assert sum(shares) <= amount
    assert shares[0] <= state.left
    assert all(0 <= share <= limit for share in shares)


def test_many_operations_are_folded_into_other_without_losing_units() -> None:
    rows = [_row(f"operation{number}", NOW - timedelta(hours=1), 10 + number) for number in range(20)]
    states = {Bucket.YOUTUBE_UNITS: _state(Bucket.YOUTUBE_UNITS, 10_000, 0)}
    (panel,) = charts.panels(rows, states, Cost(), NOW)
    assert panel.operations[-1][0] == "other"
    assert sum(sum(units) for _, units in panel.operations) == sum(row.units for row in rows)


async def test_the_picture_is_a_png_and_has_words_for_those_who_do_not_see_it() -> None:
    states = {bucket: _state(bucket, 100, 60) for bucket in Bucket}
    rows = [_row("search.list", NOW, 60, Bucket.YOUTUBE_SEARCH)]
    panels = charts.panels(rows, states, Cost(youtube_searches=120), NOW)
    assert (await charts.drawn(panels)).startswith(b"\x89PNG")
    assert "YouTube searches a day: 60 of 100 used today, 120 more foreseen." in charts.alt_text(panels, NOW)
    assert len(charts.alt_text(panels, NOW)) <= 1024
