"""The picture of /queue status: what ended in each of the last 24 hours."""

import asyncio
from collections.abc import Sequence
from datetime import tzinfo

from bot.model.queue import HourCount
from cogs._ui import chart_style, words

_EVERY = 4  # hours between two marks of the axis
_LEAST_TOP = 4  # of the vertical axis, so that a single item does not fill the picture


def alt_text(hours: Sequence[HourCount], zone: tzinfo) -> str:
    """The picture in words, at most 1,000 characters, for those who do not see it."""
    done, failed = sum(hour.done for hour in hours), sum(hour.failed for hour in hours)
    said = f"Bar chart of the last {len(hours)} hours: {words.count(done, 'item')} done, {failed:,} failed."
    if not done + failed:
        return said
    busiest = max(hours, key=lambda hour: hour.done + hour.failed)
    at = busiest.start.astimezone(zone)
    return f"{said} Most in one hour: {busiest.done + busiest.failed:,}, from {at:%H:%M} on {at.day} {at:%B}."


async def drawn(hours: Sequence[HourCount], zone: tzinfo, zone_name: str) -> bytes:
    """The picture as PNG bytes; the hours are marked as clocks in ``zone`` show them."""
    return await asyncio.to_thread(_draw, tuple(hours), zone, zone_name)


def _draw(hours: Sequence[HourCount], zone: tzinfo, zone_name: str) -> bytes:
    figure = chart_style.figure(3.1)
    axes = figure.add_subplot()
    places = range(len(hours))
    done, failed = [hour.done for hour in hours], [hour.failed for hour in hours]
    good, bad = chart_style.SERIES[:2]
    axes.bar(places, done, color=good, label=f"done ({sum(done):,})", width=0.8)
    # The hatch tells failures apart without any colour.
    axes.bar(
        places, failed, bottom=done, color=bad, edgecolor=chart_style.GROUND, hatch="////", linewidth=0.0,
        label=f"failed ({sum(failed):,})", width=0.8,
    )  # fmt: skip
    chart_style.dress(axes, "Last 24 hours, hour by hour", unit="items an hour")
    shown = range(len(hours) - 1, -1, -_EVERY)
    axes.set_xticks(list(shown), [f"{hours[place].start.astimezone(zone):%H:%M}" for place in shown])
    axes.set_xlabel(f"start of the hour ({zone_name})", color=chart_style.INK, fontsize=chart_style.SMALL)
    axes.set_xlim(-0.8, len(hours) - 0.2)
    top = max([_LEAST_TOP, *(one + other for one, other in zip(done, failed, strict=True))])
    axes.set_ylim(bottom=0, top=top * 1.08)
    axes.locator_params(axis="y", integer=True, nbins=5)
    if not sum(done) + sum(failed):
        axes.text(
            0.5, 0.5, "Nothing ended yet", color=chart_style.INK, fontsize=chart_style.NORMAL, ha="center",
            transform=axes.transAxes,
        )  # fmt: skip
    chart_style.legend(axes, columns=2, below=-0.28)
    return chart_style.png(figure)
