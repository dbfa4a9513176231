"""Both simulated services as real HTTP servers on loopback, in one thread with an event loop of its own."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from bot.sandbox import accounts, control
from bot.sandbox.accounts import GoogleSignIn, SpotifySignIn
from bot.sandbox.books import Books
from bot.sandbox.brainz import ListenBrainz, MusicBrainz
from bot.sandbox.faults import Fault, FaultKind, Faults
from bot.sandbox.spotify import SpotifyApi
from bot.sandbox.wire import Answer, Call, Price, Refusal, Service
from bot.sandbox.world import World
from bot.sandbox.youtube import YouTubeApi
from bot.sandbox.ytmusic import YouTubeMusic

HOST = "127.0.0.1"
HOLD_SECONDS = 120.0  # how long a call is held at most that nobody will answer


class Sandbox:
    """Spotify and YouTube on loopback. A context manager; both listen when ``open`` returns."""

    spotify_client_id, spotify_client_secret = accounts.SPOTIFY_CLIENT
    google_client_id, google_client_secret = accounts.GOOGLE_CLIENT

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self.books = Books(world)
        self._front = _Front(world, self.faults, self.books)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._spotify = self._google = ""

    @classmethod
    def open(
        cls,
        *,
        seed: int = 1,
        data: Path | None = None,
        clock: Callable[[], datetime] | None = None,
        settle_lag: float = 0.0,
        youtube_units: int = 10_000,
        youtube_searches: int = 100,
        spotify_port: int = 0,
        google_port: int = 0,
        world: World | None = None,
    ) -> "Sandbox":
        """Start both services; port 0 takes a free one. The world is kept in ``data`` if given.

        ``world``: one that was made already, in place of a fresh one. ``clock`` gives aware UTC; ``settle_lag`` is in
        seconds of that clock. Raises OSError if a port is taken, ValueError if ``data`` holds a world of another seed.
        """
        world = world or World(seed=seed, data=data, clock=clock, settle_lag=settle_lag)
        world.switches.youtube_units, world.switches.youtube_searches = youtube_units, youtube_searches
        sandbox = cls(world)
        try:
            sandbox._start(spotify_port, google_port)
        except BaseException:
            world.close()
            raise
        return sandbox

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def spotify_api_url(self) -> str:
        return f"{self._spotify}/v1"

    @property
    def spotify_accounts_url(self) -> str:
        """The root of ``/authorize`` and ``/api/token``."""
        return self._spotify

    @property
    def youtube_api_url(self) -> str:
        """The root of ``/youtube/v3``."""
        return self._google

    @property
    def google_auth_url(self) -> str:
        return f"{self._google}/o/oauth2/v2/auth"

    @property
    def google_token_url(self) -> str:
        return f"{self._google}/token"

    @property
    def google_revoke_url(self) -> str:
        return f"{self._google}/revoke"

    @property
    def ytmusic_api_url(self) -> str:
        return f"{self._google}/youtubei/v1/"

    @property
    def listenbrainz_api_url(self) -> str:
        """The root of ``/1``."""
        return f"{self._google}/listenbrainz"

    @property
    def musicbrainz_api_url(self) -> str:
        return f"{self._google}/musicbrainz/ws/2"

    @property
    def control_url(self) -> str:
        return f"{self._google}{control.ROOT}"

    def close(self) -> None:
        """Stop both services and give held calls up. Closing twice does nothing."""
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None
        self.world.close()

    def _start(self, spotify_port: int, google_port: int) -> None:
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(spotify_port, google_port)), name="sandbox", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            self._thread = None
            raise self._failure

    async def _serve(self, spotify_port: int, google_port: int) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runners: list[web.ServerRunner] = []
        try:
            self._spotify = await _listen(self._front.spotify, spotify_port, runners)
            self._google = await _listen(self._front.google, google_port, runners)
        except OSError as error:
            self._failure = error
            self._stop.set()
        self._ready.set()
        await self._stop.wait()
        self._front.closing.set()
        for runner in runners:
            await runner.cleanup()


async def _listen(handler: Callable[[web.BaseRequest], Any], port: int, runners: list[web.ServerRunner]) -> str:
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.5)
    await runner.setup()
    runners.append(runner)
    await web.TCPSite(runner, HOST, port).start()
    return f"http://{HOST}:{runner.addresses[0][1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What became of one call inside."""

    answer: Answer | None  # None: a fault struck before the service looked at it
    number: int
    committed: bool


class _Front:
    """The front door of both services: picks who answers, keeps the books, lets faults strike."""

    def __init__(self, world: World, faults: Faults, books: Books) -> None:
        self._world, self._faults, self._books = world, faults, books
        self._control = control.Control(world, faults, books)
        self._spotify: dict[str, Service] = {"/v1/": SpotifyApi(world), "/": SpotifySignIn(world)}
        self._google: dict[str, Service] = {
            "/youtube/v3/": YouTubeApi(world),
            "/youtubei/v1/": YouTubeMusic(world),
            "/listenbrainz/": ListenBrainz(world),
            "/musicbrainz/": MusicBrainz(world),
            "/": GoogleSignIn(world),
        }
        self._names = {"/v1/": "spotify", "/youtube/v3/": "youtube", "/youtubei/v1/": "ytmusic"}
        self._names |= {"/listenbrainz/": "listenbrainz", "/musicbrainz/": "musicbrainz"}
        self.closing = threading.Event()

    async def spotify(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._serve(request, self._spotify, "spotify.accounts")

    async def google(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(control.ROOT):
            call = await _read(request)
            return _response(_caught(lambda: self._control.answer(call)))
        return await self._serve(request, self._google, "google.accounts")

    async def _serve(
        self, request: web.BaseRequest, services: Mapping[str, Service], sign_in: str
    ) -> web.StreamResponse:
        call = await _read(request)
        root = next(root for root in services if call.path.startswith(root))
        name = self._names.get(root, sign_in)
        fault = self._faults.draw(name, call.method, call.path)
        if fault and fault.kind is FaultKind.SLOW and not fault.after:
            await asyncio.sleep(fault.delay or 1.0)
        done = self._do(name, services[root], call, fault)
        return await self._send(request, name, done, fault)

    def _do(self, name: str, service: Service, call: Call, fault: Fault | None) -> _Done:
        """Charge and perform the call as one step, unless a fault comes first."""
        performed = fault is None or fault.after or fault.kind is FaultKind.SLOW
        with self._world.lock, self._world.store.transaction():
            price = service.price(call)
            paid = self._books.affords(price)
            number = self._books.open(name, call, self._person(name, call), price if paid else Price())
            before = self._commits()
            answer = _caught(lambda: service.answer(call, paid=paid)) if performed else None
            committed = self._commits() > before
            label = f"{fault.kind} {'after' if fault.after else 'before'}" if fault else ""
            self._books.close(number, status=answer.status if answer else 0, committed=committed, fault=label)
        return _Done(answer=answer, number=number, committed=committed)

    def _commits(self) -> int:
        return self._world.spotify.commits + self._world.youtube.commits

    def _person(self, name: str, call: Call) -> str:
        service = "spotify" if name == "spotify" else "google"
        grant, _ = self._world.consents.holder(service, call.bearer or "")
        return grant.person if grant else ""

    async def _send(self, request: web.BaseRequest, name: str, done: _Done, fault: Fault | None) -> web.StreamResponse:
        """Let the answer out, or what the fault leaves of it."""
        answer = done.answer or Answer(body={"etag": "nobody looked at this call", "items": []})
        if fault is None:
            return _response(answer)
        if fault.kind is FaultKind.SLOW:
            if fault.after:
                await asyncio.sleep(fault.delay or 1.0)
            return _response(answer)
        if fault.kind in _STATUS:
            return _response(_error(name, _STATUS[fault.kind], fault.retry_after))
        if fault.kind is FaultKind.GARBAGE:
            return web.Response(body=b"\x00<html>upstream \xff connect error", content_type="application/json")
        if fault.kind is FaultKind.TIMEOUT:
            await self._hold(request, fault.delay or HOLD_SECONDS)
        _break_off(request, fault.kind, _response(answer))
        return web.Response()

    async def _hold(self, request: web.BaseRequest, seconds: float) -> None:
        """Say nothing until the client gives up, the sandbox closes, or the time is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until and not self.closing.is_set():
            if request.transport is None or request.transport.is_closing():
                return
            await asyncio.sleep(0.02)


_STATUS = {
    FaultKind.CONFLICT: 409,
    FaultKind.RATE_LIMIT: 429,
    FaultKind.ERROR_500: 500,
    FaultKind.ERROR_502: 502,
    FaultKind.ERROR_503: 503,
}
_REASONS = {409: "SERVICE_UNAVAILABLE", 429: "rateLimitExceeded", 503: "backendError"}
_SENTENCES = {
    409: "The operation was aborted.",
    429: "API rate limit exceeded",
    500: "Internal Server Error",
    502: "Bad gateway.",
    503: "Service unavailable",
}


def _error(name: str, status: int, retry_after: float | None) -> Answer:
    """A service's own words for a failure of its machinery."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    message = _SENTENCES[status]
    if name.startswith("spotify"):
        return Answer(status=status, body={"error": {"status": status, "message": message}}, headers=headers)
    if name.endswith("brainz"):
        return Answer(status=status, body={"code": status, "error": message}, headers=headers)
    single = {"message": message, "domain": "global", "reason": _REASONS.get(status, "backendError")}
    return Answer(
        status=status, body={"error": {"code": status, "message": message, "errors": [single]}}, headers=headers
    )


def _caught(answer: Callable[[], Answer]) -> Answer:
    try:
        return answer()
    except Refusal as refusal:
        return refusal.answer


async def _read(request: web.BaseRequest) -> Call:
    raw = await request.read()
    call = Call(
        method=request.method,
        path=request.path.rstrip("/"),
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        origin=f"http://{request.host}",
        repeated={name: tuple(request.query.getall(name)) for name in request.query},
    )
    if request.content_type == "application/x-www-form-urlencoded":
        return replace(call, body={name: str(value) for name, value in (await request.post()).items()})
    return replace(call, body=_parsed(raw))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None  # the services meet a body that is no JSON like a missing one


def _response(answer: Answer) -> web.Response:
    if isinstance(answer.body, str):
        return web.Response(status=answer.status, text=answer.body, content_type="text/html", headers=answer.headers)
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    text = json.dumps(answer.body, ensure_ascii=False)
    return web.Response(status=answer.status, text=text, content_type="application/json", headers=answer.headers)


def _break_off(request: web.BaseRequest, kind: FaultKind, answer: web.Response) -> None:
    """End the connection without a whole answer."""
    transport = request.transport
    if transport is None:
        return
    if kind is FaultKind.TRUNCATED:
        body = answer.body if isinstance(answer.body, bytes) else b'{"half": "of an answer"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        transport.write(head.encode() + body[: len(body) // 2])
    if kind is FaultKind.RESET:
        linger = struct.pack("ii", 1, 0)  # on, for no seconds: closing sends RST
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    transport.close()
