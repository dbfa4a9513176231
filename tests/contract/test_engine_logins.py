"""A login that ends in the middle of a run makes its work wait, is told once, and goes on after a new login."""

from datetime import timedelta

import pytest

from bot.model.account import AccountStatus
from bot.model.errors import LoginNeeded, UserMistake
from bot.model.events import AccountNeedsLogin
from bot.model.item import ItemStatus
from bot.model.music import Service
from bot.model.run import RunStatus
from bot.sandbox import Sandbox
from tests.contract.engine_room import engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_engine_crashes import assert_each_once, start

SIGN_IN = {Service.SPOTIFY: "spotify", Service.YOUTUBE: "google"}  # where consents are given and taken back


class RevokeAt:
    """Takes the consent back just before the ``number``-th write."""

    def __init__(self, sandbox: Sandbox, service: str, number: int) -> None:
        self.sandbox = sandbox
        self.service = service
        self.left = number

    def __call__(self, point: str) -> None:
        if point == "before_intent":
            self.left -= 1
            if self.left == 0:
                self.sandbox.world.revoke("alice", self.service)


@pytest.mark.parametrize(("destination", "number"), [(Service.YOUTUBE, 3), (Service.SPOTIFY, 1)])
async def test_a_login_revoked_in_mid_run_waits_for_the_person_and_goes_on(
    destination: Service, number: int, sqlite_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        crash = RevokeAt(sandbox, SIGN_IN[destination], number)
        async with engine_room(sqlite_url, sandbox, clock, crash=crash) as engine:
            mapping = await start(engine, destination)
            await engine.executor.drain(mapping.id)
            told = [fact for fact in engine.facts if isinstance(fact, AccountNeedsLogin)]
            assert [(fact.discord_user_id, fact.service) for fact in told] == [(ALICE, destination)]
            waiting = await engine.items(mapping, ItemStatus.PENDING)
            assert waiting
            run = await engine.last_run(mapping)
            assert (run.status, run.counts.failed, run.counts.waiting) == (RunStatus.COMPLETED, 0, len(waiting))
            calls = engine.calls()
            clock.advance(timedelta(hours=5))
            await engine.executor.drain(mapping.id)
            assert engine.calls() == calls, "a dead login is not tried again"
            account = await engine.link(destination)
            assert account.status is AccountStatus.CONNECTED
            await engine.executor.drain(mapping.id)
            await assert_each_once(engine, mapping)
            assert len([fact for fact in engine.facts if isinstance(fact, AccountNeedsLogin)]) == 1


async def test_an_analysis_without_a_login_fails_with_its_reason_and_changes_nothing(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist())
            sandbox.world.revoke("alice", "spotify")
            with pytest.raises(LoginNeeded):
                await engine.sync.start(mapping.id, ALICE)
            run = await engine.last_run(mapping)
            assert (run.status, bool(run.error)) == (RunStatus.FAILED, True)
            assert await engine.items(mapping) == []


async def test_disconnecting_pauses_the_mappings_and_linking_again_lets_them_be_resumed(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, Service.YOUTUBE)
            departed = await engine.accounts.disconnect(mapping.right.account_id, ALICE)
            assert [one.id for one in departed.paused] == [mapping.id]
            await engine.executor.drain()
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.PENDING}
            with pytest.raises(UserMistake, match="not linked"):
                await engine.mappings.resume(GUILD, mapping.id, ALICE)
            await engine.link(Service.YOUTUBE)
            await engine.mappings.resume(GUILD, mapping.id, ALICE)
            await engine.executor.drain()
            await assert_each_once(engine, mapping)
