"""What /router shows in the place of an answer: a base, a child, and the pages of their lists."""

from typing import Any, Self

import discord

from bot.model.router import BasePlaylist, ChildPlaylist
from cogs._ui import foreign, router_cards
from cogs._ui.doors import Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of

EVERY = 0  # in the place of a base's id: the children of all bases


class BasePage(Pressed, template=r"router:bases:(?P<key>[0-9]{1,6})"):
    """The list from place ``key`` on."""

    @classmethod
    def of(cls, label: str, offset: int) -> "BasePage":
        return cls(offset, face=discord.ui.Button(label=label, custom_id=f"router:bases:{offset}"))

    async def act(self, interaction: Interaction) -> None:
        await show_bases(interaction, self.key)


class ChildPage(Pressed, template=r"router:children:(?P<key>[0-9]{1,19}):(?P<offset>[0-9]{1,6})"):
    """The children of base ``key`` (0: of all bases) from place ``offset`` on."""

    def __init__(self, key: int, offset: int = 0, *, label: str = "Children", face: Any = None) -> None:
        custom_id = f"router:children:{key}:{offset}"
        super().__init__(key, face=face or discord.ui.Button(label=label, custom_id=custom_id))
        self.offset = offset

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), int(match["offset"]), face=item)

    async def act(self, interaction: Interaction) -> None:
        base = await runtime_of(interaction).bases.base(guild_of(interaction), self.key) if self.key else None
        await show_children(interaction, base, self.offset)


class Pause(Pressed, template=r"router:pause:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Pause", custom_id=f"router:pause:{key}")

    async def act(self, interaction: Interaction) -> None:
        bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
        await show_base(interaction, await bases.pause(guild_id, self.key, interaction.user.id), title="Paused")


class Resume(Pressed, template=r"router:resume:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Resume", style=discord.ButtonStyle.success, custom_id=f"router:resume:{key}")

    async def act(self, interaction: Interaction) -> None:
        bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
        await show_base(interaction, await bases.resume(guild_id, self.key, interaction.user.id), title="Resumed")


BUTTONS: tuple[type[Pressed], ...] = (BasePage, ChildPage, Pause, Resume)


async def show_base(interaction: Interaction, base: BasePlaylist, *, title: str = "", hint: str = "") -> None:
    """The card of one base with its buttons."""
    runtime = runtime_of(interaction)
    timezone = (await runtime.storage.guilds.get(base.guild_id)).timezone
    children = await runtime.bases.children(base.guild_id, base.id)
    card = router_cards.base_card(base, children, title=title, timezone=timezone, hint=hint)
    run = discord.ui.Button[Any](
        label="Run now", style=discord.ButtonStyle.primary, custom_id=f"router:run:{base.id}", disabled=not children
    )
    buttons: list[discord.ui.Item[Any]] = [run, Pause(base.id)] if base.enabled else [Resume(base.id)]
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*buttons, ChildPage(base.id)))


async def show_child(interaction: Interaction, child: ChildPlaylist, *, title: str = "") -> None:
    """The card of one child."""
    base = await runtime_of(interaction).bases.base(guild_of(interaction), child.base_id)
    card = router_cards.child_card(base, child, title=title)
    run = discord.ui.Button[Any](label="Run now", style=discord.ButtonStyle.primary, custom_id=f"router:run:{base.id}")
    preview = discord.ui.Button[Any](label="Preview", custom_id=f"router:look:{base.id}")
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(run, preview))


async def show_bases(interaction: Interaction, offset: int = 0) -> None:
    """A page of the server's bases; the first where ``offset`` lies behind the last."""
    bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
    found = [(base, len(await bases.children(guild_id, base.id))) for base in await bases.bases(guild_id)]
    offset = offset if offset < len(found) else 0
    card = router_cards.bases_card(found, offset=offset)
    turns = [BasePage.of(label, place) for label, place in _turns(offset, len(found))]
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*turns) if turns else None)


async def show_children(interaction: Interaction, base: BasePlaylist | None, offset: int = 0) -> None:
    """A page of the children of ``base``, or of all bases."""
    bases, guild_id = runtime_of(interaction).bases, guild_of(interaction)
    found = await (bases.children(guild_id, base.id) if base is not None else bases.every_child(guild_id))
    offset = offset if offset < len(found) else 0
    card = router_cards.children_card(found, await bases.bases(guild_id), of=base, offset=offset)
    key = base.id if base is not None else EVERY
    turns = [ChildPage(key, place, label=label) for label, place in _turns(offset, len(found))]
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*turns) if turns else None)


def _turns(offset: int, total: int) -> list[tuple[str, int]]:
    before = [("Previous", max(0, offset - router_cards.SHOWN))] if offset else []
    return before + ([("Next", offset + router_cards.SHOWN)] if offset + router_cards.SHOWN < total else [])
