"""Google's API client, made to send its one request through our way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc

from bot.services.sending import Sending

# requests counts the body itself, and unpacks what it asked for.
_OURS_TO_SET = frozenset({"content-length", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int


class OneRequest:
    """The ``http`` object of one call. httplib2, which it stands for, sends a write again after a clean close."""

    def __init__(self, sending: Sending, token: str) -> None:
        self._sending = sending
        self._token = token

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> tuple[_Answer, bytes]:
        kept = {name: value for name, value in (headers or {}).items() if name.lower() not in _OURS_TO_SET}
        response = self._sending.send(method, uri, headers=kept | {"Authorization": f"Bearer {self._token}"}, data=body)
        return _Answer(response.status_code), response.content


class _NoHttp:
    """Stands in where the client is built, so that it looks for no credentials of the machine."""

    def request(self, *_: Any, **__: Any) -> tuple[_Answer, bytes]:
        raise AssertionError("each call brings its own way out")


@lru_cache(maxsize=4)
def resource(api_url: str) -> Any:
    """The client of the static discovery document, for the server at ``api_url``. It holds no connection."""
    document = get_static_doc("youtube", "v3")
    if document is None:
        raise AssertionError("google-api-python-client came without its discovery documents")
    # The document says of itself where it lives; the paths of its methods stand below servicePath ("youtube/v3/" is
    # part of each path), so that the root is all that changes.
    return build_from_document(document, http=_NoHttp(), client_options={"api_endpoint": f"{api_url.rstrip('/')}/"})
