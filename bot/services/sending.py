"""One HTTP request, sent at most once, on a session of its worker thread; what came of it is told for certain."""

import asyncio
import contextvars
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as urllib3_errors
from requests.auth import AuthBase

from bot.model.errors import Bug, CrossfadeError, RetryLater, UnknownOutcome

T = TypeVar("T")

LOOPBACK = frozenset({"127.0.0.1", "::1"})
# Longer than any service was seen to ask for; what is above is noise, and would not fit into a date.
_LONGEST_WAIT = 30 * 24 * 3600.0
# Too slow for the server: it gave up on the request, perhaps after acting on it.
_REQUEST_TIMEOUT = 408


class Rejection(Exception):
    """The service answered no: a 4xx, so it is certain that nothing happened (but see each service's refusals).

    ``body`` is the JSON of the answer, None where it held none. ``retry_after`` is in seconds, None where not told.
    """

    def __init__(self, status: int, body: object, *, retry_after: float | None, operation: str) -> None:
        super().__init__(f"{operation}: the service answered {status}")
        self.status = status
        self.body = body
        self.retry_after = retry_after
        self.operation = operation

    def word(self, *path: str | int) -> str:
        """The string at ``path`` of the body, '' where there is none."""
        found: object = self.body
        for step in path:
            if isinstance(step, int):
                found = found[step] if isinstance(found, list) and len(found) > step else None
            else:
                found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """``Retry-After`` in seconds, at most 30 days: it is a number or an HTTP date. None: absent or unreadable."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _http_date(value)
        if moment is None:
            return None
        seconds = (moment - now).total_seconds()
    return min(max(0.0, seconds), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class _OwnAuthorization(AuthBase):
    """Leaves the Authorization header alone; without it requests would put a password of ~/.netrc in its place."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def plain_session() -> requests.Session:
    """A session that repeats nothing. The adapters' default of zero retries is stated, since all depends on it."""
    session = requests.Session()
    session.auth = _OwnAuthorization()
    for prefix in ("http://", "https://"):
        session.mount(prefix, requests.adapters.HTTPAdapter(max_retries=0))
    return session


class Sending:
    """Leave to send one request. A second one is refused: only one was charged."""

    def __init__(
        self,
        session: requests.Session,
        *,
        operation: str,
        timeout: tuple[float, float],
        now: Callable[[], datetime],
        write: bool,
        empty_ok: bool,
    ) -> None:
        self.operation = operation
        self._session = session
        self._timeout = timeout
        self._now = now
        self._write = write
        self._empty_ok = empty_ok
        self._spent = False

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        auth: AuthBase | tuple[str, str] | None = None,
    ) -> requests.Response:
        """Send it and return a 2xx answer whose body, where there is one, is JSON.

        Raises Rejection for a 4xx. Everything else is RetryLater for a read; for a write it is UnknownOutcome, unless
        the connection never came about.
        """
        if self._spent:
            raise Bug(f"{self.operation}: a second request on one charge")
        self._spent = True
        try:
            response = self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                params=dict(params or {}),
                data=data,
                auth=auth,
                timeout=self._timeout,
                allow_redirects=False,
                proxies=_proxies(url),
            )
        except requests.RequestException as error:
            raise self._broken(error) from error
        return self._checked(response)

    def _checked(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        after = retry_after_seconds(response.headers.get("Retry-After"), self._now())
        if 200 <= status < 300:
            return self._readable(response)
        if 400 <= status < 500 and status != _REQUEST_TIMEOUT:
            raise Rejection(status, _json(response.content), retry_after=after, operation=self.operation)
        raise self._uncertain(f"the service answered {status}", code=f"http_{status}", after=after)

    def _readable(self, response: requests.Response) -> requests.Response:
        if not response.content:
            if self._empty_ok or response.status_code == 204:
                return response
            raise self._uncertain("the answer was empty", code="empty_answer")
        if _json(response.content) is None:
            raise self._uncertain("the answer was not JSON", code="garbage")
        return response

    def _broken(self, error: requests.RequestException) -> CrossfadeError:
        kind = type(error).__name__
        if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.InvalidJSONError):
            return Bug(f"{self.operation}: the address cannot be used ({kind})")
        if _never_sent(error):
            return RetryLater(f"{self.operation}: no connection to the service ({kind})", code="unreachable")
        return self._uncertain(f"the answer did not arrive ({kind})", code="no_answer")

    def _uncertain(self, what: str, *, code: str, after: float | None = None) -> CrossfadeError:
        sentence = f"{self.operation}: {what}"
        if self._write:
            return UnknownOutcome(sentence, code=code)
        at = None if after is None else self._now() + timedelta(seconds=after)
        return RetryLater(sentence, at=at, code=code)


def _proxies(url: str) -> dict[str, str] | None:
    """No proxy of the environment may stand between us and our own machine."""
    return {"http": "", "https": ""} if urlsplit(url).hostname in LOOPBACK else None


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _never_sent(error: requests.RequestException) -> bool:
    """True where the failure came before the first byte of the request: refused, unknown host, no route, TLS."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, urllib3_errors.SSLError):
        return any(isinstance(part, ssl.SSLCertVerificationError) for part in reason.args)
    if isinstance(reason, urllib3_errors.ProxyError):
        return isinstance(reason.original_error, urllib3_errors.NewConnectionError)
    return isinstance(reason, urllib3_errors.NewConnectionError | urllib3_errors.ConnectTimeoutError)


class Workers:
    """The bounded pool of threads in which the blocking client libraries run, each with one session of its own."""

    def __init__(self, *, threads: int, timeout: tuple[float, float], now: Callable[[], datetime]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="service")
        self._own = threading.local()
        self._sessions: list[requests.Session] = []
        self._timeout = timeout
        self._now = now

    async def run(
        self, send: Callable[[Sending], T], *, operation: str, write: bool = False, empty_ok: bool = False
    ) -> T:
        """Run ``send`` in a thread with leave for one request."""

        def work() -> T:
            return send(
                Sending(
                    self._session(),
                    operation=operation,
                    timeout=self._timeout,
                    now=self._now,
                    write=write,
                    empty_ok=empty_ok,
                )
            )

        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(work))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = plain_session()
            self._sessions.append(session)
        return session

    async def close(self) -> None:
        """Wait for what is under way (bounded by the timeouts) and let the connections go."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        for session in self._sessions:
            session.close()
