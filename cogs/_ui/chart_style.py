"""The one look of all charts: readable in Discord's dark and light themes, at a phone's width, and by the colour-blind.

Discord shows a picture of an embed in a box of about 400 by 300 pixels. ``WIDTH`` and ``DPI`` make a picture 880 pixels
wide, so letters of 10 points come out about 10 pixels high there; smaller ones must not be used.
"""

import io
from collections.abc import Sequence
from datetime import date

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

WIDTH, DPI = 5.5, 160  # inches, dots an inch
SMALL, NORMAL, LARGE = 10.0, 11.0, 13.0  # points
# An opaque ground of its own: the letters stand on it, whatever theme surrounds the picture.
GROUND, INK, FAINT = "#20232a", "#f2f3f5", "#8a8f98"
# Told apart by people who do not see all colours (Okabe and Ito); the dark blue of theirs is lightened for the ground.
SERIES = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#5b8fd6")
LIMIT = "#ff8f7a"


def figure(height: float = 4.1) -> Figure:
    """An empty figure of the common width; ``height`` in inches, 4.1 fills Discord's box."""
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=GROUND, layout=engine)


def dress(axes: Axes, title: str, *, unit: str = "", small: bool = False) -> None:
    """Ground, letters, grid and frame of one panel. ``unit`` stands at the vertical axis; numbers have separators."""
    axes.set_title(title, color=INK, loc="left", fontsize=NORMAL if small else LARGE, fontweight="bold")
    axes.set_facecolor(GROUND)
    axes.tick_params(colors=INK, labelsize=SMALL, length=3)
    axes.grid(axis="y", color=FAINT, alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    if unit:
        axes.set_ylabel(unit, color=INK, fontsize=SMALL)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(FAINT)


def legend(axes: Axes, *, columns: int = 3, below: float = -0.16) -> None:
    """The names of the series under the panel, where they hide no bar."""
    axes.legend(
        fontsize=SMALL, loc="upper center", bbox_to_anchor=(0.5, below), ncols=columns, frameon=False, labelcolor=INK,
        columnspacing=1.0, handlelength=1.2, handletextpad=0.5, borderaxespad=0.0,
    )  # fmt: skip


def short(value: float) -> str:
    """A number on an axis: ``950``, ``2,500``, ``10k``, ``1.5M``."""
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if abs(value) >= size:
            return f"{value / (1_000 if letter == 'k' else size):,.3g}{letter}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def png(drawn: Figure) -> bytes:
    """The picture's bytes. Drawing and encoding block: call it in a worker thread."""
    picture = io.BytesIO()
    drawn.savefig(picture, format="png", facecolor=GROUND)
    return picture.getvalue()


def days_axis(axes: Axes, days: Sequence[date], today: int, *, every: int) -> None:
    """Marks the place of ``today`` among ``days`` and each ``every``-th day before it, as ``20 Nov``."""
    places = list(range(today, -1, -every))
    axes.set_xticks(places, ["today", *(f"{days[place].day} {days[place]:%b}" for place in places[1:])])
    axes.set_xlim(-0.8, len(days) - 0.2)
