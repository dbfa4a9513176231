"""Messages that the bot keeps up to date by itself, remembered across restarts."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message stands, and since when it is kept up to date."""

    channel_id: int
    message_id: int
    since: datetime


class Places:
    """At most one message for each key (a mapping, a server), under one ``name`` in the database."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._meta = storage.meta
        self._note = f"discord.{name}"
        self._places: dict[int, Place] = {}

    async def load(self) -> dict[int, Place]:
        """What an earlier process kept up to date."""
        written = json.loads(await self._meta.get(self._note) or "{}")
        self._places = {int(key): _place(values) for key, values in written.items()}
        return dict(self._places)

    async def put(self, key: int, place: Place) -> None:
        self._places[key] = place
        await self._save()

    async def drop(self, key: int, message_id: int) -> None:
        """Forget the key's message if it still is this one."""
        present = self._places.get(key)
        if present is not None and present.message_id == message_id:
            del self._places[key]
            await self._save()

    async def _save(self) -> None:
        written = {
            key: [place.channel_id, place.message_id, place.since.timestamp()] for key, place in self._places.items()
        }
        await self._meta.put(self._note, json.dumps(written))


def _place(values: list[float]) -> Place:
    channel_id, message_id, since = values
    return Place(channel_id=int(channel_id), message_id=int(message_id), since=datetime.fromtimestamp(since, UTC))
