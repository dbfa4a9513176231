"""The runs of a base: in lines, as a picture, and the way to take one of a child back."""

import io
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

import discord

from bot.model.router import BasePlaylist, ChildPlaylist
from cogs._ui import foreign, routing_chart, routing_history
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of


class Undoing(Protocol):
    """The cog of /undo, as this room uses it."""

    async def offer(self, interaction: Interaction, mapping_id: int) -> None: ...


async def show(interaction: Interaction, base: BasePlaylist) -> None:
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    runs = await runtime.router.history(guild_id, base.id)
    children = await runtime.bases.children(guild_id, base.id)
    card = routing_history.history_card(base, runs)
    zone = ZoneInfo((await runtime.storage.guilds.get(guild_id)).timezone)
    bars = routing_chart.bars(runs, zone)
    files = []
    if bars:
        picture = io.BytesIO(await routing_chart.drawn(bars))
        files.append(discord.File(picture, filename="routing.png", description=routing_chart.alt_text(bars)))
        card.set_image(url="attachment://routing.png")
    view = panel(UndoOf.of(base, children)) if children and runs else None
    await interaction.edit_original_response(embeds=foreign.fit([card]), attachments=files, view=view)


class UndoOf(Pressed, template=r"router:undo:(?P<key>[0-9]{1,19})"):
    """The same as ``/undo`` of a child of base ``key``; the option carries the child."""

    level = Level.MODERATOR
    answer = Answer.PUBLIC

    @classmethod
    def of(cls, base: BasePlaylist, children: list[ChildPlaylist]) -> "UndoOf":
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"router:undo:{base.id}",
            placeholder="Take back what a run did to a child",
            options=[
                discord.SelectOption(label=foreign.label(child.name), value=str(child.id))
                for child in children[: foreign.CHOICES]
            ],
        )
        return cls(base.id, face=select)

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        child = await runtime_of(interaction).bases.child(guild_of(interaction), int(self.item.values[0]))
        undoing = interaction.client.get_cog("Undo")
        assert undoing is not None
        await cast(Undoing, undoing).offer(interaction, child.mapping.id)


BUTTONS: tuple[type[Pressed], ...] = (UndoOf,)
