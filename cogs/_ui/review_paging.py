"""The buttons of the list that a review card stands in: Previous, Next, Export."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Self

import discord

from bot.engine.exports import Format
from bot.model.music import Track
from bot.model.review import BlacklistRow, ReviewFilter
from bot.runtime import Runtime
from cogs._ui import review_flow
from cogs._ui.doors import Answer, Pressed
from cogs._ui.exports import send_export
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of

COLUMNS = (
    "id", "mapping", "service", "title", "artists", "link", "reason", "explanation", "candidates", "best_title",
    "best_channel", "best_score", "best_link", "passed_over", "looks", "created_at", "next_look_at",
)  # fmt: skip


class _Turn(Pressed, template=r"(?!)"):
    """A way from the row ``key`` to another one of the list ``filter_id``."""

    level = Level.MODERATOR

    def __init__(self, key: int, *, filter_id: int, face: discord.ui.Item[Any]) -> None:
        super().__init__(key, face=face)
        self.filter_id = filter_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), filter_id=int(match["filter"]), face=item)


class Next(_Turn, template=r"review:next:(?P<filter>[0-9]{1,18}):(?P<key>[0-9]{1,19})"):
    @classmethod
    def of(cls, row: BlacklistRow, filter_id: int, *, alone: bool) -> "Next":
        face: discord.ui.Button[Any] = discord.ui.Button(
            label="Next", custom_id=f"review:next:{filter_id}:{row.id}", disabled=alone
        )
        return cls(row.id, filter_id=filter_id, face=face)

    async def act(self, interaction: Interaction) -> None:
        await review_flow.show(interaction, self.filter_id, after=self.key)


class Previous(_Turn, template=r"review:previous:(?P<filter>[0-9]{1,18}):(?P<key>[0-9]{1,19})"):
    @classmethod
    def of(cls, row: BlacklistRow, filter_id: int, *, alone: bool) -> "Previous":
        face: discord.ui.Button[Any] = discord.ui.Button(
            label="Previous", custom_id=f"review:previous:{filter_id}:{row.id}", disabled=alone
        )
        return cls(row.id, filter_id=filter_id, face=face)

    async def act(self, interaction: Interaction) -> None:
        await review_flow.show(interaction, self.filter_id, before=self.key)


class Export(Pressed, template=r"review:export:(?P<key>[0-9]{1,18})"):
    """The list as CSV; ``key`` is the list's filter."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Export", custom_id=f"review:export:{key}")

    async def act(self, interaction: Interaction) -> None:
        await export(interaction, await review_flow.filter_of(interaction, self.key), Format.CSV)


async def export(interaction: Interaction, filter_: ReviewFilter, format_: Format) -> None:
    """All open rows of the list with their reasons, as a private file."""
    pages = _pages(runtime_of(interaction), guild_of(interaction), filter_)
    await send_export(interaction, name="unmatched", format_=format_, columns=COLUMNS, pages=pages)


async def _pages(runtime: Runtime, guild_id: int, filter_: ReviewFilter) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    names = {mapping.id: mapping.name for mapping in await runtime.mappings.of_guild(guild_id)}
    place = (0, 0)
    while rows := await runtime.storage.review_list.page(guild_id, filter_, place):
        yield [_exported(row, names.get(row.mapping_id, "")) for row in rows]
        place = (rows[-1].mapping_id, rows[-1].id)


def _exported(row: BlacklistRow, mapping_name: str) -> dict[str, Any]:
    source = Track(service=row.service, external_id=row.track_id, title=row.title)
    best = row.candidates[0] if row.candidates else None
    return {
        "id": row.id,
        "mapping": mapping_name,
        "service": row.service,
        "title": row.title,
        "artists": ", ".join(row.artists),
        "link": source.url,
        "reason": row.reason,
        "explanation": row.explanation,
        "candidates": len(row.candidates),
        "best_title": best.track.title if best else None,
        "best_channel": (best.track.channel or best.track.byline) if best else None,
        "best_score": best.score.total if best else None,
        "best_link": best.track.url if best else None,
        "passed_over": row.skip_count,
        "looks": row.looks,
        "created_at": row.created_at,
        "next_look_at": row.next_look_at,
    }
