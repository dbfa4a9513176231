"""What a playlist held at a moment, in order: what guards compare with and undo restores."""

from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.mapping import Side
from bot.model.music import PlaylistContent, PlaylistEntry, PlaylistInfo, Track
from storage import tracks
from storage.database import Repository, reads, writes
from storage.schema import mappings, snapshots

KEPT_AT_LEAST = 10  # snapshots of each side of a mapping, however old: so far an undo reaches back in any case
_INFO = TypeAdapter(PlaylistInfo)


class Snapshots(Repository):
    @writes
    async def add(
        self,
        connection: AsyncConnection,
        mapping_id: int,
        run_id: int | None,
        side: Side,
        content: PlaylistContent,
        taken_at: datetime,
    ) -> int:
        """Keeps a full read, its tracks in the catalogue; the snapshot's id."""
        await tracks.remember(self.db, connection, content.tracks)
        entries = [
            [each.position, each.track.external_id, each.entry_id, each.track.available] for each in content.entries
        ]
        statement = (
            snapshots.insert()
            .values(
                mapping_id=mapping_id,
                run_id=run_id,
                side=side,
                service=content.info.service,
                taken_at=taken_at,
                # Whose playlist it is stands with the playlist, where it can be forgotten.
                info=_INFO.dump_python(replace(content.info, owner_id=""), mode="json"),
                entries={"entries": entries},
                skipped=content.skipped,
            )
            .returning(snapshots.c.id)
        )
        return int((await connection.execute(statement)).scalar_one())

    @reads
    async def latest(self, connection: AsyncConnection, mapping_id: int, side: Side) -> PlaylistContent | None:
        """The newest full read of that side; tracks as the catalogue knows them now, presence as it was then."""
        statement = select(snapshots).where(snapshots.c.mapping_id == mapping_id, snapshots.c.side == side)
        row = (await connection.execute(statement.order_by(snapshots.c.id.desc()).limit(1))).one_or_none()
        return None if row is None else await _content(connection, row)

    @reads
    async def of_run(self, connection: AsyncConnection, run_id: int, side: Side) -> PlaylistContent | None:
        """What the run read on that side, None when it read nothing there."""
        statement = select(snapshots).where(snapshots.c.run_id == run_id, snapshots.c.side == side)
        row = (await connection.execute(statement.order_by(snapshots.c.id.desc()).limit(1))).one_or_none()
        return None if row is None else await _content(connection, row)

    @reads
    async def latest_at(self, connection: AsyncConnection, mapping_id: int, side: Side) -> datetime | None:
        """When the newest full read of that side was taken."""
        statement = select(func.max(snapshots.c.taken_at)).where(
            snapshots.c.mapping_id == mapping_id, snapshots.c.side == side
        )
        return cast(datetime | None, (await connection.execute(statement)).scalar())

    @writes
    async def delete_older(self, connection: AsyncConnection, before: datetime, batch: int = 100) -> int:
        """Drops snapshots from before ``before`` except the newest ten of each side; how many.

        Of a mapping that was removed none is kept longer.
        """
        sides = snapshots.c.mapping_id, snapshots.c.side
        newer = func.row_number().over(partition_by=sides, order_by=snapshots.c.id.desc()).label("newer")
        removed = exists().where(mappings.c.id == snapshots.c.mapping_id, mappings.c.removed_at.is_not(None))
        ranked = select(snapshots.c.id, snapshots.c.taken_at, newer, removed.label("removed")).subquery()
        old = (
            select(ranked.c.id)
            .where(ranked.c.taken_at < before, or_(ranked.c.newer > KEPT_AT_LEAST, ranked.c.removed))
            .order_by(ranked.c.id)
            .limit(batch)
        )
        return (await connection.execute(delete(snapshots).where(snapshots.c.id.in_(old)))).rowcount


async def _content(connection: AsyncConnection, row: Row[Any]) -> PlaylistContent:
    entries: list[list[Any]] = row.entries["entries"]
    known = await tracks.get_many(connection, row.service, {entry[1] for entry in entries})
    return PlaylistContent(
        info=_INFO.validate_python(row.info),
        entries=tuple(_entry(row, known, entry) for entry in entries),
        skipped=row.skipped,
    )


def _entry(row: Row[Any], known: dict[str, Track], entry: list[Any]) -> PlaylistEntry:
    position, track_id, entry_id, available = entry
    track = known.get(track_id) or Track(service=row.service, external_id=track_id, title="")
    if track.available != available:
        track = replace(track, available=available)
    return PlaylistEntry(position=position, track=track, entry_id=entry_id)
