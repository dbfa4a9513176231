"""When each mapping's work will be through: its place in the turns, and the quota that all of them share."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.engine.forecast import Step, work_cost
from bot.model.music import Service
from bot.model.queue import OpenWork
from bot.model.quota import BucketState, UsageRow

CALL = timedelta(seconds=0.7)  # what a call of the services takes in practice; a search on YouTube is two

Lane = tuple[int, Service]  # a mapping and the service that its work goes to


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What quota there is: the buckets with a limit, and the rows of ``spotify.calls`` of the last 24 hours."""

    states: Sequence[BucketState]
    usage: Sequence[UsageRow] = ()
    official_search: bool = True


def arrivals(
    work: Iterable[OpenWork], first: Collection[Lane], terms: Terms, now: datetime, *, call: timedelta = CALL
) -> dict[Lane, datetime | None]:
    """By lane: when the last of its items is through. None: under these limits never.

    ``first``: what people asked for; it goes before all else. Among equals the executor goes round in turns, so that a
    lane of n items is through when each of the others has had n of its own, or all that it has. ``call``: what a call
    takes; nothing where only the quota is asked about.
    """
    lanes: dict[Lane, Counter[Step]] = {}
    for each in work:
        steps = lanes.setdefault((each.mapping_id, each.service), Counter())
        steps[Step(each.service, each.action, each.search)] += each.items
    return {lane: _through(lane, lanes, first, terms, now, call) for lane in lanes}


def _through(
    lane: Lane,
    lanes: Mapping[Lane, Counter[Step]],
    first: Collection[Lane],
    terms: Terms,
    now: datetime,
    call: timedelta,
) -> datetime | None:
    before = Counter(lanes[lane])
    own = lanes[lane].total()
    for other, steps in lanes.items():
        if other == lane or other[1] is not lane[1]:
            continue
        if (other in first) == (lane in first):
            before += _part(steps, own)
        elif other in first:
            before += steps
    cost = work_cost(before, terms.states, now, official_search=terms.official_search, usage=terms.usage)
    if cost.done_at is None:
        return None
    # Spotify's adds go out many at a time; each write on YouTube is a call of its own.
    calls = cost.spotify_calls if lane[1] is Service.SPOTIFY else before.total() + 2 * cost.youtube_searches
    return max(cost.done_at, now + calls * call)


def _part(steps: Counter[Step], most: int) -> Counter[Step]:
    """At most about ``most`` steps, each kind by its share."""
    total = steps.total()
    if total <= most:
        return steps
    return Counter({step: -(-count * most // total) for step, count in steps.items()})
