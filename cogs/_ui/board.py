"""The embed of /stats: the cards of the dashboard, as a pure function of its numbers."""

from collections.abc import Mapping as Map

import discord

from bot.engine.stats import Dashboard
from bot.model.quota import Bucket, BucketState
from cogs._ui import bars, colours, foreign, moments, pause_words

RUNS_SHOWN = 5
PAUSES_SHOWN = 5
_BADGES = {"success": "✅", "failed": "❌", "cancelled": "⏹️", "running": "▶️"}


def board_card(board: Dashboard, *, refresh_seconds: int, refreshing: bool) -> discord.Embed:
    """Mappings, queue, quota and the last runs of one server."""
    rests = pause_words.lines(board.pauses)[:PAUSES_SHOWN]
    card = discord.Embed(
        title="Crossfade in this server",
        colour=_colour(board),
        description="\n".join([f"As of {moments.relative(board.at)}", *rests]),
    )
    for name, number in (
        ("Mappings", board.mappings_total),
        ("Pending", board.pending),
        ("Running", board.running),
        ("Errors", board.errors),
        ("Skipped", board.skipped),
        ("Done", board.done),
    ):
        card.add_field(name=name, value=f"**{number:,}**")
    card.add_field(name="YouTube quota today", value=_youtube(board.buckets), inline=False)
    card.add_field(name="Last runs", value=_runs(board), inline=False)
    card.set_footer(text=f"Refreshes every {refresh_seconds} seconds" if refreshing else "Refresh is paused")
    return card


def _colour(board: Dashboard) -> int:
    if board.errors or board.pauses:
        return colours.CAUTION
    return colours.WORKING if board.pending or board.running else colours.GOOD


def _youtube(buckets: Map[Bucket, BucketState]) -> str:
    lines = []
    for bucket, name in ((Bucket.YOUTUBE_UNITS, "units"), (Bucket.YOUTUBE_SEARCH, "searches")):
        state = buckets.get(bucket)
        if state is not None:
            lines.append(f"{bars.meter(state)} {name}, full again {moments.relative(state.resets_at)}")
    return "\n".join(lines) or "not counted yet"


def _runs(board: Dashboard) -> str:
    lines = [
        f"{_BADGES.get(run.status, '•')} {moments.relative(run.timestamp)} {run.job_type}: "
        f"{foreign.plain(run.message, 150)}"
        for run in board.recent_runs[:RUNS_SHOWN]
    ]
    return "\n".join(lines) or "None yet. `/mapping add` makes the first mapping, `/sync` runs it."
