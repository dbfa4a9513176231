"""The embeds of /queue: how the queue stands, what was paused or resumed, and failures before they are put aside."""

from collections.abc import Sequence
from datetime import datetime

import discord

from bot.engine.queue import Failed, LaneStatus, Obstacle, Paused, QueueStatus, Resumed
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.queue import Delay, QueuePause
from bot.model.reasons import Cause, cause_of
from cogs._ui import colours, foreign, moments, pause_words, words

MAPPINGS_SHOWN = 12
HISTORY = "Ended items are counted for 30 days."
READ_BACKS = "What was sent without a clear answer is still read back, which changes nothing."

_DELAYS = {
    Cause.QUOTA_SPENT: "the quota is spent",
    Cause.SERVICE_PAUSED: "the service asked for silence",
    Cause.SLOW_DOWN: "the service asked to slow down",
    Cause.SERVICE_FAILING: "the service keeps failing",
    Cause.UNREACHABLE: "the service cannot be reached",
    Cause.UNKNOWN_OUTCOME: "it did not happen at the first attempt",
    Cause.LOGIN_NEEDED: "a login is needed",
    Cause.PLAYLIST_GONE: "the playlist is gone",
    Cause.BUG: "a fault inside Crossfade",
}
_OBSTACLES = {
    Obstacle.PAUSED: "⏸️ paused",
    Obstacle.STOPPED: "⏸️ its mapping is paused",
    Obstacle.LOGIN: "🔑 waits for a login (`/accounts`)",
}


def status_card(status: QueueStatus) -> discord.Embed:
    """Counts, delays and turns of one server. The picture is attached by whoever sends it."""
    rests = pause_words.lines(status.pauses)
    card = discord.Embed(
        title="Queue of this server",
        description="\n".join([f"As of {moments.relative(status.at)}", *rests[:10]]),
        colour=_colour(status),
    )
    for name, number in (
        ("Waiting", status.waiting()),
        ("Active", status.count(ItemStatus.RUNNING)),
        ("Delayed", status.delayed()),
        ("Unknown", status.count(ItemStatus.UNKNOWN)),
        ("Completed", status.count(ItemStatus.DONE)),
        ("Failed", status.count(ItemStatus.ERROR)),
    ):
        card.add_field(name=name, value=f"**{number:,}**")
    card.add_field(name="Left out", value=_left_out(status), inline=False)
    if status.lanes:
        lines = [_service_line(status, service) for service in Service]
        card.add_field(name="By service", value="\n".join(line for line in lines if line), inline=False)
    if status.delays:
        lines = [_delay_line(delay) for delay in status.delays]
        card.add_field(name="Delayed until", value=foreign.bullets(lines, 900), inline=False)
    card.add_field(name="By mapping, in turn", value=_turns(status.busy), inline=False)
    card.set_footer(text=HISTORY)
    return card


def paused_card(paused: Paused, waiting: int) -> discord.Embed:
    """``waiting``: items of the server that are not sent for its sake."""
    held = f" {words.count(waiting, 'change')} of this server {_stay(waiting)}." if waiting else ""
    schedules = " No mapping runs by its schedule meanwhile." if paused.pause.whole and paused.pause.guild_id else ""
    effect = (
        f"No further change of it is sent from now on, also after a restart.{held}{schedules} "
        f"What is being sent this moment ends. {READ_BACKS}"
    )
    return discord.Embed(
        title="Paused" if paused.new else "Paused already",
        description=f"{pause_words.line(paused.pause)}\n{effect}\n"
        f"{pause_words.taking_back(paused.pause)} lets it go on.",
        colour=colours.CAUTION,
    )


def resumed_card(asked: QueuePause, resumed: Resumed) -> discord.Embed:
    """What goes on, and what still rests."""
    subject = pause_words.what(asked)
    said = f"**{subject}** goes on now." if resumed.found else f"**{subject}** was not paused; nothing was changed."
    left = [f"{pause_words.line(one)}; {pause_words.taking_back(one)} ends that" for one in resumed.left]
    if left:
        said += "\nStill resting:\n" + foreign.bullets(left, 3000, most=10)
    colour = colours.CAUTION if left else colours.GOOD if resumed.found else colours.QUIET
    return discord.Embed(title="Resumed" if resumed.found else "Not paused", description=said, colour=colour)


def failed_card(failed: Failed, mapping: Mapping | None) -> discord.Embed:
    """What clearing would do, before it is done."""
    where = _where(mapping)
    if not failed.items:
        return discord.Embed(
            title="Nothing failed", description=f"There is no failed change {where}.", colour=colours.GOOD
        )
    return discord.Embed(
        title=f"Clear {words.count(failed.items, 'failed change')}?",
        description=(
            f"They failed {where} until {moments.exact(failed.until)}. Cleared ones count as cancelled: no playlist is "
            "changed, `/jobs` still shows and retries them, and the next sync offers again what the source still "
            "wants. What fails after this moment stays. To try them again now, use `/jobs retry` instead."
        ),
        colour=colours.CAUTION,
    )


def cleared_card(items: int, mapping: Mapping | None) -> discord.Embed:
    return discord.Embed(
        title=f"{words.count(items, 'failed change')} cleared",
        description=f"{_where(mapping).capitalize()} nothing of it counts as failed any more. "
        "`/jobs` still shows it; the next sync offers again what the source still wants.",
        colour=colours.GOOD,
    )


def _stay(waiting: int) -> str:
    return "stays where it is" if waiting == 1 else "stay where they are"


def _colour(status: QueueStatus) -> int:
    if status.pauses or status.count(ItemStatus.ERROR):
        return colours.CAUTION
    return colours.WORKING if any(one.lane.open for one in status.busy) else colours.GOOD


def _left_out(status: QueueStatus) -> str:
    return (
        f"{status.count(ItemStatus.SKIPPED):,} not needed · {status.count(ItemStatus.BLACKLISTED):,} without a "
        f"counterpart · {status.count(ItemStatus.CANCELLED):,} cancelled"
    )


def _service_line(status: QueueStatus, service: Service) -> str:
    parts = (
        (status.waiting(service), "waiting"),
        (status.count(ItemStatus.RUNNING, service=service), "active"),
        (status.delayed(service), "delayed"),
        (status.count(ItemStatus.UNKNOWN, service=service), "unknown"),
        (status.count(ItemStatus.DONE, service=service), "completed"),
        (status.count(ItemStatus.ERROR, service=service), "failed"),
    )
    told = " · ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"**{service.label}** {told}" if told else ""


def _delay_line(delay: Delay) -> str:
    cause = cause_of(delay.reason)
    reason = _DELAYS.get(cause) if cause else None
    why = reason or (
        foreign.plain(delay.reason.replace("_", " "), 120) if delay.reason else "its next attempt is due then"
    )
    until = moments.relative(delay.first)
    if delay.last != delay.first:
        until += f" to {moments.relative(delay.last)}"
    return f"**{delay.items:,}** for {delay.service.label} {until}: {why}"


def _turns(lanes: Sequence[LaneStatus]) -> str:
    if not lanes:
        return "Nothing is waiting. `/sync` looks for changes now."
    return foreign.bullets([_lane_line(one) for one in lanes], 1024, most=MAPPINGS_SHOWN)


def _lane_line(one: LaneStatus) -> str:
    lane = one.lane
    place = f"**{one.position}.**" if one.position else "•"
    parts = [
        f"{number:,} {what}"
        for number, what in (
            (lane.waiting, "waiting"),
            (lane.count(ItemStatus.RUNNING), "active"),
            (lane.delayed, "delayed"),
            (lane.count(ItemStatus.UNKNOWN), "unknown"),
            (lane.count(ItemStatus.DONE), "completed"),
            (lane.count(ItemStatus.ERROR), "failed"),
        )
        if number
    ]
    head = f"{place} {foreign.plain(one.mapping.name, 40)} → {lane.service.label}: {', '.join(parts)}"
    if not lane.open:
        return head
    end = _OBSTACLES[one.obstacle] if one.obstacle else f"through {_through(one.through_at)}"
    return f"{head}; {end}"


def _through(at: datetime | None) -> str:
    return f"about {moments.relative(at)}" if at else "never under these limits (`/quota`)"


def _where(mapping: Mapping | None) -> str:
    return f"in “{foreign.plain(mapping.name, 60)}”" if mapping else "in this server"
