"""What is Spotify's own: entries that are no tracks, both shapes, batches, searches by ISRC, and frugal reads."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.engine.quota import QuotaLimits
from bot.model.errors import Forbidden, NotFound, QuotaSpent
from bot.model.music import Service
from bot.sandbox import Sandbox
from bot.sandbox.catalogue import artist_id
from bot.services.protocol import DetailOf, MusicService
from tests.contract.music_room import NotingClock, Room, music_room, sandbox_config


@pytest.fixture
def clock() -> NotingClock:
    return NotingClock()


@pytest.fixture
def sandbox(clock: NotingClock) -> Iterator[Sandbox]:
    with Sandbox.open(clock=clock.now) as opened:
        yield opened


@pytest.fixture
async def room(sqlite_url: str, sandbox: Sandbox, clock: NotingClock) -> AsyncIterator[Room]:
    async with music_room(sqlite_url, sandbox_config(sandbox), clock=clock) as opened:
        yield opened


@pytest.fixture
async def spotify(room: Room) -> MusicService:
    return await room.as_alice(Service.SPOTIFY)


@pytest.mark.parametrize("legacy", [False, True])
async def test_both_shapes_are_read_alike(spotify: MusicService, sandbox: Sandbox, legacy: bool) -> None:
    sandbox.world.switches.legacy_shape = legacy
    known = sandbox.world.known
    content = await spotify.content(known.odd_ones)
    assert content.info.item_count == 6
    assert content.skipped == 3
    assert [entry.position for entry in content.entries] == [0, 1, 5]
    road_trip = await spotify.content(known.road_trip)
    assert [track.external_id for track in road_trip.tracks] == sandbox.world.spotify_items(known.road_trip)
    truth = {track.id: track for track in sandbox.world.tracks}
    for track in road_trip.tracks:
        real = truth[track.external_id]
        assert (track.title, track.artists) == (real.title, tuple(real.artists))
        assert track.isrc == (real.isrc.upper() if real.isrc else None)


async def test_a_followed_playlist_can_be_named_but_not_read(spotify: MusicService, sandbox: Sandbox) -> None:
    known = sandbox.world.known
    listed = {info.external_id: info for info in await spotify.playlists()}
    assert not listed[known.followed].writable
    assert listed[known.road_trip].writable
    with pytest.raises(Forbidden):
        await spotify.content(known.followed)
    with pytest.raises(NotFound):
        await spotify.content(known.editorial)


async def test_a_playlist_shared_for_writing_is_writable(spotify: MusicService, sandbox: Sandbox) -> None:
    world = sandbox.world
    shared = world.create_spotify_playlist("bob", "Ours", [world.tracks[0].id])
    world.adjust(shared, collaborative=True, collaborators=("alice",), followers=("alice",))
    info = await spotify.playlist(shared)
    assert info.writable
    await spotify.add(shared, [world.tracks[1].id])
    assert world.spotify_items(shared) == [world.tracks[0].id, world.tracks[1].id]


async def test_a_hundred_tracks_go_in_one_call_in_order(spotify: MusicService, sandbox: Sandbox, room: Room) -> None:
    made = await spotify.create("Hundred")
    ids = [track.id for track in sandbox.world.tracks[:100]]
    await spotify.add(made.external_id, ids)
    await spotify.add(made.external_id, [ids[7], ids[3]], position=50)
    assert sandbox.world.spotify_items(made.external_id) == [*ids[:50], ids[7], ids[3], *ids[50:]]
    assert (await room.ledger())["spotify.calls", "playlist.items.add"] == 2


async def test_a_removal_takes_every_copy(spotify: MusicService, sandbox: Sandbox) -> None:
    one, two = (track.id for track in sandbox.world.tracks[:2])
    playlist = sandbox.world.create_spotify_playlist("alice", "Doubled", [one, two, one])
    await spotify.remove(playlist, one)
    assert sandbox.world.spotify_items(playlist) == [two]


async def test_an_isrc_finds_its_recording(spotify: MusicService, sandbox: Sandbox) -> None:
    track = next(track for track in sandbox.world.tracks if track.isrc)
    found = await spotify.search(track.isrc, isrc=True)
    assert track.id in {one.external_id for one in found}
    assert all(one.from_isrc for one in found)
    assert await spotify.search("ZZZZZ0000000", isrc=True) == []


async def test_an_endless_query_is_cut(spotify: MusicService) -> None:
    assert isinstance(await spotify.search("word " * 400), list)


async def test_all_playlists_cost_one_call_once_the_person_is_known(
    spotify: MusicService, room: Room, sandbox: Sandbox
) -> None:
    await spotify.playlists()
    before = len(sandbox.books.requests("spotify"))
    account_id = (await room.storage.accounts.of_user(1001))[0].id
    for _ in range(3):
        again = await room.services.for_account(account_id)
        assert len(await again.playlists()) > 3
    assert len(sandbox.books.requests("spotify")) == before + 3


async def test_more_than_fifty_playlists_are_all_listed(spotify: MusicService, sandbox: Sandbox) -> None:
    made = {sandbox.world.create_spotify_playlist("alice", f"Number {number}", []) for number in range(60)}
    assert made <= {info.external_id for info in await spotify.playlists()}


@pytest.mark.parametrize(("extended", "calls"), [(True, 1), (False, 61)])
async def test_batch_gets_are_tried_once_and_used_where_they_are(
    spotify: MusicService, sandbox: Sandbox, room: Room, extended: bool, calls: int
) -> None:
    sandbox.world.switches.extended_quota = extended
    ids = [track.id for track in sandbox.world.tracks[:30]]
    before = len(sandbox.books.requests("spotify"))
    for _ in range(2):
        assert [track.external_id for track in await spotify.tracks(ids)] == ids
    spent = len(sandbox.books.requests("spotify")) - before
    assert spent == (2 if extended else calls)


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize(("of", "calls"), [(DetailOf.TRACKS, 3), (DetailOf.ARTISTS, 3), (DetailOf.ALBUMS, 6)])
async def test_details_come_in_full_batches_or_not_at_all(
    spotify: MusicService, sandbox: Sandbox, of: DetailOf, calls: int, extended: bool
) -> None:
    sandbox.world.switches.extended_quota = extended
    catalogue = sandbox.world.catalogue
    known = {DetailOf.TRACKS: catalogue.by_id, DetailOf.ARTISTS: catalogue.artists, DetailOf.ALBUMS: catalogue.by_album}
    ids = [*list(known[of])[:108], "0" * 22]
    before = len(sandbox.books.requests("spotify"))
    for _ in range(2):
        told = await spotify.details(of, ids)
        assert (None if told is None else set(told)) == (set(ids[:108]) if extended else None)
    assert len(sandbox.books.requests("spotify")) - before == (2 * calls if extended else 1)


async def test_details_tell_popularity_genres_and_dates(spotify: MusicService, sandbox: Sandbox) -> None:
    sandbox.world.switches.extended_quota = True
    track, metallica = sandbox.world.tracks[3], artist_id("Metallica")
    tracks = await spotify.details(DetailOf.TRACKS, [track.id])
    artists = await spotify.details(DetailOf.ARTISTS, [metallica])
    albums = await spotify.details(DetailOf.ALBUMS, [track.album_id])
    assert tracks is not None
    assert artists is not None
    assert albums is not None
    assert tracks[track.id].popularity in range(101)
    assert artists[metallica].genres == ("heavy metal", "thrash metal")
    assert albums[track.album_id].released == track.released


async def test_entries_name_their_artists_and_album_by_id(spotify: MusicService, sandbox: Sandbox) -> None:
    content = await spotify.content(sandbox.world.known.road_trip)
    track = content.tracks[0]
    told = sandbox.world.track(track.external_id)
    assert track.artist_ids == tuple(map(artist_id, told.artists))
    assert track.album_id == told.album_id


async def test_the_daily_calls_are_never_overspent(sqlite_url: str, sandbox: Sandbox, clock: NotingClock) -> None:
    limits = QuotaLimits(spotify_calls=3)
    async with music_room(sqlite_url, sandbox_config(sandbox), clock=clock, limits=limits) as room:
        spotify = await room.as_alice(Service.SPOTIFY)  # one call: who am I
        for _ in range(2):
            await spotify.search("x")
        with pytest.raises(QuotaSpent):
            await spotify.search("x")
        assert len(sandbox.books.requests("spotify")) == 3


async def test_a_playlist_that_is_edited_while_it_is_read_is_read_again_later(
    spotify: MusicService, sandbox: Sandbox
) -> None:
    everything = sandbox.world.known.everything
    before = await spotify.content(everything)
    sandbox.world.remove(everything, before.tracks[0].external_id)
    after = await spotify.content(everything)
    assert len(after.entries) == len(before.entries) - 1
    assert after.info.change_token != before.info.change_token
