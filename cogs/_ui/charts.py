"""The picture of /quota, drawn with matplotlib's Figure API; drawing blocks, so it happens in a worker thread."""

import asyncio
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bot.model.plan import Cost
from bot.model.quota import Bucket, BucketState, UsageRow
from cogs._ui import chart_style, operations

PACIFIC = ZoneInfo("America/Los_Angeles")  # the services' own day: YouTube refills at midnight there
_NAMED = 4  # operations with a colour of their own; the rest is one series
_DAYS_AHEAD = 3
_TITLES = {
    Bucket.YOUTUBE_UNITS: "YouTube units a day",
    Bucket.YOUTUBE_SEARCH: "YouTube searches a day",
    Bucket.SPOTIFY_CALLS: "Spotify calls a day",
}
_SHORT = {
    Bucket.YOUTUBE_UNITS: "Units",
    Bucket.YOUTUBE_SEARCH: "YouTube searches",
    Bucket.SPOTIFY_CALLS: "Spotify calls",
}
_FAR_BELOW = 4  # so many times the highest day is still below the limit
_UNITS = {Bucket.YOUTUBE_UNITS: "units", Bucket.YOUTUBE_SEARCH: "searches", Bucket.SPOTIFY_CALLS: "calls"}
_OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One bucket: units by operation and day, and what the queue will still take on today and the days after."""

    bucket: Bucket
    limit: int
    days: tuple[date, ...]
    operations: tuple[tuple[str, tuple[int, ...]], ...]  # name, units of each day; the largest first
    forecast: tuple[int, ...]


def panels(
    rows: Sequence[UsageRow], states: Map[Bucket, BucketState], queue: Cost, now: datetime, *, days: int = 30
) -> tuple[Panel, ...]:
    """What the picture shows, a panel for each bucket of ``states``; the days are Pacific ones."""
    today = now.astimezone(PACIFIC).date()
    span = tuple(today + timedelta(days=offset) for offset in range(1 - days, _DAYS_AHEAD + 1))
    wanted = {
        Bucket.YOUTUBE_UNITS: queue.youtube_units,
        Bucket.YOUTUBE_SEARCH: queue.youtube_searches,
        Bucket.SPOTIFY_CALLS: queue.spotify_calls,
    }
    return tuple(
        Panel(
            bucket=bucket,
            limit=states[bucket].limit,
            days=span,
            operations=_by_operation([row for row in rows if row.bucket is bucket], span),
            forecast=(0,) * (days - 1) + spread(wanted[bucket], states[bucket]),
        )
        for bucket in Bucket
        if bucket in states
    )


def spread(amount: int, state: BucketState, days: int = _DAYS_AHEAD + 1) -> tuple[int, ...]:
    """``amount`` over today and the days after: what is left today first, then a full limit each day."""
    shares = []
    room = state.left
    for _ in range(days):
        share = min(amount, room)
        shares.append(share)
        amount -= share
        room = max(0, state.limit)
    return tuple(shares)


def alt_text(panels: Sequence[Panel], now: datetime) -> str:
    """The picture in words, at most 1,000 characters, for those who do not see it."""
    today = now.astimezone(PACIFIC).date()
    parts = ["Bar chart of the quota by day and operation."]
    for panel in panels:
        index = panel.days.index(today)
        used = sum(units[index] for _, units in panel.operations)
        ahead = sum(panel.forecast)
        parts.append(f"{_TITLES[panel.bucket]}: {used:,} of {panel.limit:,} used today, {ahead:,} more foreseen.")
    return " ".join(parts)[:1000]


async def drawn(panels: Sequence[Panel]) -> bytes:
    """The picture as PNG bytes."""
    return await asyncio.to_thread(_draw, tuple(panels))


def _by_operation(rows: Sequence[UsageRow], span: tuple[date, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    sums: dict[str, dict[date, int]] = {}
    for row in rows:
        day = row.hour.astimezone(PACIFIC).date()
        by_day = sums.setdefault(operations.name(row.operation), {})
        by_day[day] = by_day.get(day, 0) + row.units
    series = [(name, tuple(by_day.get(day, 0) for day in span)) for name, by_day in sums.items()]
    series.sort(key=lambda each: (-sum(each[1]), each[0]))
    if len(series) <= _NAMED + 1:
        return tuple(series)
    kept, rest = series[:_NAMED], series[_NAMED:]
    return (*kept, (_OTHER, tuple(sum(units[index] for _, units in rest) for index in range(len(span)))))


def _draw(panels: tuple[Panel, ...]) -> bytes:
    """The first panel over the whole width with its operations, the others small beside each other below it."""
    figure = chart_style.figure()
    if not panels:
        return chart_style.png(figure)
    first, *others = panels
    if not others:
        _draw_panel(figure.add_subplot(), first)
        return chart_style.png(figure)
    grid = figure.add_gridspec(2, len(others), height_ratios=(1.35, 1))
    _draw_panel(figure.add_subplot(grid[0, :]), first)
    for index, panel in enumerate(others):
        _draw_panel(figure.add_subplot(grid[1, index]), panel, small=True)
    return chart_style.png(figure)


def _draw_panel(axes: Axes, panel: Panel, *, small: bool = False) -> None:
    places = range(len(panel.days))
    ground = [0] * len(panel.days)
    shown = panel.operations if not small else (("used", _sums(panel)),)
    for colour, (name, units) in zip(chart_style.SERIES, shown, strict=False):
        axes.bar(places, units, bottom=ground, color=colour, label=name, width=0.8)
        ground = [below + above for below, above in zip(ground, units, strict=True)]
    ahead = [place for place in places if panel.forecast[place]]
    if ahead:
        axes.bar(
            ahead, [panel.forecast[place] for place in ahead], bottom=[ground[place] for place in ahead], width=0.8,
            label="forecast", facecolor="none", edgecolor=chart_style.INK, hatch="////", linewidth=0.8,
        )  # fmt: skip
    title = f"{(_SHORT if small else _TITLES)[panel.bucket]}, limit {panel.limit:,}"
    chart_style.dress(axes, title, unit="" if small else _UNITS[panel.bucket], small=small)
    _scale(axes, panel)
    today = len(panel.days) - 1 - _DAYS_AHEAD
    chart_style.days_axis(axes, panel.days, today, every=14 if small else 7)
    if not small and axes.get_legend_handles_labels()[0]:
        chart_style.legend(axes)


def _scale(axes: Axes, panel: Panel) -> None:
    """Up to the limit, which is drawn; far below it up to the highest day, or its bars could not be seen."""
    highest = max(used + ahead for used, ahead in zip(_sums(panel), panel.forecast, strict=True))
    if 0 < highest * _FAR_BELOW < panel.limit:
        axes.set_ylim(bottom=0, top=highest * 1.25)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        return
    axes.axhline(panel.limit, color=chart_style.LIMIT, linestyle="--", linewidth=1.4)
    axes.set_ylim(bottom=0, top=max(1, panel.limit, highest) * 1.1)
    axes.set_yticks([0, panel.limit / 2, panel.limit] if panel.limit else [0])


def _sums(panel: Panel) -> tuple[int, ...]:
    """What was used on each day, whatever for."""
    if not panel.operations:
        return (0,) * len(panel.days)
    return tuple(sum(day) for day in zip(*(units for _, units in panel.operations), strict=True))
