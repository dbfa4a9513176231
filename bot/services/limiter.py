"""When a service may be called: how many calls at once, short waits that it asks for, long pauses, and its health."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.model.errors import ServicePaused
from bot.model.events import Event, Fact, ServiceSilent
from bot.model.music import Service
from storage import Storage

log = logging.getLogger(__name__)

# Waits up to this long are sat out in place; above, the whole service pauses (DESIGN.md section 5).
LONGEST_WAIT = timedelta(seconds=60)
# A service counts as failing from this many calls in a row without an answer: single hiccups are daily business.
FAILURES_THAT_COUNT = 3


@dataclass(slots=True)
class _State:
    turns: asyncio.Semaphore
    not_before: datetime | None = None  # a short wait
    paused_until: datetime | None = None  # a long one
    known: bool = False  # whether the stored pause was read
    failures: int = 0


class Limiter:
    """One for the whole program. ``announce`` hands facts to the hub."""

    def __init__(self, storage: Storage, clock: Clock, announce: Callable[[Fact], None], *, in_flight: int = 4) -> None:
        self._storage = storage
        self._clock = clock
        self._announce = announce
        self._states = {service: _State(asyncio.Semaphore(in_flight)) for service in Service}

    @asynccontextmanager
    async def turn(self, service: Service) -> AsyncIterator[None]:
        """A place among the calls in flight. Sits short waits out; raises ServicePaused during a long one."""
        async with self._states[service].turns:
            await self._ready(service)
            yield

    async def told_to_wait(self, service: Service, wait: timedelta, reason: str) -> None:
        """The service answered 429. Raises ServicePaused where the wait is too long to be sat out."""
        state = self._states[service]
        until = self._clock.now() + wait
        if wait <= LONGEST_WAIT:
            state.not_before = max(until, state.not_before or until)
            return
        await self._pause(service, until, reason)
        raise _silence(service, state.paused_until or until)

    def answered(self, service: Service) -> None:
        """A trustworthy answer came."""
        state = self._states[service]
        if state.failures >= FAILURES_THAT_COUNT:
            log.info(Event.SERVICE_BACK, extra={"service": service.label, "failures": state.failures})
        state.failures = 0

    def failed(self, service: Service, error: Exception) -> None:
        """No trustworthy answer came. Logged once, until it is back."""
        state = self._states[service]
        state.failures += 1
        if state.failures == FAILURES_THAT_COUNT:
            log.warning(Event.SERVICE_FAILING, extra={"service": service.label, "error": str(error)})

    async def _ready(self, service: Service) -> None:
        state = self._states[service]
        await self._recall(service)
        while True:
            now = self._clock.now()
            if state.paused_until is not None:
                if now < state.paused_until:
                    raise _silence(service, state.paused_until)
                state.paused_until = None
                log.info(Event.SERVICE_RESUMED, extra={"service": service.label})
            if state.not_before is None or now >= state.not_before:
                return
            await self._clock.sleep((state.not_before - now).total_seconds())

    async def _recall(self, service: Service) -> None:
        """A pause outlives the process: read it once."""
        state = self._states[service]
        if state.known:
            return
        pause = await self._storage.pauses.get(service, self._clock.now())
        if pause is not None and not state.known:
            state.paused_until = pause.until
        state.known = True

    async def _pause(self, service: Service, until: datetime, reason: str) -> None:
        state = self._states[service]
        already = state.paused_until is not None and state.paused_until > self._clock.now()
        if already and state.paused_until is not None and state.paused_until >= until:
            return
        state.paused_until = until
        state.known = True
        await self._storage.pauses.set(service, until, reason)
        if already:
            return  # said once
        log.warning(Event.SERVICE_PAUSED, extra={"service": service.label, "until": until, "reason": reason})
        self._announce(ServiceSilent(service=service, until=until, reason=reason))


def _silence(service: Service, until: datetime) -> ServicePaused:
    return ServicePaused(
        f"{service.label} asked for silence until {until:%Y-%m-%d %H:%M} UTC", service=service, until=until
    )
