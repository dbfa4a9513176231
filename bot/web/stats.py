"""The numbers of the dashboard as JSON: aggregates only, for anybody, counted at most once a second."""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from aiohttp import web

from bot.engine.stats import Dashboard
from bot.logs.lines import rfc3339
from bot.model.quota import Bucket, BucketState


class DashboardSource(Protocol):
    async def dashboard(self, guild_id: int | None = None) -> Dashboard: ...


def routes(source: DashboardSource) -> Iterable[web.RouteDef]:
    encoded = _Encoded()

    async def stats(_: web.Request) -> web.Response:
        body = encoded.of(await source.dashboard())
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    return [web.get("/api/dashboard/stats", stats)]


class _Encoded:
    """The same numbers are written as JSON once; how long they stay the same is their source's to say."""

    def __init__(self) -> None:
        self._last: tuple[Dashboard, bytes] | None = None

    def of(self, dashboard: Dashboard) -> bytes:
        if self._last is None or self._last[0] is not dashboard:
            self._last = (dashboard, json.dumps(as_json(dashboard)).encode())
        return self._last[1]


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
