"""The catalogue: what we know of every track that we met."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.music import Service, Track
from storage.columns import JSON_VERSION
from storage.database import Database, Repository, chunks, compact_json, reads, writes
from storage.schema import tracks

# A search result tells less than a playlist entry: what is known stays where the newer answer is silent.
_KEPT_WHEN_SILENT = (
    "album",
    "duration",
    "isrc",
    "explicit",
    "release_date",
    "track_number",
    "channel",
    "views",
    "album_id",
)
_NOBODY = compact_json({"v": JSON_VERSION, "names": []})  # PostgreSQL compares JSON only as text


class Tracks(Repository):
    @writes
    async def remember(self, connection: AsyncConnection, found: Sequence[Track]) -> None:
        """Puts tracks into the catalogue or freshens them.

        A track that became unavailable keeps its title, artists and length: services blank them out.
        """
        await remember(self.db, connection, found)

    @reads
    async def get_many(self, connection: AsyncConnection, service: Service, ids: Iterable[str]) -> dict[str, Track]:
        """The known ones of ``ids``, by id."""
        return await get_many(connection, service, ids)

    @reads
    async def by_isrc(self, connection: AsyncConnection, service: Service, isrc: str) -> list[Track]:
        """Tracks of ``service`` that carry this ISRC (upper case)."""
        statement = select(tracks).where(tracks.c.service == service, tracks.c.isrc == isrc)
        return [track(row) for row in await connection.execute(statement)]

    @reads
    async def stale(
        self, connection: AsyncConnection, service: Service, before: datetime, limit: int = 500
    ) -> list[str]:
        """Ids of tracks that were last seen before ``before``, oldest first."""
        statement = (
            select(tracks.c.external_id)
            .where(tracks.c.service == service, tracks.c.fetched_at < before)
            .order_by(tracks.c.fetched_at)
            .limit(limit)
        )
        return list((await connection.execute(statement)).scalars())


async def remember(db: Database, connection: AsyncConnection, found: Iterable[Track]) -> None:
    """``Tracks.remember`` inside somebody else's transaction."""
    # In one order everywhere, so that two transactions never wait for each other's rows.
    named = {(each.service.value, each.external_id): each for each in found if each.external_id}
    statement = db.insert(tracks)
    new = statement.excluded
    kept = {name: func.coalesce(new[name], tracks.c[name]) for name in _KEPT_WHEN_SILENT}
    says_artists = new.available & (cast(new.artists, Text) != _NOBODY)
    statement = statement.on_conflict_do_update(
        index_elements=["service", "external_id"],
        set_={
            **kept,
            "title": case((new.available, new.title), else_=tracks.c.title),
            "artists": case((says_artists, new.artists), else_=tracks.c.artists),
            "kind": case((new.available, new.kind), else_=tracks.c.kind),
            "available": new.available,
            "fetched_at": new.fetched_at,
        },
    )
    for keys in chunks(sorted(named)):
        await connection.execute(statement, [_values(db, named[key]) for key in keys])


async def get_many(connection: AsyncConnection, service: Service, ids: Iterable[str]) -> dict[str, Track]:
    """``Tracks.get_many`` inside somebody else's transaction."""
    found: dict[str, Track] = {}
    for part in chunks(sorted(set(ids))):
        statement = select(tracks).where(tracks.c.service == service, tracks.c.external_id.in_(part))
        found.update((row.external_id, track(row)) for row in await connection.execute(statement))
    return found


def track(row: Row[Any], prefix: str = "") -> Track:
    """A catalogue row as the model's track; ``prefix`` stands before the column names in a join."""
    fields = {column.name: row._mapping[prefix + column.name] for column in tracks.c}
    artists = fields["artists"]
    return Track(**{**fields, "artists": tuple(artists["names"]), "artist_ids": tuple(artists.get("ids", ()))})


def _values(db: Database, each: Track) -> dict[str, Any]:
    return {
        "service": each.service,
        "external_id": each.external_id,
        "title": each.title,
        "artists": _artists(each),
        "album": each.album,
        "album_id": each.album_id,
        "duration": each.duration,
        "isrc": each.isrc,
        "explicit": each.explicit,
        "release_date": each.release_date,
        "track_number": each.track_number,
        "channel": each.channel,
        "kind": each.kind,
        "views": each.views,
        "available": each.available,
        "fetched_at": each.fetched_at or db.now(),
    }


def _artists(each: Track) -> dict[str, Any]:
    names = {"names": list(each.artists)}
    return {**names, "ids": list(each.artist_ids)} if each.artist_ids else names
