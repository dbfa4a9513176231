"""What work will cost and when it will be through, under what the buckets hold today and get back tomorrow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model.item import Action
from bot.model.mapping import Mapping as PlaylistMapping
from bot.model.music import Service
from bot.model.plan import Cost, Plan
from bot.model.quota import Bucket, BucketState, UsageRow

# Google's quota day; days of 23 and 25 hours come with daylight saving time (PLATFORM.md).
PACIFIC = ZoneInfo("America/Los_Angeles")
WRITE_UNITS = 50  # playlistItems.insert, update, delete and playlists.update
SEARCH_UNITS = 1  # search.list has a bucket of its own; one videos.list for the candidates' lengths comes with it
SPOTIFY_BATCH = 100  # tracks that one POST carries
ROLLING = timedelta(hours=24)
# The ledger keeps whole hours: what was spent in one is free again when its end has left the window.
HOUR = timedelta(hours=1)
_YOUTUBE = (Bucket.YOUTUBE_UNITS, Bucket.YOUTUBE_SEARCH)


def last_reset(now: datetime) -> datetime:
    """The start of YouTube's quota day that ``now`` (aware) lies in, in the timezone of ``now``."""
    return _midnight(now, days=0)


def next_reset(now: datetime) -> datetime:
    """The next midnight in Los Angeles after ``now`` (aware), in the timezone of ``now``."""
    return _midnight(now, days=1)


def cost(
    plan: Plan,
    mapping: PlaylistMapping,
    states: Sequence[BucketState],
    now: datetime,
    *,
    official_search: bool = True,
    usage: Sequence[UsageRow] = (),
) -> Cost:
    """What carrying out ``plan`` will spend: one search for each track whose counterpart is not known yet.

    ``states`` are the buckets that have a limit; ``usage`` the rows of ``spotify.calls`` of the last 24 hours, which
    tell when they are free again. ``official_search`` is False where YouTube is searched without quota.
    """
    return work_cost(steps_of(plan, mapping), states, now, official_search=official_search, usage=usage)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a playlist; ``search``: its counterpart must be searched first."""

    service: Service
    action: Action
    search: bool = False


def steps_of(plan: Plan, mapping: PlaylistMapping) -> Counter[Step]:
    """The changes that ``plan`` makes."""
    steps = [Step(mapping.playlist(add.side).service, Action.ADD_TRACK, not add.destination_id) for add in plan.adds]
    steps += [Step(mapping.playlist(remove.side).service, Action.REMOVE_TRACK) for remove in plan.removes]
    steps += [Step(mapping.playlist(move.side).service, Action.MOVE_TRACK) for move in plan.moves]
    steps += [Step(mapping.playlist(side).service, Action.RENAME_PLAYLIST) for side, _ in plan.renames]
    return Counter(steps)


def work_cost(
    steps: Mapping[Step, int],
    states: Sequence[BucketState],
    now: datetime,
    *,
    official_search: bool = True,
    usage: Sequence[UsageRow] = (),
) -> Cost:
    """The same for so many steps of each kind, as they stand in the queue."""
    youtube: Counter[tuple[int, int]] = Counter()
    for step, count in steps.items():
        if step.service is Service.YOUTUBE:
            youtube[_youtube_price(step, official_search)] += count
    calls = _spotify_calls(steps)
    by_bucket = {state.bucket: state for state in states}
    ends = [
        _youtube_end(youtube, [by_bucket[bucket] for bucket in _YOUTUBE if bucket in by_bucket], now),
        _spotify_end(calls, by_bucket.get(Bucket.SPOTIFY_CALLS), now, usage),
    ]
    known = [end for end in ends if end is not None]
    return Cost(
        youtube_units=sum(units * count for (units, _), count in youtube.items()),
        youtube_searches=sum(searches * count for (_, searches), count in youtube.items()),
        spotify_calls=calls,
        done_at=max(known) if len(known) == len(ends) else None,
    )


def reading_cost(
    youtube_units: int,
    spotify_calls: int,
    states: Sequence[BucketState],
    now: datetime,
    *,
    usage: Sequence[UsageRow] = (),
) -> Cost:
    """The same for reads: YouTube's cost a unit each, Spotify's a call each."""
    by_bucket = {state.bucket: state for state in states}
    units = [by_bucket[Bucket.YOUTUBE_UNITS]] if Bucket.YOUTUBE_UNITS in by_bucket else []
    ends = [
        _youtube_end({(1, 0): youtube_units}, units, now),
        _spotify_end(spotify_calls, by_bucket.get(Bucket.SPOTIFY_CALLS), now, usage),
    ]
    known = [end for end in ends if end is not None]
    done_at = max(known) if len(known) == len(ends) else None
    return Cost(youtube_units=youtube_units, spotify_calls=spotify_calls, done_at=done_at)


def _youtube_price(step: Step, official_search: bool) -> tuple[int, int]:
    """Units and searches of one step."""
    searches = 1 if step.search and official_search else 0
    return WRITE_UNITS + SEARCH_UNITS * searches, searches


def _spotify_calls(steps: Mapping[Step, int]) -> int:
    theirs = {step: count for step, count in steps.items() if step.service is Service.SPOTIFY}
    adds = sum(count for step, count in theirs.items() if step.action is Action.ADD_TRACK)
    searches = sum(count for step, count in theirs.items() if step.search)
    return -(-adds // SPOTIFY_BATCH) + (sum(theirs.values()) - adds) + searches


def _youtube_end(work: Mapping[tuple[int, int], int], states: Sequence[BucketState], now: datetime) -> datetime | None:
    """Day by day: a track that is searched needs room in both buckets on the same day. None: it never fits."""
    waiting = {price: count for price, count in work.items() if count}
    room = {state.bucket: state.left for state in states}
    full = {state.bucket: state.limit for state in states}
    if any(_fitting(price, full) == 0 for price in waiting):
        return None
    day = now
    while True:
        # Dear work last: what needs no search is not held up by an empty search bucket.
        for price in sorted(waiting, key=lambda price: (price[1], price[0])):
            done = min(waiting[price], _fitting(price, room))
            waiting[price] -= done
            for bucket, units in zip(_YOUTUBE, price, strict=True):
                if bucket in room:
                    room[bucket] -= done * units
        if not any(waiting.values()):
            return day
        day, room = next_reset(day), dict(full)


def _fitting(price: tuple[int, int], room: Mapping[Bucket, int]) -> int:
    """How many steps of this price the buckets have room for now."""
    counts = [room[bucket] // units for bucket, units in zip(_YOUTUBE, price, strict=True) if units and bucket in room]
    return min(counts, default=1_000_000_000)


def _spotify_end(calls: int, state: BucketState | None, now: datetime, usage: Sequence[UsageRow]) -> datetime | None:
    """When the last of ``calls`` fits into the rolling 24 hours. None: it never does."""
    if state is None or calls <= state.left:
        return now
    if state.limit <= 0:
        return None
    missing = calls - state.left
    for row in sorted(usage, key=lambda row: row.hour):
        missing -= row.units
        if missing <= 0:
            return max(now, row.hour + ROLLING + HOUR)
    # In a day all that was spent until now is free again, and from then on each day has room for a whole bucket.
    return now + HOUR + ROLLING * -(-missing // state.limit)


def _midnight(now: datetime, *, days: int) -> datetime:
    day = now.astimezone(PACIFIC).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=PACIFIC).astimezone(now.tzinfo)
