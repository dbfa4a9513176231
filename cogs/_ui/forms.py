"""The third kind of door: a form that a button opened; checked, acknowledged and answered like the others."""

from typing import Any, ClassVar

import discord

from cogs._ui import errors
from cogs._ui.doors import Answer, acknowledge, by
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, require

_SECONDS = 15 * 60  # how long a person may take to fill it in
_LABEL, _DESCRIPTION = 45, 100  # characters that Discord shows


class Form(discord.ui.Modal):
    """Subclasses add lines in ``__init__`` and give ``act``. The level is read anew when the form comes back.

    A form that was open while the bot restarted is lost; its button still works.
    """

    level: ClassVar[Level] = Level.MEMBER
    answer: ClassVar[Answer] = Answer.UPDATE

    def __init__(self, *, title: str, custom_id: str) -> None:
        super().__init__(title=title[:_LABEL], custom_id=custom_id, timeout=_SECONDS)

    def line(
        self, name: str, label: str, about: str = "", *, default: str = "", most: int = 100, long: bool = False
    ) -> "discord.ui.TextInput[Any]":
        """One line to write, or several where it may be ``long``; ``about`` stands under its label."""
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=name,
            default=default or None,
            max_length=most,
            required=True,
            style=discord.TextStyle.long if long else discord.TextStyle.short,
        )
        self.add_item(discord.ui.Label(text=label[:_LABEL], description=about[:_DESCRIPTION] or None, component=field))
        return field

    async def act(self, interaction: Interaction) -> None:
        """What it does; the person may do it and the interaction is acknowledged."""
        raise NotImplementedError

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        try:
            await require(interaction, self.level)
            await acknowledge(interaction, self.answer)
            with by(interaction):
                await self.act(interaction)
        except Exception as error:  # noqa: BLE001 - the one error door answers and logs every kind
            await errors.answer(interaction, error)
