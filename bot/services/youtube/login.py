"""Google's consent and tokens, by google-auth-oauthlib's flow."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped]

from bot.model.errors import RetryLater, UserMistake
from bot.model.music import Service
from bot.services.config import ServiceConfig
from bot.services.grants import Grant, scope_words
from bot.services.sending import LOOPBACK, Sending

SCOPES = ("https://www.googleapis.com/auth/youtube",)
_HOUR = 3600.0


class _OneRequest(OAuth2Session):  # type: ignore[misc]
    """oauthlib's session, whose one request leaves by our way out.

    oauthlib refuses addresses without TLS unless an environment variable lifts that for the whole process. It is shown
    an https address instead, and the true one, held to be https or loopback by ``_safe``, is used here.
    """

    def __init__(self, sending: Sending | None, token_url: str, **given: Any) -> None:
        super().__init__(**given)
        self._sending = sending
        self._token_url = token_url

    def request(self, method: str, url: str, **given: Any) -> requests.Response:
        assert self._sending is not None  # the consent page is only linked to, never fetched
        return self._sending.send(
            method, self._token_url, headers=given.get("headers"), data=given.get("data"), auth=given.get("auth")
        )


class GoogleConsent:
    service = Service.YOUTUBE
    scopes: tuple[str, ...] = SCOPES

    def __init__(self, config: ServiceConfig) -> None:
        self._config = config

    def authorize_url(self, state: str, verifier: str, *, ask_again: bool) -> str:
        flow = self._flow(None, verifier)
        extra = {"prompt": "consent"} if ask_again else {}  # only then does Google give a refresh token again
        url, _ = flow.authorization_url(access_type="offline", state=state, **extra)
        return urlunsplit(urlsplit(str(url))._replace(scheme=urlsplit(self._config.google_auth_url).scheme))

    def exchange(self, sending: Sending, code: str, verifier: str) -> Grant:
        flow = self._flow(sending, verifier)
        try:
            return _grant(flow.fetch_token(code=code), sending)
        except OAuth2Error as error:
            raise _garbage(sending) from error

    def refresh(self, sending: Sending, refresh_token: str) -> Grant:
        session = self._flow(sending, "").oauth2session
        try:
            answer = session.refresh_token(
                _with_tls(self._config.google_token_url),
                refresh_token=refresh_token,
                client_id=self._config.google_client_id,
                client_secret=self._config.google_client_secret,
            )
        except OAuth2Error as error:
            raise _garbage(sending) from error
        return _grant(answer, sending)

    def revoke(self, sending: Sending, token: str) -> bool:
        sending.send("POST", _safe(self._config.google_revoke_url), data={"token": token})
        return True

    def dies_at(self, grant: Grant, granted_at: datetime) -> datetime | None:
        if grant.refresh_expires_in is None:
            return None
        return granted_at + timedelta(seconds=grant.refresh_expires_in)

    def _flow(self, sending: Sending | None, verifier: str) -> Flow:
        config = self._config
        session = _OneRequest(
            sending,
            _safe(config.google_token_url),
            client_id=config.google_client_id,
            # oauthlib raises when the scopes given are not those asked for; what is missing is told elsewhere.
            scope=None if sending is not None else list(SCOPES),
        )
        web = {
            "client_id": config.google_client_id,
            "client_secret": config.google_client_secret,
            "auth_uri": _with_tls(_safe(config.google_auth_url)),
            "token_uri": _with_tls(config.google_token_url),
        }
        return Flow(session, "web", {"web": web}, config.redirect_uri(Service.YOUTUBE), verifier or None)


def _grant(answer: Mapping[str, Any], sending: Sending) -> Grant:
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise _garbage(sending)
    lasts = answer.get("refresh_token_expires_in")
    return Grant(
        access_token=access_token,
        refresh_token=str(answer.get("refresh_token") or ""),
        expires_in=float(answer.get("expires_in") or _HOUR),
        scopes=scope_words(answer.get("scope")),
        refresh_expires_in=float(lasts) if isinstance(lasts, int | float) and lasts > 0 else None,
    )


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    raise UserMistake(f"Google's address {url} is neither https nor on this machine; set it to one of both.")


def _with_tls(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(scheme="https"))


def _garbage(sending: Sending) -> RetryLater:
    return RetryLater(f"{sending.operation}: the answer holds no token", code="garbage")
