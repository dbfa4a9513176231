"""The embed of /quota: what is left, what today went into, which mapping used what, when the queue is through."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from datetime import datetime

import discord

from bot.model.plan import Cost
from bot.model.quota import Bucket, BucketState, UsageRow, UsageShare
from cogs._ui import bars, colours, foreign, moments, operations, sync_cards, words

_NAMES = {
    Bucket.YOUTUBE_UNITS: "YouTube units",
    Bucket.YOUTUBE_SEARCH: "YouTube searches",
    Bucket.SPOTIFY_CALLS: "Spotify calls, 24 h",
}
_NOUNS = {
    Bucket.YOUTUBE_UNITS: ("unit", "units"),
    Bucket.YOUTUBE_SEARCH: ("search", "searches"),
    Bucket.SPOTIFY_CALLS: ("call", "calls"),
}
OPERATIONS_SHOWN = 5  # of each bucket
SHARES_SHOWN = 8


def quota_card(
    states: Map[Bucket, BucketState],
    queue: Cost,
    now: datetime,
    *,
    rows: Iterable[UsageRow] = (),
    shares: Sequence[UsageShare] = (),
    days: int = 30,
) -> discord.Embed:
    """``queue``: the forecast of all that is open in the server; ``rows``: what counts in the buckets now; ``shares``:
    who used how much, the greatest first, over ``days`` days.
    """
    spent = any(not state.left for state in states.values())
    card = discord.Embed(title="Quota", colour=colours.CAUTION if spent else colours.GOOD)
    for bucket, state in states.items():
        value = f"{bars.meter(state)}\n{state.left:,} left, {_full_again(state)}"
        card.add_field(name=_NAMES[bucket], value=value)
    card.add_field(name="Today by operation", value=_operations(states, list(rows)), inline=False)
    card.add_field(name=f"By mapping, today and in {days} days", value=_shares(shares, days), inline=False)
    card.add_field(name="Queue of this server", value=_queue(queue, states, now), inline=False)
    card.set_footer(
        text="What does not fit today waits and goes on by itself. YouTube's day begins at midnight Pacific; Spotify's "
        "calls count for 24 hours each."
    )
    return card


def _full_again(state: BucketState) -> str:
    if not state.used:
        return "nothing used"
    # The rolling window gives back hour by hour, a day all at once.
    more = "more" if state.bucket is Bucket.SPOTIFY_CALLS else "full again"
    return f"{more} {moments.relative(state.resets_at)}"


def _operations(states: Map[Bucket, BucketState], rows: Sequence[UsageRow]) -> str:
    lines = []
    for bucket in states:
        units: Counter[str] = Counter()
        for row in rows:
            if row.bucket is bucket and row.units:
                units[operations.name(row.operation)] += row.units
        if units:
            most = units.most_common(OPERATIONS_SHOWN)
            rest = units.total() - sum(used for _, used in most)
            said = [f"{name} {used:,}" for name, used in most] + ([f"other {rest:,}"] if rest else [])
            lines.append(f"**{_NAMES[bucket]}**: {' · '.join(said)}")
    return "\n".join(lines) or "Nothing was used yet."


def _shares(shares: Sequence[UsageShare], days: int) -> str:
    """The server's own mappings by name; then what belongs to none, and what other servers used together."""
    own = [share for share in shares if share.mapping_id]
    apart = [share for share in shares if not share.mapping_id]
    lines = [_share(foreign.plain(share.name, 40), share, days) for share in own]
    last = [
        _share(
            "other servers" if share.mapping_id is None else "without a mapping (logins, lists of playlists)",
            share,
            days,
        )
        for share in sorted(apart, key=lambda share: share.mapping_id is None)
    ]
    kept = foreign.bullets(lines, 1000 - sum(len(line) + 1 for line in last), most=SHARES_SHOWN)
    return "\n".join(part for part in (kept, *last) if part) or "Nothing was used yet."


def _share(name: str, share: UsageShare, days: int) -> str:
    return f"**{name}**: {_amounts(share.window)} · {days} days: {_amounts(share.total)}"


def _amounts(used: Map[Bucket, int]) -> str:
    parts = [words.count(used[bucket], *_NOUNS[bucket]) for bucket in Bucket if used.get(bucket)]
    return ", ".join(parts) or "nothing"


def _queue(queue: Cost, states: Map[Bucket, BucketState], now: datetime) -> str:
    if not (queue.youtube_units or queue.youtube_searches or queue.spotify_calls):
        return "Nothing is waiting."
    return f"{sync_cards.cost_line(queue, states)}\n{sync_cards.done_line(queue, now)}"
