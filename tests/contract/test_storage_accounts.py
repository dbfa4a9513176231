"""Accounts, their tokens and the logins under way, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.model.account import Account, AccountStatus, Token
from bot.model.errors import LoginNeeded
from bot.model.logline import JobType, Level, LogLine
from bot.model.music import Profile, Service
from storage import KeysUnusable, Storage, open_storage
from storage.oauth import StateRow
from tests.clock import FakeClock
from tests.conftest import KEY
from tests.factories import GUILD, PERSON, connected, info, mapped, started, token

NEWER = b"a newer key of storage in tests!"


async def linked(storage: Storage, external_id: str = "me", person: int = PERSON, access: str = "access") -> Account:
    profile = Profile(service=Service.SPOTIFY, account_id=external_id, display_name="Me")
    return await storage.accounts.add_pending(person, GUILD, profile, token(access), storage.db.now(), None)


async def test_an_account_is_used_only_after_its_person_confirmed_it(each_storage: Storage) -> None:
    account = await linked(each_storage)
    assert account.status is AccountStatus.PENDING
    assert account.scopes == ("a", "b")
    with pytest.raises(LoginNeeded):
        await each_storage.accounts.token(account.id)
    assert (await each_storage.accounts.token(account.id, unconfirmed=True)).access_token == "access"
    confirmed = await each_storage.accounts.confirm(account.id)
    assert confirmed is not None
    assert confirmed.status is AccountStatus.CONNECTED
    assert await each_storage.accounts.confirm(account.id) is None, "once"
    kept = await each_storage.accounts.token(account.id)
    assert (kept.access_token, kept.refresh_token, kept.scopes) == ("access", "refresh access", ("a", "b"))
    assert kept.expires_at == token().expires_at
    assert await each_storage.accounts.connected(Service.SPOTIFY) == [confirmed]
    assert await each_storage.accounts.connected(Service.YOUTUBE) == []


async def test_consents_that_were_never_confirmed_are_known(each_storage: Storage, clock: FakeClock) -> None:
    await connected(each_storage, Service.YOUTUBE)
    account = await linked(each_storage)
    assert await each_storage.accounts.pending_since(clock.now()) == []
    assert await each_storage.accounts.pending_since(clock.now() + timedelta(seconds=1)) == [account]


async def test_a_rejected_account_is_gone_with_its_token(each_storage: Storage) -> None:
    account = await linked(each_storage)
    assert await each_storage.accounts.reject(account.id)
    assert await each_storage.accounts.get(account.id) is None
    assert not await each_storage.accounts.reject(account.id)
    assert (await linked(each_storage)).id > account.id, "ids are never reused"


async def test_a_rejected_account_that_has_playlists_stays_without_its_token(each_storage: Storage) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    await each_storage.playlists.upsert(info("p"), account.id)
    await each_storage.accounts.disconnect(account.id)
    again = await linked(each_storage)
    assert (again.id, again.status) == (account.id, AccountStatus.PENDING)
    assert await each_storage.accounts.reject(account.id)
    there = await each_storage.accounts.get(account.id)
    assert there is not None
    assert there.status is AccountStatus.DISCONNECTED
    with pytest.raises(LoginNeeded):
        await each_storage.accounts.token(account.id, unconfirmed=True)


async def test_a_confirmed_account_cannot_be_rejected(each_storage: Storage) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    assert not await each_storage.accounts.reject(account.id)


async def test_a_new_login_of_a_known_account_is_connected_at_once(each_storage: Storage) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    assert await each_storage.accounts.needs_login(account.id)
    again = await linked(each_storage, access="new")
    assert (again.id, again.status) == (account.id, AccountStatus.CONNECTED)
    assert (await each_storage.accounts.token(account.id)).access_token == "new"


async def test_two_people_with_one_service_account_have_a_row_each(each_storage: Storage) -> None:
    mine = await connected(each_storage, Service.SPOTIFY)
    theirs = await linked(each_storage, person=PERSON + 1)
    assert theirs.id != mine.id
    assert theirs.status is AccountStatus.PENDING, "knowing somebody's account is not owning it"
    assert [account.id for account in await each_storage.accounts.of_user(PERSON)] == [mine.id]


async def test_a_dead_login_is_told_once(each_storage: Storage) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    assert await each_storage.accounts.needs_login(account.id)
    assert not await each_storage.accounts.needs_login(account.id)
    with pytest.raises(LoginNeeded) as needed:
        await each_storage.accounts.token(account.id)
    assert needed.value.account_id == account.id


async def test_a_refresh_that_comes_late_does_not_bring_a_login_back(each_storage: Storage) -> None:
    account = await connected(each_storage, Service.SPOTIFY)
    assert await each_storage.accounts.store_token(account.id, token("fresh"))
    assert (await each_storage.accounts.token(account.id)).access_token == "fresh"
    assert await each_storage.accounts.disconnect(account.id)
    assert not await each_storage.accounts.disconnect(account.id)
    assert not await each_storage.accounts.store_token(account.id, token("late"))
    with pytest.raises(LoginNeeded):
        await each_storage.accounts.token(account.id)


async def test_a_token_moved_to_another_row_does_not_open(each_storage: Storage) -> None:
    one, two = (
        await connected(each_storage, Service.SPOTIFY, "one"),
        await connected(each_storage, Service.SPOTIFY, "two"),
    )
    stolen = text("UPDATE accounts SET token = (SELECT token FROM accounts WHERE id = :a) WHERE id = :b")
    await each_storage.db.write(lambda connection: connection.execute(stolen, {"a": one.id, "b": two.id}))
    assert (await each_storage.accounts.token(one.id)).access_token == "access"
    with pytest.raises(LoginNeeded) as refused:
        await each_storage.accounts.token(two.id)
    assert refused.value.code == "token_unreadable"


async def test_tokens_are_not_readable_in_the_database(each_storage: Storage) -> None:
    account = await linked(each_storage, access="very-secret")
    raw = text("SELECT token FROM accounts WHERE id = :id")
    kept = await each_storage.db.read(lambda connection: connection.scalar(raw, {"id": account.id}))
    assert b"very-secret" not in bytes(kept)


async def test_keys_rotate(each_url: str, clock: FakeClock) -> None:
    async with open_storage(each_url, keys=[KEY], clock=clock) as storage:
        account = await connected(storage, Service.SPOTIFY)
    async with open_storage(each_url, keys=[NEWER, KEY], clock=clock) as storage:
        assert (await storage.accounts.token(account.id)).access_token == "access", "an older key still opens"
        assert await storage.accounts.reencrypt() == 1
        assert await storage.accounts.reencrypt() == 0
    async with open_storage(each_url, keys=[NEWER], clock=clock) as storage:
        assert (await storage.accounts.token(account.id)).access_token == "access"
    async with open_storage(each_url, keys=[KEY], clock=clock) as storage:
        with pytest.raises(LoginNeeded):
            await storage.accounts.token(account.id)
        assert await storage.accounts.reencrypt() == 0, "what no key opens is left as it is"


async def test_without_a_key_no_login_is_kept(each_url: str, clock: FakeClock) -> None:
    async with open_storage(each_url, clock=clock) as storage:
        with pytest.raises(KeysUnusable, match="SECRET_KEYS"):
            await linked(storage)
        assert await storage.accounts.of_user(PERSON) == []


async def test_forget_me_leaves_nothing_that_names_the_person(each_storage: Storage) -> None:
    mapping = await mapped(each_storage, created_by=PERSON)
    run = await started(each_storage, mapping)
    now = each_storage.db.now()
    theirs = await each_storage.accounts.of_user(PERSON)
    name = theirs[0].display_name
    line = LogLine(
        at=now,
        level=Level.INFO,
        event="account.confirmed",
        message=f"The account {name} is linked",
        job_type=JobType.USER_ACTION,
        guild_id=GUILD,
        actor_id=PERSON,
        details={"account": name},
    )
    await each_storage.logs.append([line])
    await each_storage.meta.keep_own_ids(theirs[0].external_id, frozenset({"me.name"}))
    owned = text("UPDATE playlists SET owner_id = 'me'")
    await each_storage.db.write(lambda connection: connection.execute(owned))
    await each_storage.oauth.put_state("hash", Service.SPOTIFY, PERSON, GUILD, "it", "ver", now + timedelta(minutes=9))
    assert await each_storage.accounts.forget_user(PERSON) == [account.id for account in theirs]
    assert await each_storage.accounts.of_user(PERSON) == []
    for account in theirs:
        forgotten = await each_storage.accounts.get(account.id)
        assert forgotten is not None
        assert (forgotten.discord_user_id, forgotten.display_name) == (0, "")
        assert forgotten.external_id != account.external_id
        with pytest.raises(LoginNeeded):
            await each_storage.accounts.token(account.id, unconfirmed=True)
    there = await each_storage.mappings.get(mapping.id)
    [kept] = await each_storage.logs.query(GUILD)
    assert there is not None
    assert (there.created_by, kept.actor_id, run.actor_id) == (0, None, 0)
    assert kept.message == "The account (forgotten) is linked"
    assert name
    assert name not in str(kept.details)
    assert await each_storage.meta.own_ids(theirs[0].external_id) == frozenset()
    named = text("SELECT COUNT(*) FROM playlists WHERE owner_id <> ''")
    assert await each_storage.db.read(lambda connection: connection.scalar(named)) == 0
    assert await each_storage.oauth.peek("hash") is None


async def test_a_person_who_was_forgotten_may_come_back(each_storage: Storage) -> None:
    before = await connected(each_storage, Service.SPOTIFY)
    await each_storage.accounts.forget_user(PERSON)
    assert (await connected(each_storage, Service.SPOTIFY)).id != before.id


async def test_a_state_is_used_once_and_in_time(each_storage: Storage, clock: FakeClock) -> None:
    put, ten = each_storage.oauth.put_state, clock.now() + timedelta(minutes=10)
    state_id = await put("hash", Service.YOUTUBE, PERSON, GUILD, "interaction", "verifier", ten)
    await put("late", Service.YOUTUBE, PERSON, GUILD, "interaction", "verifier", ten)
    peeked = await each_storage.oauth.peek("hash")
    taken = await each_storage.oauth.take_state("hash", clock.now())
    assert isinstance(taken, StateRow)
    assert peeked is not None
    assert (peeked.id, taken.id) == (state_id, state_id)
    assert (taken.interaction_token, taken.verifier, taken.discord_user_id) == ("interaction", "verifier", PERSON)
    assert await each_storage.oauth.take_state("hash", clock.now()) == "used"
    assert await each_storage.oauth.take_state("foreign", clock.now()) is None
    clock.advance(timedelta(minutes=10))
    assert await each_storage.oauth.take_state("late", clock.now()) == "stale"
    assert await each_storage.oauth.take_state("hash", clock.now()) == "used"
    kept = await each_storage.oauth.get(state_id)
    assert kept is not None
    assert kept.interaction_token == "interaction"


async def test_the_secrets_of_a_state_are_sealed_and_not_printed(each_storage: Storage, clock: FakeClock) -> None:
    later = clock.now() + timedelta(minutes=1)
    await each_storage.oauth.put_state("hash", Service.SPOTIFY, 1, 2, "interaction", "verifier", later)
    raw = await each_storage.db.read(lambda connection: connection.scalar(text("SELECT secrets FROM oauth_states")))
    state = await each_storage.oauth.peek("hash")
    assert b"verifier" not in bytes(raw)
    assert b"interaction" not in bytes(raw)
    assert "interaction" not in repr(state)
    assert "access" not in repr(Token(access_token="access", refresh_token="r", expires_at=later))


async def test_states_are_forgotten_a_day_after_their_time(each_storage: Storage, clock: FakeClock) -> None:
    async def put(name: str) -> None:
        await each_storage.oauth.put_state(name, Service.SPOTIFY, 1, 2, "", "", clock.now() + timedelta(minutes=10))

    await put("old")
    clock.advance(timedelta(days=2))
    await put("new")
    assert await each_storage.oauth.peek("old") is None
    assert await each_storage.oauth.peek("new") is not None
