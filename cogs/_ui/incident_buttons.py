"""The controls of an incident's card: Acknowledge, Silence, Retry, Details; ids are those of incidents."""

from typing import Any

import discord

from bot.engine.incidents import SILENCES
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.incident import Incident
from bot.model.logline import LogLine
from bot.runtime import Runtime
from cogs._ui import colours, feed_card, foreign, incident_words, log_cards, review_words, words
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.item_buttons import ItemDetails, RetryItem, for_item
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of

LINES = 10
_RETRIABLE = (Event.ITEM_ERROR, Event.ITEM_BLACKLISTED, Event.ITEM_REVIEW)  # whose items wait for nothing by themselves
_NO_CHOICE = UserMistake("Nothing was chosen, so nothing was changed. Choose 1, 8 or 24 hours.")


class Acknowledge(Pressed, template=r"incident:ack:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Acknowledge", style=discord.ButtonStyle.primary, custom_id=f"incident:ack:{key}", row=0
        )

    async def act(self, interaction: Interaction) -> None:
        runtime, person = runtime_of(interaction), interaction.user
        incident = await runtime.incidents.acknowledge(guild_of(interaction), self.key, person.id, person.display_name)
        await _show(interaction, runtime, incident)


class Silence(Pressed, template=r"incident:silence:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        options = [
            discord.SelectOption(label=f"Silence for {words.count(hours, 'hour')}", value=str(hours))
            for hours in SILENCES
        ]
        return discord.ui.Select(
            custom_id=f"incident:silence:{key}", placeholder="Silence for 1, 8 or 24 hours", options=options, row=1
        )

    async def act(self, interaction: Interaction) -> None:
        runtime, person = runtime_of(interaction), interaction.user
        if not isinstance(self.item, discord.ui.Select) or not self.item.values:
            raise _NO_CHOICE
        hours = int(self.item.values[0])
        incident = await runtime.incidents.silence(
            guild_of(interaction), self.key, hours, person.id, person.display_name
        )
        await _show(interaction, runtime, incident)


class RetryIncident(Pressed, template=r"incident:retry:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Retry", style=discord.ButtonStyle.secondary, custom_id=f"incident:retry:{key}", row=0
        )

    async def act(self, interaction: Interaction) -> None:
        queued = await runtime_of(interaction).incidents.retry(guild_of(interaction), self.key, interaction.user.id)
        said = f"{words.count(queued, 'item is', 'items are')} in the queue again and tried next."
        await interaction.edit_original_response(content=said)


class IncidentDetails(Pressed, template=r"incident:details:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Details", style=discord.ButtonStyle.secondary, custom_id=f"incident:details:{key}", row=0
        )

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        incident = await runtime.incidents.get(guild_id, self.key)
        await runtime.log.flush()  # the latest lines may still be on their way into the database
        lines = await runtime.incidents.lines(guild_id, self.key, LINES)
        mapping = (await runtime.incidents.about(incident)).mapping
        card, view = await _details(runtime, incident, mapping, lines)
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=view)


INCIDENT_BUTTONS: tuple[type[Pressed], ...] = (Acknowledge, Silence, RetryIncident, IncidentDetails)


async def message_of(runtime: Runtime, incident: Incident) -> tuple[list[discord.Embed], discord.ui.View]:
    """The incident's card with its buttons, as it is posted and as it is edited."""
    about = await runtime.incidents.about(incident)
    return foreign.fit([feed_card.feed_card(incident, about)]), buttons(incident)


def buttons(incident: Incident) -> discord.ui.View:
    """What can still be done; a card about a few items carries their own Retry, Review and Details."""
    items = feed_card.item_buttons_of(incident)
    open_, retriable = incident.over_at is None, incident.event in _RETRIABLE and len(incident.item_ids) != 1
    wanted: list[tuple[bool, type[Pressed]]] = [
        (open_ and incident.acknowledged_by is None, Acknowledge),
        (bool(incident.item_ids) and retriable, RetryIncident),
        (not items, IncidentDetails),
        (open_, Silence),
    ]
    view = panel(*(kind(incident.id) for present, kind in wanted if present))
    for row, item_id in enumerate(items, 2):
        for button in for_item(item_id, number=row - 1 if len(items) > 1 else None):
            button.item.row = row
            view.add_item(button)
    return view


async def _show(interaction: Interaction, runtime: Runtime, incident: Incident) -> None:
    embeds, view = await message_of(runtime, incident)
    await interaction.edit_original_response(embeds=embeds, view=view)


async def _details(
    runtime: Runtime, incident: Incident, mapping: str, lines: list[LogLine]
) -> tuple[discord.Embed, discord.ui.View]:
    """The latest lines, newest first, each of an item with the number of its buttons."""
    ids = list(dict.fromkeys(line.sync_item_id for line in lines if line.sync_item_id))
    shown = [await _detail(runtime, incident, line, ids) for line in lines]
    text = foreign.bullets(shown, 3800) or "The log no longer holds its lines."
    card = discord.Embed(title=incident_words.heading(incident, mapping), description=text, colour=colours.QUIET)
    card.set_footer(text=f"Incident {incident.id}: {words.count(incident.count, 'line')}, the latest first.")
    view = panel()
    for number, item_id in enumerate(ids, 1):
        for button in for_item(item_id, (RetryItem, ItemDetails), number=number):
            view.add_item(button)
    return card, view


async def _detail(runtime: Runtime, incident: Incident, line: LogLine, ids: list[int]) -> str:
    number = f"**{ids.index(line.sync_item_id) + 1}.** " if line.sync_item_id else ""
    row = await runtime.storage.blacklist.of_item(line.sync_item_id) if line.sync_item_id else None
    if row is not None and row.mapping_id == incident.mapping_id and line.details.get("title"):
        return f"{number}**{foreign.plain(str(line.details['title']), 100)}** — {review_words.why(row)}"
    return f"{number}{log_cards.log_line(line)}"
