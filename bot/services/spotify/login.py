"""Spotify's consent and tokens, by spotipy's PKCE flow."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from spotipy.cache_handler import CacheHandler
from spotipy.oauth2 import SpotifyPKCE

from bot.model.errors import RetryLater
from bot.model.music import Service
from bot.services.config import ServiceConfig
from bot.services.grants import Grant, challenge, scope_words
from bot.services.sending import Sending
from bot.services.spotify.client import OneRequest

SCOPES = (
    "playlist-read-private",
    "playlist-read-collaborative",
    "playlist-modify-public",
    "playlist-modify-private",
    "user-library-read",
    "user-read-private",
)
# Six months, whatever is done with the refresh token (PLATFORM.md); the shortest six months have 181 days.
CONSENT_LASTS = timedelta(days=181)


class _LastAnswer(CacheHandler):  # type: ignore[misc]
    """Keeps the flow's answer for its caller, where spotipy would write a file."""

    def __init__(self) -> None:
        self.answer: Mapping[str, Any] = {}

    def get_cached_token(self) -> None:
        return None

    def save_token_to_cache(self, token_info: Mapping[str, Any]) -> None:
        self.answer = token_info


class SpotifyConsent:
    """PKCE with the app's secret added: refresh tokens of clients without a secret are good for one use only, so that
    a crash between the answer and its storing would cost the login.
    """

    service = Service.SPOTIFY
    scopes: tuple[str, ...] = SCOPES

    def __init__(self, config: ServiceConfig) -> None:
        self._config = config

    def authorize_url(self, state: str, verifier: str, *, ask_again: bool) -> str:
        flow = self._flow(None, _LastAnswer(), verifier)
        return str(flow.get_authorize_url(state))

    def exchange(self, sending: Sending, code: str, verifier: str) -> Grant:
        last = _LastAnswer()
        flow = self._flow(sending, last, verifier)
        try:
            flow.get_access_token(code, check_cache=False)
        except KeyError as error:  # spotipy counts on expires_in
            raise _garbage(sending) from error
        return _grant(last.answer, sending)

    def refresh(self, sending: Sending, refresh_token: str) -> Grant:
        flow = self._flow(sending, _LastAnswer(), "")
        try:
            return _grant(flow.refresh_access_token(refresh_token), sending)
        except KeyError as error:
            raise _garbage(sending) from error

    def revoke(self, sending: Sending, token: str) -> bool:
        return False  # people do that on their account's page

    def dies_at(self, grant: Grant, granted_at: datetime) -> datetime | None:
        return granted_at + CONSENT_LASTS

    def _flow(self, sending: Sending | None, cache: CacheHandler, verifier: str) -> SpotifyPKCE:
        config = self._config
        basic = (config.spotify_client_id, config.spotify_client_secret) if config.spotify_client_secret else None
        flow = SpotifyPKCE(
            client_id=config.spotify_client_id,
            redirect_uri=config.redirect_uri(Service.SPOTIFY),
            scope=list(SCOPES),
            # False is the bare requests module, which no path without a ``sending`` ever uses.
            requests_session=OneRequest(sending, basic=basic) if sending is not None else False,
            open_browser=False,
            cache_handler=cache,
        )
        root = config.spotify_accounts_url.rstrip("/")
        flow.OAUTH_AUTHORIZE_URL = f"{root}/authorize"
        flow.OAUTH_TOKEN_URL = f"{root}/api/token"
        flow.code_verifier = verifier
        flow.code_challenge = challenge(verifier)
        return flow


def _grant(answer: Mapping[str, Any], sending: Sending) -> Grant:
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise _garbage(sending)
    return Grant(
        access_token=access_token,
        refresh_token=str(answer.get("refresh_token") or ""),
        expires_in=float(answer["expires_in"]),
        scopes=scope_words(answer.get("scope")),
    )


def _garbage(sending: Sending) -> RetryLater:
    return RetryLater(f"{sending.operation}: the answer holds no token", code="garbage")
