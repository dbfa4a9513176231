"""The picture of /quota, drawn with matplotlib's Figure API; drawing blocks, so it happens in a worker thread."""

import asyncio
import io
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.model.plan import Cost
from bot.model.quota import Bucket, BucketState, UsageRow

PACIFIC = ZoneInfo("America/Los_Angeles")  # the services' own day: YouTube refills at midnight there
# An opaque ground of its own, so that the picture reads the same in Discord's dark and light themes.
_GROUND, _INK, _FAINT = "#20232a", "#f2f3f5", "#8a8f98"
# Told apart by people who do not see all colours (Okabe and Ito).
_SERIES = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2")
_LIMIT = "#ff6b6b"
_DAYS_AHEAD = 3
_TITLES = {
    Bucket.YOUTUBE_UNITS: "YouTube units a day",
    Bucket.YOUTUBE_SEARCH: "YouTube searches a day",
    Bucket.SPOTIFY_CALLS: "Spotify calls a day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One bucket: units by operation and day, and what the queue will still take on today and the days after."""

    bucket: Bucket
    limit: int
    days: tuple[date, ...]
    operations: tuple[tuple[str, tuple[int, ...]], ...]  # name, units of each day; the largest first
    forecast: tuple[int, ...]


def panels(
    rows: Sequence[UsageRow], states: Map[Bucket, BucketState], queue: Cost, now: datetime, *, days: int = 7
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
        by_day = sums.setdefault(row.operation, {})
        by_day[day] = by_day.get(day, 0) + row.units
    series = [(name, tuple(by_day.get(day, 0) for day in span)) for name, by_day in sums.items()]
    series.sort(key=lambda each: (-sum(each[1]), each[0]))
    if len(series) <= len(_SERIES):
        return tuple(series)
    kept, rest = series[: len(_SERIES) - 1], series[len(_SERIES) - 1 :]
    return (*kept, ("other", tuple(sum(units[index] for _, units in rest) for index in range(len(span)))))


def _draw(panels: tuple[Panel, ...]) -> bytes:
    # Discord shows pictures about 550 pixels wide: large letters on a small figure stay readable there.
    figure = Figure(figsize=(7, 2.9 * max(1, len(panels))), dpi=130, facecolor=_GROUND, layout="constrained")
    for index, panel in enumerate(panels):
        _draw_panel(figure.add_subplot(len(panels), 1, index + 1), panel)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", facecolor=_GROUND)
    return picture.getvalue()


def _draw_panel(axes: Axes, panel: Panel) -> None:
    places = range(len(panel.days))
    ground = [0] * len(panel.days)
    for colour, (name, units) in zip(_SERIES, panel.operations, strict=False):
        axes.bar(places, units, bottom=ground, color=colour, label=name, width=0.7)
        ground = [below + above for below, above in zip(ground, units, strict=True)]
    if any(panel.forecast):
        axes.bar(
            places, panel.forecast, bottom=ground, width=0.7, label="forecast",
            facecolor="none", edgecolor=_INK, hatch="///", linewidth=0.8,
        )  # fmt: skip
    axes.axhline(panel.limit, color=_LIMIT, linestyle="--", linewidth=1.6, label=f"limit {panel.limit:,}")
    _dress(axes, panel, places)


def _dress(axes: Axes, panel: Panel, places: range) -> None:
    axes.set_title(_TITLES[panel.bucket], color=_INK, loc="left", fontsize=13, fontweight="bold")
    axes.set_xticks(list(places), [f"{day:%a}\n{day.day}" for day in panel.days])
    axes.tick_params(colors=_INK, labelsize=10)
    axes.set_facecolor(_GROUND)
    axes.grid(axis="y", color=_FAINT, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylim(bottom=0, top=max(1, panel.limit) * 1.12 if not _above(panel) else None)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    for spine in axes.spines.values():
        spine.set_color(_FAINT)
    axes.legend(
        fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False, labelcolor=_INK,
        columnspacing=1.2, handlelength=1.4,
    )  # fmt: skip


def _above(panel: Panel) -> bool:
    """Whether a day is above the limit, as it can be after the limit was lowered."""
    days = [panel.forecast, *(units for _, units in panel.operations)]
    return max((sum(day) for day in zip(*days, strict=True)), default=0) > panel.limit
