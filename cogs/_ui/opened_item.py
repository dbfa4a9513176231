"""An item of the queue with all that is known of it: where from, where to, what was found, and its log."""

from collections.abc import Sequence

import discord

from bot.model.item import SyncItem
from bot.model.logline import LogLine
from bot.model.mapping import Mapping, Side
from bot.model.review import BlacklistRow
from cogs._ui import colours, foreign, item_cards, log_cards, words


def cards(
    item: SyncItem, *, mapping: Mapping | None, row: BlacklistRow | None, lines: Sequence[LogLine]
) -> list[discord.Embed]:
    """The item, and its log, newest first. ``mapping`` None: it was removed."""
    card = item_cards.item_card(item, mapping_name=mapping.name if mapping is not None else "", row=row)
    source = f"{item.source_service.label} · **{foreign.plain(item.source_track_title or '?', 100)}**"
    if item.source_track_id:
        source += f"\n`{foreign.label(item.source_track_id, 60)}`"
    card.add_field(name="From", value=source)
    card.add_field(name="To", value=_destination(item, mapping))
    payload = {key: value for key, value in item.payload.items() if key != "v"}
    if payload:
        card.add_field(name="Payload", value=log_cards.pretty(payload), inline=False)
    if item.reason:
        card.add_field(name="Reason", value=f"`{foreign.label(item.reason)}`", inline=False)
    if not lines:
        return [card]
    told = [log_cards.log_line(line) for line in lines]
    return [
        card,
        discord.Embed(title="Its log", description=foreign.bullets(told, 2500), colour=colours.QUIET),
    ]


def _destination(item: SyncItem, mapping: Mapping | None) -> str:
    side = _side(item, mapping)
    where = item.destination_service.label
    if mapping is not None and side is not None:
        where = words.playlist(mapping.playlist(side))
    return f"{where}\n`{foreign.label(item.destination_id, 60)}`" if item.destination_id else f"{where}\nnot found yet"


def _side(item: SyncItem, mapping: Mapping | None) -> Side | None:
    """The side that the item changes: as its payload says, else the one of its service."""
    if "side" in item.payload:
        return Side(item.payload["side"])
    if mapping is None:
        return None
    sides = [side for side in Side if mapping.playlist(side).service is item.destination_service]
    return sides[0] if len(sides) == 1 else None
