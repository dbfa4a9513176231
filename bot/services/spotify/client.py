"""spotipy, made to send its one request through our way out."""

from typing import Any

import requests
import spotipy

from bot.services.sending import Sending


class OneRequest(requests.Session):
    """Looks like a session to spotipy, which would otherwise build one that repeats POSTs and hides Retry-After.

    Refusals and broken answers leave it as our errors, before spotipy turns them into its own or, for garbage, into
    None. Its closing is without effect, since spotipy closes whatever session it was given.
    """

    def __init__(self, sending: Sending, *, basic: tuple[str, str] | None = None) -> None:
        super().__init__()
        self._sending = sending
        self._basic = basic

    def request(self, method: Any, url: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        params = {name: value for name, value in (given.get("params") or {}).items() if value is not None}
        return self._sending.send(
            str(method), str(url), headers=given.get("headers"), params=params, data=given.get("data"), auth=self._basic
        )

    def close(self) -> None:
        """The connections belong to the worker thread."""


def client(sending: Sending, token: str, api_url: str) -> spotipy.Spotify:
    """A client for one call."""
    spotify = spotipy.Spotify(auth=token, requests_session=OneRequest(sending))
    spotify.prefix = f"{api_url.rstrip('/')}/"
    return spotify
