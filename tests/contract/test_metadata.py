"""What rules ask for is looked up where it is known, within each server's limits, and never costs a run its end."""

import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.engine.facts import Metadata
from bot.engine.meter import count_outside, metered
from bot.model.events import Event
from bot.model.music import PlaylistEntry, Service, Track
from bot.model.rules import Facts, Field
from bot.sandbox import Sandbox, genres
from bot.services.cache import Cache, Kind, open_cache
from bot.services.metadata.opening import MetadataConfig, open_sources
from tests.contract.music_room import ALICE, NotingClock, Room, music_room, sandbox_config

GENRE = frozenset({Field.GENRE})


@pytest.fixture
def clock() -> NotingClock:
    return NotingClock()


@pytest.fixture
def sandbox(clock: NotingClock) -> Iterator[Sandbox]:
    with Sandbox.open(clock=clock.now) as opened:
        yield opened


@dataclass(kw_only=True)
class Desk:
    """Where the router asks."""

    room: Room
    sandbox: Sandbox
    cache: Cache
    metadata: Metadata
    account_id: int

    def calls(self, *services: str) -> int:
        return sum(len(self.sandbox.books.requests(one)) for one in services or _ALL)


_ALL = ("spotify", "youtube", "listenbrainz", "musicbrainz")


@asynccontextmanager
async def desk(url: str, sandbox: Sandbox, clock: NotingClock, folder: Path, **changed: object) -> AsyncIterator[Desk]:
    """One life of the program; ``changed`` replaces what the settings of the sources say."""
    values: dict[str, object] = {
        "contact": "owner@example.org",
        "listenbrainz_api_url": sandbox.listenbrainz_api_url,
        "musicbrainz_api_url": sandbox.musicbrainz_api_url,
        "read_seconds": 2.0,
    }
    config = MetadataConfig(**(values | changed))  # type: ignore[arg-type]
    async with (
        music_room(url, sandbox_config(sandbox), clock=clock) as room,
        open_cache(folder / "cache", clock) as cache,
        open_sources(config, clock, count_outside) as sources,
    ):
        accounts = await room.storage.accounts.of_user(ALICE)
        account = accounts[0] if accounts else await room.link(Service.SPOTIFY)
        metadata = Metadata(room.services, cache, sources)
        yield Desk(room=room, sandbox=sandbox, cache=cache, metadata=metadata, account_id=account.id)


@pytest.fixture
async def opened(sqlite_url: str, sandbox: Sandbox, clock: NotingClock, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(sqlite_url, sandbox, clock, tmp_path) as one:
        yield one


async def entries_of(desk: Desk, playlist_id: str) -> tuple[PlaylistEntry, ...]:
    service = await desk.room.services.for_account(desk.account_id)
    return (await service.content(playlist_id)).entries


def truth(sandbox: Sandbox, facts: Facts) -> tuple[str, ...]:
    return genres.of_track(sandbox.world.track(facts.track.external_id))


async def test_rules_about_what_entries_tell_cost_nothing(opened: Desk) -> None:
    entries = await entries_of(opened, opened.sandbox.world.known.road_trip)
    before = opened.calls()
    free = frozenset(Field) - {Field.GENRE, Field.POPULARITY}
    known = await opened.metadata.facts(entries, free, opened.account_id)
    assert opened.calls() == before
    assert (known.hits, known.misses, known.requests, known.degraded) == (0, 0, {}, frozenset())
    assert [facts.track for facts in known.facts] == [entry.track for entry in entries]


async def test_genres_come_from_the_artists_where_the_app_is_told_them(
    opened: Desk, sqlite_url: str, clock: NotingClock, tmp_path: Path
) -> None:
    sandbox = opened.sandbox
    sandbox.world.switches.extended_quota = True
    entries = await entries_of(opened, sandbox.world.known.everything)
    artists = {artist for entry in entries for artist in entry.track.artist_ids}
    before = opened.calls("spotify")
    with metered() as meter:
        known = await opened.metadata.facts(entries, GENRE | {Field.POPULARITY}, opened.account_id)
    calls = opened.calls("spotify") - before
    assert calls == -(-len(artists) // 50) + -(-len({entry.track.external_id for entry in entries}) // 50)
    assert known.requests["Spotify"] == calls
    assert meter.calls == sum(known.requests.values())
    by_spotify = [facts for facts in known.facts if truth(sandbox, facts)]
    assert len(by_spotify) > 150
    assert all(set(facts.genres or ()) == set(truth(sandbox, facts)) for facts in by_spotify)
    assert all(facts.popularity in range(101) for facts in known.facts)
    before = opened.calls()
    again = await opened.metadata.facts(entries, GENRE | {Field.POPULARITY}, opened.account_id)
    assert opened.calls() == before
    assert again.facts == known.facts
    assert (again.misses, again.requests) == (0, {})


async def test_without_batch_gets_others_are_asked_and_one_call_finds_that_out(opened: Desk) -> None:
    sandbox = opened.sandbox
    entries = await entries_of(opened, sandbox.world.known.everything)
    before = {one: opened.calls(one) for one in _ALL}
    with metered() as meter:
        known = await opened.metadata.facts(entries, GENRE, opened.account_id)
    spent = {one: opened.calls(one) - before[one] for one in _ALL}
    assert spent["spotify"] == 1
    assert known.requests == {
        "Spotify": 1,
        "ListenBrainz": spent["listenbrainz"],
        "MusicBrainz": spent["musicbrainz"],
    }
    assert meter.calls == sum(spent.values())
    assert spent["listenbrainz"] <= -(-len(entries) // 50) + -(-len(entries) // 200)
    told = [facts for facts in known.facts if facts.genres]
    assert len(told) > 0.8 * len([facts for facts in known.facts if truth(sandbox, facts)])
    assert all(set(facts.genres or ()) <= set(truth(sandbox, facts)) for facts in told)
    assert not any("seen live" in (facts.genres or ()) for facts in known.facts)
    assert known.degraded == frozenset()
    before_again = opened.calls()
    assert (await opened.metadata.facts(entries, GENRE, opened.account_id)).facts == known.facts
    assert opened.calls() == before_again


async def test_what_was_looked_up_survives_a_restart(
    sqlite_url: str, sandbox: Sandbox, clock: NotingClock, tmp_path: Path
) -> None:
    async with desk(sqlite_url, sandbox, clock, tmp_path) as first:
        entries = await entries_of(first, sandbox.world.known.road_trip)
        known = await first.metadata.facts(entries, GENRE, first.account_id)
    async with desk(sqlite_url, sandbox, clock, tmp_path) as second:
        before = second.calls("listenbrainz", "musicbrainz")
        again = await second.metadata.facts(entries, GENRE, second.account_id)
        assert second.calls("listenbrainz", "musicbrainz") == before
    assert again.facts == known.facts


async def test_the_servers_pace_is_kept(opened: Desk, clock: NotingClock) -> None:
    entries = await entries_of(opened, opened.sandbox.world.known.everything)
    for _ in range(3):
        await opened.metadata.facts(entries, GENRE, opened.account_id)
        await opened.cache.forget()
    for name in ("listenbrainz", "musicbrainz"):
        moments = [one.at for one in opened.sandbox.books.requests(name)]
        assert len(moments) > 1
        assert all(later - earlier >= timedelta(seconds=1) for earlier, later in itertools.pairwise(moments))
        assert all(one.status == 200 for one in opened.sandbox.books.requests(name))


async def test_who_wants_a_token_and_gets_none_is_named_and_isrcs_are_asked_elsewhere(
    opened: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = opened.sandbox
    sandbox.world.switches.listenbrainz_needs_token = True
    entries = await entries_of(opened, sandbox.world.known.everything)
    with caplog.at_level(logging.INFO):
        known = await opened.metadata.facts(entries, GENRE, opened.account_id)
        await opened.metadata.facts(entries, GENRE, opened.account_id)
    failing = [record for record in caplog.records if record.msg == Event.METADATA_FAILING]
    assert len(failing) == 1
    assert "user token" in failing[0].error  # type: ignore[attr-defined]
    assert opened.calls("listenbrainz") == 1
    told = [facts for facts in known.facts if facts.genres]
    assert len(told) > 10
    assert all(facts.track.isrc for facts in told)
    assert known.degraded == GENRE


async def test_a_token_is_brought_where_there_is_one(
    sqlite_url: str, sandbox: Sandbox, clock: NotingClock, tmp_path: Path
) -> None:
    sandbox.world.switches.listenbrainz_needs_token = True
    async with desk(sqlite_url, sandbox, clock, tmp_path, listenbrainz_token="t0k3n") as one:
        entries = await entries_of(one, sandbox.world.known.road_trip)
        known = await one.metadata.facts(entries, GENRE, one.account_id)
    assert known.degraded == frozenset()


@pytest.mark.parametrize("kind", ["503", "reset", "garbage", "truncated", "429"])
async def test_a_failing_source_leaves_its_field_unknown_says_so_once_and_comes_back(
    opened: Desk, clock: NotingClock, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    sandbox = opened.sandbox
    entries = await entries_of(opened, sandbox.world.known.road_trip)
    for name in ("listenbrainz", "musicbrainz"):
        sandbox.faults.next(name, "*", ".", kind, times=1000, retry_after=3600 if kind == "429" else None)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            known = await opened.metadata.facts(entries, GENRE, opened.account_id)
            assert known.degraded == GENRE
            assert all(facts.genres is None for facts in known.facts)
        assert opened.calls("listenbrainz", "musicbrainz") == 2  # left alone after the first failure
        sandbox.faults.clear()
        clock.advance(timedelta(hours=2))
        known = await opened.metadata.facts(entries, GENRE, opened.account_id)
    assert known.degraded == frozenset()
    assert sum(1 for facts in known.facts if facts.genres) > 30
    told = [record.msg for record in caplog.records]
    assert told.count(Event.METADATA_FAILING) == 2  # once for each
    assert told.count(Event.METADATA_BACK) == 2


async def test_a_short_wait_that_a_server_asks_for_is_sat_out(opened: Desk, clock: NotingClock) -> None:
    entries = await entries_of(opened, opened.sandbox.world.known.road_trip)
    opened.sandbox.faults.next("listenbrainz", "POST", "lookup", "429", retry_after=7)
    opened.sandbox.faults.next("musicbrainz", "GET", "recording", "503", retry_after=5)
    known = await opened.metadata.facts(entries, GENRE, opened.account_id)
    assert known.degraded == frozenset()
    assert any(6.5 < slept <= 7.5 for slept in clock.slept)


async def test_spotify_failing_degrades_only_what_nobody_else_tells(
    opened: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = opened.sandbox
    sandbox.world.switches.extended_quota = True
    entries = await entries_of(opened, sandbox.world.known.road_trip)
    sandbox.faults.next("spotify", "GET", "/v1/(artists|tracks)$", "503", times=10)
    known = await opened.metadata.facts(entries, GENRE | {Field.POPULARITY}, opened.account_id)
    assert Field.POPULARITY in known.degraded
    assert sum(1 for facts in known.facts if facts.genres) > 30
    assert [record.msg for record in caplog.records].count(Event.METADATA_FAILING) == 1


async def test_an_account_without_its_login_asks_the_others(opened: Desk) -> None:
    entries = await entries_of(opened, opened.sandbox.world.known.road_trip)
    known = await opened.metadata.facts(entries, GENRE, 4711)
    assert sum(1 for facts in known.facts if facts.genres) > 30
    assert known.degraded == GENRE  # some stayed open, and their artists might have told


async def test_videos_get_genre_year_and_album_by_the_artist_and_title_that_they_show(opened: Desk) -> None:
    asked = frozenset({Field.GENRE, Field.YEAR, Field.ALBUM})
    shown = [
        Track(
            service=Service.YOUTUBE, external_id="v1", title="Rick Astley - Never Gonna Give You Up (Official Video)"
        ),
        Track(service=Service.YOUTUBE, external_id="v2", title="Enter Sandman", channel="Metallica - Topic"),
        Track(service=Service.YOUTUBE, external_id="v3", title="my cat", channel="somebody"),
    ]
    entries = [PlaylistEntry(position=place, track=track) for place, track in enumerate(shown)]
    rick, metallica, cat = (await opened.metadata.facts(entries, asked, opened.account_id)).facts
    assert rick.track.release_date == "1987"
    assert rick.track.album == "Whenever You Need Somebody"
    assert metallica.genres is not None
    assert "heavy metal" in metallica.genres
    assert (cat.genres, cat.track.release_date) == (None, None)


async def test_nothing_leaves_the_house_where_the_owner_says_so(
    sqlite_url: str, sandbox: Sandbox, clock: NotingClock, tmp_path: Path
) -> None:
    async with desk(sqlite_url, sandbox, clock, tmp_path, enabled=False) as one:
        entries = await entries_of(one, sandbox.world.known.road_trip)
        known = await one.metadata.facts(entries, GENRE, one.account_id)
        assert one.calls("listenbrainz", "musicbrainz") == 0
    assert all(facts.genres is None for facts in known.facts)
    assert known.degraded == frozenset()


async def test_the_servers_are_told_who_asks(
    sandbox: Sandbox, sqlite_url: str, clock: NotingClock, tmp_path: Path
) -> None:
    """They refuse a User-Agent without an address."""
    async with desk(sqlite_url, sandbox, clock, tmp_path, contact="") as one:
        entries = await entries_of(one, sandbox.world.known.road_trip)
        await one.metadata.facts(entries, GENRE, one.account_id)
        assert {row.status for row in sandbox.books.requests("listenbrainz")} == {403}


async def test_tags_are_kept_for_a_week_and_can_be_dropped(opened: Desk, clock: NotingClock) -> None:
    entries = await entries_of(opened, opened.sandbox.world.known.road_trip)
    await opened.metadata.facts(entries, GENRE, opened.account_id)
    before = opened.calls("listenbrainz")
    clock.advance(timedelta(days=6, hours=23))
    await opened.metadata.facts(entries, GENRE, opened.account_id)
    assert opened.calls("listenbrainz") == before
    good_at = clock.now() + timedelta(hours=2)
    await opened.metadata.facts(entries, GENRE, opened.account_id, good_at=good_at)
    assert opened.calls("listenbrainz") > before
    before = opened.calls("listenbrainz")
    assert await opened.cache.forget(Kind.TAGS) > 80
    await opened.metadata.facts(entries, GENRE, opened.account_id)
    assert opened.calls("listenbrainz") > before
