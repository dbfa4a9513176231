"""The messages of /errors as they change, and their buttons; each carries the id of its filter through restarts."""

from dataclasses import replace
from typing import Any, Self

import discord

from bot.engine.exports import Format
from bot.engine.failures import COLUMNS
from bot.model.failure import FailureFilter, FailureKind, from_json
from cogs._ui import errors, failure_cards, foreign
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.exports import send_export
from cogs._ui.item_buttons import ItemDetails, ReviewItem
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs.errors._groups import choice, chosen

SUBJECT = "errors"
Page = tuple[discord.Embed, discord.ui.View]


class Choose(Pressed, template=r"errors:choose:(?P<key>[0-9]{1,19}):[0-9]{1,4}"):
    """Opens one group of the page."""

    level = Level.MODERATOR

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        wanted = await filter_of(interaction, self.key)
        group = chosen(await runtime_of(interaction).failures.groups(wanted), self.item.values[0])
        embed, view = await one(interaction, replace(wanted, kind=group.kind, reason=group.reason))
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


class Turn(Pressed, template=r"errors:page:(?P<key>[0-9]{1,19}):(?P<page>[0-9]{1,4})"):
    """Shows a page of all groups, as they are now."""

    level = Level.MODERATOR

    def __init__(self, key: int, page: int, *, label: str = "Page", possible: bool = True) -> None:
        face: discord.ui.Button[Any] = discord.ui.Button(
            label=label, custom_id=f"errors:page:{key}:{max(page, 0)}", disabled=not possible
        )
        super().__init__(key, face=face)
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), int(match["page"]))

    async def act(self, interaction: Interaction) -> None:
        embed, view = await overview(interaction, await filter_of(interaction, self.key), self.page)
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


class Retry(Pressed, template=r"errors:retry:(?P<key>[0-9]{1,19})"):
    """Asks whether the whole group shall be retried."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        style = discord.ButtonStyle.primary
        return discord.ui.Button(label="Retry group", style=style, custom_id=f"errors:retry:{key}")

    async def act(self, interaction: Interaction) -> None:
        embed, view = await question(interaction, await filter_of(interaction, self.key))
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


class Confirm(Pressed, template=r"errors:confirm:(?P<key>[0-9]{1,19})"):
    """Retries the whole group."""

    level = Level.MODERATOR

    def __init__(self, key: int, *, face: discord.ui.Item[Any] | None = None, count: int = 0) -> None:
        label = f"Retry all {count:,}" if count > 1 else "Retry it"
        super().__init__(
            key,
            face=face
            or discord.ui.Button(label=label, style=discord.ButtonStyle.danger, custom_id=f"errors:confirm:{key}"),
        )

    async def act(self, interaction: Interaction) -> None:
        wanted = await filter_of(interaction, self.key)
        retried = await runtime_of(interaction).failures.retry(wanted, interaction.user.id)
        embed = failure_cards.retried_card(retried)
        view = panel(await back(interaction, wanted))
        await interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)


class Export(Pressed, template=r"errors:export:(?P<key>[0-9]{1,19}):(?P<format>csv|json)"):
    """Exactly what the message shows, as a file."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    def __init__(self, key: int, format_: Format) -> None:
        face: discord.ui.Button[Any] = discord.ui.Button(
            label=format_.value.upper(), emoji="📄", custom_id=f"errors:export:{key}:{format_.value}"
        )
        super().__init__(key, face=face)
        self.format = format_

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), Format(match["format"]))

    async def act(self, interaction: Interaction) -> None:
        wanted = await filter_of(interaction, self.key)
        pages = runtime_of(interaction).failures.pages(wanted)
        await send_export(interaction, name="errors", format_=self.format, columns=COLUMNS, pages=pages)


BUTTONS: tuple[type[Pressed], ...] = (Choose, Turn, Retry, Confirm, Export)


async def filter_of(interaction: Interaction, key: int) -> FailureFilter:
    """The filter behind a button. Raises the stale answer where this server has none of that id."""
    guild_id = guild_of(interaction)
    saved = await runtime_of(interaction).storage.filters.get(key, guild_id, SUBJECT)
    if saved is None:
        raise errors.STALE
    return from_json(saved.filter, guild_id)


async def overview(interaction: Interaction, wanted: FailureFilter, page: int = 0) -> Page:
    """All groups of the filter."""
    runtime = runtime_of(interaction)
    groups = await runtime.failures.groups(wanted)
    page = min(page, max(0, (len(groups) - 1) // failure_cards.GROUPS_SHOWN))
    names = await _names(interaction)
    card = failure_cards.groups_card(groups, wanted, names, now=runtime.clock.now(), page=page)
    if not groups:
        return card, panel()
    key = await _keep(interaction, wanted)
    shown = groups[page * failure_cards.GROUPS_SHOWN : (page + 1) * failure_cards.GROUPS_SHOWN]
    items: list[discord.ui.Item[Any]] = [Choose(key, face=choice(f"errors:choose:{key}:{page}", shown))]
    if len(groups) > failure_cards.GROUPS_SHOWN:
        last = (len(groups) - 1) // failure_cards.GROUPS_SHOWN
        items += [
            Turn(key, page - 1, label="Previous", possible=page > 0),
            Turn(key, page + 1, label="Next", possible=page < last),
        ]
    return card, panel(*items, *_exports(key))


async def one(interaction: Interaction, wanted: FailureFilter) -> Page:
    """One group, by the filter's kind and reason, with its newest example."""
    runtime = runtime_of(interaction)
    group = await runtime.failures.group(wanted)
    example = await runtime.failures.example(wanted)
    card = failure_cards.group_card(group, example, wanted, await _names(interaction))
    key = await _keep(interaction, wanted)
    items: list[discord.ui.Item[Any]] = []
    if group.kind is not FailureKind.WAIT:
        items.append(Retry(key))
    if example.item is not None:
        items.append(ItemDetails(example.item.id))
    if example.row is not None and example.row.item_id is not None:
        items.append(ReviewItem(example.row.item_id))
    return card, panel(*items, *_exports(key), await back(interaction, wanted))


async def question(interaction: Interaction, wanted: FailureFilter) -> Page:
    """What a retry of the group would do, to be confirmed."""
    group = await runtime_of(interaction).failures.group(wanted)
    key = await _keep(interaction, wanted)
    card = failure_cards.confirm_card(group)
    return card, panel(Confirm(key, count=group.count), await back(interaction, wanted))


async def back(interaction: Interaction, wanted: FailureFilter) -> Turn:
    """The button that leads from one group to all of them."""
    return Turn(await _keep(interaction, replace(wanted, kind=None, reason=None)), 0, label="All groups")


def _exports(key: int) -> list[Export]:
    return [Export(key, format_) for format_ in Format]


async def _keep(interaction: Interaction, wanted: FailureFilter) -> int:
    filters = runtime_of(interaction).storage.filters
    return await filters.keep(wanted.guild_id, SUBJECT, wanted.as_json(), interaction.user.id)


async def _names(interaction: Interaction) -> dict[int, str]:
    """Of all mappings, those to the children of base playlists too."""
    return await runtime_of(interaction).storage.jobs.names(guild_of(interaction))
