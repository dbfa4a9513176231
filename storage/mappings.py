"""Mappings: which playlists are kept in step, and when each is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.errors import UserMistake
from bot.model.item import OPEN_STATUSES, ItemStatus
from bot.model.mapping import Direction, Mapping, Order, Playlist, Removals
from bot.model.matching import MatchPolicy
from bot.model.music import Service
from bot.model.reasons import Cause
from storage.database import Database, Repository, chunks, reads, writes
from storage.playlists import playlist
from storage.schema import guild_settings, links, mapping_sources, mappings, playlists, sync_items

SCHEDULE_OFF = "off"

_CHANGEABLE = {
    "name",
    "left_playlist_id",
    "right_playlist_id",
    "direction",
    "removals",
    "order",
    "schedule",
    "enabled",
    "pause_reason",
    "max_adds",
    "max_removals",
    "policy",
    "next_run_at",
    "last_analysed_at",
    "hidden",
}

_left = playlists.alias("left_playlist")
_right = playlists.alias("right_playlist")


class Mappings(Repository):
    @writes
    async def add(
        self,
        connection: AsyncConnection,
        *,
        guild_id: int,
        name: str,
        left_playlist_id: int,
        right_playlist_id: int,
        direction: Direction = Direction.LEFT_TO_RIGHT,
        removals: Removals = Removals.KEEP,
        order: Order = Order.APPEND,
        schedule: str = "every 30m",
        enabled: bool = True,
        max_adds: int = 500,
        max_removals: int = 25,
        policy: MatchPolicy = MatchPolicy.BALANCED,
        created_by: int = 0,
        next_run_at: datetime | None = None,
        hidden: bool = False,
    ) -> Mapping:
        """The new mapping. Raises UserMistake when the guild has one of that name, in whatever case."""
        return await insert(
            self.db,
            connection,
            guild_id=guild_id,
            name=name,
            left_playlist_id=left_playlist_id,
            right_playlist_id=right_playlist_id,
            direction=direction,
            removals=removals,
            order=order,
            schedule=schedule,
            enabled=enabled,
            max_adds=max_adds,
            max_removals=max_removals,
            policy=policy,
            created_by=created_by,
            next_run_at=next_run_at,
            hidden=hidden,
        )

    @reads
    async def get(self, connection: AsyncConnection, mapping_id: int, guild_id: int | None = None) -> Mapping | None:
        """The mapping, None when it was removed, or belongs to another guild than ``guild_id``."""
        statement = _select().where(mappings.c.id == mapping_id)
        if guild_id is not None:
            statement = statement.where(mappings.c.guild_id == guild_id)
        return await _first(connection, statement)

    @reads
    async def by_name(self, connection: AsyncConnection, guild_id: int, name: str) -> Mapping | None:
        """The guild's mapping of that name, in whatever case."""
        key = name.strip().casefold()
        return await _first(connection, _select().where(mappings.c.guild_id == guild_id, mappings.c.name_key == key))

    @reads
    async def of_guild(self, connection: AsyncConnection, guild_id: int) -> list[Mapping]:
        """The guild's mappings by name, without those that the router owns."""
        statement = _select().where(mappings.c.guild_id == guild_id, ~mappings.c.hidden)
        return await _all(connection, statement.order_by(mappings.c.name_key))

    @reads
    async def all_enabled(self, connection: AsyncConnection) -> list[Mapping]:
        """Every mapping that is not paused, in guilds that are not paused."""
        return await _all(connection, _select().where(*_working()).order_by(mappings.c.id))

    @reads
    async def due(self, connection: AsyncConnection, now: datetime) -> list[Mapping]:
        """Working mappings whose time has come (or that were never given a time), longest overdue first."""
        statement = (
            _select()
            .where(
                *_working(),
                mappings.c.schedule != SCHEDULE_OFF,
                or_(mappings.c.next_run_at.is_(None), mappings.c.next_run_at <= now),
            )
            .order_by(mappings.c.next_run_at.asc().nulls_first(), mappings.c.id)
        )
        return await _all(connection, statement)

    @reads
    async def next_due_at(self, connection: AsyncConnection) -> datetime | None:
        """When the next working mapping is due, None when none has a schedule."""
        statement = (
            select(mappings.c.next_run_at)
            .where(
                *_working(),
                mappings.c.removed_at.is_(None),
                mappings.c.schedule != SCHEDULE_OFF,
                mappings.c.next_run_at.is_not(None),
            )
            .order_by(mappings.c.next_run_at)
            .limit(1)
        )
        return (await connection.execute(statement)).scalar()

    @reads
    async def suggest(self, connection: AsyncConnection, guild_id: int, text: str, limit: int = 25) -> list[Mapping]:
        """The guild's mappings whose name contains ``text`` in any case, by name."""
        key = text.casefold().strip()
        statement = _select().where(
            mappings.c.guild_id == guild_id, ~mappings.c.hidden, mappings.c.name_key.contains(key, autoescape=True)
        )
        return await _all(connection, statement.order_by(mappings.c.name_key).limit(limit))

    @reads
    async def using_account(self, connection: AsyncConnection, account_id: int) -> list[Mapping]:
        """Mappings that read or write through this account, in all guilds."""
        further = _further(playlists.c.account_id == account_id)
        statement = _select().where(or_(_left.c.account_id == account_id, _right.c.account_id == account_id, further))
        return await _all(connection, statement.order_by(mappings.c.id))

    @reads
    async def touching(self, connection: AsyncConnection, service: Service, external_id: str) -> list[Mapping]:
        """Mappings with this playlist on either side, in all guilds, through whatever account."""
        sides = [(side.c.service == service) & (side.c.external_id == external_id) for side in (_left, _right)]
        further = _further((playlists.c.service == service) & (playlists.c.external_id == external_id))
        return await _all(connection, _select().where(or_(*sides, further)).order_by(mappings.c.id))

    @writes
    async def add_source(self, connection: AsyncConnection, mapping_id: int, playlist_id: int) -> Mapping | None:
        """One more source behind the others; the next analysis looks. None when the mapping was removed."""
        there = select(mappings.c.id).where(mappings.c.id == mapping_id, mappings.c.removed_at.is_(None))
        # Locked, so that two people who add at once get two places.
        if (await connection.execute(there.with_for_update())).first() is None:
            return None
        last = select(func.max(mapping_sources.c.position)).where(mapping_sources.c.mapping_id == mapping_id)
        position = int((await connection.execute(last)).scalar() or 0) + 1
        row = {"mapping_id": mapping_id, "position": position, "playlist_id": playlist_id}
        await connection.execute(mapping_sources.insert().values(**row))
        return await _look_again(connection, mapping_id)

    @writes
    async def remove_source(self, connection: AsyncConnection, mapping_id: int, playlist_id: int) -> Mapping | None:
        """Without this further source, if it is one; the next analysis looks. None when the mapping was removed."""
        its = (mapping_sources.c.mapping_id == mapping_id) & (mapping_sources.c.position > 0)
        await connection.execute(delete(mapping_sources).where(its, mapping_sources.c.playlist_id == playlist_id))
        return await _look_again(connection, mapping_id)

    @writes
    async def update(self, connection: AsyncConnection, /, mapping_id: int, **fields: Any) -> Mapping | None:
        """Changes the named fields; the mapping as it is now, None when it was removed.

        Raises UserMistake when the new ``name`` is taken, TypeError for a field that cannot change.
        """
        if unknown := fields.keys() - _CHANGEABLE:
            raise TypeError(f"a mapping has no changeable {', '.join(sorted(unknown))}")
        if "name" in fields:
            fields["name_key"] = fields["name"].casefold()
            await self._refuse_taken(connection, mapping_id, fields["name"])
        if fields:
            there = (mappings.c.id == mapping_id) & mappings.c.removed_at.is_(None)
            await connection.execute(update(mappings).where(there).values(**fields))
        mapping = await _first(connection, _select().where(mappings.c.id == mapping_id))
        if mapping is not None and fields.keys() & {"left_playlist_id", "right_playlist_id", "direction"}:
            source = mapping.right if mapping.direction is Direction.RIGHT_TO_LEFT else mapping.left
            await _set_source(connection, mapping_id, source.id)
        return mapping

    @writes
    async def remove(self, connection: AsyncConnection, mapping_id: int) -> bool:
        """Takes the mapping away: its open items are cancelled, its merge base is forgotten, its history stays."""
        return await remove(self.db, connection, mapping_id)

    async def _refuse_taken(self, connection: AsyncConnection, mapping_id: int, name: str) -> None:
        mine = select(mappings.c.guild_id).where(mappings.c.id == mapping_id).scalar_subquery()
        other = select(mappings.c.id).where(
            mappings.c.guild_id == mine,
            mappings.c.name_key == name.casefold(),
            mappings.c.id != mapping_id,
            mappings.c.removed_at.is_(None),
        )
        if (await connection.execute(other)).first() is not None:
            raise _name_taken(name)


async def insert(db: Database, connection: AsyncConnection, **fields: Any) -> Mapping:
    """``Mappings.add`` inside somebody else's transaction; every field must be given."""
    values = {**fields, "name_key": fields["name"].casefold(), "pause_reason": "", "created_at": db.now()}
    statement = db.insert(mappings).values(**values).on_conflict_do_nothing().returning(mappings.c.id)
    mapping_id = (await connection.execute(statement)).scalar()
    if mapping_id is None:
        raise _name_taken(fields["name"])
    backwards = fields["direction"] is Direction.RIGHT_TO_LEFT
    await _set_source(connection, mapping_id, fields["right_playlist_id" if backwards else "left_playlist_id"])
    mapping = await _first(connection, _select().where(mappings.c.id == mapping_id))
    assert mapping is not None
    return mapping


async def _set_source(connection: AsyncConnection, mapping_id: int, playlist_id: int) -> None:
    first = (mapping_sources.c.mapping_id == mapping_id) & (mapping_sources.c.position == 0)
    await connection.execute(delete(mapping_sources).where(first))
    row = {"mapping_id": mapping_id, "position": 0, "playlist_id": playlist_id}
    await connection.execute(mapping_sources.insert().values(**row))


async def _look_again(connection: AsyncConnection, mapping_id: int) -> Mapping | None:
    await connection.execute(update(mappings).where(mappings.c.id == mapping_id).values(last_analysed_at=None))
    return await _first(connection, _select().where(mappings.c.id == mapping_id))


async def remove(db: Database, connection: AsyncConnection, mapping_id: int) -> bool:
    """``Mappings.remove`` inside somebody else's transaction."""
    now = db.now()
    there = (mappings.c.id == mapping_id) & mappings.c.removed_at.is_(None)
    gone = await connection.execute(update(mappings).where(there).values(removed_at=now, enabled=False))
    if not gone.rowcount:
        return False
    open_items = (sync_items.c.mapping_id == mapping_id) & sync_items.c.status.in_(OPEN_STATUSES)
    cancelled = {
        "status": ItemStatus.CANCELLED,
        "lease_token": "",
        "lease_until": None,
        "completed_at": now,
        "last_error": "The mapping was removed.",
        "reason": Cause.MAPPING_REMOVED.value,
    }
    await connection.execute(update(sync_items).where(open_items).values(**cancelled))
    await connection.execute(delete(links).where(links.c.mapping_id == mapping_id))
    return True


async def of_ids(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Mapping]:
    """Those of the mappings that were not removed, inside somebody else's transaction."""
    return {mapping.id: mapping for mapping in await _all(connection, _select().where(mappings.c.id.in_(ids)))}


def _name_taken(name: str) -> UserMistake:
    return UserMistake(f"There is already a mapping called {name}; choose another name.", code="name_taken")


def _select() -> Select[Any]:
    """Mappings that were not removed, with both playlists."""
    columns = [
        *mappings.c,
        *(column.label(f"left__{column.name}") for column in _left.c),
        *(column.label(f"right__{column.name}") for column in _right.c),
        _further().label("has_more"),
    ]
    return (
        select(*columns)
        .join(_left, mappings.c.left_playlist_id == _left.c.id)
        .join(_right, mappings.c.right_playlist_id == _right.c.id)
        .where(mappings.c.removed_at.is_(None))
    )


def _further(*conditions: Any) -> Any:
    """Whether a mapping has a further source, one that meets the conditions on its playlist."""
    statement = exists().where(mapping_sources.c.mapping_id == mappings.c.id, mapping_sources.c.position > 0)
    if conditions:
        statement = statement.where(mapping_sources.c.playlist_id == playlists.c.id, *conditions)
    return statement.correlate(mappings)


def _working() -> tuple[Any, ...]:
    guild_rests = exists().where(guild_settings.c.guild_id == mappings.c.guild_id, guild_settings.c.paused)
    return (mappings.c.enabled, ~guild_rests)


async def _first(connection: AsyncConnection, statement: Select[Any]) -> Mapping | None:
    return next(iter(await _all(connection, statement)), None)


async def _all(connection: AsyncConnection, statement: Select[Any]) -> list[Mapping]:
    rows = (await connection.execute(statement)).all()
    more = await _more(connection, [row.id for row in rows if row.has_more])
    return [_mapping(row, tuple(more.get(row.id, ()))) for row in rows]


async def _more(connection: AsyncConnection, mapping_ids: Sequence[int]) -> dict[int, list[Playlist]]:
    """The further sources of these mappings, in order."""
    found: dict[int, list[Playlist]] = {}
    for part in chunks(mapping_ids):
        statement = (
            select(mapping_sources.c.mapping_id, *(column.label(f"more__{column.name}") for column in playlists.c))
            .join(playlists, mapping_sources.c.playlist_id == playlists.c.id)
            .where(mapping_sources.c.mapping_id.in_(part), mapping_sources.c.position > 0)
            .order_by(mapping_sources.c.mapping_id, mapping_sources.c.position)
        )
        for row in await connection.execute(statement):
            found.setdefault(row.mapping_id, []).append(playlist(row, "more__"))
    return found


def _mapping(row: Row[Any], more: tuple[Playlist, ...]) -> Mapping:
    return Mapping(
        id=row.id,
        guild_id=row.guild_id,
        name=row.name,
        left=playlist(row, "left__"),
        right=playlist(row, "right__"),
        direction=row.direction,
        removals=row.removals,
        order=row.order,
        schedule=row.schedule,
        enabled=row.enabled,
        pause_reason=row.pause_reason,
        max_adds=row.max_adds,
        max_removals=row.max_removals,
        policy=row.policy,
        created_by=row.created_by,
        next_run_at=row.next_run_at,
        last_analysed_at=row.last_analysed_at,
        hidden=row.hidden,
        more=more,
    )
