"""The embeds of an undo: which runs there are, what taking one back would do, and that it has begun."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import discord

from bot.engine.undo import Offer, StartedUndo
from bot.model.mapping import Mapping, Side
from bot.model.music import Track
from bot.model.plan import Plan
from bot.model.quota import Bucket, BucketState
from bot.model.run import Run, RunKind, Trigger
from cogs._ui import colours, foreign, moments, words
from cogs._ui.sync_cards import cost_line, done_line
from storage.effects import Changed

SHOWN = 8  # tracks named in each list
HELD = "The next sync does not bring this back until the source playlist itself changes it."
RESTORED = "The mapping is then as it was before that undo, and syncs keep it so."
_ASKED = {
    Trigger.SCHEDULE: "by schedule",
    Trigger.COMMAND: "asked for by a person",
    Trigger.RETRY: "a retry",
    Trigger.START: "at the start of the program",
    Trigger.PREVIEW: "a preview",
}


def offer_card(offer: Offer, changed: Changed | None, states: Map[Bucket, BucketState], now: datetime) -> discord.Embed:
    """What would go, come back and stay, with the cost. ``changed``: what the run did, where it is in the list."""
    plan, mapping = offer.plan, offer.mapping
    lines = [words.pair(mapping), _run_line(offer.run, changed)]
    if plan.guard is not None:
        lines += [
            foreign.harmless(plan.guard.sentence, 600),
            "Look at both playlists. If this is what you want, an admin can undo it anyway.",
        ]
    lines.append(f"**{_counted(plan)}**")
    card = discord.Embed(
        title=f"Undo run {offer.run.id} of “{foreign.plain(mapping.name, 80)}”?",
        description="\n".join(lines),
        colour=colours.BAD if plan.guard is not None else colours.WORKING,
    )
    _list(card, mapping, plan)
    if plan.diffs:
        card.add_field(name="Cost", value=cost_line(plan.cost, states))
        card.add_field(name="When", value=done_line(plan.cost, now))
    return card.set_footer(text=_footer(offer.run))


def nothing_card(mapping: Mapping, runs: Sequence[Changed]) -> discord.Embed:
    """No run can be taken back (any more)."""
    if runs:
        text = "Every run that changed something was undone already. Choose an undo below to take that back."
    else:
        text = "No run of this mapping changed a playlist in the last 30 days, so there is nothing to undo."
    return _quiet(f"Nothing to undo in “{foreign.plain(mapping.name, 80)}”", text)


def refused_card(mapping: Mapping, run_id: int, sentence: str) -> discord.Embed:
    """The chosen run cannot be taken back now, and why."""
    title = f"Run {run_id} of “{foreign.plain(mapping.name, 80)}” cannot be undone now"
    return _quiet(title, foreign.harmless(sentence, 600))


def put_away_card() -> discord.Embed:
    return _quiet("Nothing was undone", "Both playlists stay as they are. `/undo` shows the runs again.")


def started_card(started: StartedUndo) -> discord.Embed:
    """The undo is in the queue, needed no write, or was stopped."""
    plan, name = started.plan, f"“{foreign.plain(started.mapping.name, 80)}”"
    if plan.guard is not None:
        text = f"{foreign.harmless(plan.guard.sentence, 600)}\nLook at both playlists; an admin can undo it anyway."
        return discord.Embed(title=f"Stopped before undoing anything in {name}", description=text, colour=colours.BAD)
    title = f"Undoing run {started.undone.id} of {name}"
    card = discord.Embed(title=title, description=f"**{_counted(plan)}**", colour=colours.WORKING)
    if not started.enqueued:
        card.colour = discord.Colour(colours.GOOD)
        card.title = f"Undone in {name}"
        card.description = "Nothing had to be written: people had changed it back already, or it still waited."
    _list(card, started.mapping, plan)
    return card.set_footer(text=_footer(started.undone))


def options(runs: Sequence[Changed], chosen: int, timezone: str) -> list[discord.SelectOption]:
    """The runs to choose from; a select cannot show Discord's own times, so these are the server's."""
    return [
        discord.SelectOption(
            label=foreign.label(f"Run {one.run.id}: {_did(one)}"),
            description=foreign.label(_when(one, timezone)),
            value=str(one.run.id),
            default=one.run.id == chosen,
        )
        for one in runs[: foreign.CHOICES]
    ]


def _footer(undone: Run) -> str:
    return RESTORED if undone.kind is RunKind.UNDO else HELD


def _quiet(title: str, text: str) -> discord.Embed:
    return discord.Embed(title=title, description=text, colour=colours.QUIET)


def _run_line(run: Run, changed: Changed | None) -> str:
    kind = "It took back a run" if run.kind is RunKind.UNDO else "It was"
    who = f"asked for by <@{run.actor_id}>" if run.actor_id else _ASKED[run.trigger]
    did = f": {_did(changed)}" if changed is not None else ""
    return f"{kind} {moments.relative(run.created_at)}, {who}{did}."


def _did(changed: Changed) -> str:
    parts = (
        (changed.added, "added"),
        (changed.removed, "removed"),
        (changed.moved, "moved"),
        (changed.renamed, "renamed"),
        (changed.waiting, "waiting"),
    )
    return ", ".join(f"{number:,} {what}" for number, what in parts if number)


def _when(changed: Changed, timezone: str) -> str:
    run = changed.run
    kind = f"undo of run {run.undoes_run_id}" if run.kind is RunKind.UNDO else _ASKED[run.trigger]
    undone = f" · undone by run {changed.undone_by}" if changed.undone_by is not None else ""
    return f"{run.created_at.astimezone(ZoneInfo(timezone)):%d %b %H:%M} · {kind}{undone}"


def _counted(plan: Plan) -> str:
    counted = [
        words.count(len(plan.removes), "track") + " to take out" if plan.removes else "",
        words.count(len(plan.adds), "track") + " to put back" if plan.adds else "",
        words.count(len(plan.moves), "track") + " to move back" if plan.moves else "",
        words.count(len(plan.cancels), "waiting change") + " to cancel" if plan.cancels else "",
    ]
    sentence = ", ".join(filter(None, counted)) or "nothing to write: people changed it back already"
    return sentence[0].upper() + sentence[1:]


def _list(card: discord.Embed, mapping: Mapping, plan: Plan) -> None:
    for side in (Side.RIGHT, Side.LEFT):
        where = words.destination(mapping, side)
        removes = [f"• {_track(one.track)}" for one in plan.removes if one.side is side]
        adds = [
            f"• {_put_back(mapping, side, one.destination_id, one.source.title)}"
            for one in plan.adds
            if one.side is side
        ]
        moves = [
            f"• {_track(one.track)}: place {one.origin + 1} → {one.position + 1}"
            for one in plan.moves
            if one.side is side
        ]
        renames = [f"• to “{foreign.plain(name, 60)}”" for renamed, name in plan.renames if renamed is side]
        for name, lines in (
            (f"Take out of {where}", removes),
            (f"Put back into {where}", adds),
            (f"Move back in {where}", moves),
            (f"Rename {where} back", renames),
        ):
            if lines:
                value = foreign.bullets(lines, 700, most=SHOWN)
                card.add_field(name=f"{name} ({len(lines):,})", value=value, inline=False)
    if plan.conflicts:
        lines = [f"• {foreign.harmless(conflict.sentence, 200)}" for conflict in plan.conflicts]
        name = f"Stays as it is ({len(lines):,})"
        card.add_field(name=name, value=foreign.bullets(lines, 700, most=SHOWN), inline=False)


def _put_back(mapping: Mapping, side: Side, track_id: str, title: str) -> str:
    return _track(Track(service=mapping.playlist(side).service, external_id=track_id, title=title))


def _track(track: Track) -> str:
    byline = f" — {foreign.plain(track.byline, 40)}" if track.byline else ""
    return f"{foreign.link(track.title, track.url, 60)}{byline}"
