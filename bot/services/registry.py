"""The music services put together: one of it for the program, adapters for accounts on demand."""

from collections.abc import Callable

from bot.clock import Clock
from bot.model.account import Account, AccountStatus
from bot.model.errors import LoginNeeded, UserMistake
from bot.model.events import Fact
from bot.model.music import Profile, Service
from bot.services.config import ServiceConfig
from bot.services.grants import ConsentFlow
from bot.services.limiter import Limiter
from bot.services.oauth import OAuth
from bot.services.protocol import Accounting, MusicService
from bot.services.sending import Workers
from bot.services.spotify import refusals as spotify_refusals
from bot.services.spotify.adapter import Memory, SpotifyAdapter
from bot.services.spotify.login import SpotifyConsent
from bot.services.tokens import AccountLogin, FirstLogin, Tokens
from bot.services.transport import Login, Outlet
from bot.services.youtube import refusals as youtube_refusals
from bot.services.youtube.adapter import YouTubeAdapter
from bot.services.youtube.login import GoogleConsent
from bot.services.youtube.ytmusic import YouTubeMusic
from storage import Storage

_EXPLAIN = {Service.SPOTIFY: spotify_refusals.explain, Service.YOUTUBE: youtube_refusals.explain}


class MusicServices:
    """``announce`` hands facts to the hub. ``tokens``, ``oauth`` and ``limiter`` are shared by all accounts."""

    def __init__(
        self,
        config: ServiceConfig,
        storage: Storage,
        accounting: Accounting,
        clock: Clock,
        announce: Callable[[Fact], None],
    ) -> None:
        self._config = config
        self._storage = storage
        self._accounting = accounting
        self._clock = clock
        self._workers = Workers(
            threads=config.workers, timeout=(config.connect_seconds, config.read_seconds), now=clock.now
        )
        consents: dict[Service, ConsentFlow] = {}
        if config.has(Service.SPOTIFY):
            consents[Service.SPOTIFY] = SpotifyConsent(config)
        if config.has(Service.YOUTUBE):
            consents[Service.YOUTUBE] = GoogleConsent(config)
        self._consents = consents
        self._memory = Memory(storage.meta)
        self._free_search = (
            YouTubeMusic(config.ytmusic_api_url, workers=self._workers, clock=clock)
            if config.youtube_search == "ytmusic"
            else None
        )
        self.limiter = Limiter(storage, clock, announce, in_flight=config.in_flight)
        self.tokens = Tokens(storage, consents, self._workers, clock, announce)
        self.oauth = OAuth(
            storage, consents, self.tokens, self._workers, clock, identify=self._identify, announce=announce
        )

    def configured(self, service: Service) -> bool:
        return service in self._consents

    async def for_account(self, account_id: int, *, mapping_id: int = 0) -> MusicService:
        """The service as this account sees it; its calls are charged to the mapping. No call is made for this.

        Raises LoginNeeded for an account that is gone or waits for its login, UserMistake where its service is not set
        up.
        """
        account = await self._storage.accounts.get(account_id)
        if account is None or account.status in (AccountStatus.NEEDS_LOGIN, AccountStatus.DISCONNECTED):
            raise LoginNeeded("This account is not logged in", account_id=account_id)
        return self._adapter(account.service, account, AccountLogin(self.tokens, account_id), mapping_id)

    async def close(self) -> None:
        """Wait for the calls under way and let the connections go."""
        await self.tokens.settle()
        await self._workers.close()

    async def _identify(self, service: Service, access_token: str) -> Profile:
        return await self._adapter(service, None, FirstLogin(access_token), 0).whoami()

    def _adapter(self, service: Service, account: Account | None, login: Login, mapping_id: int) -> MusicService:
        if service not in self._consents:
            raise UserMistake(f"{service.label} is not set up on this bot; its owner must give it a client id.")
        outlet = Outlet(
            service,
            _EXPLAIN[service],
            login,
            workers=self._workers,
            limiter=self.limiter,
            accounting=self._accounting,
            clock=self._clock,
            mapping_id=mapping_id,
        )
        external_id = account.external_id if account is not None else ""
        if service is Service.SPOTIFY:
            return SpotifyAdapter(
                outlet,
                account=external_id,
                api_url=self._config.spotify_api_url,
                clock=self._clock,
                memory=self._memory,
            )
        return YouTubeAdapter(
            outlet,
            account=external_id,
            api_url=self._config.youtube_api_url,
            clock=self._clock,
            free_search=self._free_search,
        )
