"""Faults of the simulated services: scripted ones, one by one, and random ones, the same for a seed."""

import re
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox import ids


class FaultKind(StrEnum):
    """What goes wrong with one answer."""

    CONFLICT = "409"  # YouTube's brief refusal after a creation or under concurrent writes
    ERROR_500 = "500"
    ERROR_502 = "502"
    ERROR_503 = "503"
    RATE_LIMIT = "429"  # with Retry-After, in the service's own words
    TIMEOUT = "timeout"  # nothing comes until the client gives up
    RESET = "reset"  # the connection is reset (RST)
    CLOSE = "close"  # the connection is closed cleanly without an answer
    TRUNCATED = "truncated"  # half of the body, then the end
    GARBAGE = "garbage"  # 200 with a body that is no JSON
    SLOW = "slow"  # the right answer, after a delay


RANDOM_KINDS = tuple(kind for kind in FaultKind if kind not in (FaultKind.CONFLICT, FaultKind.TIMEOUT, FaultKind.SLOW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. ``after`` the commit: the service did what was asked, and only the answer suffers."""

    kind: FaultKind
    after: bool = False
    retry_after: float | None = None  # seconds, as RATE_LIMIT says
    delay: float | None = None  # seconds for SLOW and, at most, for TIMEOUT


@dataclass(slots=True, kw_only=True)
class _Script:
    service: str
    method: str
    path: re.Pattern[str]
    fault: Fault
    times: int
    skip: int

    def fits(self, service: str, method: str, path: str) -> bool:
        return self.service in ("*", service) and self.method in ("*", method) and bool(self.path.search(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chance:
    rate: float
    seed: int
    kinds: tuple[FaultKind, ...]
    writes_only: bool
    when: str
    services: frozenset[str]
    delay: float


class Faults:
    """What will go wrong next. Safe to use from any thread.

    Services are ``spotify``, ``youtube``, ``ytmusic``, ``listenbrainz``, ``musicbrainz``, ``spotify.accounts``,
    ``google.accounts`` or ``*``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: list[_Script] = []
        self._chance: _Chance | None = None
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def next(
        self,
        service: str,
        method: str,
        path_pattern: str,
        kind: str,
        when: str = "before",
        times: int = 1,
        retry_after: float | None = None,
        delay: float | None = None,
        skip: int = 0,
    ) -> None:
        """Spoil the next ``times`` calls whose path holds the regular expression, after letting ``skip`` pass.

        ``method`` may be ``*``; ``when`` says on which side of the commit. Raises ValueError for unknown words.
        """
        fault = Fault(kind=FaultKind(kind), after=_is_after(when), retry_after=retry_after, delay=delay)
        script = _Script(
            service=service, method=method, path=re.compile(path_pattern), fault=fault, times=times, skip=skip
        )
        with self._lock:
            self._scripts.append(script)

    def random(
        self,
        rate: float = 0.1,
        *,
        seed: int = 1,
        kinds: Collection[str] = RANDOM_KINDS,
        writes_only: bool = False,
        when: str = "both",
        services: Collection[str] = ("spotify", "youtube"),
        delay: float = 0.2,
    ) -> None:
        """Spoil this share of calls from now on. The n-th call of a method and path always meets the same fate.

        ``delay``: seconds that slow answers and timeouts take.
        """
        if when != "both":
            _is_after(when)
        with self._lock:
            self._seen.clear()
            self._chance = _Chance(
                rate=rate,
                seed=seed,
                kinds=tuple(FaultKind(kind) for kind in kinds),
                writes_only=writes_only,
                when=when,
                services=frozenset(services),
                delay=delay,
            )

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._scripts.clear()
            self._chance = None

    def pending(self) -> int:
        """How many scripted faults have not struck yet."""
        with self._lock:
            return sum(script.times for script in self._scripts)

    def draw(self, service: str, method: str, path: str) -> Fault | None:
        """The fault that strikes this call, used up by asking."""
        with self._lock:
            for script in self._scripts:
                if script.fits(service, method, path):
                    return self._use(script)
            return self._by_chance(service, method, path)

    def _use(self, script: _Script) -> Fault | None:
        if script.skip:
            script.skip -= 1
            return None
        script.times -= 1
        if script.times <= 0:
            self._scripts.remove(script)
        return script.fault

    def _by_chance(self, service: str, method: str, path: str) -> Fault | None:
        chance = self._chance
        if chance is None or service not in chance.services or (chance.writes_only and method == "GET"):
            return None
        self._seen[service, method, path] += 1
        draw = (chance.seed, service, method, path, self._seen[service, method, path])
        if ids.fraction("fault", *draw) >= chance.rate:
            return None
        kind = chance.kinds[int(ids.fraction("kind", *draw) * len(chance.kinds))]
        after = ids.fraction("when", *draw) < 0.5 if chance.when == "both" else _is_after(chance.when)
        if kind is FaultKind.RATE_LIMIT and chance.when == "both":
            after = False  # a real 429 says for certain that nothing was done
        return Fault(kind=kind, after=after, retry_after=1.0, delay=chance.delay)


def _is_after(when: str) -> bool:
    if when not in ("before", "after"):
        raise ValueError(f"a fault strikes before or after the commit, not {when!r}")
    return when == "after"
