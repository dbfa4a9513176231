"""How long to wait before the next IDENTIFY: Discord resets the token of a bot that sends 1,000 of them in a day."""

import json
from datetime import datetime, timedelta

from bot.clock import Clock
from storage import Storage

NOTE = "discord.identifies"
WINDOW = timedelta(days=1)
FREE = 5  # so many in an hour are an ordinary day of updates and network trouble
FIRST_DELAY = 5.0
LONGEST_DELAY = 600.0  # 144 a day at worst, far from 1,000 and still back soon after the fault is mended


def delay(identifies: list[datetime], now: datetime) -> float:
    """Seconds to wait: none for the first five of the last hour, then twice as long each time, at most ten minutes."""
    recent = sum(1 for moment in identifies if now - moment < timedelta(hours=1))
    if recent < FREE:
        return 0.0
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (recent - FREE))


class Identifies:
    """Remembers the moments in the database, because a crash loop begins each time with an empty memory."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def wait(self) -> None:
        """Note this identify, after the delay that those before it ask for."""
        moments = await self._moments()
        seconds = delay(moments, self._clock.now())
        # Noted before the wait: a process that is killed while it waits has tried as well.
        kept = [moment.timestamp() for moment in [*moments, self._clock.now()]]
        await self._storage.meta.put(NOTE, json.dumps(kept))
        if seconds:
            await self._clock.sleep(seconds)

    async def _moments(self) -> list[datetime]:
        now = self._clock.now()
        text = await self._storage.meta.get(NOTE)
        moments = [datetime.fromtimestamp(stamp, now.tzinfo) for stamp in json.loads(text or "[]")]
        return [moment for moment in moments if now - moment < WINDOW][-1000:]
