"""The door /review: what could not be matched, with its candidates, one card at a time."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.engine.exports import Format
from bot.model.review import BlacklistReason, BlacklistRow, ReviewFilter
from cogs._ui import completion, review_bulk, review_buttons, review_filter, review_flow, review_paging
from cogs._ui.doors import Answer, Pressed, acknowledge, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of

_LIST: tuple[type[Pressed], ...] = (
    review_paging.Next,
    review_paging.Previous,
    review_paging.Export,
    review_bulk.Bulk,
    review_bulk.Page,
    review_bulk.Accept,
)
_REASONS = [app_commands.Choice(name=name, value=value) for name, value in review_filter.choices().items()]
_FORMATS = [app_commands.Choice(name=format_.value.upper(), value=format_.value) for format_ in Format]


class Review(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*review_buttons.DECISIONS, *_LIST)

    @app_commands.command(
        description="Tracks without a certain counterpart: choose, search, give a link, retry or dismiss.",
        extras={"example": "/review mapping:Trip reason:a person should choose"},
    )
    @app_commands.describe(
        mapping="Only this mapping's tracks, by name or id",
        reason="Only tracks that wait for this reason",
        accept_above="Show what accepting every candidate of this score or more would do (0.50 to 1.00)",
        export="Send the list with its reasons as a file",
    )
    @app_commands.choices(reason=_REASONS, export=_FORMATS)
    @door(Level.MODERATOR, answer=Answer.MODAL)  # acknowledged below: a file is for one person, cards are for all
    async def review(
        self,
        interaction: Interaction,
        mapping: str | None = None,
        reason: str | None = None,
        accept_above: app_commands.Range[float, review_bulk.LEAST, 1.0] | None = None,
        export: str | None = None,
    ) -> None:
        await acknowledge(interaction, Answer.PRIVATE if export or accept_above else Answer.PUBLIC)
        filter_ = await self._filter(interaction, mapping, reason)
        if export:
            await review_paging.export(interaction, filter_, Format(export))
        elif accept_above:
            await review_bulk.preview(interaction, filter_, accept_above)
        else:
            await review_flow.show(interaction, await review_flow.keep(interaction, filter_))

    @review.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)

    def controls(self, row: BlacklistRow, filter_id: int | None, *, alone: bool = False) -> discord.ui.View:
        """The buttons of a card; those of its list where it stands in one (``alone``: as the only card)."""
        if filter_id is None:
            return review_buttons.for_row(row)
        return review_buttons.for_row(
            row,
            review_paging.Previous.of(row, filter_id, alone=alone),
            review_paging.Next.of(row, filter_id, alone=alone),
            review_bulk.Bulk(filter_id),
            review_paging.Export(filter_id),
        )

    async def _filter(self, interaction: Interaction, mapping: str | None, reason: str | None) -> ReviewFilter:
        found = await self.bot.runtime.mappings.find(guild_of(interaction), mapping) if mapping else None
        return ReviewFilter(
            mapping_id=found.id if found is not None else 0, reason=BlacklistReason(reason) if reason else None
        )


async def setup(bot: Client) -> None:
    await bot.add_cog(Review(bot))
