"""The picture of /router history: how long each run took, and what the cache saved it; drawn in a worker thread."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bot.model.run import Run, RunStatus
from cogs._ui import chart_style

_OK, _FAILED, _SAVED, _SENT = chart_style.SERIES[0], chart_style.SERIES[5], chart_style.SERIES[2], chart_style.SERIES[1]
_MARKS = 4  # moments named on the axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One ended run. ``sent``: calls to services; ``saved``: what was known and not asked for."""

    at: datetime  # by the server's clock
    seconds: float
    failed: bool
    sent: int
    saved: int


def bars(runs: Sequence[Run], zone: tzinfo) -> tuple[Bar, ...]:
    """Of the runs that ended, oldest first."""
    return tuple(
        Bar(
            at=run.created_at.astimezone(zone),
            seconds=(run.completed_at - run.started_at).total_seconds(),
            failed=run.status is not RunStatus.COMPLETED,
            sent=run.counts.api_requests,
            saved=run.counts.cached_requests,
        )
        for run in sorted(runs, key=lambda run: run.id)
        if run.completed_at is not None and run.started_at is not None
    )


def alt_text(shown: Sequence[Bar]) -> str:
    """The picture in words, for those who do not see it."""
    if not shown:
        return "An empty chart: no run has ended yet."
    failed, sent, saved = (
        sum(bar.failed for bar in shown),
        sum(bar.sent for bar in shown),
        sum(bar.saved for bar in shown),
    )
    longest = max(shown, key=lambda bar: bar.seconds)
    latest = shown[-1]
    return (
        f"Bar chart of {len(shown)} runs, oldest first. The longest took {longest.seconds:,.1f} s, the latest "
        f"{latest.seconds:,.1f} s; {failed} failed. All of them sent {sent:,} calls and saved {saved:,}; the latest "
        f"sent {latest.sent:,} and saved {latest.saved:,}."
    )


async def drawn(shown: Sequence[Bar]) -> bytes:
    """The picture as PNG bytes."""
    return await asyncio.to_thread(_draw, tuple(shown))


def _draw(shown: tuple[Bar, ...]) -> bytes:
    figure = chart_style.figure()
    above, below = figure.subplots(2, 1)
    places = range(len(shown))
    above.bar(
        places, [bar.seconds for bar in shown], width=0.8, color=[_FAILED if bar.failed else _OK for bar in shown]
    )
    chart_style.dress(above, "How long each run took", unit="seconds", small=True)
    if any(bar.failed for bar in shown):
        above.legend(
            handles=[Patch(color=_FAILED, label="did not complete")], fontsize=chart_style.SMALL, frameon=False,
            labelcolor=chart_style.INK, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1,
        )  # fmt: skip
    sent = [bar.sent for bar in shown]
    below.bar(places, sent, width=0.8, color=_SENT, label="sent")
    below.bar(places, [bar.saved for bar in shown], bottom=sent, width=0.8, color=_SAVED, label="known already")
    chart_style.dress(below, "Questions to the services", unit="questions", small=True)
    for axes in (above, below):
        _scale(axes, len(shown))
    above.set_xticks([])
    _moments(below, shown)
    chart_style.legend(below, columns=2, below=-0.24)
    return chart_style.png(figure)


def _scale(axes: Axes, count: int) -> None:
    """At least ten places, so that a single run is a bar and no wall."""
    axes.set_xlim(-0.6, max(count, 10) - 0.4)
    axes.set_ylim(bottom=0, top=max(1.0, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def _moments(axes: Axes, shown: Sequence[Bar]) -> None:
    """Names the moment of some runs, the last one among them."""
    step = max(1, -(-len(shown) // _MARKS))
    places = list(range(len(shown) - 1, -1, -step))
    same_day = len({bar.at.date() for bar in shown}) == 1
    names = [
        f"{shown[place].at:%H:%M}" if same_day else f"{shown[place].at.day} {shown[place].at:%b %H:%M}"
        for place in places
    ]
    axes.set_xticks(places, names)
