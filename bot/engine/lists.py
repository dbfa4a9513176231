"""People's lists of playlists, read anew in the background while somebody chooses from them."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bot.model.account import AccountStatus
from bot.model.errors import CrossfadeError
from bot.services.cache import Cache, Kind
from bot.services.registry import MusicServices
from storage import Storage


class Lists:
    """The lists lie in the database, where the autocomplete finds them; the cache knows which are fresh."""

    def __init__(self, storage: Storage, services: MusicServices, cache: Cache) -> None:
        self._storage = storage
        self._services = services
        self._cache = cache
        self._background: set[asyncio.Task[None]] = set()

    def freshen(self, discord_user_id: int) -> None:
        """Read the lists of the person's accounts again where they are older than five minutes. Waits for nothing."""
        task = asyncio.create_task(self.read(discord_user_id))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def read(self, discord_user_id: int) -> None:
        """The same, to its end. What fails, and is told by whoever failed, leaves the older list."""
        with suppress(CrossfadeError):
            for account in await self._storage.accounts.of_user(discord_user_id):
                if account.status is AccountStatus.CONNECTED:
                    await self._cache.fill(Kind.PLAYLISTS, [str(account.id)], self._load, batch=1)

    async def close(self) -> None:
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _load(self, keys: list[str]) -> Mapping[str, Any]:
        counts: dict[str, int] = {}
        for key in keys:
            service = await self._services.for_account(int(key))
            listed = await service.playlists()
            await self._storage.playlists.remember_list(int(key), listed)
            counts[key] = len(listed)
        return counts
