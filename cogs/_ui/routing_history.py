"""The embed of /router history: each run of a base in a line, and what the cache saved over all of them."""

from collections.abc import Sequence

import discord

from bot.model.router import BasePlaylist
from bot.model.run import ACTIVE_STATUSES, Run, RunStatus
from cogs._ui import colours, foreign, job_words, moments, words

SHOWN = 10


def history_card(base: BasePlaylist, runs: Sequence[Run]) -> discord.Embed:
    """The latest runs, newest first; the picture shows more of them."""
    card = discord.Embed(title=f"Runs of base “{foreign.plain(base.name, 100)}”", colour=_colour(runs))
    if not runs:
        card.description = "It was not synced yet. `/router run` does that now."
        return card
    card.description = foreign.bullets([_line(run) for run in runs[:SHOWN]], 3500, more=max(0, len(runs) - SHOWN))
    hits, misses = _looked_up(runs, "cache_hits"), _looked_up(runs, "cache_misses")
    sent, saved = sum(run.counts.api_requests for run in runs), sum(run.counts.cached_requests for run in runs)
    known = f"; the cache knew {hits:,} of {hits + misses:,} ({hits / (hits + misses):.0%})" if hits + misses else ""
    name = f"In these {len(runs)} runs" if len(runs) > 1 else "In this run"
    card.add_field(
        name=name, value=f"{words.count(sent, 'call')} to the services, {saved:,} saved{known}", inline=False
    )
    return card.set_footer(text="/jobs show tells everything of a run, by its number.")


def _line(run: Run) -> str:
    counts = run.counts
    who = f"<@{run.actor_id}>" if run.actor_id else job_words.TRIGGERS[run.trigger]
    parts = [f"{moments.relative(run.created_at)} by {who}"]
    if run.completed_at is not None and run.started_at is not None:
        parts.append(moments.duration((run.completed_at - run.started_at).total_seconds()))
    did = [f"+{counts.adds:,}"] * bool(counts.adds) + [f"−{counts.removals:,}"] * bool(counts.removals)
    parts += did or (["nothing to change"] if run.status is RunStatus.COMPLETED else [])
    parts.append(words.count(counts.api_requests, "call"))
    error = f" · {foreign.plain(run.error, 100)}" if run.error else ""
    return f"{job_words.RUN_SIGNS[run.status]} `{run.id}` {' · '.join(parts)}{error}"


def _looked_up(runs: Sequence[Run], what: str) -> int:
    return sum(int(run.details.get(what) or 0) for run in runs)


def _colour(runs: Sequence[Run]) -> int:
    if not runs:
        return colours.QUIET
    if runs[0].status in ACTIVE_STATUSES:
        return colours.WORKING
    return colours.GOOD if runs[0].status is RunStatus.COMPLETED else colours.CAUTION
