"""Playlists that we know, each as one linked account sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.mapping import Playlist
from bot.model.music import PlaylistInfo, Service
from storage.database import Repository, chunks, reads, writes
from storage.schema import playlists


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPlaylist(Playlist):
    """A playlist as the autocomplete offers it. ``writable`` False: it can be a source only."""

    owner_id: str = ""
    writable: bool = True


class Playlists(Repository):
    @writes
    async def upsert(self, connection: AsyncConnection, info: PlaylistInfo, account_id: int) -> Playlist:
        """The row of this playlist as ``account_id`` sees it; name, url, owner and count are brought up to date.

        ``change_token`` and ``fetched_at`` stay those of the last full read, which only ``note_read`` sets: a token
        from a mere list would make an unread change look read.
        """
        statement = self._upsert(keep_listed=True).values(_values(info, account_id, listed=False))
        return playlist((await connection.execute(statement.returning(*playlists.c))).one())

    @reads
    async def get(self, connection: AsyncConnection, playlist_id: int) -> Playlist | None:
        row = (await connection.execute(select(playlists).where(playlists.c.id == playlist_id))).one_or_none()
        return None if row is None else playlist(row)

    @reads
    async def by_external(
        self, connection: AsyncConnection, service: Service, external_id: str, account_id: int | None = None
    ) -> Playlist | None:
        """The playlist with this id, as ``account_id`` sees it, or as whichever account knew it first."""
        statement = select(playlists).where(playlists.c.service == service, playlists.c.external_id == external_id)
        if account_id is not None:
            statement = statement.where(playlists.c.account_id == account_id)
        row = (await connection.execute(statement.order_by(playlists.c.id).limit(1))).one_or_none()
        return None if row is None else playlist(row)

    @writes
    async def note_read(
        self,
        connection: AsyncConnection,
        playlist_id: int,
        change_token: str,
        item_count: int | None,
        fetched_at: datetime,
    ) -> None:
        """Keeps what the playlist's full read at ``fetched_at`` saw."""
        values = {"change_token": change_token, "item_count": item_count, "fetched_at": fetched_at}
        await connection.execute(update(playlists).where(playlists.c.id == playlist_id).values(**values))

    @writes
    async def remember_list(self, connection: AsyncConnection, account_id: int, infos: Iterable[PlaylistInfo]) -> None:
        """Keeps the account's list of playlists for autocomplete; what is not in it is not offered any more."""
        unlisted = update(playlists).where(playlists.c.account_id == account_id, playlists.c.listed)
        await connection.execute(unlisted.values(listed=False))
        unique = {(info.service.value, info.external_id): info for info in infos}
        for part in chunks([_values(unique[key], account_id, listed=True) for key in sorted(unique)]):
            await connection.execute(self._upsert(), part)

    @reads
    async def suggest(
        self, connection: AsyncConnection, account_ids: Sequence[int], text: str, limit: int = 25
    ) -> list[ListedPlaylist]:
        """Playlists of these accounts' latest lists whose name contains ``text`` in any case, by name."""
        key = text.casefold().strip()
        statement = (
            select(playlists)
            .where(
                playlists.c.account_id.in_(account_ids),
                playlists.c.listed,
                playlists.c.name_key.contains(key, autoescape=True),
            )
            .order_by(playlists.c.name_key, playlists.c.id)
            .limit(limit)
        )
        return [_listed(row) for row in await connection.execute(statement)]

    def _upsert(self, *, keep_listed: bool = False) -> Any:
        statement = self.db.insert(playlists)
        fresh = {"name", "name_key", "url", "owner_id", "writable", "item_count"} | (
            set() if keep_listed else {"listed"}
        )
        return statement.on_conflict_do_update(
            index_elements=["service", "external_id", "account_id"],
            set_={name: statement.excluded[name] for name in fresh},
        )


def playlist(row: Row[Any], prefix: str = "") -> Playlist:
    """A row as the model's playlist; ``prefix`` stands before the column names in a join."""
    return Playlist(**_fields(row, prefix))


def _listed(row: Row[Any]) -> ListedPlaylist:
    return ListedPlaylist(**_fields(row, ""), owner_id=row.owner_id, writable=row.writable)


def _fields(row: Row[Any], prefix: str) -> dict[str, Any]:
    names = (
        "id",
        "service",
        "external_id",
        "account_id",
        "name",
        "url",
        "item_count",
        "change_token",
        "fetched_at",
    )
    return {name: row._mapping[prefix + name] for name in names}


def _values(info: PlaylistInfo, account_id: int, *, listed: bool) -> dict[str, Any]:
    return {
        "service": info.service,
        "external_id": info.external_id,
        "account_id": account_id,
        "name": info.name,
        "name_key": info.name.casefold(),
        "url": info.url,
        "owner_id": info.owner_id,
        "writable": info.writable,
        "listed": listed,
        "item_count": info.item_count,
        "change_token": "",
        "fetched_at": None,
    }
