"""The embeds of /jobs: a page of runs or items, and one run with all that is known of it."""

from collections.abc import Mapping
from datetime import datetime

import discord

from bot.engine.job_rows import seconds_of
from bot.engine.jobs import JobDetails, JobPage
from bot.model.item import ItemStatus, SyncItem
from bot.model.jobs import ItemFilter, JobFilter
from bot.model.reasons import reason_of
from bot.model.run import ACTIVE_STATUSES, Run, RunStatus
from cogs._ui import colours, foreign, job_words, log_cards, moments, reason_words, words

NAME_SHOWN, TITLE_SHOWN, ERROR_SHOWN = 40, 60, 80


def list_card(page: JobPage, wanted: JobFilter | ItemFilter, now: datetime, *, refreshes: bool) -> discord.Embed:
    """A page with what it was filtered by, its place in the list, and whether it refreshes itself."""
    runs = isinstance(wanted, JobFilter)
    card = discord.Embed(title="Jobs of this server" if runs else "Items of the queue", colour=_colour(page))
    filtered = job_words.filter_words(wanted, dict(page.names))
    head = f"-# {filtered}\n" if filtered else ""
    lines = [_run_line(row, page, now) if isinstance(row, Run) else _item_line(row, page.names) for row in page.rows]
    if lines:
        card.description = head + foreign.bullets(lines, foreign.DESCRIPTION - len(head))
    elif filtered:
        card.description = f"{head}Nothing matches. Leave an option out to see more."
    else:
        card.description = "Nothing was done yet. `/sync` starts the first job."
    card.set_footer(text=_footer(page, wanted, refreshes=refreshes))
    return card


def job_card(job: JobDetails) -> discord.Embed:
    """One run: how it ended, who asked for it, what it did and what it cost."""
    run, counts = job.run, job.run.counts
    name = foreign.plain(_name(job.mapping_name, job.base_name, run), 100)
    card = discord.Embed(
        title=f"{job_words.RUN_SIGNS[run.status]} Run {run.id}: {job_words.KINDS[run.kind]}",
        description=f"**{_state(run).capitalize()}** · {name}",
        colour=job_words.RUN_COLOURS[run.status],
    )
    card.add_field(name="Asked for by", value=_asked_by(run))
    for title, moment in (("Created", run.created_at), ("Started", run.started_at), ("Completed", run.completed_at)):
        card.add_field(name=title, value=moments.exact(moment) if moment is not None else "not yet")
    card.add_field(name="Took", value=moments.duration(job.seconds) if job.seconds is not None else "not yet")
    card.add_field(name="Did", value=_routed(run) if run.base_playlist_id is not None else _did(run), inline=False)
    card.add_field(
        name="Cost",
        value=(
            f"{words.count(counts.api_requests, 'request')} to the services, {counts.cached_requests:,} saved by what "
            f"was known, {words.count(counts.quota_units, 'quota unit')}"
        ),
        inline=False,
    )
    items = "They stand with the runs of its children." if run.base_playlist_id is not None else _items(job.items)
    card.add_field(name="Items", value=items, inline=False)
    errors = [foreign.plain(run.error, 300)] if run.error else []
    errors += [f"{number:,}× {foreign.plain(error, 200)}" for error, number in job.errors]
    if errors:
        card.add_field(name="Errors", value=foreign.bullets(errors, foreign.FIELD_VALUE), inline=False)
    if job.lines:
        latest = [log_cards.log_line(line) for line in job.lines]
        card.add_field(name="Log, newest first", value=foreign.bullets(latest, foreign.FIELD_VALUE), inline=False)
    if run.undoes_run_id is not None:
        card.set_footer(text=f"Takes back what run {run.undoes_run_id} changed")
    return card


def _did(run: Run) -> str:
    counts = run.counts
    return (
        f"Found {counts.tracks_processed:,} · added {counts.adds:,} · removed {counts.removals:,} · "
        f"skipped {counts.skipped:,} · failed {counts.failed:,} · left waiting {counts.waiting:,}"
    )


def _routed(run: Run) -> str:
    """Of a run of the router, which only plans; the runs of its children carry that out."""
    counts, details = run.counts, run.details
    children = len(details.get("children", ()))
    parts = [
        f"Routed {words.count(counts.tracks_processed, 'track')} to {words.count(children, 'child', 'children')}",
        f"{counts.adds:,} to add · {counts.removals:,} to remove",
    ]
    for number, what in ((len(details.get("busy", ())), "busy"), (counts.failed, "failed")):
        parts += [f"{number:,} {what}"] if number else []
    hits, misses = int(details.get("cache_hits") or 0), int(details.get("cache_misses") or 0)
    parts += [f"the cache knew {hits:,} of {hits + misses:,}"] if hits + misses else []
    return " · ".join(parts)


def row_label(row: Run | SyncItem, page: JobPage) -> str:
    """One row as a select's option, without markdown."""
    if isinstance(row, Run):
        name = foreign.label(_named(row, page), NAME_SHOWN)
        return f"Run {row.id}: {job_words.KINDS[row.kind]} of {name}"
    return f"Item {row.id}: {job_words.ACTIONS[row.action]} {foreign.label(row.source_track_title, TITLE_SHOWN)}"


def _run_line(run: Run, page: JobPage, now: datetime) -> str:
    counts, seconds = run.counts, seconds_of(run, now)
    did = [f"+{counts.adds:,}"] * bool(counts.adds) + [f"−{counts.removals:,}"] * bool(counts.removals)
    did += [f"{counts.skipped:,} skipped"] * bool(counts.skipped) + [f"{counts.failed:,} failed"] * bool(counts.failed)
    parts = [moments.relative(run.created_at), *did]
    parts += [moments.duration(seconds)] if seconds is not None else []
    parts += ["stops"] if _stops(run) else []
    error = f" · {_why(run.error)}" if run.error else ""
    name = foreign.plain(_named(run, page), NAME_SHOWN)
    sign = job_words.RUN_SIGNS[run.status]
    return f"{sign} `{run.id}` {job_words.KINDS[run.kind]} of **{name}** · {' · '.join(parts)}{error}"


def _named(run: Run, page: JobPage) -> str:
    return _name(page.names.get(run.mapping_id, ""), page.bases.get(run.base_playlist_id or 0, ""), run)


def _name(mapping: str, base: str, run: Run) -> str:
    """What the run worked on."""
    if run.base_playlist_id is not None:
        return f"base {base}" if base else "a removed base playlist"
    return mapping or "?"


def _item_line(item: SyncItem, names: Mapping[int, str]) -> str:
    title = foreign.plain(item.source_track_title or "?", TITLE_SHOWN)
    where = f"{item.destination_service.label}, {foreign.plain(names.get(item.mapping_id, '?'), NAME_SHOWN)}"
    goes_on = item.status in (ItemStatus.PENDING, ItemStatus.UNKNOWN) and item.not_before is not None
    waits = f" · goes on {moments.relative(item.not_before)}" if goes_on and item.not_before is not None else ""
    done = item.status in (ItemStatus.DONE, ItemStatus.CANCELLED) or not item.last_error
    error = "" if done else f" · {_why(item.last_error)}"
    sign, action = job_words.ITEM_SIGNS[item.status], job_words.ACTIONS[item.action]
    return f"{sign} `{item.id}` {action} **{title}** ({where}){waits}{error}"


def _why(error: str) -> str:
    """In words for people; the service's own stand in the details."""
    return reason_words.happened(reason_of(error), ERROR_SHOWN)


def _footer(page: JobPage, wanted: JobFilter | ItemFilter, *, refreshes: bool) -> str:
    of = f"{page.first:,} to {page.last:,} of {job_words.things(wanted, page.total)}" if page.rows else "Nothing"
    rest = " · refreshes every 30 s while something is active" if refreshes else ""
    return f"{of} · {job_words.sort_words(wanted)}{rest}"


def _colour(page: JobPage) -> int:
    if page.active:
        return colours.WORKING
    bad = any(row.status in (RunStatus.FAILED, ItemStatus.ERROR) for row in page.rows)
    return colours.BAD if bad else colours.GOOD if page.rows else colours.QUIET


def _state(run: Run) -> str:
    if _stops(run):
        return "in progress; it was cancelled and stops once what it is sending is settled"
    return job_words.RUN_STATUSES[run.status]


def _stops(run: Run) -> bool:
    return run.status in ACTIVE_STATUSES and run.cancelled_by is not None


def _asked_by(run: Run) -> str:
    who = f"<@{run.actor_id}>" if run.actor_id else job_words.TRIGGERS[run.trigger]
    by = f"\nCancelled by <@{run.cancelled_by}>" if run.cancelled_by else ""
    return who + by


def _items(counts: Mapping[ItemStatus, int]) -> str:
    found = [
        f"{job_words.ITEM_SIGNS[status]} {number:,} {job_words.ITEM_STATUSES[status]}"
        for status, number in counts.items()
        if number
    ]
    return " · ".join(found) or "None: it changed nothing, or its items went on in a later run."
