"""The numbers of the dashboard as JSON: aggregates only, for anybody, computed at most once a second."""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from aiohttp import web

from bot.clock import Clock
from bot.engine.stats import Dashboard
from bot.logs.lines import rfc3339
from bot.model.quota import Bucket, BucketState
from bot.web.fresh import Fresh


class DashboardSource(Protocol):
    async def dashboard(self, guild_id: int | None = None) -> Dashboard: ...


def routes(source: DashboardSource, clock: Clock) -> Iterable[web.RouteDef]:
    async def body() -> bytes:
        return json.dumps(as_json(await source.dashboard())).encode()

    fresh = Fresh(body, clock)

    async def stats(_: web.Request) -> web.Response:
        return web.Response(body=await fresh.get(), content_type="application/json", charset="utf-8")

    return [web.get("/api/dashboard/stats", stats)]


def as_json(dashboard: Dashboard) -> dict[str, Any]:
    """The shape that DESIGN.md promises, with a few keys more. Times are RFC 3339 with Z."""
    return {
        "at": rfc3339(dashboard.at),
        "mappings": {"total": dashboard.mappings_total},
        "queue": {
            "pending": dashboard.pending,
            "running": dashboard.running,
            "errors": dashboard.errors,
            "skipped": dashboard.skipped,
            "done": dashboard.done,
        },
        "recent_runs": [
            {
                "timestamp": rfc3339(run.timestamp),
                "job_type": run.job_type,
                "status": run.status,
                "message": run.message,
            }
            for run in dashboard.recent_runs
        ],
        "youtube_quota": _bucket(dashboard.buckets[Bucket.YOUTUBE_UNITS]),
        "youtube_searches": _bucket(dashboard.buckets[Bucket.YOUTUBE_SEARCH]),
        "spotify_calls": _bucket(dashboard.buckets[Bucket.SPOTIFY_CALLS]),
    }


def _bucket(state: BucketState) -> dict[str, Any]:
    return {"used": state.used, "limit": state.limit, "resets_at": rfc3339(state.resets_at)}
