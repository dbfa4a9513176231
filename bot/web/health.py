"""Whether the program runs (``/healthz``) and whether it can work (``/readyz``)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from bot.clock import Clock
from bot.engine.fresh import Fresh
from bot.web.errors import error_json

READY_SECONDS = 3.0  # longer than this and it is not ready

Ready = Callable[[], Awaitable[object]]


def routes(ready: Ready, clock: Clock) -> Iterable[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def is_ready() -> bool:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await ready()
        except Exception:  # noqa: BLE001 - whatever it is, "not ready" is the answer, and the log of its cause is elsewhere
            return False
        return True

    readiness = Fresh(is_ready, clock)

    async def readyz(_: web.Request) -> web.Response:
        if await readiness.get():
            return web.json_response({"status": "ready"})
        return error_json(503, "not_ready", "The database does not answer; try again in a moment.")

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]
