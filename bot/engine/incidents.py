"""What people do to incidents: acknowledge, silence, retry their items, look at their lines."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.clock import Clock
from bot.engine.review import Reviews
from bot.logs.feed import Feed
from bot.logs.incidents import key_of
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.incident import EXAMPLES, Incident
from bot.model.logline import Level, LogLine
from bot.model.review import BlacklistRow
from storage import Storage

log = logging.getLogger(__name__)

STALE = "This incident does not exist any more; closed ones are kept for 30 days. `/logs` has what there is."
OVER = "This incident is over already, so nothing was changed. If it comes back, a new card says so."
SILENCES = (1, 8, 24)  # hours
PAGE = 200  # lines looked through at a time
PAGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a card tells besides the incident. ``reviews``: by item, the entries of tracks without a counterpart."""

    mapping: str = ""
    reviews: Mapping[int, BlacklistRow] = field(default_factory=dict)


class Incidents:
    """Actors are Discord user ids with the name that they go by. Those of another guild read as "does not exist"."""

    def __init__(self, storage: Storage, feed: Feed, reviews: Reviews, clock: Clock) -> None:
        self._storage = storage
        self._feed = feed
        self._reviews = reviews
        self._clock = clock

    async def get(self, guild_id: int, incident_id: int) -> Incident:
        found = self._feed.incident(guild_id, incident_id) or await self._storage.incidents.get(incident_id, guild_id)
        if found is None:
            raise UserMistake(STALE)
        return found

    async def about(self, incident: Incident) -> About:
        """The mapping's name, and why the tracks among the examples have no counterpart."""
        mapping = None
        if incident.mapping_id is not None:
            mapping = await self._storage.mappings.get(incident.mapping_id, incident.guild_id)
        rows = {}
        for example in incident.examples[:EXAMPLES]:
            if example.item_id is not None:
                row = await self._storage.blacklist.of_item(example.item_id)
                if row is not None and row.mapping_id == incident.mapping_id:
                    rows[example.item_id] = row
        return About(mapping=mapping.name if mapping is not None else "", reviews=rows)

    async def acknowledge(self, guild_id: int, incident_id: int, actor_id: int, name: str) -> Incident:
        """Its card rests until it is over. Raises UserMistake where somebody was faster, or it is over."""
        before = await self.get(guild_id, incident_id)
        after = await self._feed.acknowledge(guild_id, incident_id, actor_id, name)
        if after is None:
            raise UserMistake(OVER)
        if after.acknowledged_by != actor_id:
            raise UserMistake(f"{after.acknowledged_name} has acknowledged this already; there is nothing left to do.")
        if before.acknowledged_by is None:
            self._log(Event.INCIDENT_ACKNOWLEDGED, after, actor_id, what=after.message)
        return after

    async def silence(self, guild_id: int, incident_id: int, hours: int, actor_id: int, name: str) -> Incident:
        """Its card is not touched for so long; afterwards one card says what came meanwhile."""
        if hours not in SILENCES:
            raise UserMistake("An incident can be silenced for 1, 8 or 24 hours. Nothing was changed.")
        await self.get(guild_id, incident_id)
        until = self._clock.now() + timedelta(hours=hours)
        after = await self._feed.silence(guild_id, incident_id, until, name)
        if after is None:
            raise UserMistake(OVER)
        self._log(Event.INCIDENT_SILENCED, after, actor_id, what=after.message, hours=hours)
        return after

    async def retry(self, guild_id: int, incident_id: int, actor_id: int) -> int:
        """Queue its items again, as far as they failed or were left out; how many. Raises UserMistake for none."""
        incident = await self.get(guild_id, incident_id)
        queued = 0
        for item_id in incident.item_ids:
            try:
                await self._reviews.retry_item(guild_id, item_id, actor_id)
            except UserMistake:
                continue  # done meanwhile, in the queue already, or forgotten
            queued += 1
        if not queued:
            raise UserMistake("Nothing of this incident can be retried: its items are done or in the queue already.")
        self._log(Event.INCIDENT_RETRIED, incident, actor_id, items=queued)
        return queued

    async def lines(self, guild_id: int, incident_id: int, limit: int = 10) -> list[LogLine]:
        """Its latest lines, newest first, as far as the log still holds them."""
        incident = await self.get(guild_id, incident_id)
        found: list[LogLine] = []
        before = None
        for _ in range(PAGES):
            page = await self._storage.logs.query(
                guild_id,
                limit=PAGE,
                before_id=before,
                least=Level.WARN,
                events=[incident.event],
                since=incident.first_seen_at,
                until=incident.last_seen_at + timedelta(seconds=1),
            )
            found += [line for line in page if key_of(line) == incident.key]
            if len(found) >= limit or len(page) < PAGE:
                break
            before = page[-1].id
        return found[:limit]

    def _log(self, event: Event, incident: Incident, actor_id: int, **fields: object) -> None:
        ids = {"guild_id": incident.guild_id, "mapping_id": incident.mapping_id, "actor_id": actor_id}
        log.info(event, extra={"incident": incident.id, **fields, **ids})
