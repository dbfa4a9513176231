"""The embeds of a sync: its plan, its progress and its summary, as pure functions of what happened."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import discord

from bot.model.events import Progress
from bot.model.item import ItemStatus, SyncItem
from bot.model.mapping import Mapping, Side
from bot.model.music import Track
from bot.model.plan import Cost, Plan
from bot.model.quota import Bucket, BucketState
from bot.model.review import BlacklistRow
from bot.model.run import RunCounts, RunStatus
from cogs._ui import bars, colours, foreign, moments, review_words, words
from cogs._ui import tally as tallies
from cogs._ui.tally import Tally

SHOWN = 8  # tracks named in each list of a plan
NOT_FOUND_SHOWN = 15
WRITE_UNITS = 50  # of YouTube
CALL_SECONDS = 0.7  # what a call of the services takes in practice; a search on YouTube is two
States = Map[Bucket, BucketState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a sync did, over all its bursts. ``problems`` pairs each item that needs a person with its review row."""

    status: RunStatus
    counts: RunCounts
    tally: Tally
    seconds: float
    problems: tuple[tuple[SyncItem, BlacklistRow | None], ...] = ()
    error: str = ""
    waits_until: datetime | None = None
    undo: bool = False  # it took back what a run had changed


def plan_card(
    mapping: Mapping,
    plan: Plan,
    *,
    states: States,
    now: datetime,
    reviews: Sequence[BlacklistRow] = (),
    preview: bool = False,
) -> discord.Embed:
    """The plan: what would change, what it costs, when it is through, and what waits for a person."""
    card = discord.Embed(
        title=_plan_title(mapping, plan, preview), description=_plan_text(mapping, plan), colour=_plan_colour(plan)
    )
    for side in (Side.RIGHT, Side.LEFT):
        _list_changes(card, mapping, plan, side)
    if plan.conflicts:
        lines = [f"• {foreign.harmless(conflict.sentence, 200)}" for conflict in plan.conflicts]
        card.add_field(name="Left alone", value=foreign.bullets(lines, 700, most=SHOWN), inline=False)
    if reviews:
        lines = [f"• {review_line(row)}" for row in reviews]
        name = f"Waiting for a person ({len(reviews)})"
        card.add_field(name=name, value=foreign.bullets(lines, 800, most=5), inline=False)
    if plan.diffs:
        card.add_field(name="Cost", value=cost_line(plan.cost, states))
        card.add_field(name="When", value=done_line(plan.cost, now))
    return card


def progress_card(mapping: Mapping, fact: Progress, tally: Tally, *, finished_before: int = 0) -> discord.Embed:
    """Where the run stands: bar, counts and the track at hand."""
    finished, total = finished_before + fact.finished, finished_before + fact.total
    card = discord.Embed(
        title=_doing(mapping, undo=fact.run.undoes_run_id is not None),
        description=f"{bars.progress(finished, total)} {finished:,} of {total:,}",
        colour=colours.WORKING,
    )
    if fact.current_title:
        card.add_field(name="Now", value=foreign.plain(fact.current_title, 200), inline=False)
    card.add_field(name="So far", value=tallies.line(tally), inline=False)
    card.set_footer(text="This message follows the run by itself.")
    return card


def starting_card(mapping: Mapping, enqueued: int, *, undo: bool = False) -> discord.Embed:
    """What stands in the place of the progress until the first of it is known."""
    return discord.Embed(
        title=_doing(mapping, undo=undo),
        description=f"{bars.progress(0, enqueued)} {words.count(enqueued, 'change')} queued.",
        colour=colours.WORKING,
    ).set_footer(text="This message follows the run by itself.")


def summary_card(mapping: Mapping, outcome: Outcome) -> discord.Embed:
    """What came of it: counts, time, and each track that needs a person with its reason."""
    counts = outcome.counts
    card = discord.Embed(
        title=_summary_title(mapping, outcome), description=words.pair(mapping), colour=_summary_colour(outcome)
    )
    card.add_field(name="Result", value=tallies.line(outcome.tally), inline=False)
    card.add_field(name="Time", value=moments.duration(outcome.seconds))
    card.add_field(name="Calls", value=words.count(counts.api_requests, "call"))
    if counts.quota_units:
        card.add_field(name="Quota", value=words.count(counts.quota_units, "unit"))
    if outcome.tally.waiting:
        card.add_field(name="Still waiting", value=_waiting_line(outcome), inline=False)
    if outcome.error:
        card.add_field(name="What went wrong", value=foreign.plain(outcome.error, 500), inline=False)
    if outcome.problems:
        lines = [f"**{number}.** {problem_line(*problem)}" for number, problem in enumerate(outcome.problems, 1)]
        name = f"Not in the playlist ({len(outcome.problems)})"
        card.add_field(name=name, value=foreign.bullets(lines, 1024, most=NOT_FOUND_SHOWN), inline=False)
        card.set_footer(text="/review shows every track that waits for a decision.")
    return card


def replaced_card(mapping: Mapping, url: str) -> discord.Embed:
    """What an older progress message becomes when a newer one follows the same mapping."""
    return discord.Embed(
        title=f"“{foreign.plain(mapping.name, 80)}” was started again",
        description=f"The newer message follows it: {url}",
        colour=colours.QUIET,
    )


def cancelled_card(mapping_name: str) -> discord.Embed:
    return discord.Embed(
        title="Plan cancelled",
        description=f"Nothing was changed in “{foreign.plain(mapping_name, 80)}”. `/sync` makes a new plan.",
        colour=colours.QUIET,
    )


def cost_line(cost: Cost, states: States) -> str:
    """What a plan or queue spends, against what is left now."""
    parts = []
    for bucket, amount, one, many in (
        (Bucket.YOUTUBE_UNITS, cost.youtube_units, "YouTube unit", "YouTube units"),
        (Bucket.YOUTUBE_SEARCH, cost.youtube_searches, "YouTube search", "YouTube searches"),
        (Bucket.SPOTIFY_CALLS, cost.spotify_calls, "Spotify call", "Spotify calls"),
    ):
        if amount:
            left = f" ({states[bucket].left:,} left)" if bucket in states else ""
            parts.append(words.count(amount, one, many) + left)
    return "\n".join(parts) or "nothing"


def done_line(cost: Cost, now: datetime) -> str:
    """When work that costs so much is through: a moment only where it must wait for a quota to be full again."""
    if cost.done_at is None:
        return "never under the present limits: one of them is 0"
    if cost.done_at > now:
        return (
            f"More than today's quota has left.\nDone {moments.relative(cost.done_at)}, {moments.exact(cost.done_at)}"
        )
    return f"Fits into today's quota;\n{moments.about(working_time(cost))}"


def working_time(cost: Cost) -> timedelta:
    """How long the calls take one after the other; an estimate."""
    calls = cost.youtube_units // WRITE_UNITS + 2 * cost.youtube_searches + cost.spotify_calls
    return timedelta(seconds=calls * CALL_SECONDS)


def review_line(row: BlacklistRow) -> str:
    """A track that waits for a person, with the reason: ``Title — Artist: nothing certain; nearest: …``."""
    artists = f" — {foreign.plain(', '.join(row.artists), 40)}" if row.artists else ""
    return f"{foreign.plain(row.title, 60)}{artists}: {review_words.why(row)}"


def problem_line(item: SyncItem, row: BlacklistRow | None) -> str:
    if row is not None and item.status is ItemStatus.BLACKLISTED:
        return review_line(row)
    return f"{foreign.plain(item.source_track_title, 60)}: {foreign.plain(item.last_error or 'failed', 120)}"


def _plan_title(mapping: Mapping, plan: Plan, preview: bool) -> str:
    name = f"“{foreign.plain(mapping.name, 80)}”"
    if plan.guard is not None:
        return f"Stopped before changing anything: {name}"
    if not plan.diffs:
        return f"In step: {name}"
    return f"Preview of {name}" if preview else f"Plan for {name}"


def _plan_colour(plan: Plan) -> int:
    if plan.guard is not None:
        return colours.BAD
    return colours.WORKING if plan.diffs else colours.GOOD


def _plan_text(mapping: Mapping, plan: Plan) -> str:
    lines = [words.pair(mapping)]
    if plan.guard is not None:
        lines.append(foreign.harmless(plan.guard.sentence, 600))
        lines.append("Look at both playlists. If this is what you want, an admin can force this one plan.")
    counted = [
        words.count(len(plan.adds), "track") + " to add" if plan.adds else "",
        words.count(len(plan.removes), "track") + " to remove" if plan.removes else "",
        words.count(len(plan.moves), "track") + " to move" if plan.moves else "",
    ]
    changes = ", ".join(filter(None, counted)) or "nothing to change"
    lines.append(f"**{changes[0].upper()}{changes[1:]}** · {words.count(plan.unchanged, 'track')} in step already")
    if plan.held_back:
        lines.append(f"{words.count(plan.held_back, 'more track')} beyond the cap of this mapping: the next run's.")
    lines += [f"Rename {words.destination(mapping, side)} to “{foreign.plain(new, 60)}”" for side, new in plan.renames]
    return "\n".join(lines)


def _list_changes(card: discord.Embed, mapping: Mapping, plan: Plan, side: Side) -> None:
    where = words.destination(mapping, side)
    adds = [f"• {_track(add.source)}" for add in plan.adds if add.side is side]
    removes = [
        f"• {_track(remove.track)}{'' if remove.linked else ' (not put there by Crossfade)'}"
        for remove in plan.removes
        if remove.side is side
    ]
    moves = [
        f"{_track(move.track)}: place {move.origin + 1} → {move.position + 1}"
        for move in plan.moves
        if move.side is side
    ]
    for name, lines in ((f"Add to {where}", adds), (f"Remove from {where}", removes), (f"Move in {where}", moves)):
        if lines:
            value = foreign.bullets(lines, 700, most=SHOWN)
            card.add_field(name=f"{name} ({len(lines):,})", value=value, inline=False)


def _track(track: Track) -> str:
    byline = f" — {foreign.plain(track.byline, 40)}" if track.byline else ""
    return f"{foreign.link(track.title, track.url, 60)}{byline}"


def _doing(mapping: Mapping, *, undo: bool) -> str:
    return f"{'Undoing changes in' if undo else 'Syncing'} “{foreign.plain(mapping.name, 80)}”"


def _summary_title(mapping: Mapping, outcome: Outcome) -> str:
    name = f"“{foreign.plain(mapping.name, 80)}”"
    what = "Undo in" if outcome.undo else "Sync of"
    if outcome.status is RunStatus.FAILED:
        return f"{what} {name} failed"
    if outcome.tally.waiting:
        return f"{what} {name} waits"
    return f"Undone in {name}" if outcome.undo else f"Synced {name}"


def _summary_colour(outcome: Outcome) -> int:
    if outcome.status is RunStatus.FAILED:
        return colours.BAD
    return colours.CAUTION if outcome.tally.waiting or outcome.problems else colours.GOOD


def _waiting_line(outcome: Outcome) -> str:
    until = f" {moments.relative(outcome.waits_until)}" if outcome.waits_until else ""
    waiting = words.count(outcome.tally.waiting, "change waits", "changes wait")
    return f"{waiting} and will go on by itself{until}; this message will follow."
