"""What becomes of the work of a run that people cancelled: nothing that it holds goes back into the queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, literal, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.item import ItemStatus
from bot.model.reasons import reason_of
from bot.model.run import RunStatus
from storage.columns import UtcDateTime
from storage.schema import ITEM_IS_PENDING, mappings, runs, sync_items

BY_A_PERSON = "Cancelled by a person."

_FREED = {"lease_token": "", "lease_until": None, "intent_at": None, "copies_before": None, "not_before": None}
_WHY = {"last_error": BY_A_PERSON, "reason": reason_of(BY_A_PERSON)}


def stopped() -> ColumnElement[bool]:
    """For queries of items: whether people cancelled the run that last took the item up."""
    return exists().where(runs.c.id == sync_items.c.run_id, runs.c.cancelled_by.is_not(None))


def pending_again(now: datetime) -> dict[str, Any]:
    """Values of an item that nothing was sent for: back into the queue, or cancelled with its run."""
    return {
        "status": case((stopped(), ItemStatus.CANCELLED.value), else_=ItemStatus.PENDING.value),
        "completed_at": case((stopped(), literal(now, UtcDateTime())), else_=null()),
    }


def ending(status: RunStatus) -> Any:
    """The status of a run that ends: what it was, unless people asked it to stop before."""
    asked = runs.c.cancelled_by.is_not(None)
    return case((asked, RunStatus.CANCELLED.value), else_=status.value)


async def any_stopped(connection: AsyncConnection, item_ids: Sequence[int]) -> bool:
    """Whether people cancelled the run of one of these items."""
    statement = select(sync_items.c.id).where(sync_items.c.id.in_(item_ids), stopped()).limit(1)
    return (await connection.execute(statement)).scalar() is not None


async def cancel_waiting(connection: AsyncConnection, now: datetime, *which: Any) -> int:
    """Cancels pending items; how many. What is being sent or read back is left to who does it."""
    statement = update(sync_items).where(ITEM_IS_PENDING, *which)
    values = {**_FREED, **_WHY, "status": ItemStatus.CANCELLED, "completed_at": now}
    return (await connection.execute(statement.values(**values))).rowcount


async def look_again(connection: AsyncConnection, mapping_ids: Sequence[int]) -> None:
    """What was cancelled is not in the playlists: the next analysis plans it again even if no playlist changed."""
    statement = update(mappings).where(mappings.c.id.in_(mapping_ids)).values(last_analysed_at=None)
    await connection.execute(statement)


def of_run(run_id: int) -> ColumnElement[bool]:
    """For queries of items: asked for, or last taken up, by the run."""
    return or_(sync_items.c.run_id == run_id, sync_items.c.origin_run_id == run_id)
