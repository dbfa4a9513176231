"""Pauses that people set on the queue: of everything, a guild, a service or a mapping; they hold until taken back."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.guild import GuildSettings
from bot.model.music import Service
from bot.model.queue import EVERY_GUILD, QueuePause
from storage.database import Database, Repository, reads, writes
from storage.schema import guild_settings, mappings, queue_pauses, sync_items

_EVERY_SERVICE, _EVERY_MAPPING = "", 0


def rests(item: Any = sync_items.c) -> ColumnElement[bool]:
    """For queries of items, or of groups of them by guild, service and mapping: whether a pause keeps them unsent."""
    row = queue_pauses.c
    paused = exists().where(
        or_(row.guild_id == EVERY_GUILD, row.guild_id == item.guild_id),
        or_(row.service == literal(_EVERY_SERVICE), row.service == item.service),
        or_(row.mapping_id == _EVERY_MAPPING, row.mapping_id == item.mapping_id),
    )
    guild = exists().where(guild_settings.c.guild_id == item.guild_id, guild_settings.c.paused)
    return or_(paused, guild)


async def one_at_a_time(db: Database, connection: AsyncConnection) -> None:
    """Setting a pause and writing an intent take turns: what is not sent yet when the pause is set stays unsent."""
    await db.one_at_a_time(connection, "queue.pauses")


class QueuePauses(Repository):
    """A guild's whole queue rests when ``guild_settings.paused`` says so; its row here tells who paused it and when."""

    @writes
    async def set(self, connection: AsyncConnection, pause: QueuePause) -> bool:
        """Keeps the pause; False when just this one stands already: its maker and moment stay."""
        await one_at_a_time(self.db, connection)
        values = {
            "guild_id": pause.guild_id,
            "service": pause.service or _EVERY_SERVICE,
            "mapping_id": pause.mapping_id or _EVERY_MAPPING,
            "actor": pause.actor_id,
            "since": pause.since or self.db.now(),
            "reason": pause.reason,
        }
        statement = self.db.insert(queue_pauses).values(values).on_conflict_do_nothing()
        new = bool((await connection.execute(statement.returning(queue_pauses.c.since))).all())
        if _whole_guild(pause):
            settings = GuildSettings(guild_id=pause.guild_id, paused=True)
            row = self.db.insert(guild_settings).values(asdict(settings))
            await connection.execute(row.on_conflict_do_update(index_elements=["guild_id"], set_={"paused": True}))
        return new

    @writes
    async def clear(
        self, connection: AsyncConnection, guild_id: int, service: Service | None = None, mapping_id: int | None = None
    ) -> bool:
        """Takes just this pause back; False when there was none. Others may still cover the same work."""
        cleared = await connection.execute(
            delete(queue_pauses).where(
                queue_pauses.c.guild_id == guild_id,
                queue_pauses.c.service == (service or _EVERY_SERVICE),
                queue_pauses.c.mapping_id == (mapping_id or _EVERY_MAPPING),
            )
        )
        found = bool(cleared.rowcount)
        if _whole_guild(QueuePause(guild_id=guild_id, service=service, mapping_id=mapping_id)):
            waking = update(guild_settings).where(guild_settings.c.guild_id == guild_id, guild_settings.c.paused)
            found |= bool((await connection.execute(waking.values(paused=False))).rowcount)
        return found

    @reads
    async def of_guild(self, connection: AsyncConnection, guild_id: int) -> list[QueuePause]:
        """Every pause that covers work of the guild, the widest first; those of removed mappings cover none."""
        whose = (mappings.c.id == queue_pauses.c.mapping_id) & mappings.c.removed_at.is_(None)
        statement = (
            select(queue_pauses, mappings.c.name)
            .join(mappings, whose, isouter=True)
            .where(
                queue_pauses.c.guild_id.in_((EVERY_GUILD, guild_id)),
                or_(queue_pauses.c.mapping_id == _EVERY_MAPPING, mappings.c.id.is_not(None)),
            )
            .order_by(queue_pauses.c.guild_id, queue_pauses.c.mapping_id, queue_pauses.c.service)
        )
        found = [_pause(row, row.name or "") for row in await connection.execute(statement)]
        resting = select(guild_settings.c.paused).where(guild_settings.c.guild_id == guild_id)
        if (await connection.execute(resting)).scalar() and not any(map(_whole_guild, found)):
            found.insert(0, QueuePause(guild_id=guild_id))
        return found

    @reads
    async def all(self, connection: AsyncConnection) -> list[QueuePause]:
        """Every pause of every guild."""
        found = [_pause(row) for row in await connection.execute(select(queue_pauses))]
        told = {pause.guild_id for pause in found if _whole_guild(pause)}
        resting = select(guild_settings.c.guild_id).where(guild_settings.c.paused)
        ids = (await connection.execute(resting)).scalars()
        return found + [QueuePause(guild_id=guild_id) for guild_id in ids if guild_id not in told]

    @reads
    async def holds(self, connection: AsyncConnection, item_ids: Sequence[int]) -> bool:
        """Whether one of the items may not be sent now."""
        statement = select(sync_items.c.id).where(sync_items.c.id.in_(item_ids), rests()).limit(1)
        return (await connection.execute(statement)).first() is not None


def _whole_guild(pause: QueuePause) -> bool:
    return pause.guild_id != EVERY_GUILD and pause.whole


def _pause(row: Row[Any], mapping_name: str = "") -> QueuePause:
    since: datetime = row.since
    return QueuePause(
        guild_id=row.guild_id,
        service=Service(row.service) if row.service else None,
        mapping_id=row.mapping_id or None,
        actor_id=row.actor,
        since=since,
        reason=row.reason,
        mapping_name=mapping_name,
    )
