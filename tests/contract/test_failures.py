"""Failures are grouped by reason, waits by cause, and a group is retried and exported as a whole; on both engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.engine.failures import Failures
from bot.model.errors import UserMistake
from bot.model.failure import FailureFilter, FailureGroup, FailureKind, from_json
from bot.model.item import ItemStatus
from bot.model.logline import Level, LogLine
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.review import BlacklistReason
from bot.model.run import RunStatus
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, connected, info, mapped, queued, started, track

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEK = FailureFilter(guild_id=GUILD, window=timedelta(days=7))
REFUSED = "playlistItems.insert: YouTube refused with 400 (http_400)"
NO_LEAVE = "playlistItems.insert: YouTube does not allow this account to do that"


class NoSync:
    """Stands where the engine's sync would: notes which mappings were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.was_asked = asyncio.Event()

    async def start(self, mapping_id: int, actor_id: int, trigger: object) -> None:
        self.asked.append((mapping_id, actor_id))
        self.was_asked.set()


@pytest.fixture
def sync() -> NoSync:
    return NoSync()


@pytest.fixture
def failures(each_storage: Storage, clock: FakeClock, sync: NoSync) -> Failures:
    stand_in: Any = sync
    return Failures(each_storage, clock, stand_in, wake=lambda: None)


async def ended(
    storage: Storage, mapping: Mapping, names: Sequence[str], error: str, status: ItemStatus = ItemStatus.ERROR
) -> None:
    """Items of these tracks that ended so."""
    run = await queued(storage, mapping, *names)
    now = storage.db.now()
    for _ in names:
        [item] = await storage.items.claim_due(
            now, now + HOUR, "w", limit=1, mapping_id=mapping.id, service=Service.YOUTUBE, run_id=run.id
        )
        until = now + 5 * HOUR if status is ItemStatus.PENDING else None
        assert await storage.items.settle(item.id, "w", status, now=now, last_error=error, not_before=until)


async def ran_into(storage: Storage, mapping: Mapping, error: str) -> None:
    run = await started(storage, mapping)
    await storage.runs.finish(run.id, RunStatus.FAILED, storage.db.now(), error=error)


def brief(groups: Sequence[FailureGroup]) -> list[tuple[str, str, int]]:
    return [(group.kind.value, group.reason, group.count) for group in groups]


async def test_failures_of_one_reason_are_one_group_with_its_mappings_and_times(
    each_storage: Storage, failures: Failures, clock: FakeClock
) -> None:
    began = clock.now()
    trip, party = await mapped(each_storage, "Trip"), await mapped(each_storage, "Party")
    await ended(each_storage, trip, ["a", "b"], NO_LEAVE)
    clock.advance(HOUR)
    await ended(each_storage, party, ["c"], f"{NO_LEAVE} (given up after 8 attempts)")
    await ended(each_storage, party, ["d"], REFUSED)
    groups = await failures.groups(WEEK)
    assert brief(groups) == [("item", "no_permission", 3), ("item", "refused:http_400", 1)]
    first = groups[0]
    assert (first.first_seen, first.last_seen) == (began, clock.now())
    assert first.mappings == ((trip.id, 2), (party.id, 1))
    assert first.services == (Service.YOUTUBE,)
    example = await failures.example(replace(WEEK, kind=first.kind, reason=first.reason))
    assert example.item is not None
    assert example.item.source_track_id == "c"


async def test_what_is_done_skipped_or_in_its_turn_is_no_failure(each_storage: Storage, failures: Failures) -> None:
    mapping = await mapped(each_storage)
    await ended(each_storage, mapping, ["a"], "", ItemStatus.DONE)
    await ended(each_storage, mapping, ["b"], "it was there already", ItemStatus.SKIPPED)
    await ended(each_storage, mapping, ["c"], "Cancelled.", ItemStatus.CANCELLED)
    await queued(each_storage, mapping, "d")
    assert await failures.groups(WEEK) == []


async def test_failed_runs_are_groups_of_their_own(
    each_storage: Storage, failures: Failures, clock: FakeClock, sync: NoSync
) -> None:
    trip, party = await mapped(each_storage, "Trip"), await mapped(each_storage, "Party")
    for mapping in (trip, trip, party):
        await ran_into(each_storage, mapping, "playlist.items.list: Spotify does not know it (any more)")
    await ran_into(each_storage, party, "playlist.items.list: the service answered 503")
    run = (await each_storage.runs.of_mapping(party.id, 2))[1]
    line = LogLine(
        at=clock.now(), level=Level.ERROR, event="analysis.failed", message="m", guild_id=GUILD, run_id=run.id
    )
    await each_storage.logs.append([line])
    assert brief(await failures.groups(WEEK)) == [("run", "playlist_gone", 3), ("run", "service_failing", 1)]
    gone = replace(WEEK, kind=FailureKind.RUN, reason="playlist_gone")
    example = await failures.example(gone)
    assert example.run is not None
    assert example.run.id == run.id
    assert [each.message for each in example.lines] == ["m"]
    await each_storage.mappings.update(party.id, enabled=False)
    retried = await failures.retry(gone, 7)
    assert (retried.items, retried.mappings) == (0, 1)
    await sync.was_asked.wait()
    assert sync.asked == [(trip.id, 7)]
    await failures.close()


async def test_the_window_the_kind_the_mapping_and_the_guild_narrow(
    each_storage: Storage, failures: Failures, clock: FakeClock
) -> None:
    trip, party = await mapped(each_storage, "Trip"), await mapped(each_storage, "Party")
    elsewhere = await mapped(each_storage, "Else", guild_id=GUILD + 1)
    await ended(each_storage, trip, ["old"], REFUSED)
    clock.advance(2 * DAY)
    await ended(each_storage, trip, ["new"], REFUSED)
    await ended(each_storage, party, ["other"], REFUSED)
    await ended(each_storage, elsewhere, ["else"], REFUSED)
    await ran_into(each_storage, elsewhere, REFUSED)
    assert brief(await failures.groups(WEEK)) == [("item", "refused:http_400", 3)]
    assert brief(await failures.groups(replace(WEEK, window=DAY))) == [("item", "refused:http_400", 2)]
    assert brief(await failures.groups(replace(WEEK, mapping_id=trip.id))) == [("item", "refused:http_400", 2)]
    assert await failures.groups(replace(WEEK, kind=FailureKind.RUN)) == []
    assert await failures.groups(replace(WEEK, mapping_id=elsewhere.id)) == []


async def test_what_waits_says_for_what(each_storage: Storage, failures: Failures, clock: FakeClock) -> None:
    quota, login, paused = [await mapped(each_storage, name) for name in ("Quota", "Login", "Paused")]
    spent = "youtube.units is spent until 2026-11-21 08:00 UTC"
    await ended(each_storage, quota, ["a", "b"], spent, ItemStatus.PENDING)
    await queued(each_storage, quota, "in its turn")
    await queued(each_storage, login, "c")
    await queued(each_storage, paused, "d")
    await each_storage.mappings.update(paused.id, enabled=False, pause_reason="")
    other = await connected(each_storage, Service.YOUTUBE, "somebody", person=5)
    moved = await each_storage.playlists.upsert(info("theirs", Service.YOUTUBE), other.id)
    await each_storage.mappings.update(login.id, right_playlist_id=moved.id)
    await each_storage.accounts.needs_login(other.id)
    groups = await failures.groups(WEEK)
    assert sorted(brief(groups)) == [
        ("wait", "login_needed", 1),
        ("wait", "mapping_paused", 1),
        ("wait", "quota_spent", 2),
    ]
    waits = next(group for group in groups if group.reason == "quota_spent")
    assert waits.until == clock.now() + 5 * HOUR
    rows = await exported(failures, WEEK)
    assert sorted(row["reason"] for row in rows) == ["login_needed", "mapping_paused", "quota_spent", "quota_spent"]
    with pytest.raises(UserMistake, match="goes on by itself"):
        await failures.retry(replace(WEEK, kind=FailureKind.WAIT, reason="quota_spent"), 7)
    await each_storage.mappings.update(
        paused.id, enabled=False, pause_reason="The YouTube playlist “x” is gone, or this account may no longer use it."
    )
    assert ("wait", "playlist_gone", 1) in brief(await failures.groups(WEEK))
    clock.advance(6 * HOUR)
    assert "quota_spent" not in [group.reason for group in await failures.groups(WEEK)]


async def test_a_doubtful_write_waits_for_its_read_back(
    each_storage: Storage, failures: Failures, clock: FakeClock
) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    now = clock.now()
    [item] = await each_storage.items.claim_due(
        now, now + HOUR, "w", limit=1, mapping_id=mapping.id, service=Service.YOUTUBE
    )
    await each_storage.items.to_unknown([item.id], "w", not_before=now, last_error="no answer")
    assert brief(await failures.groups(WEEK)) == [("wait", "unknown_outcome", 1)]
    assert [row["reason"] for row in await exported(failures, WEEK)] == ["unknown_outcome"]


async def test_a_login_that_is_back_ends_the_wait(each_storage: Storage, failures: Failures) -> None:
    mapping = await mapped(each_storage)
    await ended(each_storage, mapping, ["a"], "This account is not logged in", ItemStatus.PENDING)
    assert brief(await failures.groups(WEEK)) == [("wait", "login_needed", 1)]
    await each_storage.items.wake(mapping_id=mapping.id)
    assert await failures.groups(WEEK) == []
    assert [item.reason for item in await each_storage.items.open_of_mapping(mapping.id)] == [""]


async def test_a_group_is_retried_whole_but_nothing_twice(
    each_storage: Storage, failures: Failures, clock: FakeClock
) -> None:
    mapping = await mapped(each_storage)
    await ended(each_storage, mapping, [f"t{number}" for number in range(5)], REFUSED)
    await ended(each_storage, mapping, ["t0"], REFUSED)  # failed twice: one effect
    await ended(each_storage, mapping, ["x"], NO_LEAVE)
    await queued(each_storage, mapping, "t1")  # in the queue already
    refused = replace(WEEK, kind=FailureKind.ITEM, reason="refused:http_400")
    assert (await failures.group(refused)).count == 6
    retried = await failures.retry(refused, 7)
    assert retried.items == 4
    waiting = await each_storage.items.open_of_mapping(mapping.id)
    assert sorted(item.source_track_id for item in waiting) == ["t0", "t1", "t2", "t3", "t4"]
    assert {item.reason for item in waiting} == {""}
    assert ("item", "no_permission", 1) in brief(await failures.groups(WEEK))
    await ended(each_storage, mapping, ["t2x"], REFUSED)
    await failures.retry(refused, 7)
    with pytest.raises(UserMistake, match="left"):
        await failures.retry(refused, 7)


async def test_a_retry_goes_batch_by_batch_to_the_end(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await ended(each_storage, mapping, [f"t{number}" for number in range(7)], REFUSED)
    since, last, counts = clock.now() - DAY, 0, []
    while last is not None:
        count, last = await each_storage.failures.retry_items(WEEK, since, after_id=last, limit=3)
        counts.append(count)
    assert counts == [3, 3, 1]


async def test_tracks_without_a_counterpart_are_looked_for_again_as_a_group(
    each_storage: Storage, failures: Failures, clock: FakeClock
) -> None:
    mapping = await mapped(each_storage)
    await ended(each_storage, mapping, ["a"], "low_confidence: title 0.8", ItemStatus.BLACKLISTED)
    [item] = await each_storage.items.list_of_guild(GUILD, [ItemStatus.BLACKLISTED])
    low, failed = BlacklistReason.LOW_CONFIDENCE, BlacklistReason.SEARCH_FAILED
    await each_storage.blacklist.put(mapping.id, track("a"), low, "title 0.8", (), item.id, clock.now())
    await each_storage.blacklist.put(mapping.id, track("b"), failed, "nothing", (), None, clock.now())
    await each_storage.mappings.update(mapping.id, last_analysed_at=clock.now())
    groups = await failures.groups(WEEK)
    assert brief(groups) == [("review", "low_confidence", 1), ("review", "search_failed", 1)]
    assert groups[0].services == (Service.YOUTUBE,)
    example = await failures.example(replace(WEEK, kind=FailureKind.REVIEW, reason="low_confidence"))
    assert example.row is not None
    assert example.row.track_id == "a"
    await failures.retry(replace(WEEK, kind=FailureKind.REVIEW, reason="low_confidence"), 7)
    assert [each.source_track_id for each in await each_storage.items.open_of_mapping(mapping.id)] == ["a"]
    kept = await each_storage.mappings.get(mapping.id)
    assert kept is not None
    assert kept.last_analysed_at == clock.now()
    await failures.retry(replace(WEEK, kind=FailureKind.REVIEW, reason="search_failed"), 7)
    again = await each_storage.mappings.get(mapping.id)
    assert again is not None
    assert again.last_analysed_at is None


async def test_an_export_holds_exactly_the_group(each_storage: Storage, failures: Failures, clock: FakeClock) -> None:
    mapping = await mapped(each_storage, "Trip")
    await ended(each_storage, mapping, ["a", "b"], REFUSED)
    await ended(each_storage, mapping, ["c"], NO_LEAVE)
    await ran_into(each_storage, mapping, NO_LEAVE)
    every = await exported(failures, WEEK)
    assert [(row["kind"], row["title"]) for row in every] == [
        (FailureKind.ITEM, "Title of a"),
        (FailureKind.ITEM, "Title of b"),
        (FailureKind.ITEM, "Title of c"),
        (FailureKind.RUN, ""),
    ]
    [row] = await exported(failures, replace(WEEK, kind=FailureKind.ITEM, reason="no_permission"))
    assert (row["mapping"], row["error"], row["at"]) == ("Trip", NO_LEAVE, clock.now())


@pytest.mark.parametrize(
    "wanted", [WEEK, replace(WEEK, kind=FailureKind.RUN, reason="", mapping_id=4), replace(WEEK, window=HOUR)]
)
def test_a_filter_survives_being_saved(wanted: FailureFilter) -> None:
    assert from_json({"v": 1, **wanted.as_json()}, GUILD) == wanted


async def exported(failures: Failures, wanted: FailureFilter) -> list[Any]:
    return [row async for page in failures.pages(wanted) for row in page]
