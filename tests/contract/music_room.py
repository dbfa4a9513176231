"""The music services over a real database, with a server at the other end of the wire; for the contract tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import requests

from bot.engine.quota import Quota, QuotaLimits
from bot.model.account import Account
from bot.model.events import Fact
from bot.model.music import Service
from bot.sandbox import Sandbox
from bot.services.config import ServiceConfig
from bot.services.protocol import MusicService
from bot.services.registry import MusicServices
from storage import Storage, open_storage
from tests.clock import FakeClock

KEYS = (b"k" * 32,)
ALICE = 1001  # a Discord user
GUILD = 77


class NotingClock(FakeClock):
    """Writes down how long somebody slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


@dataclass(kw_only=True)
class Room:
    """``facts`` holds what was announced."""

    services: MusicServices
    storage: Storage
    clock: NotingClock
    config: ServiceConfig
    facts: list[Fact] = field(default_factory=list)

    async def link(self, service: Service, person: str = "alice", user: int = ALICE) -> Account:
        """Go through the consent as a browser does, and confirm."""
        account = await self.consent(service, person, user)
        await self.storage.accounts.confirm(account.id)
        found = await self.storage.accounts.get(account.id)
        assert found is not None
        return found

    async def consent(self, service: Service, person: str = "alice", user: int = ALICE) -> Account:
        state = await self.services.oauth.begin(service, user, GUILD, "interaction")
        code = await self.browse(service, state, person)
        return await self.services.oauth.finish(service, state, code)

    async def browse(self, service: Service, state: str, person: str = "alice") -> str:
        """The code that the consent page sends back with."""
        url = await self.services.oauth.authorize_url(service, state)
        answer = await asyncio.to_thread(requests.get, f"{url}&login_hint={person}", allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        back = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert back["state"] == [state]
        return back["code"][0]

    async def as_alice(self, service: Service, mapping_id: int = 0) -> MusicService:
        account = await self.link(service)
        return await self.services.for_account(account.id, mapping_id=mapping_id)

    async def ledger(self) -> dict[tuple[str, str], int]:
        """Units by bucket and operation."""
        spent: dict[tuple[str, str], int] = {}
        for row in await self.storage.quota.rows(self.clock.now() - timedelta(days=2)):
            key = (row.bucket.value, row.operation)
            spent[key] = spent.get(key, 0) + row.units
        return spent


def sandbox_config(sandbox: Sandbox, **changed: object) -> ServiceConfig:
    values: dict[str, object] = {
        "spotify_client_id": sandbox.spotify_client_id,
        "spotify_client_secret": sandbox.spotify_client_secret,
        "google_client_id": sandbox.google_client_id,
        "google_client_secret": sandbox.google_client_secret,
        "spotify_api_url": sandbox.spotify_api_url,
        "spotify_accounts_url": sandbox.spotify_accounts_url,
        "youtube_api_url": sandbox.youtube_api_url,
        "google_auth_url": sandbox.google_auth_url,
        "google_token_url": sandbox.google_token_url,
        "ytmusic_api_url": sandbox.ytmusic_api_url,
        "connect_seconds": 2.0,
        "read_seconds": 5.0,
    }
    return ServiceConfig(**(values | changed))  # type: ignore[arg-type]


@asynccontextmanager
async def music_room(
    url: str, config: ServiceConfig, *, clock: NotingClock | None = None, limits: QuotaLimits | None = None
) -> AsyncIterator[Room]:
    clock = clock or NotingClock()
    facts: list[Fact] = []
    async with open_storage(url, keys=KEYS, clock=clock, migrate=False) as storage:
        quota = Quota(storage, clock, limits or QuotaLimits())
        services = MusicServices(config, storage, quota, clock, facts.append)
        try:
            yield Room(services=services, storage=storage, clock=clock, config=config, facts=facts)
        finally:
            await services.close()
