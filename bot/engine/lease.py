"""The right to write to one playlist, and to the items that were claimed for it, for a while."""

from datetime import datetime, timedelta

from bot.clock import Clock
from storage import Storage

# Longer than any single call may take with its waits; the holder prolongs it while it works.
HELD_FOR = timedelta(minutes=10)


class Lease:
    """Held under ``token`` until it is given back or not prolonged."""

    def __init__(self, storage: Storage, clock: Clock, playlist_key: str, token: str, until: datetime) -> None:
        self._storage = storage
        self._clock = clock
        self._key = playlist_key
        self._until = until
        self.token = token

    @classmethod
    async def take(cls, storage: Storage, clock: Clock, playlist_key: str, token: str) -> "Lease | None":
        """The lease of the playlist, or None while somebody else writes to it."""
        now = clock.now()
        if not await storage.leases.take(playlist_key, token, now + HELD_FOR, now):
            return None
        return cls(storage, clock, playlist_key, token, now + HELD_FOR)

    async def keep(self) -> None:
        """Prolong it, once half of its time is over."""
        now = self._clock.now()
        if self._until - now > HELD_FOR / 2:
            return
        self._until = now + HELD_FOR
        await self._storage.leases.extend(self._key, self.token, self._until)
        await self._storage.items.extend(self.token, self._until)

    async def give_back(self) -> None:
        await self._storage.leases.release(self._key, self.token)
