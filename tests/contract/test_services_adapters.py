"""The same questions to both adapters, answered by the simulated services over HTTP."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from bot.model.errors import Forbidden, NotFound, Refused
from bot.model.music import Service
from bot.sandbox import PEOPLE, Sandbox
from bot.services.protocol import MusicService
from tests.contract.music_room import NotingClock, Room, music_room, sandbox_config


@dataclass(kw_only=True)
class Side:
    """One service, its adapter for alice, and a playlist of hers with five different tracks."""

    service: Service
    adapter: MusicService
    sandbox: Sandbox
    room: Room
    playlist: str
    held: list[str]
    spare: list[str]  # tracks that the playlist does not hold

    def now_held(self) -> list[str]:
        if self.service is Service.YOUTUBE:
            return self.sandbox.world.youtube_items(self.playlist)
        return self.sandbox.world.spotify_items(self.playlist)


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


@pytest.fixture(params=list(Service))
async def side(request: pytest.FixtureRequest, room: Room, sandbox: Sandbox) -> Side:
    service: Service = request.param
    world = sandbox.world
    tracks = [track.id for track in world.tracks[:8]]
    if service is Service.YOUTUBE:
        media = [sorted(world.right_videos(track.id))[0] for track in world.tracks if world.right_videos(track.id)][:8]
        playlist = world.create_youtube_playlist("alice", "Mine", media[:5])
    else:
        media = tracks
        playlist = world.create_spotify_playlist("alice", "Mine", media[:5])
    adapter = await room.as_alice(service)
    return Side(
        service=service,
        adapter=adapter,
        sandbox=sandbox,
        room=room,
        playlist=playlist,
        held=media[:5],
        spare=media[5:],
    )


async def test_whoami_names_the_immutable_account(side: Side) -> None:
    alice = PEOPLE["alice"]
    profile = await side.adapter.whoami()
    assert profile.account_id == (alice.channel_id if side.service is Service.YOUTUBE else alice.spotify_account_id)
    assert profile.display_name == "Alice Marlow"


async def test_own_playlists_come_with_change_tokens_and_are_writable(side: Side) -> None:
    found = {one.external_id: one for one in await side.adapter.playlists()}
    mine = found[side.playlist]
    assert (mine.name, mine.item_count, mine.writable) == ("Mine", 5, True)
    assert mine.change_token
    assert mine.change_token == (await side.adapter.playlist(side.playlist)).change_token


async def test_a_change_token_changes_with_a_write(side: Side) -> None:
    before = await side.adapter.playlist(side.playlist)
    await side.adapter.add(side.playlist, side.spare[:1])
    assert (await side.adapter.playlist(side.playlist)).change_token != before.change_token


async def test_entries_tell_when_they_were_put_there_and_where_the_service_knows_by_whom(
    side: Side, clock: NotingClock
) -> None:
    before = clock.now()
    await side.adapter.add(side.playlist, side.spare[:1])
    entry = (await side.adapter.content(side.playlist)).entries[-1]
    assert entry.added_at is not None
    assert abs((entry.added_at - before).total_seconds()) <= 1
    assert entry.added_by == (PEOPLE["alice"].spotify_id if side.service is Service.SPOTIFY else "")


async def test_content_holds_every_entry_in_order_with_its_length(side: Side) -> None:
    content = await side.adapter.content(side.playlist)
    assert [track.external_id for track in content.tracks] == side.held
    assert [entry.position for entry in content.entries] == [0, 1, 2, 3, 4]
    assert all(track.duration and track.available and track.title for track in content.tracks)
    assert content.skipped == 0
    assert all(bool(entry.entry_id) is (side.service is Service.YOUTUBE) for entry in content.entries)


async def test_an_added_track_stands_at_the_end_or_at_its_position(side: Side) -> None:
    await side.adapter.add(side.playlist, side.spare[:1])
    await side.adapter.add(side.playlist, side.spare[1:2], position=2)
    assert side.now_held() == [*side.held[:2], side.spare[1], *side.held[2:], side.spare[0]]


async def test_a_removed_track_is_gone_and_the_others_stay(side: Side) -> None:
    content = await side.adapter.content(side.playlist)
    entry = content.entries[1]
    await side.adapter.remove(side.playlist, entry.track.external_id, entry.entry_id)
    assert side.now_held() == [side.held[0], *side.held[2:]]


@pytest.mark.parametrize(("origin", "position"), [(0, 3), (3, 0), (4, 1), (1, 4), (2, 3)])
async def test_a_moved_track_stands_where_it_should(side: Side, origin: int, position: int) -> None:
    entry = (await side.adapter.content(side.playlist)).entries[origin]
    await side.adapter.move(side.playlist, entry.track.external_id, entry.entry_id, origin, position)
    expected = list(side.held)
    expected.insert(position, expected.pop(origin))
    assert side.now_held() == expected


async def test_copies_counts_what_the_playlist_holds_now(side: Side) -> None:
    world = side.sandbox.world
    world.add(side.playlist, side.held[0])
    assert await side.adapter.copies(side.playlist, [side.held[0], side.held[1], side.spare[0]]) == {
        side.held[0]: 2,
        side.held[1]: 1,
        side.spare[0]: 0,
    }


async def test_a_renamed_playlist_has_its_new_name(side: Side) -> None:
    await side.adapter.rename(side.playlist, "Ours, <b>and</b> ünïcode")
    assert (await side.adapter.playlist(side.playlist)).name == "Ours, <b>and</b> ünïcode"
    assert side.now_held() == side.held


async def test_a_created_playlist_is_empty_ours_and_found_again(side: Side) -> None:
    made = await side.adapter.create("Fresh", "made by a test")
    assert made.writable
    assert made.external_id in {one.external_id for one in await side.adapter.playlists()}
    assert (await side.adapter.content(made.external_id)).entries == ()


async def test_search_finds_the_track_with_its_length(side: Side) -> None:
    world = side.sandbox.world
    track = world.tracks[0]
    found = await side.adapter.search(f"{track.artists[0]} {track.title}")
    right = {track.id} if side.service is Service.SPOTIFY else world.right_videos(track.id)
    assert right & {one.external_id for one in found}
    assert len(found) <= 10
    assert all(one.duration for one in found if one.available)


async def test_tracks_by_id_come_back_and_unknown_ones_do_not(side: Side) -> None:
    unknown = "AAAAAAAAAAA" if side.service is Service.YOUTUBE else "0" * 22
    found = await side.adapter.tracks([*side.held[:2], unknown])
    assert [track.external_id for track in found if track.available] == side.held[:2]
    assert all(track.duration for track in found if track.available)


async def test_a_playlist_that_does_not_exist_is_not_found(side: Side) -> None:
    unknown = "PLxxxxxxxxxxxxxxxx" if side.service is Service.YOUTUBE else "0" * 22
    with pytest.raises(NotFound):
        await side.adapter.playlist(unknown)
    with pytest.raises(NotFound):
        await side.adapter.content(unknown)


async def test_writing_to_a_playlist_of_somebody_else_is_refused(side: Side) -> None:
    known = side.sandbox.world.known
    others = known.bobs_videos if side.service is Service.YOUTUBE else known.gym
    with pytest.raises((Forbidden, NotFound)):
        await side.adapter.add(others, side.spare[:1])
    assert (await side.adapter.playlist(others)).writable is False


async def test_a_track_that_does_not_exist_is_refused(side: Side) -> None:
    unknown = "AAAAAAAAAAA" if side.service is Service.YOUTUBE else "0" * 22
    with pytest.raises((Refused, NotFound)):
        await side.adapter.add(side.playlist, [unknown])
    assert side.now_held() == side.held


async def test_every_call_that_arrives_was_charged_with_the_price_it_has(side: Side) -> None:
    await side.adapter.content(side.playlist)
    await side.adapter.add(side.playlist, side.spare[:1])
    await side.adapter.search("some song")
    ledger = await side.room.ledger()
    books = side.sandbox.books
    if side.service is Service.YOUTUBE:
        assert sum(units for (bucket, _), units in ledger.items() if bucket == "youtube.units") == books.units()
        assert sum(units for (bucket, _), units in ledger.items() if bucket == "youtube.search") == books.searches()
        assert ledger["youtube.units", "playlistItems.insert"] == 50
    else:
        assert sum(ledger.values()) == len(books.requests("spotify"))
        assert ledger["spotify.calls", "playlist.items.add"] == 1
