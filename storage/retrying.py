"""Which failed changes may go back into the queue: those that the playlists, as they were last read, still ask for.

A change that failed may be out of date: its track left the source meanwhile, a later sync made the change and people
took it back, an undo holds it, or its mapping was removed. Sent again it would bring a song that nobody wants any more.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import Action, ItemStatus
from bot.model.mapping import LinkState, Side
from bot.model.reasons import reason_of
from storage.schema import links, mappings, snapshots, sync_items

MADE_SINCE = "Not tried again: a later sync has made this change or taken it back."
ONLY_READ = "Not tried again: that playlist is the source now and is only read."
UNDONE = "Not tried again: an undo has taken this change back."
NOT_WANTED = "Not tried again: the source playlist does not ask for this any more."

_CHANGES = (Action.ADD_TRACK, Action.REMOVE_TRACK)
_WHAT = ("mapping_id", "service", "source_track_id", "occurrence")


def mapping_is_there() -> ColumnElement[bool]:
    """For queries of items: whether their mapping still is; nobody works on what is left of a removed one."""
    return exists().where(mappings.c.id == sync_items.c.mapping_id, mappings.c.removed_at.is_(None))


async def wanted(connection: AsyncConnection, item_ids: Sequence[int]) -> list[int]:
    """Those of these ended items that are worth another try; the others are cancelled, and their error says why.

    What an undo asked for is left to people. Of a mapping that was never read whole nothing is known: all is wanted.
    """
    columns = [*(sync_items.c[name] for name in _WHAT), sync_items.c.id, sync_items.c.action, sync_items.c.payload]
    statement = select(*columns, mappings.c.direction).join(mappings, mappings.c.id == sync_items.c.mapping_id)
    rows = (await connection.execute(statement.where(sync_items.c.id.in_(item_ids)))).all()
    judged = [row for row in rows if row.action in _CHANGES and "undo" not in row.payload]
    since = await _made_since(connection, judged)
    held, undone = await _held(connection, judged), await _undone(connection, judged)
    over = {ONLY_READ: [row.id for row in rows if "side" in row.payload and not row.direction.writes(_side(row))]}
    late = set(over[ONLY_READ])
    over[MADE_SINCE] = [row.id for row in judged if row.id not in late and since.get(_what(row), 0) > row.id]
    late.update(over[MADE_SINCE])
    over[UNDONE] = [row.id for row in judged if row.id not in late and _track(row) in undone]
    late.update(over[UNDONE])
    over[NOT_WANTED] = [row.id for row in judged if row.id not in late and not _asked_for(row, held)]
    for why, ids in over.items():
        ended = {"status": ItemStatus.CANCELLED, "last_error": why, "reason": reason_of(why)}
        await connection.execute(update(sync_items).where(sync_items.c.id.in_(ids)).values(**ended))
    gone = {item_id for ids in over.values() for item_id in ids}
    return [item_id for item_id in item_ids if item_id not in gone]


async def _made_since(connection: AsyncConnection, rows: Sequence[Any]) -> dict[tuple[Any, ...], int]:
    """The newest finished change of each of the tracks, by ``_WHAT``."""
    found: dict[tuple[Any, ...], int] = {}
    for mapping_id, of_mapping in _by_mapping(rows).items():
        newest = func.max(sync_items.c.id).label("id")
        statement = select(*(sync_items.c[name] for name in _WHAT), newest).where(
            sync_items.c.mapping_id == mapping_id,
            sync_items.c.id > min(row.id for row in of_mapping),
            sync_items.c.status == ItemStatus.DONE,
            sync_items.c.action.in_(_CHANGES),
            sync_items.c.source_track_id.in_({row.source_track_id for row in of_mapping}),
        )
        for row in await connection.execute(statement.group_by(*(sync_items.c[name] for name in _WHAT))):
            found[_what(row)] = row.id
    return found


async def _held(connection: AsyncConnection, rows: Sequence[Any]) -> dict[tuple[int, Side], Counter[str]]:
    """How many copies of each track the sources of these items held when they were last read."""
    found: dict[tuple[int, Side], Counter[str]] = {}
    for mapping_id, side in {(row.mapping_id, _source(row)) for row in rows if "side" in row.payload}:
        latest = select(snapshots.c.entries).where(snapshots.c.mapping_id == mapping_id, snapshots.c.side == side)
        entries = (await connection.execute(latest.order_by(snapshots.c.id.desc()).limit(1))).scalar()
        if entries is not None:
            found[mapping_id, side] = Counter(entry[1] for entry in entries["entries"])
    return found


async def _undone(connection: AsyncConnection, rows: Sequence[Any]) -> set[tuple[int, Side, str, int]]:
    """The copies of tracks, by their sources, whose adds an undo holds back."""
    ids = {row.mapping_id for row in rows}
    statement = select(links).where(links.c.mapping_id.in_(ids), links.c.state == LinkState.HELD)
    found: set[tuple[int, Side, str, int]] = set()
    for row in await connection.execute(statement):
        found.add((row.mapping_id, Side.LEFT, row.left_track_id, row.occurrence))
        found.add((row.mapping_id, Side.RIGHT, row.right_track_id, row.occurrence))
    return found


def _asked_for(row: Any, held: dict[tuple[int, Side], Counter[str]]) -> bool:
    tracks = held.get((row.mapping_id, _source(row))) if "side" in row.payload else None
    if tracks is None:
        return True
    if row.action is Action.ADD_TRACK:
        return tracks[row.source_track_id] > 0
    linked = row.payload.get("linked", True) and not row.payload.get("surplus")
    return not linked or tracks[row.source_track_id] <= row.occurrence


def _track(row: Any) -> tuple[int, Side, str, int] | None:
    """The source's copy that an add stands for, as in ``_undone``."""
    if row.action is not Action.ADD_TRACK or "side" not in row.payload:
        return None
    return row.mapping_id, _source(row), row.source_track_id, row.occurrence


def _source(row: Any) -> Side:
    return _side(row).other


def _side(row: Any) -> Side:
    """The side that an item changes."""
    return Side(row.payload["side"])


def _what(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _WHAT)


def _by_mapping(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.mapping_id].append(row)
    return found
