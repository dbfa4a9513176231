"""What each Discord server chose for itself."""

from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.guild import GuildSettings
from storage.database import Repository, reads, writes
from storage.schema import guild_settings, logs

_CHANGEABLE = {field.name for field in fields(GuildSettings)} - {"guild_id"}


class Guilds(Repository):
    @reads
    async def get(self, connection: AsyncConnection, guild_id: int) -> GuildSettings:
        """The guild's settings, the defaults where it never chose."""
        statement = select(guild_settings).where(guild_settings.c.guild_id == guild_id)
        row = (await connection.execute(statement)).one_or_none()
        return GuildSettings(guild_id=guild_id) if row is None else _settings(row)

    @writes
    async def save(self, connection: AsyncConnection, settings: GuildSettings) -> None:
        values = asdict(settings)
        statement = self.db.insert(guild_settings).values(**values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["guild_id"], set_=values))

    @writes
    async def update(
        self, connection: AsyncConnection, /, guild_id: int, **changes: Any
    ) -> tuple[GuildSettings, GuildSettings]:
        """Writes only the given columns; the settings before and after, as this one transaction saw them.

        So two people who change different things at once both get what they asked for. Raises TypeError for a field
        that does not exist.
        """
        if unknown := changes.keys() - _CHANGEABLE:
            raise TypeError(f"a server has no changeable {', '.join(sorted(unknown))}")
        defaults = asdict(GuildSettings(guild_id=guild_id))
        await connection.execute(self.db.insert(guild_settings).values(**defaults).on_conflict_do_nothing())
        here = guild_settings.c.guild_id == guild_id
        before = (await connection.execute(select(guild_settings).where(here).with_for_update())).one()
        if changes:
            await connection.execute(update(guild_settings).where(here).values(**changes))
        return _settings(before), replace(_settings(before), **changes)

    @reads
    async def all(self, connection: AsyncConnection) -> list[GuildSettings]:
        """Every guild that chose something."""
        statement = select(guild_settings).order_by(guild_settings.c.guild_id)
        return [_settings(row) for row in await connection.execute(statement)]

    @reads
    async def with_lines(self, connection: AsyncConnection) -> list[GuildSettings]:
        """Every guild that has log lines, with its settings or the defaults."""
        ids = select(logs.c.guild_id).where(logs.c.guild_id.is_not(None)).distinct().subquery()
        statement = select(ids.c.guild_id.label("lines_of"), guild_settings).join_from(
            ids, guild_settings, guild_settings.c.guild_id == ids.c.guild_id, isouter=True
        )
        return [
            GuildSettings(guild_id=row.lines_of)
            if row.guild_id is None
            else GuildSettings(**{name: value for name, value in row._mapping.items() if name != "lines_of"})
            for row in await connection.execute(statement)
        ]


def _settings(row: Row[Any]) -> GuildSettings:
    return GuildSettings(**row._mapping)
