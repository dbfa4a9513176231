"""The one way out: a turn, a charge, one request, and the answer put into our own words."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from bot.clock import Clock
from bot.model.errors import CrossfadeError, LoginNeeded, QuotaSpent, RetryLater, UnknownOutcome
from bot.model.music import Service
from bot.model.quota import Bucket
from bot.services.limiter import Limiter
from bot.services.protocol import Accounting
from bot.services.sending import Rejection, Sending, Workers

T = TypeVar("T")
log = logging.getLogger(__name__)

# A 429 that names no time: Spotify counts over 30 seconds (PLATFORM.md).
WAIT_UNTOLD = timedelta(seconds=30)
# How often a call is sent again after a 429 before it goes back to the queue.
MOST_WAITS = 3


class Exhausted(CrossfadeError):
    """The service itself says that the quota is spent. Never leaves this room: it becomes ``QuotaSpent``."""

    code = "exhausted"


class Explain(Protocol):
    """Puts a service's refusal into our words; ``LoginNeeded`` and ``Exhausted`` are acted upon here."""

    def __call__(self, no: Rejection, *, write: bool) -> CrossfadeError: ...


class Login(Protocol):
    """Where the access token of a call comes from."""

    async def access(self) -> str:
        """A token that is good now. Raises LoginNeeded."""
        ...

    async def renew(self, refused: str) -> str:
        """Another token than ``refused``. Raises LoginNeeded."""
        ...

    async def dead(self, reason: str) -> LoginNeeded:
        """The service refuses even a new token: note it, and return what to raise."""
        ...


class Outlet:
    """The way out for one account, in the name of one mapping (0: none)."""

    def __init__(
        self,
        service: Service,
        explain: Explain,
        login: Login,
        *,
        workers: Workers,
        limiter: Limiter,
        accounting: Accounting,
        clock: Clock,
        mapping_id: int = 0,
    ) -> None:
        self._service = service
        self._explain = explain
        self._login = login
        self._workers = workers
        self._limiter = limiter
        self._accounting = accounting
        self._clock = clock
        self._mapping_id = mapping_id

    async def call(
        self,
        operation: str,
        send: Callable[[Sending, str], T],
        *,
        bucket: Bucket,
        units: int = 1,
        write: bool = False,
        empty_ok: bool = False,
    ) -> T:
        """Charge and send one call; ``send`` runs in a thread with leave for one request and an access token.

        It is sent again, and charged again, only after an answer that makes certain that nothing happened: a 401 that
        one refresh may cure, and a 429 with a wait up to a minute. Raises the errors of ``bot.model.errors``.
        """
        token = await self._login.access()
        renewed, waits = False, 0
        while True:
            try:
                return await self._once(operation, send, token, bucket=bucket, units=units, write=write, empty=empty_ok)
            except Rejection as no:
                error = self._explain(no, write=write)
                if no.status == 429 and not isinstance(error, Exhausted):
                    waits += 1
                    await self._wait(no, waits)
                    continue
                if isinstance(error, LoginNeeded):
                    if renewed or no.status != 401:
                        raise await self._login.dead(error.code) from no
                    token, renewed = await self._login.renew(token), True
                    continue
                if isinstance(error, Exhausted):
                    until = await self._accounting.exhaust(bucket)
                    raise QuotaSpent(str(error), bucket=bucket, until=until) from no
                raise error from no

    async def _once(
        self,
        operation: str,
        send: Callable[[Sending, str], T],
        token: str,
        *,
        bucket: Bucket,
        units: int,
        write: bool,
        empty: bool,
    ) -> T:
        async with self._limiter.turn(self._service):
            await self._accounting.spend(bucket, operation, units=units, mapping_id=self._mapping_id)
            try:
                result = await self._workers.run(
                    lambda sending: send(sending, token), operation=operation, write=write, empty_ok=empty
                )
            except (RetryLater, UnknownOutcome) as error:
                self._limiter.failed(self._service, error)
                raise
            except Rejection:
                self._limiter.answered(self._service)
                raise
            self._limiter.answered(self._service)
            return result

    async def _wait(self, no: Rejection, waits: int) -> None:
        wait = WAIT_UNTOLD if no.retry_after is None else timedelta(seconds=no.retry_after)
        reason = no.word("error", "reason") or "too many requests"
        await self._limiter.told_to_wait(self._service, wait, reason)
        if waits > MOST_WAITS:
            raise RetryLater(f"{no.operation}: still too many requests", at=self._clock.now() + wait, code="too_many")
