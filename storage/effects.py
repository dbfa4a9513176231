"""What each run has changed in the playlists, found by the run that asked for it: what an undo starts from."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.run import Run, RunKind, RunStatus
from storage import runs
from storage.database import Repository, reads
from storage.items import ITEM_COLUMNS, item_of
from storage.schema import runs as run_table
from storage.schema import sync_items

_WROTE = and_(sync_items.c.status == ItemStatus.DONE, sync_items.c.intent_at.is_not(None))
_OPEN = (ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.UNKNOWN)


class Changed(NamedTuple):
    """A run with the writes that it asked for and that are done, and ``waiting`` ones that are not.

    ``undone_by``: the undo that took it back; None where there is none. What an undo of that undo brought back is that
    one's own work.
    """

    run: Run
    added: int
    removed: int
    moved: int
    renamed: int
    waiting: int
    undone_by: int | None


class Effects(Repository):
    @reads
    async def changed(
        self, connection: AsyncConnection, guild_id: int, mapping_id: int, limit: int = 10
    ) -> list[Changed]:
        """The mapping's latest runs that wrote something, newest first."""
        of_mapping = (sync_items.c.mapping_id == mapping_id, sync_items.c.guild_id == guild_id)
        statement = (
            select(sync_items.c.origin_run_id, *(_written(action) for action in Action))
            .where(*of_mapping, _WROTE, sync_items.c.origin_run_id.is_not(None))
            .group_by(sync_items.c.origin_run_id)
            .order_by(sync_items.c.origin_run_id.desc())
            .limit(limit)
        )
        rows = (await connection.execute(statement)).all()
        ids = [row.origin_run_id for row in rows]
        waits = select(sync_items.c.origin_run_id, func.count().label("waiting")).where(
            *of_mapping, sync_items.c.status.in_(_OPEN), sync_items.c.origin_run_id.in_(ids)
        )
        waiting = {
            row.origin_run_id: row.waiting
            for row in await connection.execute(waits.group_by(sync_items.c.origin_run_id))
        }
        theirs = await connection.execute(select(run_table).where(run_table.c.id.in_(ids)))
        known = {row.id: runs.run_of(row) for row in theirs}
        undone = await _undone(connection, mapping_id)
        return [
            Changed(
                run=known[row.origin_run_id],
                added=row.add_track,
                removed=row.remove_track,
                moved=row.move_track,
                renamed=row.rename_playlist,
                waiting=waiting.get(row.origin_run_id, 0),
                undone_by=undone.get(row.origin_run_id),
            )
            for row in rows
            if row.origin_run_id in known
        ]

    @reads
    async def items(self, connection: AsyncConnection, guild_id: int, run: Run) -> list[SyncItem]:
        """What the run asked for; of a burst: what it worked on. In the order of the queue."""
        column = sync_items.c.run_id if run.kind is RunKind.EXECUTION else sync_items.c.origin_run_id
        statement = select(*ITEM_COLUMNS).where(column == run.id, sync_items.c.guild_id == guild_id)
        return [item_of(row) for row in await connection.execute(statement.order_by(sync_items.c.id))]

    @reads
    async def undone_by(self, connection: AsyncConnection, run: Run) -> int | None:
        """The undo that has taken the run back."""
        return (await _undone(connection, run.mapping_id)).get(run.id)


async def _undone(connection: AsyncConnection, mapping_id: int) -> dict[int, int]:
    """By run, the undo that took it back. One that failed before it asked for anything did not."""
    asked = exists().where(sync_items.c.origin_run_id == run_table.c.id)
    statement = (
        select(run_table.c.id, run_table.c.undoes_run_id)
        .where(
            run_table.c.mapping_id == mapping_id,
            run_table.c.kind == RunKind.UNDO,
            or_(run_table.c.status == RunStatus.COMPLETED, asked),
        )
        .order_by(run_table.c.id)
    )
    return {row.undoes_run_id: row.id for row in await connection.execute(statement)}


def _written(action: Action) -> ColumnElement[int]:
    return func.sum(case((sync_items.c.action == action, 1), else_=0)).label(action.value)
