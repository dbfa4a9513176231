"""The embed of one item of the queue, with everything that is known of it."""

import discord

from bot.model.item import ItemStatus, SyncItem
from bot.model.review import BlacklistRow
from cogs._ui import colours, foreign, moments, sync_cards, words

_COLOURS = {
    ItemStatus.DONE: colours.GOOD,
    ItemStatus.ERROR: colours.BAD,
    ItemStatus.BLACKLISTED: colours.CAUTION,
    ItemStatus.SKIPPED: colours.QUIET,
    ItemStatus.CANCELLED: colours.QUIET,
}


def item_card(item: SyncItem, *, mapping_name: str = "", row: BlacklistRow | None = None) -> discord.Embed:
    """What should happen, how far it is, and why it is not further."""
    card = discord.Embed(
        title=foreign.plain(item.source_track_title or "Item", 200),
        description=f"**{words.STATUSES[item.status].capitalize()}**",
        colour=_COLOURS.get(item.status, colours.WORKING),
    )
    card.add_field(name="Wanted", value=f"{words.ACTIONS[item.action]} on {item.destination_service.label}")
    card.add_field(name="Attempts", value=str(item.attempts))
    if mapping_name:
        card.add_field(name="Mapping", value=foreign.plain(mapping_name, 100))
    if item.not_before is not None and item.status in (ItemStatus.PENDING, ItemStatus.UNKNOWN):
        card.add_field(name="Goes on", value=moments.relative(item.not_before))
    if item.last_error:
        card.add_field(name="Last error", value=foreign.plain(item.last_error, 600), inline=False)
    if row is not None:
        card.add_field(name="Review", value=sync_cards.review_line(row), inline=False)
    for name, moment in (("Queued", item.created_at), ("Ended", item.completed_at)):
        if moment is not None:
            card.add_field(name=name, value=moments.exact(moment))
    card.set_footer(text=f"Item {item.id} · run {item.run_id}")
    return card
