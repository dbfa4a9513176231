"""What is known of a base's tracks: what its entries tell, and for the fields that rules ask for, what others know."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.engine import meter
from bot.engine.matching.names import is_topic
from bot.engine.routed import Known
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.model.music import PlaylistEntry, Service, Track
from bot.model.rules import Facts, Field
from bot.services.cache import Cache, Filled, Kind
from bot.services.metadata.source import MetadataSource, Subject, Told
from bot.services.protocol import DetailOf, Details, MusicService
from bot.services.registry import MusicServices

log = logging.getLogger(__name__)

# What entries do not always tell; everything else costs no call at all.
LOOKED_UP = frozenset({Field.GENRE, Field.POPULARITY, Field.ALBUM, Field.RELEASED, Field.YEAR})
_KINDS = {DetailOf.TRACKS: Kind.TRACK, DetailOf.ARTISTS: Kind.ARTIST, DetailOf.ALBUMS: Kind.ALBUM}
# Ids in one batch get of Spotify (bot/services/spotify/adapter.py); each batch is kept as soon as it is there.
_BATCHES = {DetailOf.TRACKS: 50, DetailOf.ARTISTS: 50, DetailOf.ALBUMS: 20}
_BRACKETS = re.compile(r"\s*[(\[【][^)\]】]*[)\]】]")
_DASH = re.compile(r"\s+[-–—]\s+")


class _NotOffered(CrossfadeError):
    """The service has no batch gets for this app: no failure, and nothing to wait for."""


@dataclass(slots=True)
class _Lookup:
    """One question of the router: what is known so far, and what it cost."""

    tracks: dict[str, Track]
    asked: frozenset[Field]
    good_at: datetime | None
    genres: dict[str, tuple[str, ...]] = field(default_factory=dict)
    popularity: dict[str, int] = field(default_factory=dict)
    released: dict[str, str] = field(default_factory=dict)
    album: dict[str, str] = field(default_factory=dict)
    failed: set[Field] = field(default_factory=set)  # some source of theirs gave no answer
    hits: int = 0
    misses: int = 0

    def lacking(self, fields: Iterable[Field]) -> list[Track]:
        """The tracks of which some of these fields, as far as asked for, is still unknown."""
        wanted = self.asked & frozenset(fields)
        return [track for track in self.tracks.values() if any(not self.knows(track, one) for one in wanted)]

    def knows(self, track: Track, one: Field) -> bool:
        key = track.external_id
        match one:
            case Field.GENRE:
                return key in self.genres
            case Field.POPULARITY:
                return key in self.popularity
            case Field.ALBUM:
                return bool(track.album) or key in self.album
            case _:
                return bool(track.release_date) or key in self.released

    def take(self, key: str, told: Told) -> None:
        """An earlier source's word stands."""
        if told.genres:
            self.genres.setdefault(key, told.genres)
        if told.released:
            self.released.setdefault(key, told.released)
        if told.album:
            self.album.setdefault(key, told.album)

    def facts(self, entry: PlaylistEntry) -> Facts:
        key = entry.track.external_id
        track = replace(
            entry.track,
            album=entry.track.album or self.album.get(key),
            release_date=entry.track.release_date or self.released.get(key),
        )
        known = replace(entry, track=track)
        return Facts.of(known, genres=self.genres.get(key), popularity=self.popularity.get(key))


class Metadata:
    """A ``FactsSource``. The music service is asked first, then ``sources`` in their order, each for what is left."""

    def __init__(self, services: MusicServices, cache: Cache, sources: Sequence[MetadataSource]) -> None:
        self._services = services
        self._cache = cache
        self._sources = sources
        self._silent: set[str] = set()  # who does not answer now; said once
        self._not_offered: set[DetailOf] = set()

    async def facts(
        self,
        entries: Sequence[PlaylistEntry],
        asked: frozenset[Field],
        account_id: int,
        *,
        good_at: datetime | None = None,
    ) -> Known:
        """Looks up only what is asked for and not told by the entries. Failures of sources never come out of here.

        ``good_at``: when what is taken from the cache must still be good; now, where None.
        """
        if not asked & LOOKED_UP:
            return Known(facts=tuple(map(Facts.of, entries)))
        lookup = _Lookup({one.track.external_id: one.track for one in entries}, asked, good_at)
        with meter.metered(through=True) as spent:
            await self._service(lookup, account_id)
            for source in self._sources:
                await self._source(lookup, source)
        requests = dict(spent.outside)
        if own := spent.calls - spent.outside.total():
            requests[_label(entries)] = own
        return Known(
            facts=tuple(map(lookup.facts, entries)),
            degraded=frozenset(one for one in lookup.failed if lookup.lacking([one])),
            hits=lookup.hits,
            misses=lookup.misses,
            requests=requests,
        )

    # The music service itself

    async def _service(self, lookup: _Lookup, account_id: int) -> None:
        if not any(track.service is Service.SPOTIFY for track in lookup.tracks.values()):
            return
        try:
            service = await self._services.for_account(account_id)
        except CrossfadeError as error:  # its login is gone: the cache and the others may still know
            lookup.failed |= lookup.asked & {Field.GENRE, Field.POPULARITY}
            self._failed(Service.SPOTIFY.label, lookup.asked & LOOKED_UP, error)
            return
        await self._genres_of_artists(lookup, service)
        if tracks := lookup.lacking([Field.POPULARITY]):
            ids = [track.external_id for track in tracks]
            told = await self._details(lookup, service, DetailOf.TRACKS, ids, {Field.POPULARITY})
            lookup.popularity |= {key: one.popularity for key, one in told.items() if one.popularity is not None}
        if tracks := [one for one in lookup.lacking([Field.RELEASED, Field.YEAR]) if one.album_id]:
            albums = [track.album_id or "" for track in tracks]
            told = await self._details(lookup, service, DetailOf.ALBUMS, albums, {Field.RELEASED, Field.YEAR})
            for track in tracks:
                album = told.get(track.album_id or "")
                if album is not None and album.released:
                    lookup.released[track.external_id] = album.released

    async def _genres_of_artists(self, lookup: _Lookup, service: MusicService) -> None:
        tracks = [track for track in lookup.lacking([Field.GENRE]) if track.artist_ids]
        ids = [artist for track in tracks for artist in track.artist_ids]
        if not ids:
            return
        told = await self._details(lookup, service, DetailOf.ARTISTS, ids, {Field.GENRE})
        for track in tracks:
            named = [genre for artist in track.artist_ids if artist in told for genre in told[artist].genres or ()]
            if named:  # Spotify leaves the list empty where it tells no genres at all
                lookup.genres[track.external_id] = tuple(dict.fromkeys(named))

    async def _details(
        self, lookup: _Lookup, service: MusicService, of: DetailOf, ids: Sequence[str], fields: set[Field]
    ) -> dict[str, Details]:
        if of in self._not_offered:
            return {}

        async def load(part: list[str]) -> Mapping[str, Any]:
            told = await service.details(of, part)
            if told is None:
                self._not_offered.add(of)
                raise _NotOffered("no batch gets")
            return {key: _kept(one) for key, one in told.items()}

        filled = await self._cache.fill(_KINDS[of], ids, load, batch=_BATCHES[of], good_at=lookup.good_at)
        self._note(lookup, Service.SPOTIFY.label, fields, filled)
        return {key: _details(one) for key, one in filled.values.items() if one is not None}

    # The others

    async def _source(self, lookup: _Lookup, source: MetadataSource) -> None:
        subjects: dict[str, Subject] = {}
        tracks: defaultdict[str, list[str]] = defaultdict(list)
        for track in lookup.lacking(source.fields):
            subject = subject_of(track)
            if key := source.key(subject):
                subjects[key] = subject
                tracks[key].append(track.external_id)
        if not subjects:
            return

        async def load(part: list[str]) -> Mapping[str, Any]:
            told = await source.fetch([subjects[key] for key in part])
            return {key: one.as_json() for key, one in told.items()}

        filled = await self._cache.fill(Kind.TAGS, subjects, load, batch=source.batch, good_at=lookup.good_at)
        self._note(lookup, source.name, source.fields, filled)
        for key, kept in filled.values.items():
            for track_id in tracks[key]:
                lookup.take(track_id, Told.from_json(kept))

    def _note(self, lookup: _Lookup, name: str, fields: Iterable[Field], filled: Filled) -> None:
        lookup.hits += filled.hits
        lookup.misses += filled.misses
        if filled.error is None:
            if filled.misses:
                self._worked(name, fields)
        elif not isinstance(filled.error, _NotOffered):
            lookup.failed |= lookup.asked & frozenset(fields)
            self._failed(name, lookup.asked & frozenset(fields), filled.error)

    def _failed(self, name: str, fields: Iterable[Field], error: CrossfadeError) -> None:
        if name not in self._silent:
            extra = {"source": name, "fields": _words(fields), "error": str(error)}
            log.warning(Event.METADATA_FAILING, extra=extra)
        self._silent.add(name)

    def _worked(self, name: str, fields: Iterable[Field]) -> None:
        if name in self._silent:
            log.info(Event.METADATA_BACK, extra={"source": name, "fields": _words(fields)})
        self._silent.discard(name)


def subject_of(track: Track) -> Subject:
    """How others may know the track. A video's title is read as "Artist - Title (what it is)"."""
    artist, title = track.artists[0] if track.artists else "", track.title.strip()
    if track.service is Service.YOUTUBE and not artist:
        channel = track.channel or ""
        plain = _BRACKETS.sub("", title).strip() or title
        left, *right = _DASH.split(plain, maxsplit=1)
        if is_topic(channel):
            artist, title = re.split(r"\s+[-–—]\s*Topic$", channel)[0], plain
        elif right:
            artist, title = left, right[0]
    return Subject(track_id=track.external_id, artist=artist, title=title, isrc=(track.isrc or "").upper())


def _kept(one: Details) -> dict[str, Any]:
    genres = None if one.genres is None else list(one.genres)
    return {"popularity": one.popularity, "genres": genres, "released": one.released}


def _details(kept: Any) -> Details:
    """Out of ``_kept``; whatever else was kept tells nothing."""
    if not isinstance(kept, dict):
        return Details()
    popularity, genres, released = kept.get("popularity"), kept.get("genres"), kept.get("released")
    return Details(
        popularity=popularity if isinstance(popularity, int) else None,
        genres=tuple(map(str, genres)) if isinstance(genres, list) else None,
        released=released if isinstance(released, str) else None,
    )


def _label(entries: Sequence[PlaylistEntry]) -> str:
    return entries[0].track.service.label if entries else ""


def _words(fields: Iterable[Field]) -> str:
    return ", ".join(sorted(one.label for one in fields))
