"""When each mapping's work is through: turns, people first, and the quota that all share."""

from datetime import timedelta

from bot.engine.arrivals import CALL, Terms, arrivals
from bot.engine.forecast import next_reset
from bot.model.item import Action
from bot.model.music import Service
from bot.model.queue import OpenWork
from bot.model.quota import Bucket, BucketState
from tests.clock import START

SPOTIFY, YOUTUBE = Service.SPOTIFY, Service.YOUTUBE


def adds(mapping_id: int, items: int, service: Service = YOUTUBE, *, search: bool = False) -> OpenWork:
    return OpenWork(
        guild_id=1, mapping_id=mapping_id, service=service, action=Action.ADD_TRACK, search=search, items=items
    )


def terms(*, units: int = 10_000, searches: int = 100) -> Terms:
    left = {Bucket.YOUTUBE_UNITS: units, Bucket.YOUTUBE_SEARCH: searches, Bucket.SPOTIFY_CALLS: 900}
    full = {Bucket.YOUTUBE_UNITS: 10_000, Bucket.YOUTUBE_SEARCH: 100, Bucket.SPOTIFY_CALLS: 900}
    return Terms(
        states=[
            BucketState(bucket=bucket, limit=full[bucket], used=full[bucket] - left[bucket], resets_at=START)
            for bucket in Bucket
        ]
    )


def test_alone_a_mapping_takes_the_time_of_its_own_calls() -> None:
    assert arrivals([adds(1, 10)], (), terms(), START) == {(1, YOUTUBE): START + 10 * CALL}


def test_a_short_one_waits_for_as_many_of_each_other_and_a_long_one_for_all_of_the_short() -> None:
    through = arrivals([adds(1, 10), adds(2, 100)], (), terms(), START)
    assert through == {(1, YOUTUBE): START + 20 * CALL, (2, YOUTUBE): START + 110 * CALL}


def test_what_people_asked_for_waits_for_nobody_and_all_others_wait_for_it() -> None:
    through = arrivals([adds(1, 10), adds(2, 100)], {(2, YOUTUBE)}, terms(), START)
    assert through == {(1, YOUTUBE): START + 110 * CALL, (2, YOUTUBE): START + 100 * CALL}


def test_services_do_not_wait_for_each_other_and_spotify_takes_a_hundred_at_a_time() -> None:
    through = arrivals([adds(1, 100), adds(1, 250, SPOTIFY)], (), terms(), START)
    assert through == {(1, YOUTUBE): START + 100 * CALL, (1, SPOTIFY): START + 3 * CALL}


def test_work_beyond_todays_quota_is_through_after_the_reset_and_others_use_up_the_same_quota() -> None:
    work = [adds(1, 10), adds(2, 10)]
    tomorrow = next_reset(START)
    assert set(arrivals(work, (), terms(units=500), START).values()) == {tomorrow}
    assert arrivals(work[:1], (), terms(units=500), START)[1, YOUTUBE] == START + 10 * CALL
    first = arrivals(work, {(1, YOUTUBE)}, terms(units=500), START)
    assert first == {(1, YOUTUBE): START + 10 * CALL, (2, YOUTUBE): tomorrow}


def test_searches_run_out_first() -> None:
    through = arrivals([adds(1, 250, search=True)], (), terms(), START)[1, YOUTUBE]
    assert through is not None
    assert next_reset(START) < through <= next_reset(START) + timedelta(days=1, hours=1)


def test_what_never_fits_has_no_moment() -> None:
    nothing = Terms(states=[BucketState(bucket=Bucket.YOUTUBE_UNITS, limit=10, used=0, resets_at=START)])
    assert arrivals([adds(1, 1)], (), nothing, START) == {(1, YOUTUBE): None}
