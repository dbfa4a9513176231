"""What a person decides about a track: the open row claimed, the answer remembered, all its rows settled at once."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState, MatchRow
from storage import matches
from storage.blacklist import row_of
from storage.database import Repository, writes
from storage.schema import blacklist, mappings


class Decisions(Repository):
    @writes
    async def settle(self, connection: AsyncConnection, row_id: int, answer: MatchRow) -> list[BlacklistRow] | None:
        """Remembers ``answer`` for its guild and settles the track's rows in all mappings there; these rows.

        None, and nothing is changed, where the row ``row_id`` of that guild is not open any more: of two people who
        press at once one decides. An answer without a destination settles them as "not on that service".
        """
        mine = select(mappings.c.id).where(mappings.c.guild_id == answer.guild_id, mappings.c.removed_at.is_(None))
        claim = update(blacklist).where(
            blacklist.c.id == row_id,
            blacklist.c.state == BlacklistState.OPEN,
            blacklist.c.mapping_id.in_(mine),
        )
        if answer.destination_id:
            values: dict[str, Any] = {"state": BlacklistState.RESOLVED, "next_look_at": None}
        else:
            values = {
                "state": BlacklistState.DISMISSED,
                "next_look_at": None,
                "reason": BlacklistReason.REJECTED_BY_USER,
            }
        claimed = (await connection.execute(claim.values(**values).returning(*blacklist.c))).one_or_none()
        if claimed is None:
            return None
        await matches.keep(self.db, connection, answer)
        twins = update(blacklist).where(
            blacklist.c.mapping_id.in_(mine),
            blacklist.c.service == answer.source_service,
            blacklist.c.track_id == answer.source_id,
            blacklist.c.state != BlacklistState.RESOLVED,
            blacklist.c.id != row_id,
        )
        others = await connection.execute(twins.values(**values).returning(*blacklist.c))
        return [row_of(claimed), *(row_of(row) for row in others)]
