"""Questions to volunteers' servers: one at a time, at the pace that they ask for, none while they are in trouble."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import requests

from bot.clock import Clock
from bot.model.errors import Refused, RetryLater
from bot.services.sending import Rejection, Sending, Workers

FIRST_SILENCE, LONGEST_SILENCE = timedelta(minutes=1), timedelta(hours=1)
SAT_OUT = 30.0  # seconds that a server may ask us to wait without the question being given up
MOST_WAITS = 2
WAIT_UNTOLD = 10.0  # the window in which ListenBrainz counts


class Asking:
    """The way to one server. ``sent`` hears of each request before it leaves; ``gap`` is in seconds."""

    def __init__(
        self, name: str, *, gap: float, agent: str, workers: Workers, clock: Clock, sent: Callable[[str], None]
    ) -> None:
        self._name = name
        self._gap = gap
        self._agent = agent
        self._workers = workers
        self._clock = clock
        self._sent = sent
        self._turn = asyncio.Lock()
        self._next = 0.0  # monotonic: no question before
        self._silent_until = 0.0
        self._silence = FIRST_SILENCE

    async def ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of the answer. Raises Refused for a refusal, RetryLater for everything else; both make us silent."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        given = {"User-Agent": self._agent, "Accept": "application/json", **(headers or {})}
        if data is not None:
            given["Content-Type"] = "application/json; charset=utf-8"

        def send(sending: Sending) -> requests.Response:
            return sending.send(method, url, headers=given, params=params, data=data)

        async with self._turn:
            if self._clock.monotonic() < self._silent_until:
                raise RetryLater(f"{self._name} is left alone for a while, since it failed", code="silent")
            try:
                answer = await self._patiently(send)
            except (RetryLater, Refused):
                self._silent_until = self._clock.monotonic() + self._silence.total_seconds()
                self._silence = min(self._silence * 2, LONGEST_SILENCE)
                raise
            self._silence = FIRST_SILENCE
            return answer.json()

    async def _patiently(self, send: Callable[[Sending], requests.Response]) -> requests.Response:
        """Sends it, again after a wait that the server asked for."""
        for waits in range(MOST_WAITS + 1):
            try:
                return await self._once(send)
            except Rejection as no:
                if no.status != 429:
                    raise _refused(self._name, no) from no
                wait = WAIT_UNTOLD if no.retry_after is None else no.retry_after
                failure = RetryLater(f"{self._name}: too many requests", code="too_many")
            except RetryLater as error:
                if error.at is None:
                    raise
                wait, failure = (error.at - self._clock.now()).total_seconds(), error
            if waits == MOST_WAITS or wait > SAT_OUT:
                raise failure
            self._next = self._clock.monotonic() + max(wait, self._gap)
        raise AssertionError("the last wait raises")

    async def _once(self, send: Callable[[Sending], requests.Response]) -> requests.Response:
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)
        self._next = self._clock.monotonic() + self._gap
        self._sent(self._name)
        answer = await self._workers.run(send, operation=self._name)
        if answer.headers.get("X-RateLimit-Remaining") == "0":
            self._next = self._clock.monotonic() + max(self._gap, _seconds(answer.headers.get("X-RateLimit-Reset-In")))
        return answer


def _refused(name: str, no: Rejection) -> Refused:
    if no.status == 401:
        return Refused(f"{name} answers only with a user token", code="http_401")
    return Refused(f"{name} refused with {no.status}", code=f"http_{no.status}")


def _seconds(told: str | None) -> float:
    try:
        return min(max(0.0, float(told or "")), SAT_OUT)
    except ValueError:
        return WAIT_UNTOLD
