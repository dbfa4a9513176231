"""The embeds of what a sync will take, and of a round over several mappings, as pure functions of what is known."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import discord

from bot.engine.estimate import Estimate, Reading
from bot.engine.rounds import Turn
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.plan import Cost, Plan
from cogs._ui import bars, colours, foreign, moments, sync_cards, words
from cogs._ui.sync_cards import States

SHOWN = 15  # rows of a table; the rest is counted
_NAME = 40
_SIGNS = {
    Turn.WAITING: "⏳",
    Turn.READING: "🔎",
    Turn.BUSY: "⏭️",
    Turn.RECENT: "⏭️",
    Turn.PAUSED: "⏸️",
    Turn.FAILED: "❌",
    Turn.DONE: "✅",
}
_FIXED = {
    Turn.WAITING: "its turn comes",
    Turn.READING: "is being looked at",
    Turn.BUSY: "is being worked on already; passed over",
    Turn.PAUSED: "is paused; passed over",
}
# What people want to see first when not all fits.
_ORDER = (Turn.FAILED, Turn.READING, Turn.BUSY, Turn.PAUSED, Turn.DONE, Turn.RECENT, Turn.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRow:
    """One mapping of a round. The numbers are of its items since the round began; ``open_items``: still to do."""

    mapping: Mapping
    turn: Turn = Turn.WAITING
    plan: Plan | None = None
    reason: str = ""
    looked_at: datetime | None = None
    done: int = 0
    kept_out: int = 0
    failed: int = 0
    open_items: int = 0

    @property
    def finished(self) -> int:
        return self.done + self.kept_out + self.failed

    def counted(self, counts: Map[ItemStatus, int], open_items: int) -> "RoundRow":
        """The same row with the numbers of now."""
        return replace(
            self,
            done=counts.get(ItemStatus.DONE, 0) + counts.get(ItemStatus.SKIPPED, 0),
            kept_out=counts.get(ItemStatus.BLACKLISTED, 0),
            failed=counts.get(ItemStatus.ERROR, 0),
            open_items=open_items,
        )


def estimate_card(estimate: Estimate, *, states: States, now: datetime, preview: bool = False) -> discord.Embed:
    """Of one mapping: what will be read, what that costs, when it is through."""
    name = f"“{foreign.plain(estimate.mapping.name, 80)}”"
    asks = (
        "" if estimate.certain else f"First it asks whether something changed ({words.count(estimate.looks, 'call')}); "
    )
    rest = "both playlists are read whole." if estimate.certain else "what did not change is not read again."
    card = discord.Embed(
        title=f"Looking at {name}", description=f"{words.pair(estimate.mapping)}\n{asks}{rest}", colour=colours.WORKING
    )
    card.add_field(name="Reads", value="\n".join(map(_reading, estimate.readings)), inline=False)
    at_most = "Costs" if estimate.certain else "Costs at most"
    card.add_field(name=at_most, value=sync_cards.cost_line(estimate.cost, states))
    card.add_field(name="When", value=when_line(estimate.cost, estimate.time, now))
    nothing = "Nothing is changed by a preview. " if preview else ""
    card.set_footer(text=f"{nothing}What it would change is shown next, with its own cost.")
    return card


def estimates_card(
    estimates: Sequence[Estimate], total: Cost, *, states: States, now: datetime, preview: bool = False
) -> discord.Embed:
    """Of several mappings: a line for each, the dearest first, and what all of it takes."""
    mine = [one for one in estimates if not passed_over(one)]
    passed = [one for one in estimates if passed_over(one)]
    card = discord.Embed(
        title=f"Looking at {words.count(len(mine), 'mapping')}, one after the other",
        description="\n".join(map(_estimate_line, sorted(mine, key=lambda one: -one.calls)[:SHOWN]))
        + (f"\n… and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""),
        colour=colours.WORKING,
    )
    if passed:
        lines = [f"• **{foreign.plain(one.mapping.name, _NAME)}** {passed_over(one)}" for one in passed]
        name = f"Passed over ({len(passed)})"
        card.add_field(name=name, value=foreign.bullets(lines, foreign.FIELD_VALUE, most=SHOWN), inline=False)
    at_most = "Costs" if all(one.certain for one in mine) else "Costs at most"
    card.add_field(name=at_most, value=sync_cards.cost_line(total, states))
    time = sum((one.time for one in mine), timedelta())
    card.add_field(name="When", value=when_line(total, time, now))
    nothing = "Nothing is changed by a preview. " if preview else ""
    card.set_footer(text=f"{nothing}What each would change is shown as soon as it is known.")
    return card


def round_card(rows: Sequence[RoundRow], *, preview: bool, over: bool) -> discord.Embed:
    """Where a round stands: a line for each mapping, what needs people first. ``over``: nothing of it is left to do."""
    open_items = sum(row.open_items for row in rows)
    looked = sum(row.turn not in (Turn.WAITING, Turn.READING) for row in rows)
    lines = [_row_line(row, preview) for row in sorted(rows, key=lambda row: _ORDER.index(row.turn))]
    card = discord.Embed(
        title=_round_title(rows, preview, over),
        description=foreign.bullets(lines, 3500, most=SHOWN),
        colour=_round_colour(rows, over),
    )
    if not over:
        card.add_field(name="Looked at", value=f"{bars.progress(looked, len(rows))} {looked} of {len(rows)}")
        finished = sum(row.finished for row in rows)
        if open_items:
            total = f"{bars.progress(finished, finished + open_items)} {finished:,} of {finished + open_items:,}"
            card.add_field(name="Changes", value=total)
        card.set_footer(text="This message follows the round by itself.")
    elif preview:
        card.set_footer(text="Nothing was changed. /sync with one mapping and preview shows its plan, with Apply.")
    elif any(row.kept_out or row.failed for row in rows):
        card.set_footer(text="/review has what waits for a decision, /errors what failed.")
    return card


def passed_over(estimate: Estimate) -> str:
    """Why a round passes this mapping over; '' where it does not."""
    if not estimate.mapping.enabled:
        return "is paused"
    if estimate.busy:
        return "is being worked on already"
    if estimate.looked_at is not None:
        return f"was looked at {moments.relative(estimate.looked_at)}; `force` looks again"
    return ""


def when_line(cost: Cost, time: timedelta, now: datetime) -> str:
    """When reads that cost so much are through."""
    if cost.done_at is None:
        return "never under the present limits: one of them is 0"
    if cost.done_at > now:
        return (
            f"More than the quota has left now.\nDone {moments.relative(cost.done_at)}, {moments.exact(cost.done_at)}"
        )
    return f"At once: {moments.about(time)}"


def _reading(reading: Reading) -> str:
    size = "size not known yet" if reading.tracks is None else words.count(reading.tracks, "track")
    return f"{words.playlist(reading.playlist)}: {size}, {words.count(reading.calls, 'call')}"


def _estimate_line(estimate: Estimate) -> str:
    cost = estimate.cost
    parts = (
        words.count(cost.spotify_calls, "Spotify call") if cost.spotify_calls else "",
        words.count(cost.youtube_units, "YouTube unit") if cost.youtube_units else "",
        moments.about(estimate.time),
    )
    most = "" if estimate.certain else "at most "
    return f"• **{foreign.plain(estimate.mapping.name, _NAME)}** {most}{', '.join(filter(None, parts))}"


def _row_line(row: RoundRow, preview: bool) -> str:
    sign = "⚠️" if row.turn is Turn.DONE and (row.failed or _stopped(row)) else _SIGNS[row.turn]
    if row.turn is Turn.DONE and row.open_items:
        sign = "▶️"
    return f"{sign} **{foreign.plain(row.mapping.name, _NAME)}** {_row_text(row, preview)}"


def _row_text(row: RoundRow, preview: bool) -> str:
    if row.turn is Turn.FAILED:
        return foreign.cut_lines(row.reason, 160) or "failed"
    if row.turn is Turn.RECENT:
        return f"was looked at {moments.relative(row.looked_at)}; `force` looks again" if row.looked_at else "is fresh"
    if row.turn is not Turn.DONE:
        return _FIXED[row.turn]
    if _stopped(row):
        return "was stopped for safety; `/sync` with it alone shows why"
    if preview or not (row.finished or row.open_items):
        return _plan_text(row.plan)
    parts = (
        (row.open_items, "to do"),
        (row.done, "done"),
        (row.kept_out, "to review or not found"),
        (row.failed, "failed"),
    )
    return " · ".join(f"{number:,} {what}" for number, what in parts if number)


def _plan_text(plan: Plan | None) -> str:
    if plan is None or not plan.diffs:
        return "is in step"
    parts = ((len(plan.adds), "to add"), (len(plan.removes), "to remove"), (len(plan.moves), "to move"))
    counts = " · ".join(f"{number:,} {what}" for number, what in parts if number) or "to rename"
    units = f" · {words.count(plan.cost.youtube_units, 'YouTube unit')}" if plan.cost.youtube_units else ""
    return counts + units


def _stopped(row: RoundRow) -> bool:
    return row.plan is not None and row.plan.guard is not None


def _round_title(rows: Sequence[RoundRow], preview: bool, over: bool) -> str:
    what = words.count(len(rows), "mapping")
    if not over:
        return (
            f"Looking at {what}" if any(row.turn in (Turn.WAITING, Turn.READING) for row in rows) else f"Syncing {what}"
        )
    return f"Preview of {what}" if preview else f"Synced {what}"


def _round_colour(rows: Sequence[RoundRow], over: bool) -> int:
    if not over:
        return colours.WORKING
    if any(row.turn is Turn.FAILED for row in rows):
        return colours.BAD
    return colours.CAUTION if any(row.kept_out or row.failed or _stopped(row) for row in rows) else colours.GOOD
