"""The embeds of a routing run: what it would change, where it stands, and what came of it."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

import discord

from bot.engine.base_rounds import BaseStep
from bot.engine.router import ChildOutcome, Mode, RoutedBase
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.plan import Cost, Plan
from bot.model.router import BasePlaylist, ChildPlaylist
from cogs._ui import bars, colours, errors, foreign, moments, sync_cards, words
from cogs._ui.sync_cards import States

CHILDREN_SHOWN = 10  # with their tracks in a preview; the rest is counted
_TITLES = 4  # tracks named for each child in a preview
_NAME = 40


class Turn(Enum):
    """How a base stands in its round."""

    WAITING = "⏳"
    ROUTING = "🔎"
    FAILED = "❌"
    DONE = "✅"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRow:
    """One child of a run. The numbers are of its items since the run began; ``open_items``: still to do."""

    child: ChildPlaylist
    outcome: ChildOutcome | None = None
    planned: bool = False
    done: int = 0
    kept_out: int = 0
    failed: int = 0
    open_items: int = 0
    waits_until: datetime | None = None

    @property
    def finished(self) -> int:
        return self.done + self.kept_out + self.failed

    @property
    def plan(self) -> Plan | None:
        return self.outcome.started.plan if self.outcome is not None and self.outcome.started is not None else None

    @property
    def stopped(self) -> bool:
        return self.plan is not None and self.plan.guard is not None

    def counted(self, counts: Map[ItemStatus, int], open_items: int, waits_until: datetime | None) -> "ChildRow":
        """The same row with the numbers of now."""
        return replace(
            self,
            done=counts.get(ItemStatus.DONE, 0) + counts.get(ItemStatus.SKIPPED, 0),
            kept_out=counts.get(ItemStatus.BLACKLISTED, 0),
            failed=counts.get(ItemStatus.ERROR, 0),
            open_items=open_items,
            waits_until=waits_until,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRow:
    """One base of a run. ``routed`` is not known for runs of an earlier process. ``collapsed``: it lost most tracks."""

    base: BasePlaylist
    turn: Turn = Turn.WAITING
    routed: RoutedBase | None = None
    reason: str = ""
    collapsed: bool = False
    children: tuple[ChildRow, ...] = ()


def preview_card(steps: Sequence[BaseStep], cost: Cost, *, states: States, now: datetime) -> discord.Embed:
    """What a run would change in each child: how many tracks, some of them by name, what is unknown, and the cost."""
    routed = [step.routed for step in steps if step.routed is not None]
    children = [(one.base, outcome) for one in routed for outcome in one.children]
    plans = [plan for _, outcome in children if (plan := _plan(outcome)) is not None]
    card = discord.Embed(
        title=_titled("Preview of", [step.base for step in steps]),
        description="\n".join(_base_lines(steps)),
        colour=_preview_colour(steps, plans),
    )
    for base, outcome in children[:CHILDREN_SHOWN]:
        name = f"{foreign.plain(base.name, _NAME)} › " if len(steps) > 1 else ""
        name += foreign.plain(outcome.child.name, _NAME)
        card.add_field(name=name, value=_child_preview(outcome), inline=False)
    if rest := children[CHILDREN_SHOWN:]:
        lines = [f"• **{foreign.plain(one.child.name, _NAME)}** {_changes(_plan(one))}" for _, one in rest]
        card.add_field(name=f"{len(rest):,} more", value=foreign.bullets(lines, 700), inline=False)
    if any(plan.diffs for plan in plans):
        card.add_field(name="Cost", value=sync_cards.cost_line(cost, states))
        card.add_field(name="When", value=sync_cards.done_line(cost, now))
    changes = any(plan.diffs for plan in plans)
    return card.set_footer(text=f"Nothing was changed.{' The list shows every track of a child.' if changes else ''}")


def plan_options(steps: Sequence[BaseStep]) -> list[discord.SelectOption]:
    """The children whose playlists would change, each with the run that keeps its plan."""
    found = [
        (step.base, outcome, outcome.started.run.id)
        for step in steps
        if step.routed is not None
        for outcome in step.routed.children
        if outcome.started is not None and outcome.started.plan.diffs
    ]
    return [
        discord.SelectOption(
            label=foreign.label(f"{base.name} › {outcome.child.name}" if len(steps) > 1 else outcome.child.name),
            description=foreign.label(_changes(_plan(outcome)).replace("**", "")),
            value=str(run_id),
        )
        for base, outcome, run_id in found[: foreign.CHOICES]
    ]


def live_card(rows: Sequence[BaseRow], mode: Mode, *, over: bool) -> discord.Embed:
    """Where a run over one base or several stands: a line for each child. ``over``: nothing of it is left to do."""
    children = [child for row in rows for child in row.children]
    lines = [line for row in rows for line in _row_lines(row, alone=len(rows) == 1)]
    card = discord.Embed(
        title=_titled(_doing(rows, mode, over=over), [row.base for row in rows]),
        description=foreign.bullets(lines, 3500),
        colour=_live_colour(rows, over=over),
    )
    finished, open_items = sum(child.finished for child in children), sum(child.open_items for child in children)
    if not over:
        planned = sum(child.planned for child in children)
        if planned < len(children):
            card.add_field(
                name="Planned", value=f"{bars.progress(planned, len(children))} {planned} of {len(children)}"
            )
        if open_items:
            total = f"{bars.progress(finished, finished + open_items)} {finished:,} of {finished + open_items:,}"
            card.add_field(name="Changes", value=total)
        if waits := min((child.waits_until for child in children if child.waits_until is not None), default=None):
            card.add_field(name="Waits", value=f"for quota or a service; goes on {moments.relative(waits)}")
    if read := _reading_cost(rows):
        card.add_field(name="Reading", value=read, inline=False)
    return card.set_footer(text=_live_footer(children, over=over))


def _base_lines(steps: Sequence[BaseStep]) -> list[str]:
    lines = []
    for step in steps:
        if step.error is not None:
            lines.append(f"❌ **{foreign.plain(step.base.name, _NAME)}** {errors.sentence(step.error)}")
        elif step.routed is not None:
            lines += [_about(step.routed), *_doubts(step.routed)]
    return lines


def _about(routed: RoutedBase) -> str:
    children = words.count(len(routed.children), "child", "children")
    return f"{words.playlist(routed.base.playlist)}: {words.count(routed.tracks, 'track')} for {children}"


def _doubts(routed: RoutedBase) -> list[str]:
    if not routed.degraded:
        return []
    fields = ", ".join(sorted(field.label for field in routed.degraded))
    return [f"⚠️ A source of {fields} does not answer now; what was in a child and depends on it stays in."]


def _child_preview(outcome: ChildOutcome) -> str:
    if outcome.error:
        return f"❌ {foreign.harmless(outcome.error, 400)}"
    plan = _plan(outcome)
    lines = [f"{_changes(plan)} · will hold {words.count(outcome.holds, 'track')}"]
    if outcome.undecided:
        lines.append(_unknown(outcome))
    if plan is not None and plan.guard is not None:
        lines.append(f"⚠️ {foreign.harmless(plan.guard.sentence, 250)}")
    if plan is not None:
        lines += _named("＋", [add.source.title for add in plan.adds])
        lines += _named("－", [remove.track.title for remove in plan.removes])
        if plan.in_review:
            lines.append(f"{words.count(plan.in_review, 'track')} of it wait in `/review`")
    return "\n".join(lines)


def _unknown(outcome: ChildOutcome) -> str:
    fields = sorted(outcome.unknown.items(), key=lambda item: (-item[1], item[0].label))
    why = ", ".join(f"{field.label} {number:,}" for field, number in fields)
    kept = f"; {words.count(outcome.kept, 'track')} stay in for now" if outcome.kept else ""
    left = words.count(outcome.undecided, "track")
    return f"❔ {left} left undecided, for something is unknown{f' ({why})' if why else ''}{kept}"


def _named(sign: str, titles: Sequence[str]) -> list[str]:
    if not titles:
        return []
    shown = ", ".join(foreign.plain(title, 40) for title in titles[:_TITLES])
    more = len(titles) - _TITLES
    return [f"{sign} {shown}{f' and {more:,} more' if more > 0 else ''}"]


def _changes(plan: Plan | None) -> str:
    if plan is None or not plan.diffs:
        return "is in step"
    parts = ((len(plan.adds), "to add"), (len(plan.removes), "to remove"), (len(plan.moves), "to move"))
    return "**" + " · ".join(f"{number:,} {what}" for number, what in parts if number) + "**"


def _plan(outcome: ChildOutcome) -> Plan | None:
    return outcome.started.plan if outcome.started is not None else None


def _row_lines(row: BaseRow, *, alone: bool) -> list[str]:
    tracks = f" · {words.count(row.routed.tracks, 'track')}" if row.routed is not None else ""
    head = f"{row.turn.value} **{foreign.plain(row.base.name, _NAME)}**{tracks}"
    if row.turn is Turn.FAILED:
        return [f"{head} {row.reason}" if not alone else f"{row.turn.value} {row.reason}"]
    if row.turn is Turn.WAITING:
        return [f"{head} its turn comes"]
    doubts = _doubts(row.routed) if row.routed is not None else []
    lines = doubts + [_child_line(child) for child in row.children]
    if not row.children:
        lines.append("It has no child yet; `/router child-add` makes one.")
    first = f"{words.playlist(row.base.playlist)}{tracks}" if alone else head
    return [first, *lines]


def _child_line(row: ChildRow) -> str:
    sign, text = _child_text(row)
    return f"{sign} **{foreign.plain(row.child.name, _NAME)}** {text}"


def _child_text(row: ChildRow) -> tuple[str, str]:
    outcome = row.outcome
    if outcome is not None and outcome.error:
        return ("⏭️" if outcome.busy else "❌"), foreign.harmless(outcome.error, 160)
    if row.open_items or row.finished:
        parts = (
            (row.open_items, "to do"),
            (row.done, "done"),
            (row.kept_out, "to review or not found"),
            (row.failed, "failed"),
        )
        sign = "▶️" if row.open_items else "⚠️" if row.failed else "✅"
        return sign, " · ".join(f"{number:,} {what}" for number, what in parts if number)
    if row.stopped and row.plan is not None and row.plan.guard is not None:
        return "⚠️", f"was stopped for safety: {foreign.harmless(row.plan.guard.sentence, 200)}"
    if not row.planned:
        return "🔎", "its turn comes"
    if row.plan is not None and row.plan.diffs:
        return "▶️", _changes(row.plan)
    holds = f"holds {words.count(outcome.holds, 'track')}, " if outcome is not None else ""
    return "✅", f"{holds}is in step"


def _reading_cost(rows: Sequence[BaseRow]) -> str:
    """What finding out cost, over all bases that are through."""
    counts = [row.routed.run.counts for row in rows if row.routed is not None and row.routed.run is not None]
    if not counts:
        return ""
    requests, saved = sum(one.api_requests for one in counts), sum(one.cached_requests for one in counts)
    known = f", {saved:,} not needed for what was known" if saved else ""
    return f"{words.count(requests, 'call')} to the services{known}"


def _doing(rows: Sequence[BaseRow], mode: Mode, *, over: bool) -> str:
    if not over:
        return "Rebuilding the children of" if mode is Mode.REBUILD else "Syncing the children of"
    if all(row.turn is Turn.FAILED for row in rows):
        return "Not synced:"
    return "Rebuilt the children of" if mode is Mode.REBUILD else "Synced the children of"


def _titled(doing: str, bases: Sequence[BasePlaylist]) -> str:
    if len(bases) == 1:
        return f"{doing} “{foreign.plain(bases[0].name, 80)}”"
    return f"{doing} {words.count(len(bases), 'base')}"


def _live_footer(children: Sequence[ChildRow], *, over: bool) -> str:
    if not over:
        return "This message follows the run by itself."
    if any(child.stopped for child in children):
        return "Look at the playlists of what was stopped; an admin can let it pass."
    if any(child.kept_out or child.failed for child in children):
        return "/review has what waits for a decision, /errors what failed."
    return "/router history shows the runs of a base."


def _live_colour(rows: Sequence[BaseRow], *, over: bool) -> int:
    children = [child for row in rows for child in row.children]
    if any(row.turn is Turn.FAILED for row in rows):
        return colours.BAD
    if any(child.stopped or child.failed or (child.outcome and child.outcome.error) for child in children):
        return colours.CAUTION
    if not over:
        return colours.WORKING
    return colours.CAUTION if any(child.kept_out for child in children) else colours.GOOD


def _preview_colour(steps: Sequence[BaseStep], plans: Sequence[Plan]) -> int:
    if any(step.error is not None for step in steps) or any(plan.guard is not None for plan in plans):
        return colours.CAUTION
    return colours.WORKING if any(plan.diffs for plan in plans) else colours.GOOD


def child_plan_card(mapping: Mapping, plan: Plan, *, states: States, now: datetime) -> discord.Embed:
    """Every track that a child gains and loses, as in the plan of a mapping."""
    card = sync_cards.plan_card(mapping, plan, states=states, now=now, preview=True)
    return card.set_footer(text="As it was when the preview was made; a run looks anew.")
