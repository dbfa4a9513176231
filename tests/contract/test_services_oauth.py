"""Linking accounts: states, consent, tokens, and what people can get wrong."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bot.model.account import AccountStatus
from bot.model.errors import LoginNeeded, RetryLater, UserMistake
from bot.model.events import AccountLinked, AccountNeedsLogin
from bot.model.music import Service
from bot.sandbox import PEOPLE, Sandbox
from bot.services.config import ServiceConfig
from bot.services.oauth import BAD_STATE, STALE_STATE, USED_STATE
from tests.contract.music_room import ALICE, GUILD, NotingClock, Room, music_room, sandbox_config

BOTH = pytest.mark.parametrize("service", list(Service))


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


def external_id(service: Service, person: str = "alice") -> str:
    return PEOPLE[person].channel_id if service is Service.YOUTUBE else PEOPLE[person].spotify_account_id


@BOTH
async def test_a_consent_gives_a_pending_account_and_says_so(room: Room, service: Service) -> None:
    account = await room.consent(service)
    assert (account.status, account.external_id) == (AccountStatus.PENDING, external_id(service))
    assert (account.discord_user_id, account.guild_id, account.display_name) == (ALICE, GUILD, "Alice Marlow")
    (fact,) = room.facts
    assert isinstance(fact, AccountLinked)
    assert (fact.account_id, fact.discord_user_id, fact.service) == (account.id, ALICE, service)
    row = await room.storage.oauth.get(fact.state_id)
    assert row is not None
    assert row.interaction_token == "interaction"
    with pytest.raises(LoginNeeded):  # not before its person says that it is theirs
        await (await room.services.for_account(account.id)).playlists()


@BOTH
async def test_the_consent_page_is_asked_for_a_code_with_pkce_and_the_agreed_scopes(
    room: Room, service: Service
) -> None:
    state = await room.services.oauth.begin(service, ALICE, GUILD)
    url = await room.services.oauth.authorize_url(service, state)
    page = (
        room.config.google_auth_url if service is Service.YOUTUBE else f"{room.config.spotify_accounts_url}/authorize"
    )
    assert url.split("?")[0] == page
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["redirect_uri"] == f"http://127.0.0.1:8080/oauth/{service.value}/callback"
    assert (query["state"], query["response_type"], query["code_challenge_method"]) == (state, "code", "S256")
    assert len(query["code_challenge"]) == 43
    if service is Service.YOUTUBE:
        assert query["scope"] == "https://www.googleapis.com/auth/youtube"
        assert (query["access_type"], query["prompt"]) == ("offline", "consent")
    else:
        assert set(query["scope"].split()) == {
            "playlist-read-private",
            "playlist-read-collaborative",
            "playlist-modify-public",
            "playlist-modify-private",
            "user-library-read",
            "user-read-private",
        }


@BOTH
async def test_only_the_hash_of_a_state_is_kept_and_no_secret_in_the_clear(
    room: Room, sqlite_url: str, service: Service
) -> None:
    state = await room.services.oauth.begin(service, ALICE, GUILD, "the interaction's token")
    row = await room.storage.oauth.peek(hashlib.sha256(state.encode()).hexdigest())
    assert row is not None
    assert len(state) == 43  # 256 bits
    assert 43 <= len(row.verifier) <= 128
    database = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    kept = b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))
    assert hashlib.sha256(state.encode()).hexdigest().encode() in kept
    for secret in (state, row.verifier, "the interaction's token"):
        assert secret.encode() not in kept


@BOTH
async def test_a_state_is_good_once(room: Room, service: Service) -> None:
    state = await room.services.oauth.begin(service, ALICE, GUILD)
    code = await room.browse(service, state)
    await room.services.oauth.finish(service, state, code)
    for use in (room.services.oauth.finish(service, state, code), room.services.oauth.authorize_url(service, state)):
        with pytest.raises(UserMistake) as caught:
            await use
        assert caught.value.code == USED_STATE


async def test_a_state_used_twice_at_once_is_good_for_one(room: Room) -> None:
    state = await room.services.oauth.begin(Service.SPOTIFY, ALICE, GUILD)
    code = await room.browse(Service.SPOTIFY, state)
    finish = room.services.oauth.finish
    results = await asyncio.gather(*(finish(Service.SPOTIFY, state, code) for _ in range(5)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Account", *["UserMistake"] * 4]


@BOTH
async def test_a_state_is_stale_after_ten_minutes(room: Room, service: Service) -> None:
    state = await room.services.oauth.begin(service, ALICE, GUILD)
    room.clock.advance(timedelta(minutes=10))
    for use in (room.services.oauth.finish(service, state, "code"), room.services.oauth.authorize_url(service, state)):
        with pytest.raises(UserMistake) as caught:
            await use
        assert caught.value.code == STALE_STATE


@BOTH
async def test_a_foreign_state_is_refused(room: Room, service: Service) -> None:
    of_the_other = await room.services.oauth.begin(service.other, ALICE, GUILD)
    for state in ("", "guess", of_the_other):
        with pytest.raises(UserMistake) as caught:
            await room.services.oauth.finish(service, state, "code")
        assert caught.value.code == BAD_STATE
    assert await room.services.oauth.authorize_url(service.other, of_the_other)  # still good for its own


@BOTH
async def test_a_made_up_code_links_nothing(room: Room, service: Service) -> None:
    state = await room.services.oauth.begin(service, ALICE, GUILD)
    with pytest.raises(UserMistake) as caught:
        await room.services.oauth.finish(service, state, "4/made-up+code&x=1")
    assert caught.value.code == "invalid_grant"
    assert await room.storage.accounts.of_user(ALICE) == []


@BOTH
async def test_a_code_of_another_consent_does_not_fit_the_verifier(room: Room, service: Service) -> None:
    first = await room.services.oauth.begin(service, ALICE, GUILD)
    second = await room.services.oauth.begin(service, 2002, GUILD)
    stolen = await room.browse(service, first)
    with pytest.raises(UserMistake):
        await room.services.oauth.finish(service, second, stolen)
    assert await room.storage.accounts.of_user(2002) == []


@BOTH
async def test_a_consent_that_was_refused_uses_its_state_up(room: Room, sandbox: Sandbox, service: Service) -> None:
    sandbox.world.switches.deny_consent = True
    state = await room.services.oauth.begin(service, ALICE, GUILD)
    url = await room.services.oauth.authorize_url(service, state)
    back = await asyncio.to_thread(requests.get, url, allow_redirects=False, timeout=10)
    assert "error=access_denied" in back.headers["Location"]
    await room.services.oauth.refuse(service, state)
    with pytest.raises(UserMistake) as caught:
        await room.services.oauth.finish(service, state, "code")
    assert caught.value.code == USED_STATE


async def test_the_end_of_the_consent_is_kept(room: Room) -> None:
    now = room.clock.now()
    google = await room.link(Service.YOUTUBE)
    assert google.token_dies_at == now + timedelta(days=7)  # an app in testing
    spotify = await room.link(Service.SPOTIFY)
    assert spotify.token_dies_at is not None
    assert timedelta(days=180) < spotify.token_dies_at - now <= timedelta(days=184)


@BOTH
async def test_a_dead_consent_needs_a_login_and_a_new_one_brings_the_account_back(
    room: Room, sandbox: Sandbox, service: Service
) -> None:
    account = await room.link(service)
    sandbox.world.revoke("alice")
    room.clock.advance(timedelta(hours=2))
    with pytest.raises(LoginNeeded):
        await (await room.services.for_account(account.id)).playlists()
    assert [fact.account_id for fact in room.facts if isinstance(fact, AccountNeedsLogin)] == [account.id]
    again = await room.consent(service)
    assert (again.id, again.status) == (account.id, AccountStatus.CONNECTED)
    assert await (await room.services.for_account(account.id)).playlists()


@BOTH
async def test_an_access_token_that_ends_is_refreshed_on_the_way(room: Room, service: Service) -> None:
    account = await room.link(service)
    adapter = await room.services.for_account(account.id)
    before = await room.storage.accounts.token(account.id)
    room.clock.advance(timedelta(hours=1))
    assert await adapter.playlists()
    after = await room.storage.accounts.token(account.id)
    assert after.access_token != before.access_token
    assert after.scopes == before.scopes


async def test_rotated_refresh_tokens_are_followed(room: Room, sandbox: Sandbox) -> None:
    sandbox.world.switches.rotate_refresh_tokens = True
    account = await room.link(Service.SPOTIFY)
    seen = {(await room.storage.accounts.token(account.id)).refresh_token}
    for _ in range(3):
        room.clock.advance(timedelta(hours=1))
        await room.services.tokens.access(account.id)
        seen.add((await room.storage.accounts.token(account.id)).refresh_token)
    assert len(seen) == 4


async def test_a_second_google_consent_without_a_refresh_token_keeps_the_first_one(room: Room) -> None:
    account = await room.link(Service.YOUTUBE)
    held = (await room.storage.accounts.token(account.id)).refresh_token
    state = await room.services.oauth.begin(Service.YOUTUBE, ALICE, GUILD)
    assert "prompt=" not in await room.services.oauth.authorize_url(Service.YOUTUBE, state)
    again = await room.services.oauth.finish(Service.YOUTUBE, state, await room.browse(Service.YOUTUBE, state))
    assert (again.id, again.status) == (account.id, AccountStatus.CONNECTED)
    assert (await room.storage.accounts.token(account.id)).refresh_token == held


async def test_a_revoked_google_consent_is_dead_at_google(room: Room) -> None:
    account = await room.link(Service.YOUTUBE)
    assert await room.services.oauth.revoke(account.id) is True
    room.clock.advance(timedelta(hours=2))
    with pytest.raises(LoginNeeded):
        await room.services.tokens.access(account.id)


async def test_a_consent_that_somebody_else_lives_on_is_not_revoked(room: Room) -> None:
    first = await room.link(Service.YOUTUBE)
    second = await room.consent(Service.YOUTUBE, "alice", user=2002)
    assert second.id != first.id
    assert await room.services.oauth.revoke(second.id) is False
    room.clock.advance(timedelta(hours=2))
    assert await room.services.tokens.access(first.id)


async def test_revoking_is_best_effort(room: Room, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    spotify = await room.link(Service.SPOTIFY)
    assert await room.services.oauth.revoke(spotify.id) is False
    google = await room.link(Service.YOUTUBE)
    sandbox.faults.next("google.accounts", "POST", "/revoke", "503")
    assert await room.services.oauth.revoke(google.id) is False
    assert any(line.levelno == logging.WARNING for line in caplog.records)
    assert await room.services.oauth.revoke(12345) is False


async def test_a_google_account_without_a_channel_is_told_so(room: Room) -> None:
    with pytest.raises(UserMistake, match=r"no YouTube channel") as caught:
        await room.consent(Service.YOUTUBE, "carol")
    assert caught.value.code == "youtubeSignupRequired"
    assert await room.storage.accounts.of_user(ALICE) == []


async def test_a_spotify_user_who_is_not_on_the_apps_list_is_told_so(room: Room) -> None:
    with pytest.raises(UserMistake, match="user list"):
        await room.consent(Service.SPOTIFY, "carol")
    assert await room.storage.accounts.of_user(ALICE) == []


@BOTH
async def test_a_silent_token_endpoint_is_tried_later_by_the_person(
    room: Room, sandbox: Sandbox, service: Service
) -> None:
    accounts = "google.accounts" if service is Service.YOUTUBE else "spotify.accounts"
    for kind in ("503", "close", "garbage", "truncated"):
        state = await room.services.oauth.begin(service, ALICE, GUILD)
        code = await room.browse(service, state)
        sandbox.faults.next(accounts, "POST", "token", kind)
        with pytest.raises(RetryLater):
            await room.services.oauth.finish(service, state, code)
    assert await room.storage.accounts.of_user(ALICE) == []


@BOTH
async def test_a_wrong_client_secret_is_the_owners_to_mend(
    sqlite_url: str, sandbox: Sandbox, clock: NotingClock, service: Service
) -> None:
    wrong = sandbox_config(sandbox, spotify_client_secret="wrong", google_client_secret="wrong")
    async with music_room(sqlite_url, wrong, clock=clock) as room:
        with pytest.raises(UserMistake, match="owner"):
            await room.consent(service)


async def test_a_service_that_is_not_set_up_says_so(sqlite_url: str) -> None:
    async with music_room(sqlite_url, ServiceConfig(spotify_client_id="only this")) as room:
        assert room.services.configured(Service.SPOTIFY)
        assert not room.services.configured(Service.YOUTUBE)
        with pytest.raises(UserMistake, match="YouTube is not set up"):
            await room.services.oauth.begin(Service.YOUTUBE, ALICE, GUILD)


@BOTH
async def test_no_secret_is_logged_while_an_account_is_linked_and_used(
    room: Room, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    account = await room.link(service)
    room.clock.advance(timedelta(hours=1))
    await (await room.services.for_account(account.id)).playlists()
    token = await room.storage.accounts.token(account.id)
    for secret in (token.access_token, token.refresh_token, "sandbox-spotify-secret", "sandbox-google-secret"):
        assert secret not in caplog.text
