"""The cache of what services told: each kind kept for its time, fetched once whoever asks, never a reason to stop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cashews

from bot.clock import Clock
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.services.cache_packing import Garbage, pack, stored_at, unpack
from bot.services.cache_store import BROKEN, open_store

T = TypeVar("T")
log = logging.getLogger(__name__)

VERSION = 1  # of what lies in the cache; another number leaves the old entries to their end
SIZE = 64 * 1024 * 1024  # bytes of the embedded cache; the tags of 100,000 tracks take half of it
AT_ONCE = 500  # keys in one question to the store
RETRY_AFTER = 30.0  # seconds that a store which failed is left alone


class Kind(StrEnum):
    TRACK = "track"
    ARTIST = "artist"
    ALBUM = "album"
    TAGS = "tags"  # genres of a track from outside of its own service
    PLAYLISTS = "playlists"  # an account's list of playlists

    @property
    def lasts(self) -> timedelta:
        return _LASTS[self]


_LASTS = {
    Kind.TRACK: timedelta(hours=24),
    Kind.ARTIST: timedelta(days=7),
    Kind.ALBUM: timedelta(days=7),
    Kind.TAGS: timedelta(days=7),
    Kind.PLAYLISTS: timedelta(minutes=5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStatistics:
    """``hits`` and ``misses`` since the program started; ``bytes`` as stored; ages None where there are no entries."""

    hits: int = 0
    misses: int = 0
    entries: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    @property
    def hit_rate(self) -> float | None:
        """0 to 1; None where nothing was asked for."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What ``fill`` got. ``error``: why the values that are not there could not be loaded."""

    values: dict[str, Any] = field(default_factory=dict)
    hits: int = 0  # without a question of ours: from the store, or from another run's question
    misses: int = 0  # loaded by us
    error: CrossfadeError | None = None


@dataclass(frozen=True, slots=True)
class _Landed:
    """The end of a question under way. ``known`` False: no answer; ``error`` None then: the asking run was stopped."""

    known: bool
    value: Any = None
    error: CrossfadeError | None = None


Load = Callable[[list[str]], Awaitable[Mapping[str, Any]]]
_Flights = dict[str, asyncio.Future[_Landed]]


class Cache:
    """Made by ``open_cache``. Values are what JSON can hold; keys are ids of the services."""

    def __init__(self, store: cashews.Cache | None, clock: Clock, *, place: str) -> None:
        self.place = place  # "redis" or "embedded"
        self._store = store
        self._clock = clock
        self._counts = {kind: [0, 0] for kind in Kind}
        self._flights: dict[tuple[Kind, str], asyncio.Future[_Landed]] = {}
        self._failing = store is None
        self._alone_until = 0.0
        self._garbage_told = False

    @property
    def working(self) -> bool:
        """Whether the store answered the last time."""
        return not self._failing

    async def fill(
        self, kind: Kind, keys: Iterable[str], load: Load, *, batch: int, good_at: datetime | None = None
    ) -> Filled:
        """The values of ``keys``: from the cache, else by ``load``, which is asked for at most ``batch`` at a time.

        What ``load`` leaves out is kept as None: its source knows nothing of it. Where it raises one of our errors,
        what came before is kept and returned with the error. Keys that another task is loading right now are waited
        for. ``good_at``: when the values must still be good; now, where None.
        """
        mine, others = self._claimed(kind, list(dict.fromkeys(keys)))
        try:
            own = await self._own(kind, mine, load, batch, good_at or self._clock.now())
        finally:
            for key in mine:
                self._land(kind, key, mine, _Landed(known=False))
        shared, abandoned = await self._shared(others)
        filled = _joined(own, shared)
        self._counts[kind][0] += filled.hits
        self._counts[kind][1] += filled.misses
        if abandoned:  # whoever asked was stopped before the answer came
            return _joined(filled, await self.fill(kind, abandoned, load, batch=batch, good_at=good_at))
        return filled

    async def statistics(self) -> dict[Kind, KindStatistics]:
        """Reads every entry's size and age; a few hundred milliseconds for a full cache."""
        found = {kind: KindStatistics(hits=hits, misses=misses) for kind, (hits, misses) in self._counts.items()}

        async def look() -> dict[Kind, KindStatistics]:
            for kind in Kind:
                found[kind] = await self._measured(kind, found[kind])
            return found

        return await self._tried(look, found)

    async def forget(self, kind: Kind | None = None, key: str | None = None, *, actor_id: int = 0) -> int:
        """Drop one entry (of one kind, or of every kind that has the key), a kind, or all; how many there were."""
        kinds = list(Kind) if kind is None else [kind]

        async def drop() -> int:
            names = [name for one in kinds async for name in self._names(one, key)]
            for part in _parts(names, AT_ONCE):
                await self._opened.delete_many(*part)
            return len(names)

        count = await self._tried(drop, 0)
        log.info(
            Event.CACHE_FORGOTTEN,
            extra={"what": _words(kind, key), "entries": count, "actor_id": actor_id or None},
        )
        return count

    async def close(self) -> None:
        if self._store is not None:
            with suppress(*BROKEN):
                await self._store.close()

    # One question at a time for each key

    def _claimed(self, kind: Kind, keys: Sequence[str]) -> tuple[_Flights, _Flights]:
        """The keys that nobody is asking for, now ours to ask for, and the questions of others under way."""
        mine: _Flights = {}
        others: _Flights = {}
        for key in keys:
            flight = self._flights.get((kind, key))
            if flight is None:
                mine[key] = self._flights[kind, key] = asyncio.get_running_loop().create_future()
            else:
                others[key] = flight
        return mine, others

    def _land(self, kind: Kind, key: str, mine: _Flights, landed: _Landed) -> None:
        if not mine[key].done():
            mine[key].set_result(landed)
            del self._flights[kind, key]

    async def _own(self, kind: Kind, mine: _Flights, load: Load, batch: int, good_at: datetime) -> Filled:
        values = await self._read(kind, list(mine), good_at)
        for key, value in values.items():
            self._land(kind, key, mine, _Landed(known=True, value=value))
        hits = len(values)
        missing = [key for key in mine if key not in values]
        for part in _parts(missing, batch):
            try:
                loaded = dict.fromkeys(part) | dict(await load(part))
            except CrossfadeError as error:
                for key in missing:
                    self._land(kind, key, mine, _Landed(known=False, error=error))
                return Filled(values=values, hits=hits, misses=len(values) - hits, error=error)
            await self._write(kind, loaded)
            values.update(loaded)
            for key in part:
                self._land(kind, key, mine, _Landed(known=True, value=loaded[key]))
        return Filled(values=values, hits=hits, misses=len(missing))

    async def _shared(self, flights: _Flights) -> tuple[Filled, list[str]]:
        values: dict[str, Any] = {}
        error: CrossfadeError | None = None
        abandoned: list[str] = []
        for key, flight in flights.items():
            landed = await asyncio.shield(flight)
            if landed.known:
                values[key] = landed.value
            elif landed.error is not None:
                error = landed.error
            else:
                abandoned.append(key)
        return Filled(values=values, hits=len(values), error=error), abandoned

    # The store

    @property
    def _opened(self) -> cashews.Cache:
        assert self._store is not None
        return self._store

    async def _read(self, kind: Kind, keys: Sequence[str], good_at: datetime) -> dict[str, Any]:
        """What is there and not too old."""
        found: dict[str, Any] = {}
        oldest = good_at - kind.lasts
        for part in _parts(keys, AT_ONCE):
            if self._store is None:
                return found
            names = [_name(kind, key) for key in part]
            packed = await self._tried(partial(self._opened.get_many, *names), (None,) * len(part))
            for key, one in zip(part, packed, strict=True):
                if one is None:
                    continue
                try:
                    entry = unpack(one)
                except Garbage as garbage:
                    self._tell_garbage(kind, garbage)
                    continue
                if entry.stored_at > oldest:
                    found[key] = entry.value
        return found

    async def _write(self, kind: Kind, values: Mapping[str, Any]) -> None:
        now = self._clock.now()
        pairs = {_name(kind, key): pack(value, now) for key, value in values.items()}
        if pairs and self._store is not None:
            lasts = kind.lasts.total_seconds()
            await self._tried(partial(self._opened.set_many, pairs, expire=lasts), None)

    async def _measured(self, kind: Kind, counted: KindStatistics) -> KindStatistics:
        entries = size = 0
        ages: list[datetime] = []
        oldest = self._clock.now() - kind.lasts
        async for _, packed in self._opened.get_match(_name(kind, "*")):
            try:
                age = stored_at(packed)
            except Garbage:
                continue
            if age > oldest:
                entries, size = entries + 1, size + len(packed)
                ages.append(age)
        return replace(
            counted, entries=entries, bytes=size, oldest=min(ages, default=None), newest=max(ages, default=None)
        )

    async def _names(self, kind: Kind, key: str | None) -> AsyncIterator[str]:
        if key is not None:
            if await self._opened.exists(_name(kind, key)):
                yield _name(kind, key)
            return
        async for name in self._opened.scan(_name(kind, "*")):
            yield name

    async def _tried(self, work: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """What the store says; ``otherwise`` while it does not answer. Said once, and once when it is back."""
        if self._store is None or self._clock.monotonic() < self._alone_until:
            return otherwise
        try:
            result = await work()
        except BROKEN as error:
            self._alone_until = self._clock.monotonic() + RETRY_AFTER
            if not self._failing:
                log.warning(Event.CACHE_FAILING, extra={"error": f"{type(error).__name__}: {error}"})
            self._failing = True
            return otherwise
        if self._failing:
            log.info(Event.CACHE_BACK)
        self._failing = False
        return result

    def _tell_garbage(self, kind: Kind, garbage: Garbage) -> None:
        if not self._garbage_told:
            log.warning(Event.CACHE_GARBAGE, extra={"kind": kind, "error": str(garbage)})
        self._garbage_told = True


@asynccontextmanager
async def open_cache(folder: Path, clock: Clock, *, redis_url: str = "", size: int = SIZE) -> AsyncIterator[Cache]:
    """The cache in ``folder``, or at ``redis_url`` where it is not empty. One that cannot be opened keeps nothing."""
    place = "redis" if redis_url else "embedded"
    try:
        store = await open_store(redis_url, folder, size)
    except BROKEN as error:
        log.warning(Event.CACHE_FAILING, extra={"error": f"{type(error).__name__}: {error}"})
        store = None
    cache = Cache(store, clock, place=place)
    try:
        yield cache
    finally:
        await cache.close()


def _name(kind: Kind, key: str) -> str:
    return f"crossfade:{VERSION}:{kind}:{key}"


def _words(kind: Kind | None, key: str | None) -> str:
    return " ".join(filter(None, (kind or ("" if key else "everything"), key)))


def _parts(keys: Sequence[str], size: int) -> list[list[str]]:
    return [list(keys[start : start + size]) for start in range(0, len(keys), size)]


def _joined(one: Filled, other: Filled) -> Filled:
    return Filled(
        values=one.values | other.values,
        hits=one.hits + other.hits,
        misses=one.misses + other.misses,
        error=one.error or other.error,
    )
