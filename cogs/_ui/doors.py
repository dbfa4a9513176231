"""The two kinds of door, commands and buttons: each checks the level, acknowledges at once and answers errors."""

import functools
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar

import discord

from bot.logs.context import LogContext, bound
from bot.model.logline import JobType
from cogs._ui import errors
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, require

P = ParamSpec("P")
C = TypeVar("C")
Callback = Callable[Concatenate[C, Interaction, P], Coroutine[Any, Any, None]]

LARGEST_KEY = 2**63 - 1  # what a BIGINT column holds
LEVEL_ATTRIBUTE = "__door_level__"  # read by /help


class Answer(Enum):
    """How an interaction is acknowledged, before anything that may take time."""

    PUBLIC = "public"  # a new message that all see
    PRIVATE = "private"  # a new message for this person only
    UPDATE = "update"  # the message that carries the button will be edited
    MODAL = "modal"  # not at all: the door opens a modal, which must be the first answer


async def acknowledge(interaction: discord.Interaction[Any], answer: Answer) -> None:
    if answer is Answer.UPDATE:
        await interaction.response.defer()
    elif answer is not Answer.MODAL:
        await interaction.response.defer(ephemeral=answer is Answer.PRIVATE, thinking=True)


def door(level: Level = Level.MEMBER, *, answer: Answer = Answer.PUBLIC) -> Callable[[Callback[C, P]], Callback[C, P]]:
    """Decorator of a command's callback, below ``app_commands.command``: check, acknowledge, call, answer errors.

    The callback sends with ``interaction.edit_original_response`` or ``interaction.followup``.
    """

    def wrap(callback: Callback[C, P]) -> Callback[C, P]:
        @functools.wraps(callback)
        async def guarded(cog: C, interaction: Interaction, /, *args: P.args, **kwargs: P.kwargs) -> None:
            try:
                await require(interaction, level)
                await acknowledge(interaction, answer)
                with by(interaction):
                    await callback(cog, interaction, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the one error door answers and logs every kind
                await errors.answer(interaction, error)

        setattr(guarded, LEVEL_ATTRIBUTE, level)
        return guarded

    return wrap


class Pressed(discord.ui.DynamicItem[discord.ui.Item[Any]], template=r"(?!)"):
    """A button or select whose custom id carries the key (``room:action:key``), so that it survives restarts.

    Subclasses give ``template`` with a group ``key`` of digits, ``face`` and ``act``. State and level are read anew on
    each press.
    """

    level: ClassVar[Level] = Level.MEMBER
    answer: ClassVar[Answer] = Answer.UPDATE

    def __init__(self, key: int, *, face: discord.ui.Item[Any] | None = None) -> None:
        super().__init__(face or self.face(key))
        self.key = key

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        """How it looks."""
        raise NotImplementedError

    async def act(self, interaction: Interaction) -> None:
        """What it does; the person may do it and the interaction is acknowledged."""
        raise NotImplementedError

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), face=item)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        try:
            if self.key > LARGEST_KEY:
                raise errors.STALE
            await require(interaction, self.level)
            await acknowledge(interaction, self.answer)
        except Exception as error:  # noqa: BLE001 - the one error door answers and logs every kind
            await errors.answer(interaction, error)
            return False
        return True

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            with by(interaction):
                await self.act(interaction)
        except Exception as error:  # noqa: BLE001 - the one error door answers and logs every kind
            await errors.answer(interaction, error)


def own_guild(interaction: discord.Interaction[Any], key: int) -> int:
    """The server's id where it is the one that the button carries. Raises the stale answer otherwise."""
    if guild_of(interaction) != key:
        raise errors.STALE
    return key


def panel(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A view of ``items`` that never times out; the items are found again by their custom ids."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def by(interaction: discord.Interaction[Any]) -> AbstractContextManager[LogContext]:
    """Every line of the log that is written meanwhile is this person's doing, in this server."""
    return bound(guild_id=interaction.guild_id, actor_id=interaction.user.id, job_type=JobType.USER_ACTION)
