"""Base playlists and their children. While a base is routed the database itself refuses changes (revision 0003)."""

from collections.abc import Mapping as Fields
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.errors import UserMistake
from bot.model.mapping import Direction, Mapping, Order, Removals
from bot.model.matching import MatchPolicy
from bot.model.music import PlaylistContent, PlaylistEntry, PlaylistInfo, Service, Track
from bot.model.router import BasePlaylist, ChildPlaylist
from storage import mappings as mapping_table
from storage import tracks
from storage.database import Repository, reads, writes
from storage.playlists import playlist
from storage.schema import base_playlists, child_playlists, guild_settings, mappings, playlists

SCHEDULE_OFF = "off"
ARROW = "→"
MOST_A_RUN = 5_000  # adds of one routing run to one child: about what one playlist may hold
REMOVALS_A_RUN = 100  # a plan that removes more is stopped and shown, unless a person changed the rules
_INFO = TypeAdapter(PlaylistInfo)
_THERE = base_playlists.c.removed_at.is_(None)
_CHILD_THERE = child_playlists.c.removed_at.is_(None)


class LastRead(NamedTuple):
    info: PlaylistInfo
    entries: int
    skipped: int  # entries that were no usable track


class Routers(Repository):
    """Every change of a base or a child raises BaseBusy while one of their runs is active."""

    @writes
    async def add_base(
        self,
        connection: AsyncConnection,
        *,
        guild_id: int,
        name: str,
        playlist_id: int,
        schedule: str,
        created_by: int,
        next_run_at: datetime | None,
    ) -> BasePlaylist:
        """The new base. Raises UserMistake when the guild has one of that name, in whatever case."""
        values = {
            "guild_id": guild_id,
            "name": name,
            "name_key": name.casefold(),
            "playlist_id": playlist_id,
            "schedule": schedule,
            "enabled": True,
            "pause_reason": "",
            "created_by": created_by,
            "created_at": self.db.now(),
            "next_run_at": next_run_at,
        }
        statement = self.db.insert(base_playlists).values(**values).on_conflict_do_nothing()
        base_id = (await connection.execute(statement.returning(base_playlists.c.id))).scalar()
        if base_id is None:
            raise _taken("base playlist", name)
        found = await _first_base(connection, _bases().where(base_playlists.c.id == base_id))
        assert found is not None
        return found

    @reads
    async def base(self, connection: AsyncConnection, base_id: int, guild_id: int | None = None) -> BasePlaylist | None:
        """The base; None when it was removed, or belongs to another guild than ``guild_id``."""
        statement = _bases().where(base_playlists.c.id == base_id)
        if guild_id is not None:
            statement = statement.where(base_playlists.c.guild_id == guild_id)
        return await _first_base(connection, statement)

    @reads
    async def base_by_name(self, connection: AsyncConnection, guild_id: int, name: str) -> BasePlaylist | None:
        """The guild's base of that name, in whatever case."""
        key = name.strip().casefold()
        statement = _bases().where(base_playlists.c.guild_id == guild_id, base_playlists.c.name_key == key)
        return await _first_base(connection, statement)

    @reads
    async def bases_of_guild(self, connection: AsyncConnection, guild_id: int) -> list[BasePlaylist]:
        """The guild's bases by name."""
        statement = _bases().where(base_playlists.c.guild_id == guild_id).order_by(base_playlists.c.name_key)
        return [_base(row) for row in await connection.execute(statement)]

    @reads
    async def using_account(self, connection: AsyncConnection, account_id: int) -> list[BasePlaylist]:
        """Bases that are read through this account, in all guilds."""
        statement = _bases().where(playlists.c.account_id == account_id).order_by(base_playlists.c.id)
        return [_base(row) for row in await connection.execute(statement)]

    @reads
    async def all_enabled(self, connection: AsyncConnection) -> list[BasePlaylist]:
        """Every base that is not paused, in all guilds."""
        statement = _bases().where(base_playlists.c.enabled).order_by(base_playlists.c.id)
        return [_base(row) for row in await connection.execute(statement)]

    @reads
    async def due(self, connection: AsyncConnection, now: datetime) -> list[BasePlaylist]:
        """Working bases whose time has come (or that were never given one), longest overdue first.

        One without a schedule is due only where a run was cut off, or has to wait for something.
        """
        guild_rests = exists().where(guild_settings.c.guild_id == base_playlists.c.guild_id, guild_settings.c.paused)
        statement = _bases().where(
            base_playlists.c.enabled,
            ~guild_rests,
            or_(
                base_playlists.c.next_run_at.is_(None) & (base_playlists.c.schedule != SCHEDULE_OFF),
                base_playlists.c.next_run_at <= now,
            ),
        )
        ordered = statement.order_by(base_playlists.c.next_run_at.asc().nulls_first(), base_playlists.c.id)
        return [_base(row) for row in await connection.execute(ordered)]

    @writes
    async def update_base(self, connection: AsyncConnection, /, base_id: int, **fields: Any) -> BasePlaylist | None:
        """Changes name, playlist_id, schedule, enabled, pause_reason, next_run_at, last_routed_at.

        The base as it is now, None when it was removed. Raises UserMistake when the name is taken.
        """
        if "name" in fields:
            fields["name_key"] = fields["name"].casefold()
            await self._refuse_taken_base(connection, base_id, fields["name"])
        statement = update(base_playlists).where(base_playlists.c.id == base_id, _THERE).values(**fields)
        await connection.execute(statement)
        return await _first_base(connection, _bases().where(base_playlists.c.id == base_id))

    @reads
    async def last_read(self, connection: AsyncConnection, base_id: int) -> LastRead | None:
        """What the last full read of the base told of it; None before that."""
        statement = select(base_playlists.c.content).where(base_playlists.c.id == base_id, _THERE)
        kept = (await connection.execute(statement)).scalar()
        if kept is None:
            return None
        return LastRead(_INFO.validate_python(kept["info"]), len(kept["entries"]), kept["skipped"])

    @reads
    async def content(self, connection: AsyncConnection, base_id: int) -> PlaylistContent | None:
        """What the base held when it was last read; None before that. Tracks as the catalogue knows them now."""
        statement = select(base_playlists.c.content).where(base_playlists.c.id == base_id, _THERE)
        kept = (await connection.execute(statement)).scalar()
        if kept is None:
            return None
        info = _INFO.validate_python(kept["info"])
        known = await tracks.get_many(connection, info.service, {entry[1] for entry in kept["entries"]})
        entries = tuple(_entry(info.service, known, entry) for entry in kept["entries"])
        return PlaylistContent(info=info, entries=entries, skipped=kept["skipped"])

    @writes
    async def keep_content(self, connection: AsyncConnection, base_id: int, content: PlaylistContent) -> None:
        """Keeps a full read of the base, its tracks in the catalogue."""
        await tracks.remember(self.db, connection, content.tracks)
        kept = {
            "info": _INFO.dump_python(replace(content.info, owner_id=""), mode="json"),
            "skipped": content.skipped,
            "entries": [
                [
                    entry.position,
                    entry.track.external_id,
                    entry.entry_id,
                    entry.track.available,
                    entry.added_at.isoformat() if entry.added_at else None,
                    entry.added_by,
                ]
                for entry in content.entries
            ],
        }
        await connection.execute(update(base_playlists).where(base_playlists.c.id == base_id).values(content=kept))

    @writes
    async def remove_base(self, connection: AsyncConnection, base_id: int) -> list[int]:
        """Takes the base and its children away; the ids of the children's mappings, which are the caller's to end."""
        now = self.db.now()
        children = update(child_playlists).where(child_playlists.c.base_id == base_id, _CHILD_THERE)
        gone = await connection.execute(children.values(removed_at=now).returning(child_playlists.c.mapping_id))
        mapping_ids = sorted(gone.scalars())
        statement = update(base_playlists).where(base_playlists.c.id == base_id, _THERE)
        await connection.execute(statement.values(removed_at=now, enabled=False, content=None))
        for mapping_id in mapping_ids:
            await mapping_table.remove(self.db, connection, mapping_id)
        return mapping_ids

    @writes
    async def add_child(
        self,
        connection: AsyncConnection,
        *,
        base_id: int,
        playlist_id: int,
        name: str,
        rules: Fields[str, Any],
        created_by: int,
    ) -> ChildPlaylist:
        """The new child with its hidden mapping, both or none. Raises UserMistake when its name is taken."""
        base = await _first_base(connection, _bases().where(base_playlists.c.id == base_id))
        if base is None:
            raise UserMistake("This base playlist was removed meanwhile.", code="base_removed")
        mapping = await mapping_table.insert(
            self.db,
            connection,
            guild_id=base.guild_id,
            name=_hidden_name(base, name),
            left_playlist_id=base.playlist.id,
            right_playlist_id=playlist_id,
            direction=Direction.LEFT_TO_RIGHT,
            removals=Removals.EXACT,
            order=Order.KEEP,
            schedule=SCHEDULE_OFF,
            enabled=True,
            max_adds=MOST_A_RUN,
            max_removals=REMOVALS_A_RUN,
            policy=MatchPolicy.BALANCED,
            created_by=created_by,
            next_run_at=None,
            hidden=True,
        )
        values = {
            "base_id": base_id,
            "mapping_id": mapping.id,
            "name": name,
            "name_key": name.casefold(),
            "rules": dict(rules),
            "last_error": "",
            "created_by": created_by,
            "created_at": self.db.now(),
        }
        statement = self.db.insert(child_playlists).values(**values).on_conflict_do_nothing()
        child_id = (await connection.execute(statement.returning(child_playlists.c.id))).scalar()
        if child_id is None:
            raise _taken("child of this base", name)
        return (await _children(connection, child_playlists.c.id == child_id))[0]

    @reads
    async def children(self, connection: AsyncConnection, base_id: int) -> list[ChildPlaylist]:
        """The base's children, in the order in which they were made."""
        return await _children(connection, child_playlists.c.base_id == base_id)

    @reads
    async def child(
        self, connection: AsyncConnection, child_id: int, guild_id: int | None = None
    ) -> ChildPlaylist | None:
        """The child; None when it was removed, or belongs to another guild than ``guild_id``."""
        found = await _children(connection, child_playlists.c.id == child_id)
        return next((one for one in found if guild_id in (None, one.mapping.guild_id)), None)

    @reads
    async def child_of_mapping(self, connection: AsyncConnection, mapping_id: int) -> ChildPlaylist | None:
        """The child that owns this hidden mapping."""
        return next(iter(await _children(connection, child_playlists.c.mapping_id == mapping_id)), None)

    @writes
    async def update_child(self, connection: AsyncConnection, /, child_id: int, **fields: Any) -> ChildPlaylist | None:
        """Changes name, rules, last_routed, last_routed_at, last_error; the child as it is now, None when removed."""
        if "name" in fields:
            fields["name_key"] = fields["name"].casefold()
            await self._refuse_taken_child(connection, child_id, fields["name"])
            await self._rename_hidden(connection, child_id, fields["name"])
        statement = update(child_playlists).where(child_playlists.c.id == child_id, _CHILD_THERE).values(**fields)
        await connection.execute(statement)
        return next(iter(await _children(connection, child_playlists.c.id == child_id)), None)

    @writes
    async def remove_child(self, connection: AsyncConnection, child_id: int) -> bool:
        """Takes the child and its hidden mapping away; False when it was gone already."""
        statement = update(child_playlists).where(child_playlists.c.id == child_id, _CHILD_THERE)
        gone = await connection.execute(
            statement.values(removed_at=self.db.now()).returning(child_playlists.c.mapping_id)
        )
        mapping_id = gone.scalar()
        if mapping_id is None:
            return False
        await mapping_table.remove(self.db, connection, mapping_id)
        return True

    async def _rename_hidden(self, connection: AsyncConnection, child_id: int, name: str) -> None:
        """The hidden mapping is called after its child, for whoever meets it in a list of jobs."""
        found = await _children(connection, child_playlists.c.id == child_id)
        for child in found:
            base = await _first_base(connection, _bases().where(base_playlists.c.id == child.base_id))
            if base is not None:
                hidden = _hidden_name(base, name)
                statement = update(mappings).where(mappings.c.id == child.mapping.id)
                await connection.execute(statement.values(name=hidden, name_key=hidden.casefold()))

    async def _refuse_taken_base(self, connection: AsyncConnection, base_id: int, name: str) -> None:
        guild = select(base_playlists.c.guild_id).where(base_playlists.c.id == base_id).scalar_subquery()
        other = select(base_playlists.c.id).where(
            base_playlists.c.guild_id == guild,
            base_playlists.c.name_key == name.casefold(),
            base_playlists.c.id != base_id,
            _THERE,
        )
        if (await connection.execute(other)).first() is not None:
            raise _taken("base playlist", name)

    async def _refuse_taken_child(self, connection: AsyncConnection, child_id: int, name: str) -> None:
        base = select(child_playlists.c.base_id).where(child_playlists.c.id == child_id).scalar_subquery()
        other = select(child_playlists.c.id).where(
            child_playlists.c.base_id == base,
            child_playlists.c.name_key == name.casefold(),
            child_playlists.c.id != child_id,
            _CHILD_THERE,
        )
        if (await connection.execute(other)).first() is not None:
            raise _taken("child of this base", name)


def _entry(service: Service, known: Fields[str, Track], kept: list[Any]) -> PlaylistEntry:
    position, track_id, entry_id, available, added_at, added_by = kept
    track = known.get(track_id) or Track(service=service, external_id=track_id, title="")
    return PlaylistEntry(
        position=position,
        track=track if track.available == available else replace(track, available=available),
        entry_id=entry_id,
        added_at=datetime.fromisoformat(added_at) if added_at else None,
        added_by=added_by,
    )


def _hidden_name(base: BasePlaylist, child: str) -> str:
    """The arrow keeps it apart from the names that people give, as good as always."""
    return f"{base.name} {ARROW} {child}"


def _taken(what: str, name: str) -> UserMistake:
    return UserMistake(f"There is already a {what} called {name}; choose another name.", code="name_taken")


def _bases() -> Select[Any]:
    """Bases that were not removed, with their playlists."""
    known = (column for column in base_playlists.c if column.name != "content")  # which may be large
    columns = [*known, *(column.label(f"playlist__{column.name}") for column in playlists.c)]
    return select(*columns).join(playlists, base_playlists.c.playlist_id == playlists.c.id).where(_THERE)


async def _first_base(connection: AsyncConnection, statement: Select[Any]) -> BasePlaylist | None:
    row = (await connection.execute(statement)).first()
    return None if row is None else _base(row)


def _base(row: Row[Any]) -> BasePlaylist:
    return BasePlaylist(
        id=row.id,
        guild_id=row.guild_id,
        name=row.name,
        playlist=playlist(row, "playlist__"),
        schedule=row.schedule,
        enabled=row.enabled,
        pause_reason=row.pause_reason,
        created_by=row.created_by,
        created_at=row.created_at,
        next_run_at=row.next_run_at,
        last_routed_at=row.last_routed_at,
    )


async def _children(connection: AsyncConnection, which: Any) -> list[ChildPlaylist]:
    statement = select(child_playlists).where(which, _CHILD_THERE).order_by(child_playlists.c.id)
    rows = (await connection.execute(statement)).all()
    owned = await mapping_table.of_ids(connection, [row.mapping_id for row in rows])
    return [_child(row, owned[row.mapping_id]) for row in rows if row.mapping_id in owned]


def _child(row: Row[Any], mapping: Mapping) -> ChildPlaylist:
    return ChildPlaylist(
        id=row.id,
        base_id=row.base_id,
        mapping=mapping,
        name=row.name,
        rules=row.rules,
        last_routed=row.last_routed or {},
        last_routed_at=row.last_routed_at,
        last_error=row.last_error,
        created_by=row.created_by,
        created_at=row.created_at,
    )
