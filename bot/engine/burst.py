"""A burst: one execution run of one mapping, with its counts, its progress and the links as they become."""

import logging
from collections import Counter
from collections.abc import Sequence

from bot.clock import Clock
from bot.engine.hub import Hub
from bot.engine.meter import Meter
from bot.model.events import Event, Progress, RunFinished
from bot.model.mapping import Link, Mapping
from bot.model.plan import LinkChange
from bot.model.run import Run, RunCounts, RunStatus
from storage import Storage

log = logging.getLogger(__name__)

# Heartbeat, stored counts and announced progress follow each other at least this far apart.
BEAT_SECONDS = 1.0


class Burst:
    """Lives from the first claimed item until nothing more is due. ``users``: how many workers are in it now."""

    def __init__(
        self,
        storage: Storage,
        hub: Hub,
        clock: Clock,
        *,
        run: Run,
        mapping: Mapping,
        links: Sequence[Link],
        total: int,
    ) -> None:
        self._storage = storage
        self._hub = hub
        self._clock = clock
        self.run = run
        self.mapping = mapping
        self.links = list(links)
        self.users = 0
        self.cancelled = False  # people stopped it: nobody may enter any more
        self._total = total
        self._finished = 0
        self._began = clock.now()
        self._unsaved: Counter[str] = Counter()
        self._title = ""
        self._beaten_at = float("-inf")

    def count(self, **counts: int) -> None:
        """Add to the run's counts, by the names of ``RunCounts``."""
        self._unsaved.update(counts)

    def spent(self, meter: Meter) -> None:
        self.count(api_requests=meter.calls, quota_units=meter.units)

    def ended(self, items: int = 1) -> None:
        """So many items of the burst have come to their end."""
        self._finished += items
        self.count(tracks_processed=items)

    def relink(self, change: LinkChange) -> None:
        """Follow a change of the merge base that has just been stored."""
        gone = {_key(link) for link in (change.before, change.after) if link is not None}
        self.links = [link for link in self.links if _key(link) not in gone]
        if change.after is not None:
            self.links.append(change.after)

    async def beat(self, title: str = "", *, at_once: bool = False) -> None:
        """Sign of life: store counts and heartbeat and announce progress, about once a second at most."""
        self._title = title or self._title
        now = self._clock.monotonic()
        if not at_once and now - self._beaten_at < BEAT_SECONDS:
            return
        self._beaten_at = now
        await self._save()
        await self._storage.runs.heartbeat(self.run.id, self._clock.now())
        self.run = await self._storage.runs.get(self.run.id) or self.run
        progress = Progress(
            run=self.run,
            guild_id=self.mapping.guild_id,
            total=max(self._total, self._finished),
            finished=self._finished,
            current_title=self._title,
        )
        self._hub.announce(progress)

    async def finish(self, status: RunStatus, error: str = "") -> None:
        """End the run; what is still open is counted as waiting and goes on in a later burst."""
        self.count(waiting=await self._storage.items.count_open(self.mapping.id))
        await self.beat(at_once=True)
        finished = await self._storage.runs.finish(self.run.id, status, self._clock.now(), error=error)
        if finished is None:
            return
        counts = finished.counts
        extra = {
            "mapping": self.mapping.name,
            "adds": counts.adds,
            "removals": counts.removals,
            "skipped": counts.skipped,
            "failed": counts.failed,
            "waiting": counts.waiting,
            "seconds": round((self._clock.now() - self._began).total_seconds(), 1),
        }
        stopped = finished.cancelled_by is not None
        log.info(Event.EXECUTION_CANCELLED if stopped else Event.EXECUTION_COMPLETE, extra=extra)
        self._hub.announce(RunFinished(run=finished, guild_id=self.mapping.guild_id))

    async def _save(self) -> None:
        unsaved, self._unsaved = self._unsaved, Counter()
        await self._storage.runs.add_counts(self.run.id, RunCounts(**unsaved))


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)
