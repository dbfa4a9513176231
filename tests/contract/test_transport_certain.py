"""Answers that make certain that nothing happened: waits, pauses, one refresh, a quota that is called spent."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.engine.quota import Quota, QuotaLimits
from bot.model.account import AccountStatus
from bot.model.errors import Bug, LoginNeeded, QuotaSpent, RetryLater, ServicePaused
from bot.model.events import AccountNeedsLogin, Event, ServiceSilent
from bot.model.music import Service
from bot.model.quota import Bucket
from bot.services.config import ServiceConfig
from bot.services.protocol import MusicService
from bot.services.registry import MusicServices
from bot.services.sending import Sending, Workers
from tests.contract.misbehaving import Misbehaving
from tests.contract.music_room import Room, music_room
from tests.contract.test_transport_writes import PLAYLIST, TRACK, linked

DONE = (200, {}, {"id": "made", "snapshot_id": "new"})
TOKEN = (200, {}, {"access_token": "second", "expires_in": 3600, "token_type": "Bearer"})


def too_many(seconds: float | None, reason: str = "") -> tuple[int, dict[str, str], object]:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return 429, headers, {"error": {"status": 429, "message": "slow", **({"reason": reason} if reason else {})}}


def google(status: int, reason: str) -> tuple[int, dict[str, str], object]:
    return status, {}, {"error": {"code": status, "errors": [{"reason": reason}]}}


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    opened = Misbehaving()
    yield opened
    opened.close()


@pytest.fixture
def config(server: Misbehaving) -> ServiceConfig:
    return ServiceConfig(
        spotify_client_id="id",
        spotify_client_secret="hush",
        google_client_id="id",
        google_client_secret="secret",
        spotify_api_url=f"{server.url}/v1",
        spotify_accounts_url=server.url,
        youtube_api_url=server.url,
        google_token_url=f"{server.url}/token",
        connect_seconds=1,
        read_seconds=2,
    )


@pytest.fixture
async def room(sqlite_url: str, config: ServiceConfig) -> AsyncIterator[Room]:
    async with music_room(sqlite_url, config) as opened:
        yield opened


@pytest.fixture
async def spotify(room: Room) -> MusicService:
    return await room.services.for_account(await linked(room, Service.SPOTIFY))


@pytest.fixture
async def youtube(room: Room) -> MusicService:
    return await room.services.for_account(await linked(room, Service.YOUTUBE))


async def test_a_short_wait_is_sat_out_by_the_clock_and_the_call_sent_and_charged_again(
    spotify: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [too_many(7), DONE]
    await spotify.add(PLAYLIST, [TRACK])
    assert room.clock.slept == [7]
    assert len(server.commits) == 2
    assert await room.ledger() == {("spotify.calls", "playlist.items.add"): 2}


async def test_a_short_wait_holds_back_other_calls_of_the_service_but_not_the_other_service(
    spotify: MusicService, youtube: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [too_many(40), DONE]
    await spotify.add(PLAYLIST, [TRACK])
    assert room.clock.slept == [40]
    server.answers = [too_many(40), DONE]
    slept = asyncio.Event()
    go_on = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.set()
        await go_on.wait()
        room.clock.advance(seconds)

    room.clock.sleep = sleep  # type: ignore[method-assign]
    waiting = asyncio.create_task(spotify.add(PLAYLIST, [TRACK]))
    await slept.wait()
    also_waiting = asyncio.create_task(spotify.add(PLAYLIST, [TRACK]))
    await youtube.add(PLAYLIST, [TRACK])
    assert not waiting.done()
    assert not also_waiting.done()
    sent = len(server.commits)
    go_on.set()
    await asyncio.gather(waiting, also_waiting)
    assert len(server.commits) == sent + 2


async def test_a_call_that_is_turned_down_again_and_again_goes_back_to_the_queue(
    spotify: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [too_many(5)] * 10
    with pytest.raises(RetryLater) as caught:
        await spotify.add(PLAYLIST, [TRACK])
    assert caught.value.at == room.clock.now() + timedelta(seconds=5)
    assert len(server.commits) == 4


async def test_a_long_wait_pauses_the_whole_service_and_is_said_once(
    spotify: MusicService, server: Misbehaving, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    until = room.clock.now() + timedelta(hours=5)
    server.answers = [too_many(5 * 3600, "QUOTA_EXCEEDED")] * 5
    results = await asyncio.gather(*(spotify.add(PLAYLIST, [TRACK]) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, ServicePaused) and result.until == until for result in results)
    assert [fact for fact in room.facts if isinstance(fact, ServiceSilent)] == [
        ServiceSilent(service=Service.SPOTIFY, until=until, reason="QUOTA_EXCEEDED")
    ]
    assert [line.message for line in caplog.records].count(Event.SERVICE_PAUSED) == 1
    sent = len(server.seen)
    with pytest.raises(ServicePaused):
        await spotify.playlists()
    assert len(server.seen) == sent
    assert room.clock.slept == []


async def test_a_pause_outlives_the_process_and_ends_by_itself(
    spotify: MusicService, youtube: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [too_many(3600)]
    with pytest.raises(ServicePaused):
        await spotify.add(PLAYLIST, [TRACK])
    await youtube.add(PLAYLIST, [TRACK])  # the other service goes on
    account = await linked(room, Service.SPOTIFY)
    quota = Quota(room.storage, room.clock, QuotaLimits())
    again = MusicServices(room.config, room.storage, quota, room.clock, room.facts.append)
    after_restart = await again.for_account(account)
    with pytest.raises(ServicePaused):
        await after_restart.add(PLAYLIST, [TRACK])
    room.clock.advance(3601)
    await after_restart.add(PLAYLIST, [TRACK])
    await spotify.add(PLAYLIST, [TRACK])
    await again.close()


async def test_a_paused_call_is_not_charged(spotify: MusicService, server: Misbehaving, room: Room) -> None:
    server.answers = [too_many(3600)]
    with pytest.raises(ServicePaused):
        await spotify.add(PLAYLIST, [TRACK])
    before = await room.ledger()
    with pytest.raises(ServicePaused):
        await spotify.add(PLAYLIST, [TRACK])
    assert await room.ledger() == before


async def test_a_refused_token_is_refreshed_once_and_the_write_sent_again(
    spotify: MusicService, server: Misbehaving
) -> None:
    server.answers = [(401, {}, {"error": {"status": 401}}), TOKEN, DONE]
    await spotify.add(PLAYLIST, [TRACK])
    assert [one.path.split("?")[0] for one in server.seen] == [
        f"/v1/playlists/{PLAYLIST}/items",
        "/api/token",
        f"/v1/playlists/{PLAYLIST}/items",
    ]
    assert server.seen[2].headers["authorization"] == "Bearer second"


@pytest.mark.parametrize("service", list(Service))
async def test_a_token_that_is_refused_again_needs_a_login(room: Room, server: Misbehaving, service: Service) -> None:
    account_id = await linked(room, service)
    adapter = await room.services.for_account(account_id)
    server.answers = [(401, {}, {"error": {}}), TOKEN, (401, {}, {"error": {}})]
    with pytest.raises(LoginNeeded) as caught:
        await adapter.add(PLAYLIST, [TRACK])
    assert caught.value.account_id == account_id
    account = await room.storage.accounts.get(account_id)
    assert account is not None
    assert account.status is AccountStatus.NEEDS_LOGIN
    assert len([fact for fact in room.facts if isinstance(fact, AccountNeedsLogin)]) == 1
    with pytest.raises(LoginNeeded):
        await adapter.add(PLAYLIST, [TRACK])
    assert len(server.seen) == 3


async def test_a_dead_grant_is_told_once_however_many_meet_it(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.YOUTUBE)
    adapter = await room.services.for_account(account_id)
    room.clock.advance(timedelta(days=31))
    server.answers = [(400, {}, {"error": "invalid_grant"})] * 20
    results = await asyncio.gather(*(adapter.add(PLAYLIST, [TRACK]) for _ in range(20)), return_exceptions=True)
    assert all(isinstance(result, LoginNeeded) for result in results)
    assert len([fact for fact in room.facts if isinstance(fact, AccountNeedsLogin)]) == 1
    assert await room.ledger() == {}


async def test_the_end_of_an_old_consent_does_not_end_the_login_that_replaced_it(
    room: Room, server: Misbehaving
) -> None:
    account_id = await linked(room, Service.SPOTIFY)
    room.clock.advance(timedelta(days=31))
    server.answers = [(400, {}, {"error": "invalid_grant"})]
    server.go_on.clear()
    asking = asyncio.create_task(room.services.tokens.access(account_id))
    assert await asyncio.to_thread(server.asked.wait, 5)
    assert await linked(room, Service.SPOTIFY, refresh_token="newer") == account_id
    server.go_on.set()
    with pytest.raises(RetryLater):
        await asking
    assert await room.services.tokens.access(account_id) == "access"


@pytest.mark.parametrize("answer", [(400, {}, {"error": "invalid_client"}), (503, {}, {}), too_many(9)])
async def test_a_refresh_that_fails_for_another_reason_ends_no_login(
    room: Room, server: Misbehaving, answer: tuple[int, dict[str, str], object]
) -> None:
    account_id = await linked(room, Service.SPOTIFY)
    room.clock.advance(timedelta(days=31))
    server.answers = [answer]
    with pytest.raises(RetryLater):
        await room.services.tokens.access(account_id)
    account = await room.storage.accounts.get(account_id)
    assert account is not None
    assert account.status is AccountStatus.CONNECTED


async def test_fifty_tasks_that_need_a_token_cause_one_refresh(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.SPOTIFY)
    room.clock.advance(timedelta(days=31))
    server.answers = [TOKEN]
    tokens = await asyncio.gather(*(room.services.tokens.access(account_id) for _ in range(50)))
    assert set(tokens) == {"second"}
    assert len(server.seen) == 1
    assert await room.services.tokens.access(account_id) == "second"
    assert len(server.seen) == 1


async def test_fifty_calls_with_a_refused_token_cause_one_refresh(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.SPOTIFY)
    server.answers = [TOKEN]
    tokens = await asyncio.gather(*(room.services.tokens.renew(account_id, "access") for _ in range(50)))
    assert set(tokens) == {"second"}
    assert len(server.seen) == 1


@pytest.mark.parametrize("service", list(Service))
async def test_a_rotated_refresh_token_is_stored_although_its_asker_gave_up(
    room: Room, server: Misbehaving, service: Service
) -> None:
    account_id = await linked(room, service)
    room.clock.advance(timedelta(days=31))
    server.answers = [(200, {}, {**TOKEN[2], "refresh_token": "rotated"})]  # type: ignore[dict-item]
    asking = asyncio.create_task(room.services.tokens.access(account_id))
    assert await asyncio.to_thread(server.asked.wait, 5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await room.services.tokens.access(account_id) == "second"
    assert (await room.storage.accounts.token(account_id)).refresh_token == "rotated"
    assert len(server.seen) == 1


async def test_a_rotated_refresh_token_is_stored_before_the_program_stops(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.SPOTIFY)
    room.clock.advance(timedelta(days=31))
    server.answers = [(200, {}, {**TOKEN[2], "refresh_token": "rotated"})]  # type: ignore[dict-item]
    asking = asyncio.create_task(room.services.tokens.access(account_id))
    assert await asyncio.to_thread(server.asked.wait, 5)
    asking.cancel()
    await room.services.close()
    assert (await room.storage.accounts.token(account_id)).refresh_token == "rotated"


async def test_an_answer_without_a_refresh_token_keeps_the_old_one(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.YOUTUBE)
    room.clock.advance(timedelta(days=31))
    server.answers = [TOKEN]
    await room.services.tokens.access(account_id)
    token = await room.storage.accounts.token(account_id)
    assert (token.access_token, token.refresh_token) == ("second", "refresh")
    assert token.expires_at == room.clock.now() + timedelta(hours=1)


async def test_a_refresh_tells_the_secret_in_a_header_to_spotify(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.SPOTIFY)
    server.answers = [TOKEN]
    await room.services.tokens.renew(account_id, "access")
    asked = server.seen[0]
    assert asked.headers["authorization"] == "Basic aWQ6aHVzaA=="
    assert b"grant_type=refresh_token" in asked.body
    assert b"hush" not in asked.body


async def test_a_quota_that_google_calls_spent_is_spent_until_midnight_pacific(
    youtube: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [google(403, "quotaExceeded")]
    with pytest.raises(QuotaSpent) as caught:
        await youtube.add(PLAYLIST, [TRACK])
    assert caught.value.bucket == Bucket.YOUTUBE_UNITS
    assert caught.value.until == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    with pytest.raises(QuotaSpent):
        await youtube.add(PLAYLIST, [TRACK])
    assert len(server.seen) == 1  # the second one was never sent
    room.clock.advance(caught.value.until - room.clock.now())
    await youtube.add(PLAYLIST, [TRACK])


async def test_a_spent_search_bucket_leaves_the_units_alone(
    youtube: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [google(403, "quotaExceeded")]
    with pytest.raises(QuotaSpent) as caught:
        await youtube.search("a song")
    assert caught.value.bucket == Bucket.YOUTUBE_SEARCH
    await youtube.add(PLAYLIST, [TRACK])


async def test_a_spent_quota_that_comes_as_429_is_not_sent_again(
    youtube: MusicService, server: Misbehaving, room: Room
) -> None:
    server.answers = [google(429, "quotaExceeded")]
    with pytest.raises(QuotaSpent):
        await youtube.search("a song")
    assert (len(server.seen), room.clock.slept) == (1, [])


@pytest.mark.parametrize("reason", ["invalidPlaylistItemPosition", "manualSortRequired"])
async def test_a_refused_position_is_a_new_charged_call_without_it(
    youtube: MusicService, server: Misbehaving, room: Room, reason: str
) -> None:
    server.answers = [google(400, reason), DONE]
    await youtube.add(PLAYLIST, [TRACK], position=900)
    assert [b'"position"' in one.body for one in server.commits] == [True, False]
    assert await room.ledger() == {("youtube.units", "playlistItems.insert"): 100}


async def test_a_video_that_the_playlist_has_already_counts_as_added(
    youtube: MusicService, server: Misbehaving
) -> None:
    server.answers = [google(409, "videoAlreadyInPlaylist")]
    await youtube.add(PLAYLIST, [TRACK])
    assert len(server.commits) == 1


async def test_a_failing_service_is_logged_once_and_once_when_it_is_back(
    spotify: MusicService, server: Misbehaving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.services")
    server.answers = [(503, {}, {})] * 6
    for _ in range(6):
        with pytest.raises(RetryLater):
            await spotify.whoami()
    server.read_answer = {"id": "me"}
    await spotify.whoami()
    await spotify.whoami()
    lines = [line.message for line in caplog.records]
    assert (lines.count(Event.SERVICE_FAILING), lines.count(Event.SERVICE_BACK)) == (1, 1)


async def test_an_account_whose_scopes_fall_short_needs_a_login(room: Room, server: Misbehaving) -> None:
    account_id = await linked(room, Service.SPOTIFY, scopes=("playlist-read-private",))
    adapter = await room.services.for_account(account_id)
    with pytest.raises(LoginNeeded) as caught:
        await adapter.playlists()
    assert caught.value.code == "scopes"
    assert server.seen == []
    with pytest.raises(LoginNeeded):
        await room.services.for_account(account_id)


async def test_one_charge_is_leave_for_one_request(server: Misbehaving, room: Room) -> None:
    workers = Workers(threads=1, timeout=(1, 1), now=room.clock.now)

    def twice(sending: Sending) -> None:
        sending.send("GET", server.url)
        sending.send("GET", server.url)

    with pytest.raises(Bug):
        await workers.run(twice, operation="twice")
    assert len(server.seen) == 1
    await workers.close()
