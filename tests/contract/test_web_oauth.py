"""Linking an account through the browser, from the button's link to the account, against the simulated services."""

import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.app import web_app
from bot.config import settings_from
from bot.logs.setup import open_logs
from bot.model.account import AccountStatus
from bot.model.music import Service
from bot.runtime import Runtime, open_runtime
from bot.sandbox import Sandbox
from bot.web.server import open_web
from tests.clock import FakeClock

PERSON, GUILD = 42, 77


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.open(seed=1) as opened:
        yield opened


@dataclass
class Browser:
    """A browser that follows no redirect by itself."""

    runtime: Runtime
    url: str
    session: aiohttp.ClientSession

    async def get(self, address: str) -> tuple[int, str, str]:
        """Status, where it leads, and the text."""
        async with self.session.get(address, allow_redirects=False) as response:
            return response.status, response.headers.get("Location", ""), await response.text()

    async def button(self, service: Service) -> str:
        """The address of a fresh link button."""
        state = await self.runtime.oauth.begin(service, PERSON, GUILD, "")
        return f"{self.url}/oauth/{service.value}/start?state={state}"

    async def consent(self, button: str) -> str:
        """Through the service's page to the address of our callback, not yet opened; on the port we really have."""
        _, page, _ = await self.get(button)
        _, callback, _ = await self.get(page)
        return callback.replace("http://127.0.0.1:8080", self.url)


@pytest.fixture
async def browser(sandbox: Sandbox, sqlite_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Browser]:
    settings = settings_from(
        {
            "database_url": sqlite_url,
            "spotify_client_id": sandbox.spotify_client_id,
            "spotify_client_secret": sandbox.spotify_client_secret,
            "google_client_id": sandbox.google_client_id,
            "google_client_secret": sandbox.google_client_secret,
            "spotify_api_url": sandbox.spotify_api_url,
            "spotify_accounts_url": sandbox.spotify_accounts_url,
            "youtube_api_url": sandbox.youtube_api_url,
            "google_auth_url": sandbox.google_auth_url,
            "google_token_url": sandbox.google_token_url,
        },
        key_file=tmp_path / "secret.key",
    )
    with open_logs(stream=io.StringIO(), now=clock.now) as logs:
        async with (
            open_runtime(settings, logs, clock=clock) as runtime,
            open_web(web_app(runtime), host="127.0.0.1", port=0) as url,
            aiohttp.ClientSession() as session,
        ):
            yield Browser(runtime, url, session)


@pytest.mark.parametrize("service", Service)
async def test_a_consent_links_an_account_that_waits_for_its_person(browser: Browser, service: Service) -> None:
    callback = await browser.consent(await browser.button(service))
    status, _, text = await browser.get(callback)
    (account,) = await browser.runtime.storage.accounts.of_user(PERSON)
    assert (status, account.service, account.status) == (200, service, AccountStatus.PENDING)
    assert account.display_name in text


@pytest.mark.parametrize("service", Service)
async def test_a_callback_works_once(browser: Browser, service: Service) -> None:
    callback = await browser.consent(await browser.button(service))
    await browser.get(callback)
    status, _, text = await browser.get(callback)
    assert (status, "used already" in text) == (400, True)
    assert len(await browser.runtime.storage.accounts.of_user(PERSON)) == 1


@pytest.mark.parametrize("service", Service)
async def test_a_stale_button_and_a_stale_callback_answer_410(
    browser: Browser, clock: FakeClock, service: Service
) -> None:
    button = await browser.button(service)
    callback = await browser.consent(button)
    clock.advance(10 * 60)
    assert [(await browser.get(address))[0] for address in (button, callback)] == [410, 410]
    assert await browser.runtime.storage.accounts.of_user(PERSON) == []


async def test_a_state_of_the_other_service_and_one_of_nobody_are_refused(browser: Browser) -> None:
    callback = await browser.consent(await browser.button(Service.SPOTIFY))
    foreign = callback.replace("/oauth/spotify/", "/oauth/youtube/")
    made_up = f"{browser.url}/oauth/spotify/callback?state={'A' * 43}&code=abc"
    assert [(await browser.get(address))[0] for address in (foreign, made_up)] == [400, 400]
    assert await browser.runtime.storage.accounts.of_user(PERSON) == []


async def test_a_code_that_the_service_does_not_know_is_refused_without_a_trace(browser: Browser) -> None:
    button = await browser.button(Service.SPOTIFY)
    state = button.partition("state=")[2]
    status, _, text = await browser.get(f"{browser.url}/oauth/spotify/callback?state={state}&code=made-up")
    assert (status, "made-up" in text) == (400, False)
    assert await browser.runtime.storage.accounts.of_user(PERSON) == []


async def test_a_service_that_is_not_set_up_has_no_start(sqlite_url: str, tmp_path: Path, clock: FakeClock) -> None:
    settings = settings_from({"database_url": sqlite_url}, key_file=tmp_path / "secret.key")
    with open_logs(stream=io.StringIO()) as logs:
        async with (
            open_runtime(settings, logs, clock=clock) as runtime,
            open_web(web_app(runtime), host="127.0.0.1", port=0) as url,
            aiohttp.ClientSession() as session,
        ):
            assert (await Browser(runtime, url, session).get(f"{url}/oauth/spotify/start?state=x"))[0] == 400
            assert (await Browser(runtime, url, session).get(f"{url}/readyz"))[0] == 200
            assert (await Browser(runtime, url, session).get(f"{url}/api/dashboard/stats"))[0] == 200
