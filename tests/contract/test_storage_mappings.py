"""Playlists, mappings, links, tracks, snapshots and remembered matches, on both engines."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model.errors import UserMistake
from bot.model.guild import GuildSettings
from bot.model.mapping import Direction, Link, LinkState, Order, Removals, Side
from bot.model.music import CandidateKind, PlaylistEntry, Service
from bot.model.plan import LinkChange
from bot.model.review import DecidedBy, MatchRow
from bot.model.run import RunStatus
from storage import Storage
from tests.clock import START, FakeClock
from tests.factories import GUILD, PERSON, connected, content, info, mapped, started, track


async def test_a_playlist_is_one_row_for_each_account(each_storage: Storage) -> None:
    mine = await connected(each_storage, Service.SPOTIFY)
    theirs = await connected(each_storage, Service.SPOTIFY, "other", person=PERSON + 1)
    first = await each_storage.playlists.upsert(info("p", name="Old"), mine.id)
    again = await each_storage.playlists.upsert(info("p", name="New", item_count=3), mine.id)
    other = await each_storage.playlists.upsert(info("p"), theirs.id)
    assert (again.id, again.name, again.item_count) == (first.id, "New", 3)
    assert other.id != first.id
    assert await each_storage.playlists.by_external(Service.SPOTIFY, "p") == again
    assert await each_storage.playlists.by_external(Service.SPOTIFY, "p", theirs.id) == other
    assert await each_storage.playlists.by_external(Service.YOUTUBE, "p") is None


async def test_only_a_full_read_sets_the_change_token(each_storage: Storage, clock: FakeClock) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    row = await each_storage.playlists.upsert(info("p", change_token="listed"), account.id)
    assert row.change_token == ""
    await each_storage.playlists.note_read(row.id, "read", 7, clock.now())
    await each_storage.playlists.remember_list(account.id, [info("p", change_token="newer", item_count=8)])
    await each_storage.playlists.upsert(info("p", change_token="newest", item_count=8), account.id)
    there = await each_storage.playlists.get(row.id)
    assert there is not None
    assert (there.change_token, there.item_count, there.fetched_at) == ("read", 8, clock.now())


async def test_autocomplete_offers_the_latest_list_in_any_script_and_case(each_storage: Storage) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    other = await connected(each_storage, Service.SPOTIFY, "other")
    names = ["Été 100%", "ÖLD songs", "夏の歌", "a_b", "axb"]
    infos = [info(f"p{n}", name=name, writable=n > 0) for n, name in enumerate(names)]
    await each_storage.playlists.remember_list(account.id, infos)
    await each_storage.playlists.remember_list(other.id, [info("q", name="été")])

    async def offered(text: str, *ids: int, limit: int = 25) -> list[str]:
        return [found.name for found in await each_storage.playlists.suggest(ids, text, limit)]

    assert await offered("éTÉ", account.id) == ["Été 100%"]
    assert await offered("öld", account.id) == ["ÖLD songs"]
    assert await offered("の", account.id) == ["夏の歌"]
    assert await offered("a_", account.id) == ["a_b"], "_ and % are letters here"
    assert await offered("0%", account.id) == ["Été 100%"]
    assert len(await offered("", account.id, other.id)) == 6
    assert len(await offered("", account.id, limit=2)) == 2
    assert await offered("") == []
    [found] = await each_storage.playlists.suggest([account.id], "100")
    assert not found.writable
    await each_storage.playlists.remember_list(account.id, infos[1:2])
    assert await offered("", account.id) == ["ÖLD songs"]


async def test_a_mapping_comes_back_as_it_was_added(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(
        each_storage,
        direction=Direction.TWO_WAY,
        removals=Removals.MIRROR,
        order=Order.KEEP,
        schedule="daily 18:00",
        max_adds=5,
        next_run_at=clock.now(),
        created_by=PERSON,
    )
    assert await each_storage.mappings.get(mapping.id) == mapping
    assert await each_storage.mappings.get(mapping.id, GUILD) == mapping
    assert await each_storage.mappings.get(mapping.id, GUILD + 1) is None, "another guild's"
    assert await each_storage.mappings.by_name(GUILD, " mIX ") == mapping
    assert await each_storage.mappings.by_name(GUILD + 1, "Mix") is None
    assert (mapping.left.service, mapping.right.service) == (Service.SPOTIFY, Service.YOUTUBE)
    assert (mapping.direction, mapping.order, mapping.max_adds) == (Direction.TWO_WAY, Order.KEEP, 5)


async def test_names_are_unique_in_a_guild_whatever_their_case(each_storage: Storage) -> None:
    mapping = await mapped(each_storage, "Straße")
    with pytest.raises(UserMistake, match="already"):
        await mapped(each_storage, "STRASSE")
    other = await mapped(each_storage, "Other")
    with pytest.raises(UserMistake, match="already"):
        await each_storage.mappings.update(other.id, name="straße")
    assert await each_storage.mappings.update(mapping.id, name="STRASSE") is not None, "its own name in another case"
    await mapped(each_storage, "Straße", guild_id=GUILD + 1)
    await each_storage.mappings.remove(mapping.id)
    assert (await mapped(each_storage, "Straße")).id > other.id, "a removed name is free, its id is not"


async def test_only_real_fields_of_a_mapping_change(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    changed = await each_storage.mappings.update(mapping.id, enabled=False, pause_reason="its owner left")
    assert changed is not None
    assert (changed.enabled, changed.pause_reason) == (False, "its owner left")
    with pytest.raises(TypeError, match="guild_id"):
        await each_storage.mappings.update(mapping.id, guild_id=1)


async def test_a_removed_mapping_is_nowhere_but_in_history(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    run = await started(each_storage, mapping)
    await each_storage.links.apply(mapping.id, [_new("a", "A")])
    assert await each_storage.mappings.remove(mapping.id)
    assert not await each_storage.mappings.remove(mapping.id)
    assert await each_storage.mappings.get(mapping.id) is None
    assert await each_storage.mappings.update(mapping.id, enabled=True) is None
    assert await each_storage.mappings.of_guild(GUILD) == []
    assert await each_storage.mappings.suggest(GUILD, "") == []
    assert await each_storage.mappings.due(START + timedelta(days=9)) == []
    assert await each_storage.mappings.using_account(mapping.left.account_id) == []
    assert await each_storage.links.of_mapping(mapping.id) == []
    assert await each_storage.runs.get(run.id) == run


async def test_what_is_due_is_enabled_scheduled_and_in_a_working_guild(each_storage: Storage, clock: FakeClock) -> None:
    now = clock.now()
    await mapped(each_storage, "later", next_run_at=now + timedelta(minutes=1))
    due = await mapped(each_storage, "due", next_run_at=now)
    overdue = await mapped(each_storage, "overdue", next_run_at=now - timedelta(days=1))
    new = await mapped(each_storage, "never run")
    await mapped(each_storage, "off", schedule="off", next_run_at=now)
    await mapped(each_storage, "paused", enabled=False, next_run_at=now)
    await mapped(each_storage, "elsewhere", guild_id=GUILD + 1, next_run_at=now)
    await each_storage.guilds.save(GuildSettings(guild_id=GUILD + 1, paused=True))
    assert [mapping.name for mapping in await each_storage.mappings.due(now)] == [new.name, overdue.name, due.name]
    assert await each_storage.mappings.next_due_at() == overdue.next_run_at
    assert len(await each_storage.mappings.all_enabled()) == 5


async def test_mappings_are_found_by_account_and_by_playlist(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    other = await mapped(each_storage, "Other", guild_id=GUILD + 1)
    assert await each_storage.mappings.using_account(mapping.left.account_id) == [mapping, other]
    assert await each_storage.mappings.using_account(404) == []
    assert await each_storage.mappings.touching(Service.YOUTUBE, mapping.right.external_id) == [mapping]


async def test_links_are_agreed_changed_and_forgotten_together(each_storage: Storage) -> None:
    mapping, other = await mapped(each_storage), await mapped(each_storage, "Other")
    await each_storage.links.apply(other.id, [_new("a", "A")])
    await each_storage.links.apply(mapping.id, [_new("a", "A"), _new("a", "A", 1), _new("b", "B")])
    one, two, three = await each_storage.links.of_mapping(mapping.id)
    reissued = replace(three, left_track_id="b2")
    gone = replace(two, state=LinkState.GONE_LEFT)
    changes = [
        LinkChange(before=one, after=None),
        LinkChange(before=two, after=gone),
        LinkChange(before=three, after=reissued),
        _new("c", "C"),
    ]
    for _ in range(2):  # the same again changes nothing
        await each_storage.links.apply(mapping.id, changes)
        found = {
            (link.left_track_id, link.right_track_id, link.occurrence, link.state)
            for link in await each_storage.links.of_mapping(mapping.id)
        }
        assert found == {
            ("a", "A", 1, LinkState.GONE_LEFT),
            ("b2", "B", 0, LinkState.ACTIVE),
            ("c", "C", 0, LinkState.ACTIVE),
        }
    assert len(await each_storage.links.of_mapping(other.id)) == 1


async def test_swapped_links_end_as_they_were_asked(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    await each_storage.links.apply(mapping.id, [_new("a", "A"), _new("b", "B")])
    a, b = await each_storage.links.of_mapping(mapping.id)
    swapped = [
        LinkChange(before=a, after=replace(a, left_track_id="b", right_track_id="B", suspect=True)),
        LinkChange(before=b, after=replace(b, left_track_id="a", right_track_id="A")),
    ]
    await each_storage.links.apply(mapping.id, swapped)
    kept = await each_storage.links.of_mapping(mapping.id)
    assert {(link.left_track_id, link.suspect) for link in kept} == {("a", False), ("b", True)}


async def test_the_catalogue_keeps_what_a_newer_answer_does_not_say(each_storage: Storage, clock: FakeClock) -> None:
    full = track(
        "v", Service.YOUTUBE, artists=("A", "B"), album="Al", duration=200.5, isrc="X1", explicit=False, views=2**40,
        channel="C", kind=CandidateKind.VIDEO, release_date="1999", track_number=3,
    )  # fmt: skip
    await each_storage.tracks.remember([full])
    await each_storage.tracks.remember([track("v", Service.YOUTUBE, title="New title", kind=CandidateKind.VIDEO)])
    kept = (await each_storage.tracks.get_many(Service.YOUTUBE, ["v", "unknown"]))["v"]
    assert kept == replace(full, title="New title", fetched_at=clock.now())
    assert await each_storage.tracks.by_isrc(Service.YOUTUBE, "X1") == [kept]


async def test_a_track_that_went_away_keeps_its_name(each_storage: Storage) -> None:
    await each_storage.tracks.remember([track("v", Service.YOUTUBE, title="Song", artists=("A",))])
    await each_storage.tracks.remember([track("v", Service.YOUTUBE, title="Deleted video", available=False)])
    kept = (await each_storage.tracks.get_many(Service.YOUTUBE, ["v"]))["v"]
    assert (kept.title, kept.artists, kept.available) == ("Song", ("A",), False)


async def test_the_catalogue_takes_thousands_of_tracks_and_the_strangest_titles(each_storage: Storage) -> None:
    strange = ["a\x00b", "\ud800 lonely", "‮right to left", "x" * 4000, "'; DROP TABLE tracks; --", ""]
    many = [track(f"t{n}") for n in range(3000)] + [track(f"s{n}", title=title) for n, title in enumerate(strange)]
    await each_storage.tracks.remember([*many, *many])
    kept = await each_storage.tracks.get_many(Service.SPOTIFY, [each.external_id for each in many])
    assert len(kept) == len(many)
    assert [kept[f"s{n}"].title for n in range(6)] == ["ab", "? lonely", *strange[2:]]


async def test_a_snapshot_gives_the_playlist_back_in_order(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    run = await started(each_storage, mapping)
    videos = [track(f"v{n}", Service.YOUTUBE) for n in (3, 1, 2, 1)]
    read = content("q", videos, Service.YOUTUBE)
    odd = PlaylistEntry(position=7, track=replace(videos[0], available=False), entry_id="entry7")
    read = replace(read, entries=(*read.entries, odd), skipped=3)
    await each_storage.snapshots.add(mapping.id, run.id, Side.RIGHT, content("q", [], Service.YOUTUBE), clock.now())
    clock.advance(60)
    await each_storage.snapshots.add(mapping.id, run.id, Side.RIGHT, read, clock.now())
    latest = await each_storage.snapshots.latest(mapping.id, Side.RIGHT)
    assert latest is not None
    assert (latest.info, latest.skipped) == (read.info, 3)
    shape = [(each.position, each.track.external_id, each.entry_id, each.track.available) for each in latest.entries]
    assert shape == [(e.position, e.track.external_id, e.entry_id, e.track.available) for e in read.entries]
    assert latest.entries[1].track.title == "Title of v1"
    assert await each_storage.snapshots.of_run(run.id, Side.RIGHT) == latest
    assert await each_storage.snapshots.latest(mapping.id, Side.LEFT) is None
    assert await each_storage.snapshots.latest_at(mapping.id, Side.RIGHT) == clock.now()


async def test_old_snapshots_go_but_the_newest_ten_of_each_side_stay(each_storage: Storage, clock: FakeClock) -> None:
    mapping, removed = await mapped(each_storage), await mapped(each_storage, "Gone")
    runs = []
    for number in range(12):
        run = await started(each_storage, mapping)
        runs.append(run.id)
        await each_storage.runs.finish(run.id, RunStatus.COMPLETED, clock.now())
        read = content(f"read {number}", [track("a")])
        for side in list(Side) if number else [Side.LEFT]:
            await each_storage.snapshots.add(mapping.id, run.id, side, read, clock.now())
        await each_storage.snapshots.add(removed.id, None, Side.LEFT, read, clock.now())
    await each_storage.mappings.remove(removed.id)
    young = await each_storage.snapshots.delete_older(clock.now())
    clock.advance(1)
    assert (young, await each_storage.snapshots.delete_older(clock.now())) == (0, 2 + 1 + 12)
    assert await each_storage.snapshots.latest(removed.id, Side.LEFT) is None
    for side in Side:
        kept = [await each_storage.snapshots.of_run(run_id, side) for run_id in runs]
        assert [one is not None for one in kept] == [False, False] + [True] * 10


def _answer(destination: str, *, guild_id: int = 0, by: DecidedBy = DecidedBy.MATCHER, day: int = 0) -> MatchRow:
    return MatchRow(
        parts={"v": 1, "title": 0.98, "gates": ["length"]},
        source_service=Service.SPOTIFY, source_id="a", destination_service=Service.YOUTUBE, destination_id=destination,
        guild_id=guild_id, decided_by=by, decided_at=START + timedelta(days=day), score=0.5, explanation="because",
    )  # fmt: skip


async def test_a_person_outranks_every_automatic_answer_in_their_guild(each_storage: Storage) -> None:
    matches = each_storage.matches
    assert await matches.remember(_answer("auto"))
    assert await matches.remember(_answer("mine", guild_id=GUILD, by=DecidedBy.PERSON))
    assert not await matches.remember(_answer("auto2", guild_id=GUILD)), "a person's answer stays"
    assert await matches.remember(_answer("auto3"))
    assert (await matches.find(Service.SPOTIFY, ["a", "b"], GUILD))["a"].destination_id == "mine"
    assert (await matches.find(Service.SPOTIFY, ["a"], GUILD + 1))["a"].destination_id == "auto3"
    assert await matches.find(Service.YOUTUBE, ["a"], GUILD) == {}
    assert await matches.remember(_answer("", guild_id=GUILD, by=DecidedBy.PERSON)), "people change their minds"
    assert (await matches.find(Service.SPOTIFY, ["a"], GUILD))["a"].destination_id == ""
    await matches.forget(Service.SPOTIFY, "a", Service.YOUTUBE, GUILD)
    assert (await matches.find(Service.SPOTIFY, ["a"], GUILD))["a"].destination_id == "auto3"


async def test_a_remembered_match_brings_its_track(each_storage: Storage, clock: FakeClock) -> None:
    await each_storage.matches.remember(replace(_answer("v"), track=track("v", Service.YOUTUBE, duration=100.0)))
    found = (await each_storage.matches.find(Service.SPOTIFY, ["a"], GUILD))["a"]
    assert found.track == track("v", Service.YOUTUBE, duration=100.0, fetched_at=clock.now())
    assert found.parts == {"v": 1, "title": 0.98, "gates": ["length"]}
    assert (found.score, found.explanation) == (0.5, "because")


async def test_automatic_answers_grow_stale_and_a_persons_do_not(each_storage: Storage) -> None:
    await each_storage.matches.remember(_answer("auto"))
    await each_storage.matches.remember(_answer("mine", guild_id=GUILD, by=DecidedBy.PERSON))
    old = await each_storage.matches.stale(Service.YOUTUBE, START + timedelta(days=30))
    assert [each.destination_id for each in old] == ["auto"]
    assert await each_storage.matches.stale(Service.SPOTIFY, START + timedelta(days=30)) == []
    assert await each_storage.matches.stale(Service.YOUTUBE, START) == []


async def test_stale_tracks_are_named_oldest_first(each_storage: Storage) -> None:
    old = [track(f"v{n}", Service.YOUTUBE, fetched_at=START - timedelta(days=n)) for n in range(3)]
    await each_storage.tracks.remember(old)
    assert await each_storage.tracks.stale(Service.YOUTUBE, START) == ["v2", "v1"]


def _new(left: str, right: str, occurrence: int = 0) -> LinkChange:
    link = Link(mapping_id=0, left_track_id=left, right_track_id=right, occurrence=occurrence)
    return LinkChange(before=None, after=link)
