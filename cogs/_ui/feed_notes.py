"""What the log channel is told besides incidents: summaries of runs, and the digest of the day."""

from collections.abc import Mapping as Map
from collections.abc import Sequence

import discord

from bot.model.digest import BucketDay, Digest
from bot.model.quota import Bucket
from bot.model.run import Run, RunStatus
from cogs._ui import colours, foreign, moments, words

_BUCKETS = {
    Bucket.YOUTUBE_UNITS: "YouTube units",
    Bucket.YOUTUBE_SEARCH: "YouTube searches",
    Bucket.SPOTIFY_CALLS: "Spotify calls in 24 hours",
}


def summary_card(runs: Sequence[Run], more: int, names: Map[int, str]) -> discord.Embed:
    """One line for each run that changed or failed something. ``names``: of their mappings or bases, by run."""
    failed = any(run.status is RunStatus.FAILED or run.counts.failed for run in runs)
    title = "Synced" if len(runs) == 1 and not more else f"{words.count(len(runs) + more, 'run')} ended"
    lines = [_run_line(run, names.get(run.id, "")) for run in runs]
    card = discord.Embed(
        title=title,
        description=foreign.bullets(lines, foreign.DESCRIPTION, more=more),
        colour=colours.CAUTION if failed else colours.GOOD,
    )
    return card.set_footer(text="/jobs show tells everything of a run, by its number.")


def digest_card(digest: Digest) -> discord.Embed:
    """The last 24 hours in numbers, what waits now, and what needs a person."""
    needs = _needs(digest)
    card = discord.Embed(
        title=f"{digest.day:%A}, {digest.day.day} {digest.day:%B %Y}",
        description=_synced(digest),
        colour=colours.CAUTION if needs or digest.failed or digest.runs_failed else colours.GOOD,
    )
    card.add_field(name="Waiting", value=words.count(digest.waiting, "change"))
    card.add_field(name="Failed", value=_pointed(digest.failed, "item", "`/errors`"))
    card.add_field(name="In review", value=_pointed(digest.in_review, "track", "`/review`"))
    card.add_field(name="Quota", value="\n".join(_bucket_line(each) for each in digest.buckets), inline=False)
    if needs:
        card.add_field(name="Needs somebody", value=foreign.bullets(needs, foreign.FIELD_VALUE), inline=False)
    return card.set_footer(text="The day of this server in numbers; /settings chooses its hour, or none.")


def _synced(digest: Digest) -> str:
    if not digest.runs and not digest.runs_failed:
        return "Nothing was to be synced in the last 24 hours."
    did = f"**{digest.added:,} added, {digest.removed:,} removed** in {words.count(digest.runs, 'run')}"
    failed = f"; {words.count(digest.runs_failed, 'run')} failed" if digest.runs_failed else ""
    return f"{did}{failed} in the last 24 hours."


def _pointed(number: int, one: str, where: str) -> str:
    return f"{words.count(number, one)}, see {where}" if number else "none"


def _bucket_line(day: BucketDay) -> str:
    return f"{_BUCKETS[day.bucket]}: {day.today:,} of {day.limit:,} used; {day.yesterday:,} the day before"


def _needs(digest: Digest) -> list[str]:
    logins = [
        f"• The {service.label} account “{foreign.plain(name, 60)}” needs a new login: its owner uses `/connect`."
        for service, name in digest.logins
    ]
    paused = [
        f"• **{foreign.plain(name, 60)}** is paused{f': {foreign.plain(reason, 150)}' if reason else ''}"
        for name, reason in digest.paused
    ]
    return [*logins, *paused]


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
