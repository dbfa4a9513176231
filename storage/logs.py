"""The log, which is the activity feed and the audit trail as well."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import OPEN_STATUSES, ItemStatus
from bot.model.log_filter import LogFilter, LogPage
from bot.model.logline import MESSAGE_LIMIT, JobType, Level, LogLine
from storage.database import Repository, reads, writes
from storage.log_pages import Walk, first_id_since
from storage.schema import LINE_IS_TROUBLE, logs, sync_items

_UNFINISHED = (*OPEN_STATUSES, ItemStatus.ERROR, ItemStatus.BLACKLISTED)  # the last two can be retried by people
AUDIT_DAYS = timedelta(days=30)  # what people did stays this long, whatever the guild's retention


class Logs(Repository):
    @writes
    async def append(self, connection: AsyncConnection, lines: Sequence[LogLine]) -> None:
        """Keeps the lines in their order, all or none; their ids are given here."""
        if lines:  # one statement for all: a flood must not outrun it
            await connection.execute(logs.insert(), [_values(line) for line in lines])

    @reads
    async def query(
        self,
        connection: AsyncConnection,
        guild_id: int | None,
        *,
        limit: int = 25,
        before_id: int | None = None,
        least: Level = Level.INFO,
        events: Sequence[str] = (),
        job_types: Sequence[JobType] = (),
        run_id: int | None = None,
        mapping_id: int | None = None,
        sync_item_id: int | None = None,
        actor_id: int | None = None,
        contains: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[LogLine]:
        """A page of the guild's lines, newest first; ``guild_id`` None: of all guilds and of none (SUPER_ADMIN).

        ``least``: this level and worse. ``before_id``: only older lines, for the next page. Empty filters let all pass.
        """
        equal = {
            logs.c.guild_id: guild_id,
            logs.c.run_id: run_id,
            logs.c.mapping_id: mapping_id,
            logs.c.sync_item_id: sync_item_id,
            logs.c.actor: actor_id,
        }
        conditions: list[Any] = [column == value for column, value in equal.items() if value is not None]
        conditions += _of_level(least)
        for column, wanted in ((logs.c.event, events), (logs.c.job_type, job_types)):
            if wanted:
                conditions.append(column == wanted[0] if len(wanted) == 1 else column.in_(wanted))
        if contains:
            conditions.append(logs.c.message.icontains(contains, autoescape=True))
        if since is not None:
            conditions.append(logs.c.at >= since)
        if until is not None:
            conditions.append(logs.c.at < until)
        if before_id is not None:
            conditions.append(logs.c.id < before_id)
        statement = select(logs).where(and_(True, *conditions)).order_by(logs.c.id.desc()).limit(limit)
        return [_line(row) for row in await connection.execute(statement)]

    @reads
    async def page(
        self,
        connection: AsyncConnection,
        wanted: LogFilter,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 25,
        stretch: int | None = None,
    ) -> LogPage:
        """The newest lines that fit, those next older than ``before_id``, or those next newer than ``after_id``.

        Whatever the filter, at most ``stretch`` lines (None: as many as take well below 200 ms) are looked through.
        """
        down = after_id is None
        walk = Walk(wanted, down=down, case_blind_like=not self.db.is_postgres)
        if wanted.since is not None:
            first = await first_id_since(connection, wanted.since)
            if first is None:
                return LogPage(lines=())
            walk.within(first - 1, None)
        if wanted.until is not None:
            walk.within(None, await first_id_since(connection, wanted.until))
        walk.within(after_id, before_id)
        stop = (await connection.execute(walk.end(stretch or walk.stretch))).one_or_none() if walk.skips else None
        if stop is not None:
            walk.within(stop.id - 1 if down else None, None if down else stop.id + 1)
        found = [_line(row) for row in await connection.execute(walk.lines(limit + 1))]
        more = len(found) > limit
        lines = found[:limit] if down else found[:limit][::-1]
        if more or stop is None:
            return LogPage(lines=tuple(lines), more=more)
        return LogPage(lines=tuple(lines), more=True, stopped_id=stop.id, stopped_at=stop.at)

    @reads
    async def get(self, connection: AsyncConnection, line_id: int, guild_id: int | None = None) -> LogLine | None:
        """The line; None when it is unknown or belongs to another guild than ``guild_id``."""
        statement = select(logs).where(logs.c.id == line_id)
        if guild_id is not None:
            statement = statement.where(logs.c.guild_id == guild_id)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _line(row)

    @writes
    async def delete_older(
        self,
        connection: AsyncConnection,
        guild_id: int | None,
        before: datetime,
        batch: int = 5000,
        audit_before: datetime | None = None,
    ) -> int:
        """Deletes at most ``batch`` lines of the guild (None: lines without a guild) from before ``before``; how many.

        Lines of what people did (the audit trail) go only when they are older than ``audit_before`` too, by default
        30 days. Lines of an item that is open or waits for a person stay. Call again while it returns ``batch``.
        """
        audit_end = min(before, audit_before or self.db.now() - AUDIT_DAYS)
        here = logs.c.guild_id.is_(None) if guild_id is None else logs.c.guild_id == guild_id
        deletable = or_(logs.c.at < audit_end, and_(logs.c.job_type != JobType.USER_ACTION, logs.c.actor.is_(None)))
        at_work = exists().where(sync_items.c.id == logs.c.sync_item_id, sync_items.c.status.in_(_UNFINISHED))
        old = _oldest(here & (logs.c.at < before) & deletable & ~at_work, batch)
        return (await connection.execute(delete(logs).where(logs.c.id.in_(old)))).rowcount


def _oldest(condition: Any, batch: int) -> Select[Any]:
    return select(logs.c.id).where(condition).order_by(logs.c.at).limit(batch)


def _of_level(least: Level) -> list[Any]:
    if least is Level.INFO:
        return []
    # The condition of the partial index of warnings and errors, word for word.
    return [LINE_IS_TROUBLE] if least is Level.WARN else [LINE_IS_TROUBLE, logs.c.level == Level.ERROR]


def _values(line: LogLine) -> dict[str, Any]:
    return {
        "at": line.at,
        "level": line.level,
        "event": str(line.event),
        "message": line.message[:MESSAGE_LIMIT],
        "job_type": line.job_type,
        "sync_item_id": line.sync_item_id,
        "run_id": line.run_id,
        "mapping_id": line.mapping_id,
        "guild_id": line.guild_id,
        "actor": line.actor_id,
        "details": line.details,
        "source": line.source[:128],
    }


def _line(row: Row[Any]) -> LogLine:
    fields = dict(row._mapping)
    fields["actor_id"] = fields.pop("actor")
    return LogLine(**fields)
