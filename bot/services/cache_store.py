"""Where the cache lies: a folder beside the database, or a Redis server; which of them is a setting."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import cashews
import diskcache
import redis.exceptions
from cashews.exceptions import BackendNotAvailableError, CacheError
from cashews.picklers import PicklerType
from diskcache.core import MODE_BINARY, MODE_RAW

# What a store that is down, full or damaged may raise; everything else is a mistake of ours.
BROKEN = (CacheError, redis.exceptions.RedisError, sqlite3.Error, diskcache.Timeout, OSError, EOFError, ValueError)
_REDIS_SECONDS = 2  # a cache that is slower than the services helps nobody


class Plain(diskcache.Disk):  # type: ignore[misc]
    """Holds bytes and nothing else. diskcache would unpickle what somebody put into the folder, and so run it."""

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:
        if not isinstance(value, bytes):
            raise TypeError(f"only bytes are kept, not {type(value).__name__}")
        return super().store(value, read, key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        if mode not in (MODE_RAW, MODE_BINARY):
            return None
        return super().fetch(mode, filename, value, read)

    def get(self, key: Any, raw: bool) -> Any:
        return super().get(key, raw) if raw else ""


async def open_store(redis_url: str, folder: Path, size: int) -> cashews.Cache:
    """``folder`` is used where ``redis_url`` is empty: at most ``size`` bytes, the entries stored longest ago go first.

    A folder that cannot be read is made anew, since what it held can be fetched again. Raises BROKEN.
    """
    if redis_url:
        if not redis_url.startswith(("redis://", "rediss://")):  # cashews takes others for something else, in silence
            raise BackendNotAvailableError("the address does not begin with redis:// or rediss://")
        store = cashews.Cache()
        # Redis keeps to its own maxmemory; every entry of ours has an end.
        store.setup(redis_url, pickle_type=PicklerType.NULL, check_repr=False, suppress=False,
                    socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS,
                    wait_for_connection_timeout=_REDIS_SECONDS, client_name="crossfade")  # fmt: skip
        return store
    return await asyncio.to_thread(_embedded, folder, size)


def _embedded(folder: Path, size: int) -> cashews.Cache:
    try:
        return _opened(folder, size)
    except sqlite3.DatabaseError:
        shutil.rmtree(folder)
        return _opened(folder, size)


def _opened(folder: Path, size: int) -> cashews.Cache:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = cashews.Cache()
    store.setup("disk://", directory=str(folder), shards=1, size_limit=size, disk=Plain,
                pickle_type=PicklerType.NULL, check_repr=False)  # fmt: skip
    return store
