"""Links whose write was sent more than once, and when that is no longer worth a doubt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.engine.settling import added_link
from bot.model.item import Action, ItemStatus
from bot.model.mapping import Link, Mapping
from bot.model.music import Service
from bot.model.plan import LinkChange
from storage import Storage

# A write that has not shown after a day never happened; a second copy that appears later is a person's own.
IN_DOUBT_FOR = timedelta(days=1)
LONGEST_ATTEMPT = timedelta(seconds=60)  # no single call lasts longer
LOOKED_THROUGH = 5_000  # the latest finished items; a mapping does fewer in a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """``over``: changes that end the doubt about links whose write is old enough. ``sent_until``: as in ``Known``."""

    over: tuple[LinkChange, ...] = ()
    sent_until: dict[tuple[Service, str], datetime] = field(default_factory=dict)


async def doubts(storage: Storage, mapping: Mapping, links: Sequence[Link], now: datetime) -> Doubts:
    """What is to be thought of the links whose write was sent more than once."""
    suspects = [link for link in links if link.suspect]
    if not suspects:
        return Doubts()
    done = await storage.items.list_of_guild(
        mapping.guild_id, (ItemStatus.DONE,), limit=LOOKED_THROUGH, mapping_id=mapping.id
    )
    fresh = {
        _key(change.after): item
        for item in reversed(done)  # the last of several adds is what counts
        if item.action is Action.ADD_TRACK and item.completed_at is not None and item.completed_at > now - IN_DOUBT_FOR
        if (change := added_link(mapping, item, item.destination_id, wrote=True)).after is not None
    }
    over = [LinkChange(before=link, after=replace(link, suspect=False)) for link in suspects if _key(link) not in fresh]
    sent_until: dict[tuple[Service, str], datetime] = {}
    for item in (fresh[_key(link)] for link in suspects if _key(link) in fresh):
        # A read-back may end an item long after its last attempt was over.
        attempted = now if item.intent_at is None else item.intent_at + LONGEST_ATTEMPT
        key, ended = (item.service, item.destination_id), min(item.completed_at or now, attempted)
        sent_until[key] = max(ended, sent_until.get(key, ended))
    return Doubts(over=tuple(over), sent_until=sent_until)


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)
