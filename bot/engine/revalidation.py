"""Looking again at what was found on YouTube: its terms let search results be kept for 30 days unseen."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.clock import Clock
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.model.music import Service
from bot.model.review import MatchRow
from bot.services.registry import MusicServices
from storage import Storage

log = logging.getLogger(__name__)

# A day before the 30 days of YouTube's terms are over (PLATFORM.md).
LOOKED_AT_AFTER = timedelta(days=29)
AT_ONCE = 50  # ids that one videos.list of one unit takes


class Revalidation:
    def __init__(self, storage: Storage, services: MusicServices, clock: Clock) -> None:
        self._storage = storage
        self._services = services
        self._clock = clock

    async def run(self) -> int:
        """Confirm or drop remembered matches that grow old; returns how many were looked at.

        Without a linked YouTube account nothing can be asked: then they are simply not used any more after 30 days.
        """
        accounts = await self._storage.accounts.connected(Service.YOUTUBE)
        if not accounts:
            return 0
        stale = await self._storage.matches.stale(Service.YOUTUBE, self._clock.now() - LOOKED_AT_AFTER)
        rows = [row for row in stale if row.destination_id]
        looked = 0
        try:
            for start in range(0, len(rows), AT_ONCE):
                looked += await self._look(accounts[0].id, rows[start : start + AT_ONCE])
        except CrossfadeError as error:  # quota, login or service: the next run goes on where this one ended
            log.warning(Event.TASK_FAILED, extra={"task": "matches", "error": str(error)})
        return looked

    async def _look(self, account_id: int, rows: Sequence[MatchRow]) -> int:
        service = await self._services.for_account(account_id)
        tracks = await service.tracks([row.destination_id for row in rows])
        there = {track.external_id: track for track in tracks if track.available}
        for row in rows:
            track = there.get(row.destination_id)
            if track is not None:
                await self._storage.matches.remember(replace(row, decided_at=self._clock.now(), track=track))
            else:
                await self._storage.matches.forget(
                    row.source_service, row.source_id, row.destination_service, row.guild_id
                )
        return len(rows)
