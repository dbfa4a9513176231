"""Fetching ahead, in quiet hours, what the next routing runs ask for, so that they need not wait for slow sources."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.engine.facts import LOOKED_UP, Metadata
from bot.model.errors import UserMistake
from bot.model.router import BasePlaylist
from bot.model.rules import Field, fields
from bot.model.rules_json import from_json
from storage import Storage

AHEAD = timedelta(hours=24)
QUIET = range(2, 6)  # hours of the guild's day in which hardly anybody waits for the sources
AT_ONCE = 500  # entries between two looks at the clock


class Warming:
    def __init__(self, storage: Storage, metadata: Metadata, clock: Clock) -> None:
        self._storage = storage
        self._metadata = metadata
        self._clock = clock

    async def run(self) -> str:
        """Look up what the bases due within a day will need and the cache will not hold then; says what it did.

        The sources' own pace bounds it, and the end of the quiet hours; what is left comes the next night.
        """
        fetched = bases = 0
        for base in await self._storage.routers.due(self._clock.now() + AHEAD):
            asked = await self._asked(base)
            if asked & LOOKED_UP:
                bases += 1
                fetched += await self._warm(base, asked)
        return f"facts fetched ahead: {fetched:,}, for base playlists: {bases:,}"

    async def _warm(self, base: BasePlaylist, asked: frozenset[Field]) -> int:
        """How many facts had to be fetched. The base is taken as it was when it was last read."""
        content = await self._storage.routers.content(base.id)
        zone = ZoneInfo((await self._storage.guilds.get(base.guild_id)).timezone)
        fetched = 0
        for start in range(0, 0 if content is None else len(content.entries), AT_ONCE):
            now = self._clock.now()
            if now.astimezone(zone).hour not in QUIET:
                break
            assert content is not None
            known = await self._metadata.facts(
                content.entries[start : start + AT_ONCE],
                asked,
                base.playlist.account_id,
                good_at=max(now, base.next_run_at or now),
            )
            fetched += known.misses
        return fetched

    async def _asked(self, base: BasePlaylist) -> frozenset[Field]:
        asked: frozenset[Field] = frozenset()
        for child in await self._storage.routers.children(base.id):
            try:
                asked |= fields(from_json(child.rules))
            except UserMistake:  # the run names it
                continue
        return asked
