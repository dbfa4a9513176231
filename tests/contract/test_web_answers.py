"""The HTTP door: every answer's status, shape and headers."""

import asyncio
import base64
import hashlib
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.engine.fresh import Fresh
from bot.engine.stats import Dashboard, RecentRun
from bot.model.account import Account, AccountStatus
from bot.model.errors import CrossfadeError, RetryLater, UserMistake
from bot.model.music import Service
from bot.model.quota import Bucket, BucketState
from bot.services.oauth import BAD_STATE, STALE_STATE, USED_STATE
from bot.web.app import make_app
from bot.web.server import PortTaken, open_web
from tests.clock import FakeClock

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
PROBLEMS: dict[str, CrossfadeError] = {
    "unknown": UserMistake("This link is not one of ours.", code=BAD_STATE),
    "used": UserMistake("This link was used already.", code=USED_STATE),
    "stale": UserMistake("This link is too old.", code=STALE_STATE),
    "down": RetryLater("spotify: token.exchange: 503"),
}


class Consents:
    """A flow whose states are the words of PROBLEMS, ``boom`` (a bug) or good; it notes what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    async def authorize_url(self, service: Service, state: str) -> str:
        self._try("start", service, state)
        return f"https://accounts.example/authorize?state={state}"

    async def finish(self, service: Service, state: str, code: str) -> Account:
        self._try("finish", service, state, code)
        return Account(
            id=1, discord_user_id=2, service=service, external_id="x", display_name=HOSTILE, scopes=(),
            status=AccountStatus.PENDING, granted_at=NOON,
        )  # fmt: skip

    async def refuse(self, service: Service, state: str) -> None:
        self._try("refuse", service, state)

    def _try(self, *call: str) -> None:
        self.calls.append(call)
        if call[2] == "boom":
            raise RuntimeError("secret internals")
        if call[2] in PROBLEMS:
            raise PROBLEMS[call[2]]


class Numbers:
    """The dashboard, counted; kept as fresh as the engine keeps it."""

    def __init__(self, clock: FakeClock) -> None:
        self._fresh = Fresh(self._count, clock)
        self.asked = 0
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def dashboard(self, guild_id: int | None = None) -> Dashboard:
        assert guild_id is None
        return await self._fresh.get()

    async def _count(self) -> Dashboard:
        self.asked += 1
        await self.gate.wait()
        if self.broken:
            raise RuntimeError("secret internals")
        state = BucketState(bucket=Bucket.YOUTUBE_UNITS, limit=10_000, used=1_234, resets_at=NOON)
        run = RecentRun(run_id=9, timestamp=NOON, job_type="execution", status="success", message="80 tracks added")
        return Dashboard(
            at=NOON, mappings_total=3, pending=4, running=5, errors=6, skipped=7, done=8, recent_runs=(run,),
            buckets={bucket: replace(state, bucket=bucket) for bucket in Bucket},
        )  # fmt: skip


class World:
    """One served application and a browser without cookies or redirects."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session
        self.clock = FakeClock()
        self.consents = Consents()
        self.numbers = Numbers(self.clock)
        self.database_answers = True

    async def ready(self) -> None:
        if not self.database_answers:
            raise OSError("no database")

    async def get(self, path: str, method: str = "GET") -> tuple[int, aiohttp.ClientResponse, str]:
        async with self._session.request(method, self.url + path, allow_redirects=False) as response:
            return response.status, response, await response.text()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as session:
        world = World("", session)
        app = make_app(oauth_door=world.consents, dashboard=world.numbers, ready=world.ready, clock=world.clock)
        async with open_web(app, host="127.0.0.1", port=0) as url:
            world.url = url
            yield world


async def test_health_says_that_it_runs_and_readiness_that_it_can_work(world: World) -> None:
    assert (await world.get("/healthz"))[0] == 200
    assert (await world.get("/readyz"))[0] == 200
    world.database_answers = False
    world.clock.advance(1)
    assert (await world.get("/healthz"))[0] == 200
    status, _, text = await world.get("/readyz")
    assert (status, json.loads(text)["error"]["code"]) == (503, "not_ready")


async def test_the_start_leads_to_the_consent_page(world: World) -> None:
    status, response, _ = await world.get("/oauth/spotify/start?state=good")
    assert (status, response.headers["Location"]) == (302, "https://accounts.example/authorize?state=good")


async def test_a_consent_that_comes_back_answers_200_with_a_page(world: World) -> None:
    status, response, text = await world.get("/oauth/youtube/callback?state=good&code=4/abc&scope=x")
    assert (status, response.content_type) == (200, "text/html")
    assert "Discord" in text
    assert world.consents.calls == [("finish", "youtube", "good", "4/abc")]


@pytest.mark.parametrize("verb", ["start?", "callback?code=abc&"])
@pytest.mark.parametrize(
    ("state", "expected"), [("unknown", 400), ("used", 400), ("stale", 410), ("down", 503), ("boom", 500)]
)
async def test_each_bad_state_has_its_status_and_sentence(world: World, verb: str, state: str, expected: int) -> None:
    status, response, text = await world.get(f"/oauth/spotify/{verb}state={state}")
    assert (status, response.content_type) == (expected, "text/html")
    assert "secret internals" not in text
    assert "token.exchange" not in text
    if expected in (400, 410):
        assert str(PROBLEMS[state]) in text


@pytest.mark.parametrize(
    "query",
    [
        "", "?state=good", "?code=abc", "?state=&code=abc", "?state=good&state=good&code=abc",
        "?state=good&code=a&code=b", "?state=good&code=a%00b", f"?state=good&code={'x' * 5000}",
        f"?state={'x' * 600}&code=abc",
    ],
)  # fmt: skip
async def test_an_incomplete_callback_is_refused_before_anything_happens(world: World, query: str) -> None:
    assert (await world.get(f"/oauth/spotify/callback{query}"))[0] == 400
    assert world.consents.calls == []


@pytest.mark.parametrize("error", ["access_denied", "server_error", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"])
async def test_a_denied_consent_uses_the_state_up_and_echoes_nothing(world: World, error: str) -> None:
    description = "error_description=Call+this+number"
    status, _, text = await world.get(f"/oauth/spotify/callback?state=good&error={error}&{description}")
    assert status == 400
    assert world.consents.calls == [("refuse", "spotify", "good")]
    for echoed in ("Call this number", "alert(1)", "server_error", "access_denied"):
        assert echoed not in text
    assert (await world.get(f"/oauth/spotify/callback?state=stale&error={error}"))[0] == 410


async def test_a_look_without_a_visit_does_not_use_the_state_up(world: World) -> None:
    assert (await world.get("/oauth/spotify/callback?state=good&code=abc", method="HEAD"))[0] == 405
    assert world.consents.calls == []


async def test_a_name_from_a_service_is_shown_harmlessly(world: World) -> None:
    _, _, text = await world.get("/oauth/spotify/callback?state=good&code=abc")
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/", "GET", 404), ("/nothing", "GET", 404), ("/oauth/tidal/start?state=good", "GET", 404),
        ("/oauth/tidal/callback?state=good&code=a", "GET", 404), ("/healthz", "POST", 405),
        ("/api/dashboard/stats", "DELETE", 405), ("/static/page.css", "GET", 404),
    ],
)  # fmt: skip
async def test_an_error_has_one_shape(world: World, path: str, method: str, expected: int) -> None:
    status, response, text = await world.get(path, method)
    assert status == expected
    if path.startswith("/oauth/"):
        assert response.content_type == "text/html"
        assert "That did not work" in text
    else:
        assert set(json.loads(text)) == {"error"}
        assert set(json.loads(text)["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    "path",
    [
        "/healthz", "/api/dashboard/stats", "/nothing", "/oauth/spotify/start?state=good",
        "/oauth/spotify/callback?state=good&code=a", "/oauth/spotify/callback?state=boom&code=a",
    ],
)  # fmt: skip
async def test_every_answer_carries_the_headers_that_keep_browsers_safe(world: World, path: str) -> None:
    _, response, _ = await world.get(path)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "aiohttp" not in response.headers["Server"]


async def test_the_pages_style_is_the_one_that_the_policy_allows(world: World) -> None:
    _, response, text = await world.get("/oauth/spotify/callback?state=good&code=a")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in response.headers["Content-Security-Policy"]
    assert "prefers-color-scheme: dark" in style[1]


async def test_the_dashboard_has_the_promised_shape(world: World) -> None:
    status, response, text = await world.get("/api/dashboard/stats")
    body = json.loads(text)
    assert (status, response.content_type) == (200, "application/json")
    assert body["mappings"] == {"total": 3}
    assert body["queue"] == {"pending": 4, "running": 5, "errors": 6, "skipped": 7, "done": 8}
    assert body["recent_runs"] == [
        {
            "timestamp": "2026-11-21T12:00:00.000Z", "job_type": "execution", "status": "success",
            "message": "80 tracks added",
        }
    ]  # fmt: skip
    assert (body["youtube_quota"]["used"], body["youtube_quota"]["limit"]) == (1_234, 10_000)


async def test_the_dashboard_is_computed_once_a_second_however_many_ask(world: World) -> None:
    world.numbers.gate.clear()
    crowd = [asyncio.create_task(world.get("/api/dashboard/stats")) for _ in range(50)]
    impatient = asyncio.create_task(world.get("/api/dashboard/stats"))
    await world.get("/healthz")
    impatient.cancel()
    world.numbers.gate.set()
    answers = await asyncio.gather(*crowd)
    assert {status for status, _, _ in answers} == {200}
    assert world.numbers.asked == 1
    world.clock.advance(0.9)
    await world.get("/api/dashboard/stats")
    assert world.numbers.asked == 1
    world.clock.advance(0.1)
    await world.get("/api/dashboard/stats")
    assert world.numbers.asked == 2


async def test_a_failing_dashboard_is_tried_again_a_second_later_and_says_nothing_of_its_inside(world: World) -> None:
    world.numbers.broken = True
    for _ in range(3):
        status, _, text = await world.get("/api/dashboard/stats")
        assert status == 500
        assert "secret internals" not in text
    assert world.numbers.asked == 1
    world.numbers.broken = False
    world.clock.advance(1)
    assert (await world.get("/api/dashboard/stats"))[0] == 200


@pytest.mark.parametrize("beginning", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
async def test_a_half_open_connection_is_closed(beginning: bytes) -> None:
    """Else silent clients would gather until the program can open no file any more."""
    world = World("", None)  # type: ignore[arg-type]
    app = make_app(oauth_door=world.consents, dashboard=world.numbers, ready=world.ready, clock=world.clock)
    async with open_web(app, host="127.0.0.1", port=0, idle_seconds=0.1) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(beginning)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_a_port_in_use_is_a_sentence_that_names_it() -> None:
    world = World("", None)  # type: ignore[arg-type]
    app = make_app(oauth_door=world.consents, dashboard=world.numbers, ready=world.ready, clock=world.clock)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} on 127\.0\.0\.1 is taken"):
            async with open_web(app, host="127.0.0.1", port=port):
                pass
