"""Runs, plans, leases, quota, reviews, logs and the small subjects, on both engines."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model.errors import Bug
from bot.model.guild import GuildSettings
from bot.model.item import ItemStatus
from bot.model.logline import JobType, Level, LogLine
from bot.model.mapping import Link, Side
from bot.model.matching import Candidate, Score, Verdict
from bot.model.plan import Add, Conflict, Cost, Guard, GuardKind, LinkChange, Move, Plan, Remove
from bot.model.quota import Bucket
from bot.model.review import BlacklistReason, BlacklistState
from bot.model.run import RunCounts, RunKind, RunStatus, Trigger
from storage import Storage
from storage.words import PlanState
from tests.clock import FakeClock
from tests.factories import GUILD, PERSON, mapped, queued, started, track

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_a_mapping_has_one_active_run_however_many_start(each_storage: Storage) -> None:
    mapping, other = await mapped(each_storage), await mapped(each_storage, "Other")
    now = each_storage.db.now()

    async def start(mapping_id: int) -> bool:
        return await each_storage.runs.start(RunKind.EXECUTION, mapping_id, Trigger.COMMAND, PERSON, now) is not None

    answers = await asyncio.gather(*(start(mapping.id) for _ in range(10)))
    assert sum(answers) == 1
    assert await start(other.id)
    active = await each_storage.runs.active_of_mapping(mapping.id)
    assert active is not None
    assert (active.status, active.actor_id, active.started_at) == (RunStatus.IN_PROGRESS, PERSON, now)
    assert len(await each_storage.runs.active(GUILD)) == 2
    assert await each_storage.runs.active(GUILD + 1) == []
    assert await each_storage.runs.finish(active.id, RunStatus.COMPLETED, now) is not None
    assert await each_storage.runs.finish(active.id, RunStatus.FAILED, now) is None, "a run ends once"
    assert await start(mapping.id)


async def test_a_run_of_an_unknown_mapping_is_refused(each_storage: Storage) -> None:
    with pytest.raises(Bug):
        await each_storage.runs.start(RunKind.ANALYSIS, 404, Trigger.SCHEDULE, 0, each_storage.db.now())


async def test_counts_add_up(each_storage: Storage) -> None:
    run = await started(each_storage, await mapped(each_storage))
    await asyncio.gather(*(each_storage.runs.add_counts(run.id, RunCounts(adds=1, failed=2)) for _ in range(10)))
    await each_storage.runs.add_counts(run.id, RunCounts())
    there = await each_storage.runs.get(run.id)
    assert there is not None
    assert there.counts == RunCounts(adds=10, failed=20)


async def test_silent_runs_are_failed_and_living_ones_are_not(each_storage: Storage, clock: FakeClock) -> None:
    dead, alive = [await started(each_storage, await mapped(each_storage, name)) for name in ("dead", "alive")]
    clock.advance(29 * 60)
    assert await each_storage.runs.heartbeat(alive.id, clock.now())
    clock.advance(2 * 60)
    [failed] = await each_storage.runs.fail_abandoned(clock.now(), timedelta(minutes=30))
    assert (failed.id, failed.status, failed.completed_at) == (dead.id, RunStatus.FAILED, clock.now())
    assert not await each_storage.runs.heartbeat(dead.id, clock.now())
    [other] = await each_storage.runs.fail_all_active(clock.now(), "the program was stopped")
    assert (other.id, other.error) == (alive.id, "the program was stopped")


async def test_recent_runs_are_the_guilds_own_newest_first(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    elsewhere = await started(each_storage, await mapped(each_storage, guild_id=GUILD + 1))
    runs = []
    for _ in range(3):
        run = await started(each_storage, mapping)
        runs.append(await each_storage.runs.finish(run.id, RunStatus.COMPLETED, clock.now()))
    assert await each_storage.runs.recent(GUILD, limit=2) == [runs[2], runs[1]]
    assert await each_storage.runs.of_mapping(mapping.id, limit=1) == [runs[2]]
    assert len(await each_storage.runs.recent(None)) == 4
    assert await each_storage.runs.get(elsewhere.id, GUILD) is None
    assert await each_storage.runs.get(elsewhere.id, GUILD + 1) == elsewhere


async def test_a_plan_comes_back_whole_and_is_taken_once(each_storage: Storage, clock: FakeClock) -> None:
    run = await started(each_storage, await mapped(each_storage))
    link = Link(mapping_id=1, left_track_id="a", right_track_id="A", written_side=Side.RIGHT)
    plan = Plan(
        mapping_id=1,
        adds=(Add(side=Side.RIGHT, source=track("a", artists=("夏", "b"), duration=1.5, fetched_at=clock.now())),),
        removes=(Remove(side=Side.LEFT, track=track("b"), surplus=True),),
        moves=(Move(side=Side.RIGHT, track=track("c"), origin=3, position=0),),
        renames=((Side.LEFT, "New name"),),
        conflicts=(Conflict(track=None, sentence="s"), Conflict(track=track("d"), sentence="t")),
        links=(LinkChange(before=link, after=None), LinkChange(before=None, after=link)),
        guard=Guard(kind=GuardKind.COLLAPSED_READ, sentence="g"),
        cost=Cost(youtube_units=50, done_at=clock.now()),
    )
    assert await each_storage.runs.plan(run.id) is None
    assert await each_storage.runs.plan_state(run.id) is None
    await each_storage.runs.save_plan(run.id, plan)
    assert await each_storage.runs.plan(run.id) == plan
    answers = await asyncio.gather(*(each_storage.runs.take_plan(run.id) for _ in range(6)))
    assert sum(answers) == 1
    assert not await each_storage.runs.take_plan(run.id, PlanState.CANCELLED)
    assert await each_storage.runs.plan_state(run.id) is PlanState.APPLIED


async def test_old_runs_go_when_nothing_refers_to_them(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    kept = await queued(each_storage, mapping, "a")
    shown = await started(each_storage, mapping)
    await each_storage.runs.save_plan(shown.id, Plan(mapping_id=mapping.id))
    await each_storage.runs.finish(shown.id, RunStatus.COMPLETED, clock.now())
    clock.advance(1)
    assert await each_storage.runs.delete_older(clock.now()) == 1
    assert await each_storage.runs.get(shown.id) is None
    assert await each_storage.runs.get(kept.id) is not None


async def test_a_playlist_has_one_writer(each_storage: Storage, clock: FakeClock) -> None:
    leases, until = each_storage.leases, clock.now() + timedelta(minutes=1)
    answers = await asyncio.gather(*(leases.take("youtube:q", f"w{n}", until, clock.now()) for n in range(10)))
    assert sum(answers) == 1
    holder = f"w{answers.index(True)}"
    assert await leases.take("youtube:q", holder, until, clock.now()), "the holder may take it again"
    assert await leases.take("youtube:other", "x", until, clock.now())
    assert await leases.extend("youtube:q", holder, until + HOUR)
    clock.advance(90)
    assert not await leases.take("youtube:q", "x", clock.now() + HOUR, clock.now())
    assert not await leases.release("youtube:q", "x")
    assert await leases.release("youtube:q", holder)
    assert await leases.take("youtube:q", "x", clock.now() + HOUR, clock.now())
    assert not await leases.extend("youtube:q", holder, until)
    assert await leases.clear() == 2


async def test_an_expired_lease_is_anybodys(each_storage: Storage, clock: FakeClock) -> None:
    assert await each_storage.leases.take("k", "dead", clock.now() + HOUR, clock.now())
    clock.advance(HOUR)
    assert await each_storage.leases.take("k", "next", clock.now() + HOUR, clock.now())
    assert not await each_storage.leases.extend("k", "dead", clock.now() + DAY)


async def test_quota_is_never_overspent_by_many_at_once(each_storage: Storage, clock: FakeClock) -> None:
    now = clock.now()

    async def spend(n: int) -> bool:
        return await each_storage.quota.spend(Bucket.YOUTUBE_UNITS, "insert", 50, 1, n % 3, now, now - HOUR, 1020)

    answers = await asyncio.gather(*(spend(n) for n in range(40)))
    assert sum(answers) == 20
    spent = await each_storage.quota.spent({Bucket.YOUTUBE_UNITS: now, Bucket.YOUTUBE_SEARCH: now})
    assert {bucket: one.units for bucket, one in spent.items()} == {
        Bucket.YOUTUBE_UNITS: 1000,
        Bucket.YOUTUBE_SEARCH: 0,
    }
    rows = await each_storage.quota.rows(now)
    assert sum(row.calls for row in rows) == 20
    assert {row.mapping_id for row in rows} == {0, 1, 2}


async def test_quota_comes_back_with_its_window(each_storage: Storage, clock: FakeClock) -> None:
    quota, start = each_storage.quota, clock.now()

    async def spend() -> bool:
        window = clock.now() - DAY
        return await quota.spend(Bucket.SPOTIFY_CALLS, "items", 1, 1, 0, clock.now(), window, 1)

    assert await spend()
    clock.advance(DAY + timedelta(minutes=59))
    assert not await spend(), "an hour that lies partly in the window counts whole"
    spent = await quota.spent({Bucket.SPOTIFY_CALLS: clock.now() - DAY})
    assert spent[Bucket.SPOTIFY_CALLS].oldest == start
    clock.advance(timedelta(minutes=1))
    assert await spend()
    assert await quota.delete_older(clock.now()) == 1


def _candidate(name: str) -> Candidate:
    score = Score(total=0.7, title=0.9, artist=0.5, gates=("length",), verdict=Verdict.REVIEW, reason="r")
    return Candidate(track=track(name, artists=("x",)), score=score)


async def test_a_track_without_counterpart_is_one_row_that_looks_ever_more_seldom(
    each_storage: Storage, clock: FakeClock
) -> None:
    mapping, song = await mapped(each_storage), track("a", artists=("A", "B"))
    failed, low = BlacklistReason.SEARCH_FAILED, BlacklistReason.LOW_CONFIDENCE
    waits = []
    for look in range(4):
        reason = failed if look else low
        row = await each_storage.blacklist.put(
            mapping.id, song, reason, "why", [_candidate("v"), _candidate("w")], 9, clock.now()
        )
        assert row.next_look_at is not None
        waits.append((row.next_look_at - clock.now()).days)
    assert waits == [1, 7, 30, 30]
    assert (row.looks, row.reason, row.artists, row.item_id) == (4, failed, ("A", "B"), 9)
    assert row.candidates == (_candidate("v"), _candidate("w"))
    assert await each_storage.blacklist.of_item(9) == row
    assert await each_storage.blacklist.open_of_mapping(mapping.id) == [row]
    assert await each_storage.blacklist.due_looks(clock.now() + timedelta(days=29)) == []
    assert await each_storage.blacklist.due_looks(clock.now() + timedelta(days=30)) == [row]


async def test_a_resolved_track_begins_anew(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    put = each_storage.blacklist.put
    row = await put(mapping.id, track("a"), BlacklistReason.SEARCH_FAILED, "", [], None, clock.now())
    assert await each_storage.blacklist.resolve_track(mapping.id, track("a"))
    assert not await each_storage.blacklist.resolve_track(mapping.id, track("a"))
    assert await each_storage.blacklist.open_of_mapping(mapping.id) == []
    again = await put(mapping.id, track("a"), BlacklistReason.SEARCH_FAILED, "", [], None, clock.now())
    assert (again.id, again.state, again.looks) == (row.id, BlacklistState.OPEN, 1)


async def test_what_a_person_dismissed_stays_out_of_sight_and_out_of_the_playlist(
    each_storage: Storage, clock: FakeClock
) -> None:
    mapping = await mapped(each_storage)
    put = each_storage.blacklist.put
    row = await put(mapping.id, track("a"), BlacklistReason.LOW_CONFIDENCE, "", [], None, clock.now())
    assert await each_storage.blacklist.dismiss(row.id)
    again = await put(mapping.id, track("a"), BlacklistReason.LOW_CONFIDENCE, "", [], None, clock.now())
    assert (again.state, again.next_look_at) == (BlacklistState.DISMISSED, None)
    assert await each_storage.blacklist.of_guild(GUILD) == []
    assert await each_storage.blacklist.of_guild(GUILD, BlacklistState.DISMISSED) == [again]
    assert await each_storage.blacklist.open_of_mapping(mapping.id) == [again]
    assert await each_storage.blacklist.due_looks(clock.now() + 99 * DAY) == []
    assert await each_storage.blacklist.look_now(row.id, clock.now())
    [due] = await each_storage.blacklist.due_looks(clock.now())
    assert due.state is BlacklistState.OPEN


async def test_not_on_that_service_is_never_looked_for_again(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    row = await each_storage.blacklist.put(
        mapping.id, track("a"), BlacklistReason.REJECTED_BY_USER, "", [], None, clock.now()
    )
    assert row.next_look_at is None


async def test_reviews_are_the_guilds_own_and_page(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    rows = [
        await each_storage.blacklist.put(
            mapping.id, track(name), BlacklistReason.SEARCH_FAILED, "", [], None, clock.now()
        )
        for name in "abcde"
    ]
    assert await each_storage.blacklist.of_guild(GUILD, offset=1, limit=2) == rows[1:3]
    assert await each_storage.blacklist.count_of_guild(GUILD) == 5
    assert await each_storage.blacklist.count_of_guild(GUILD + 1) == 0
    assert await each_storage.blacklist.get(rows[0].id, GUILD + 1) is None
    await each_storage.blacklist.passed_over(mapping.id, ["a", "b"], clock.now())
    await each_storage.blacklist.passed_over(mapping.id, ["a"], clock.now())
    there = await each_storage.blacklist.get(rows[0].id, GUILD)
    assert there is not None
    assert (there.skip_count, there.last_skipped_at) == (2, clock.now())
    await each_storage.mappings.remove(mapping.id)
    assert await each_storage.blacklist.of_guild(GUILD) == []


def _line(clock: FakeClock, message: str = "m", **fields: object) -> LogLine:
    plain = LogLine(at=clock.now(), level=Level.INFO, event="item.added", message=message, guild_id=GUILD)
    return replace(plain, **fields)  # type: ignore[arg-type]


async def test_log_lines_come_back_newest_first_and_only_the_guilds(each_storage: Storage, clock: FakeClock) -> None:
    lines = [_line(clock, f"line {n}", details={"n": n}, actor_id=PERSON, sync_item_id=n) for n in range(5)]
    elsewhere = [_line(clock, "elsewhere", guild_id=GUILD + 1), _line(clock, "system", guild_id=None)]
    await each_storage.logs.append([*lines, *elsewhere])
    await each_storage.logs.append([])
    page = await each_storage.logs.query(GUILD, limit=2)
    assert [line.message for line in page] == ["line 4", "line 3"]
    assert page[0] == replace(lines[4], id=page[0].id, details={"v": 1, "n": 4})
    older = await each_storage.logs.query(GUILD, before_id=page[-1].id)
    assert [line.message for line in older] == ["line 2", "line 1", "line 0"]
    assert len(await each_storage.logs.query(None)) == 7
    assert await each_storage.logs.get(page[0].id) == page[0]


async def test_log_filters_hold_together(each_storage: Storage, clock: FakeClock) -> None:
    await each_storage.logs.append(
        [
            _line(clock, "an info", run_id=1, mapping_id=2),
            _line(clock, "a Warning 100%", level=Level.WARN, run_id=1),
            _line(clock, "an error", level=Level.ERROR, event="bug", sync_item_id=3),
            _line(clock, "a person", job_type=JobType.USER_ACTION, actor_id=PERSON),
        ]
    )
    clock.advance(60)
    await each_storage.logs.append([_line(clock, "later")])

    async def found(**filters: object) -> list[str]:
        return [line.message for line in await each_storage.logs.query(GUILD, **filters)]  # type: ignore[arg-type]

    assert await found(least=Level.WARN) == ["an error", "a Warning 100%"]
    assert await found(least=Level.ERROR) == ["an error"]
    assert await found(run_id=1) == ["a Warning 100%", "an info"]
    assert await found(run_id=1, mapping_id=2) == ["an info"]
    assert await found(sync_item_id=3, events=["bug", "x"]) == ["an error"]
    assert await found(actor_id=PERSON) == await found(job_types=[JobType.USER_ACTION]) == ["a person"]
    assert await found(contains="wARN") == await found(contains="0%") == ["a Warning 100%"]
    assert await found(since=clock.now()) == ["later"]
    assert len(await found(until=clock.now())) == 4


async def test_a_message_is_cut_at_its_limit(each_storage: Storage, clock: FakeClock) -> None:
    await each_storage.logs.append([_line(clock, "x" * 5000)])
    [line] = await each_storage.logs.query(GUILD)
    assert line.message == "x" * 1024


async def test_retention_spares_what_people_did_for_thirty_days(each_storage: Storage, clock: FakeClock) -> None:
    did = _line(clock, "a person", job_type=JobType.USER_ACTION, actor_id=PERSON)
    await each_storage.logs.append([*(_line(clock) for _ in range(5)), did, _line(clock, guild_id=None)])
    clock.advance(8 * DAY)
    await each_storage.logs.append([_line(clock, "new")])
    before = clock.now() - 7 * DAY
    assert await each_storage.logs.delete_older(GUILD, before, batch=3) == 3
    assert await each_storage.logs.delete_older(GUILD, before, batch=3) == 2
    assert await each_storage.logs.delete_older(GUILD, before, batch=3) == 0
    assert [line.message for line in await each_storage.logs.query(GUILD)] == ["new", "a person"]
    assert await each_storage.logs.delete_older(None, before) == 1
    clock.advance(23 * DAY)
    assert await each_storage.logs.delete_older(GUILD, clock.now()) == 2


async def test_guild_settings_have_defaults_and_are_kept(each_storage: Storage) -> None:
    assert await each_storage.guilds.get(GUILD) == GuildSettings(guild_id=GUILD)
    chosen = GuildSettings(guild_id=GUILD, log_channel_id=2**62, timezone="Asia/Kolkata", retention_days=0, paused=True)
    await each_storage.guilds.save(GuildSettings(guild_id=GUILD, log_level="error"))
    await each_storage.guilds.save(chosen)
    assert await each_storage.guilds.get(GUILD) == chosen
    assert await each_storage.guilds.all() == [chosen]


async def test_guilds_with_log_lines_are_known_whether_they_chose_or_not(
    each_storage: Storage, clock: FakeClock
) -> None:
    chosen = GuildSettings(guild_id=GUILD, retention_days=3)
    await each_storage.guilds.save(chosen)
    await each_storage.guilds.save(GuildSettings(guild_id=GUILD + 7))
    await each_storage.logs.append([_line(clock, guild_id=guild) for guild in (GUILD, GUILD, GUILD + 1, None)])
    found = sorted(await each_storage.guilds.with_lines(), key=lambda settings: settings.guild_id)
    assert found == [chosen, GuildSettings(guild_id=GUILD + 1)]


async def test_a_service_is_silent_until_its_time(each_storage: Storage, clock: FakeClock) -> None:
    await each_storage.pauses.set("spotify", clock.now() + HOUR, "429")
    await each_storage.pauses.set("spotify", clock.now() + 2 * HOUR, "429 again")
    pause = await each_storage.pauses.get("spotify", clock.now() + HOUR)
    assert pause is not None
    assert (pause.until, pause.reason) == (clock.now() + 2 * HOUR, "429 again")
    assert await each_storage.pauses.all(clock.now()) == [pause]
    assert await each_storage.pauses.get("spotify", clock.now() + 2 * HOUR) is None
    assert await each_storage.pauses.get("youtube", clock.now()) is None
    assert await each_storage.pauses.clear("spotify")
    assert not await each_storage.pauses.clear("spotify")


async def test_tasks_keep_what_was_not_said_anew(each_storage: Storage, clock: FakeClock) -> None:
    await each_storage.tasks.note("scheduler", last_run=clock.now(), last_result="3 due")
    await each_storage.tasks.note("scheduler", next_run=clock.now() + HOUR, status="failed", last_error="e")
    await each_storage.tasks.note("retention")
    retention, scheduler = await each_storage.tasks.all()
    assert (retention.status, retention.last_run) == ("ok", None)
    assert (scheduler.last_run, scheduler.next_run) == (clock.now(), clock.now() + HOUR)
    assert (scheduler.status, scheduler.last_error, scheduler.last_result) == ("failed", "e", "3 due")


async def test_the_dashboard_counts_as_the_design_says(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await mapped(each_storage, "hidden", hidden=True)
    await mapped(each_storage, guild_id=GUILD + 1)
    ends = [ItemStatus.DONE, ItemStatus.DONE, ItemStatus.ERROR, ItemStatus.SKIPPED, ItemStatus.BLACKLISTED]
    ends += [ItemStatus.UNKNOWN, ItemStatus.CANCELLED]
    run = await queued(each_storage, mapping, *(f"t{n}" for n in range(9)))
    for item, end in zip(await each_storage.items.of_run(run.id), [*ends, None, "hold"], strict=True):
        if end is None:
            continue
        now = clock.now()
        [claimed] = await each_storage.items.claim_due(
            now, now + HOUR, "w", limit=1, mapping_id=mapping.id, service=item.service
        )
        if isinstance(end, ItemStatus):
            await each_storage.items.settle(claimed.id, "w", end, now=now)
    numbers = await each_storage.stats.dashboard(GUILD)
    assert (numbers.mappings_total, numbers.pending, numbers.running) == (1, 1, 2)
    assert (numbers.errors, numbers.skipped, numbers.done) == (1, 2, 2)
    assert [each.id for each in numbers.recent_runs] == [run.id]
    everybody = await each_storage.stats.dashboard(None)
    assert (everybody.mappings_total, everybody.done) == (2, 2)
    empty = await each_storage.stats.dashboard(GUILD + 5)
    assert (empty.mappings_total, empty.pending, empty.recent_runs) == (0, 0, ())
