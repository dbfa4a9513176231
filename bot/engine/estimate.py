"""What a look at playlists will read and spend, told before it begins: from what is known, without any call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.engine.quota import Quota
from bot.model.mapping import Mapping, Playlist
from bot.model.music import Service
from bot.model.plan import Cost
from storage import Storage

PAGE = 50  # entries that one call brings, on both services
CALL_SECONDS = 0.7  # what a call takes in practice
JUST_NOW = timedelta(minutes=5)  # as often as the fastest schedule looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One playlist: how many tracks it held when it was last seen (None: never), and the calls that read it whole."""

    playlist: Playlist
    tracks: int | None
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What looking at one mapping takes. ``certain``: all of it is read; else only what the services say has changed.

    ``cost`` is the most that it may take, the question whether something changed included; what its plan then changes
    comes with the plan. ``busy``: another run of it is active. ``looked_at``: set where that was just now.
    """

    mapping: Mapping
    readings: tuple[Reading, ...]
    looks: int  # calls that only ask whether something changed
    cost: Cost
    certain: bool = False
    busy: bool = False
    looked_at: datetime | None = None

    @property
    def calls(self) -> int:
        return self.looks + sum(reading.calls for reading in self.readings)

    @property
    def time(self) -> timedelta:
        return timedelta(seconds=self.calls * CALL_SECONDS)


class Estimates:
    def __init__(self, storage: Storage, quota: Quota, clock: Clock) -> None:
        self._storage = storage
        self._quota = quota
        self._clock = clock

    async def of(self, mappings: Sequence[Mapping], *, full: bool = False, force: bool = False) -> list[Estimate]:
        """One for each mapping, in their order; each with its own cost."""
        just_now = self._clock.now() - JUST_NOW
        estimates = []
        for mapping in mappings:
            readings = tuple(map(_reading, mapping.playlists))
            looks = len({playlist.account_id for playlist in mapping.playlists})
            looked_at = mapping.last_analysed_at
            recent = looked_at is not None and looked_at > just_now and not (full or force)
            estimates.append(
                Estimate(
                    mapping=mapping,
                    readings=readings,
                    looks=looks,
                    cost=await self._cost([mapping]),
                    certain=full or looked_at is None,
                    busy=await self._storage.runs.active_of_mapping(mapping.id) is not None,
                    looked_at=looked_at if recent else None,
                )
            )
        return estimates

    async def total(self, estimates: Sequence[Estimate]) -> Cost:
        """What all of them take together, and when they are through under what is left of the quota."""
        return await self._cost([estimate.mapping for estimate in estimates])

    async def _cost(self, mappings: Sequence[Mapping]) -> Cost:
        calls = dict.fromkeys(Service, 0)
        for mapping in mappings:
            for playlist in mapping.playlists:
                calls[playlist.service] += 1 + _reading(playlist).calls
        return await self._quota.reading(youtube_units=calls[Service.YOUTUBE], spotify_calls=calls[Service.SPOTIFY])


def _reading(playlist: Playlist) -> Reading:
    """Spotify: the playlist, then its pages. YouTube: for each page also the lengths of its videos."""
    pages = max(1, -(-(playlist.item_count or 0) // PAGE))
    calls = 1 + (pages if playlist.service is Service.SPOTIFY else 2 * pages)
    return Reading(playlist=playlist, tracks=playlist.item_count, calls=calls)
