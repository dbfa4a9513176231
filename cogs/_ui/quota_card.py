"""The embed of /quota: what is left of each bucket, and what the server's queue will still take."""

from collections.abc import Mapping as Map
from datetime import datetime

import discord

from bot.model.plan import Cost
from bot.model.quota import Bucket, BucketState
from cogs._ui import bars, colours, moments, sync_cards

_NAMES = {
    Bucket.YOUTUBE_UNITS: "YouTube units",
    Bucket.YOUTUBE_SEARCH: "YouTube searches",
    Bucket.SPOTIFY_CALLS: "Spotify calls (24 hours)",
}


def quota_card(states: Map[Bucket, BucketState], queue: Cost, now: datetime) -> discord.Embed:
    """``queue``: the forecast of all that is open in the server."""
    spent = any(not state.left for state in states.values())
    card = discord.Embed(title="Quota", colour=colours.CAUTION if spent else colours.GOOD)
    for bucket, state in states.items():
        value = f"{bars.meter(state)}\n{state.left:,} left, full again {moments.relative(state.resets_at)}"
        card.add_field(name=_NAMES[bucket], value=value, inline=False)
    card.add_field(name="Queue of this server", value=_queue(queue, states, now), inline=False)
    card.set_footer(
        text="What does not fit today waits and goes on by itself. YouTube's day begins at midnight Pacific."
    )
    return card


def _queue(queue: Cost, states: Map[Bucket, BucketState], now: datetime) -> str:
    if not (queue.youtube_units or queue.youtube_searches or queue.spotify_calls):
        return "Nothing is waiting."
    return f"{sync_cards.cost_line(queue, states)}\n{sync_cards.done_line(queue, now)}"
