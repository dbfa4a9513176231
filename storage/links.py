"""The agreed pairs of a mapping: the base of its three-way merge."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.mapping import Link
from bot.model.plan import LinkChange
from storage.database import Database, Repository, chunks, reads, writes
from storage.schema import links

_KEY = ("left_track_id", "right_track_id", "occurrence")


class Links(Repository):
    @reads
    async def of_mapping(self, connection: AsyncConnection, mapping_id: int) -> list[Link]:
        """Every link of the mapping, in the order in which they were agreed."""
        statement = select(links).where(links.c.mapping_id == mapping_id).order_by(links.c.id)
        return [_link(row) for row in await connection.execute(statement)]

    @writes
    async def apply(self, connection: AsyncConnection, mapping_id: int, changes: Sequence[LinkChange]) -> None:
        """Forgets, changes and adds links, all or none; the same changes again do nothing."""
        await apply(self.db, connection, mapping_id, changes)


async def apply(db: Database, connection: AsyncConnection, mapping_id: int, changes: Sequence[LinkChange]) -> None:
    """``Links.apply`` inside somebody else's transaction. A link is known by its two tracks and its occurrence."""
    wanted = {_key(change.after): change.after for change in changes if change.after is not None}
    gone = {_key(change.before) for change in changes if change.before is not None} - wanted.keys()
    for part in chunks(sorted(gone)):
        named = tuple_(*(links.c[name] for name in _KEY)).in_(part)
        await connection.execute(delete(links).where(links.c.mapping_id == mapping_id, named))
    statement = db.insert(links)
    changed = {name: statement.excluded[name] for name in ("state", "written_side", "suspect")}
    statement = statement.on_conflict_do_update(index_elements=["mapping_id", *_KEY], set_=changed)
    for keys in chunks(sorted(wanted)):
        await connection.execute(statement, [_values(mapping_id, wanted[key]) for key in keys])


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)


def _values(mapping_id: int, link: Link) -> dict[str, Any]:
    return {
        "mapping_id": mapping_id,
        "left_track_id": link.left_track_id,
        "right_track_id": link.right_track_id,
        "occurrence": link.occurrence,
        "state": link.state,
        "written_side": link.written_side,
        "suspect": link.suspect,
    }


def _link(row: Row[Any]) -> Link:
    return Link(**row._mapping)
