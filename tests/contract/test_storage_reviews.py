"""The list of what waits for a person, and decisions that settle a track everywhere in its guild."""

import asyncio

from bot.model.matching import Candidate, Score, Verdict
from bot.model.music import Service
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState, DecidedBy, MatchRow, ReviewFilter
from storage import Storage
from tests.clock import FakeClock
from tests.factories import GUILD, PERSON, mapped, track

ALL = ReviewFilter()


async def put(
    storage: Storage,
    mapping_id: int,
    name: str,
    *totals: float,
    reason: BlacklistReason = BlacklistReason.LOW_CONFIDENCE,
    verdict: Verdict = Verdict.REVIEW,
) -> BlacklistRow:
    found = [
        Candidate(
            track=track(f"{name}{number}", Service.YOUTUBE),
            score=Score(total=total, title=1, artist=1, verdict=verdict),
        )
        for number, total in enumerate(totals)
    ]
    return await storage.blacklist.put(mapping_id, track(name), reason, "", found, None, storage.db.now())


def answer(row: BlacklistRow, destination: str, guild_id: int = GUILD, *, clock: FakeClock) -> MatchRow:
    return MatchRow(
        source_service=row.service,
        source_id=row.track_id,
        destination_service=row.service.other,
        destination_id=destination,
        guild_id=guild_id,
        decided_by=DecidedBy.PERSON,
        decided_by_user=PERSON,
        decided_at=clock.now(),
        track=track(destination, Service.YOUTUBE) if destination else None,
    )


async def test_cards_follow_each_other_by_age_over_all_mappings_and_under_a_filter(each_storage: Storage) -> None:
    one, two = await mapped(each_storage, "one"), await mapped(each_storage, "two")
    rows = [
        await put(each_storage, mapping.id, name) for name, mapping in zip("abcd", (one, two, one, two), strict=True)
    ]
    gone = await mapped(each_storage, "gone")
    await put(each_storage, gone.id, "z")
    await each_storage.mappings.remove(gone.id)
    elsewhere = await put(each_storage, (await mapped(each_storage, "x", guild_id=GUILD + 1)).id, "y")
    lists = each_storage.review_list
    walked, last = [], 0
    while row := await lists.after(GUILD, ALL, last):
        walked.append(row)
        last = row.id
    assert walked == rows
    assert await lists.before(GUILD, ALL, rows[2].id) == rows[1]
    assert await lists.before(GUILD, ALL, rows[0].id) is None
    assert await lists.before(GUILD + 1, ALL, 2**62) == elsewhere
    assert await lists.count(GUILD, ALL) == 4
    assert await lists.count(GUILD, ALL, through=rows[2].id) == 3
    assert await lists.last_id(GUILD, ALL) == rows[3].id
    assert await lists.last_id(GUILD + 2, ALL) == 0
    of_two = ReviewFilter(mapping_id=two.id)
    assert await lists.after(GUILD, of_two) == rows[1]
    assert await lists.after(GUILD + 1, of_two) is None, "another guild's mapping is not there"
    assert await lists.count(GUILD, ReviewFilter(reason=BlacklistReason.SEARCH_FAILED)) == 0
    await each_storage.blacklist.dismiss(rows[0].id)
    assert await lists.after(GUILD, ALL) == rows[1]


async def test_a_minimum_holds_rows_whose_best_candidate_nothing_rivals(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    sure = await put(each_storage, mapping.id, "sure", 0.9, 0.8)
    await put(each_storage, mapping.id, "low", 0.79)
    await put(each_storage, mapping.id, "rivalled", 0.95, 0.92)
    await put(each_storage, mapping.id, "rejected", 0.95, verdict=Verdict.REJECT)
    await put(each_storage, mapping.id, "nothing")
    later = await put(each_storage, mapping.id, "later", 0.9)
    lists = each_storage.review_list
    assert await lists.page(GUILD, ReviewFilter(minimum=0.8)) == [sure, later]
    assert await lists.page(GUILD, ReviewFilter(minimum=0.8, up_to=sure.id)) == [sure]
    offered = await each_storage.blacklist.offer(sure.id, (), BlacklistReason.SEARCH_FAILED, "no candidates")
    assert offered is not None
    assert (offered.candidates, offered.reason) == ((), BlacklistReason.SEARCH_FAILED)
    assert await lists.page(GUILD, ReviewFilter(minimum=0.8)) == [later]
    await each_storage.blacklist.dismiss(sure.id)
    assert await each_storage.blacklist.offer(sure.id, (), BlacklistReason.SEARCH_FAILED, "") is None


async def test_pages_and_parts_go_through_all_mappings_without_a_gap(each_storage: Storage) -> None:
    mappings = [await mapped(each_storage, name) for name in ("one", "two", "three")]
    rows = [
        await put(each_storage, mapping.id, f"{mapping.id}-{number}") for number in range(4) for mapping in mappings
    ]
    expected = sorted(rows, key=lambda row: (row.mapping_id, row.id))
    paged: list[BlacklistRow] = []
    place = (0, 0)
    while part := await each_storage.review_list.page(GUILD, ALL, place, 5):
        paged += part
        place = (part[-1].mapping_id, part[-1].id)
    assert paged == expected
    for offset in range(13):
        assert await each_storage.review_list.part(GUILD, ALL, offset, 5) == expected[offset : offset + 5]


async def test_a_choice_settles_the_track_in_every_mapping_of_its_guild_only(
    each_storage: Storage, clock: FakeClock
) -> None:
    one, two = await mapped(each_storage, "one"), await mapped(each_storage, "two")
    row, twin = await put(each_storage, one.id, "a", 0.9), await put(each_storage, two.id, "a")
    other = await put(each_storage, one.id, "b")
    elsewhere = await put(each_storage, (await mapped(each_storage, "x", guild_id=GUILD + 1)).id, "a")
    assert await each_storage.decisions.settle(row.id, answer(row, "v", GUILD + 1, clock=clock)) is None
    settled = await each_storage.decisions.settle(row.id, answer(row, "v", clock=clock))
    assert settled is not None
    assert [each.id for each in settled] == [row.id, twin.id]
    assert {each.state for each in settled} == {BlacklistState.RESOLVED}
    for untouched in (other, elsewhere):
        assert await each_storage.blacklist.get(untouched.id) == untouched
    found = await each_storage.matches.find(Service.SPOTIFY, ["a"], GUILD)
    assert (found["a"].destination_id, found["a"].decided_by_user) == ("v", PERSON)
    assert found["a"].track is not None
    assert await each_storage.decisions.settle(twin.id, answer(twin, "w", clock=clock)) is None
    assert (await each_storage.matches.find(Service.SPOTIFY, ["a"], GUILD))["a"].destination_id == "v"


async def test_never_is_kept_for_the_guild_and_keeps_the_track_out(each_storage: Storage, clock: FakeClock) -> None:
    one, two = await mapped(each_storage, "one"), await mapped(each_storage, "two")
    row = await put(each_storage, one.id, "a")
    await put(each_storage, two.id, "a")
    settled = await each_storage.decisions.settle(row.id, answer(row, "", clock=clock))
    assert settled is not None
    assert [(each.state, each.reason, each.next_look_at) for each in settled] == [
        (BlacklistState.DISMISSED, BlacklistReason.REJECTED_BY_USER, None)
    ] * 2
    assert len(await each_storage.blacklist.open_of_mapping(two.id)) == 1, "its track stays out"


async def test_of_many_who_decide_at_once_one_does(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    row = await put(each_storage, mapping.id, "a")
    names = [f"v{number}" for number in range(8)]
    settled = await asyncio.gather(
        *(each_storage.decisions.settle(row.id, answer(row, name, clock=clock)) for name in names),
        each_storage.blacklist.dismiss(row.id),
    )
    assert sum(bool(each) for each in settled) == 1
