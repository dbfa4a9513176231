"""What the log channel is told besides incidents: summaries of runs."""

from collections.abc import Mapping as Map
from collections.abc import Sequence

import discord

from bot.model.run import Run, RunStatus
from cogs._ui import colours, foreign, moments, words


def summary_card(runs: Sequence[Run], more: int, names: Map[int, str]) -> discord.Embed:
    """One line for each run that changed or failed something. ``names``: of the mappings."""
    failed = any(run.status is RunStatus.FAILED or run.counts.failed for run in runs)
    title = "Synced" if len(runs) == 1 and not more else f"{words.count(len(runs) + more, 'run')} ended"
    lines = [_run_line(run, names.get(run.mapping_id, "")) for run in runs]
    card = discord.Embed(
        title=title,
        description=foreign.bullets(lines, foreign.DESCRIPTION, more=more),
        colour=colours.CAUTION if failed else colours.GOOD,
    )
    return card.set_footer(text="/jobs show tells everything of a run, by its number.")


def _run_line(run: Run, name: str) -> str:
    """``**Trip**: 12 added, 1 failed · 3 waiting · 2 min · 612 units · run 7``."""
    counts = run.counts
    did = [
        f"{number:,} {word}"
        for number, word in (
            (counts.adds, "added"),
            (counts.removals, "removed"),
            (counts.skipped, "skipped"),
            (counts.failed, "failed"),
        )
        if number
    ]
    parts = [", ".join(did) or "nothing was changed"]
    if run.status is RunStatus.FAILED:
        parts.append(f"ended early: {foreign.plain(run.error or 'no reason was told', 150)}")
    if counts.waiting:
        parts.append(f"{counts.waiting:,} waiting")
    if run.started_at is not None and run.completed_at is not None:
        parts.append(moments.duration((run.completed_at - run.started_at).total_seconds()))
    if counts.quota_units:
        parts.append(words.count(counts.quota_units, "unit"))
    return f"**{foreign.plain(name or 'A removed mapping', 80)}**: {' · '.join([*parts, f'run {run.id}'])}"
