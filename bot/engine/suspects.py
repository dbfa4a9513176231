"""Links whose write was sent more than once, and when that is no longer worth a doubt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.engine.settling import added_link
from bot.model.item import Action, ItemStatus
from bot.model.mapping import Link, Mapping
from bot.model.plan import LinkChange
from storage import Storage

# A write that has not shown after a day never happened; a second copy that appears later is a person's own.
IN_DOUBT_FOR = timedelta(days=1)
LOOKED_THROUGH = 5_000  # the latest finished items; a mapping does fewer in a day


async def cleared(storage: Storage, mapping: Mapping, links: Sequence[Link], now: datetime) -> list[LinkChange]:
    """Changes that end the doubt about links whose write is old enough."""
    suspects = [link for link in links if link.suspect]
    if not suspects:
        return []
    done = await storage.items.list_of_guild(
        mapping.guild_id, (ItemStatus.DONE,), limit=LOOKED_THROUGH, mapping_id=mapping.id
    )
    fresh = {
        _key(change.after)
        for item in done
        if item.action is Action.ADD_TRACK and item.completed_at is not None and item.completed_at > now - IN_DOUBT_FOR
        if (change := added_link(mapping, item, item.destination_id, wrote=True)).after is not None
    }
    return [LinkChange(before=link, after=replace(link, suspect=False)) for link in suspects if _key(link) not in fresh]


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)
