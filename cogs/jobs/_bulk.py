"""Retry and cancel of all that matches: first how many that are, then the button that does it."""

from typing import Any

import discord

from bot.engine.jobs import NOTHING_TO_CANCEL, NOTHING_TO_RETRY, Waiting
from bot.model.errors import UserMistake
from bot.model.jobs import ItemFilter, JobFilter
from cogs._ui import foreign, job_words, words
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs.jobs import _state
from cogs.jobs._state import ListView


async def ask_retry(interaction: Interaction, wanted: JobFilter | ItemFilter) -> None:
    """How many items a retry would put back, with the button for it. Raises UserMistake for none."""
    items = await runtime_of(interaction).jobs.count_retriable(guild_of(interaction), wanted)
    if not items:
        raise UserMistake(NOTHING_TO_RETRY)
    button = RetryNow(await _state.keep(interaction, ListView(wanted=wanted)))
    _label(button, f"Retry {words.count(items, 'item')}")
    text = (
        f"**{words.count(items, 'failed item')}** would go back into the queue{await _of(interaction, wanted)}. "
        "Each is tried anew, which costs quota. Nothing was changed yet; press the button, or dismiss this message."
    )
    await interaction.edit_original_response(content=text, view=panel(button))


async def ask_cancel(interaction: Interaction, wanted: JobFilter | ItemFilter) -> None:
    """What a cancellation would end, with the button for it. Raises UserMistake for nothing."""
    found = await runtime_of(interaction).jobs.count_cancellable(guild_of(interaction), wanted)
    if not any(found):
        raise UserMistake(NOTHING_TO_CANCEL)
    button = CancelNow(await _state.keep(interaction, ListView(wanted=wanted)))
    _label(button, "Cancel them")
    text = (
        f"{_ended(found)} would be cancelled{await _of(interaction, wanted)}. What is done stays done, and what is "
        "being sent is seen through. Nothing was changed yet; press the button, or dismiss this message."
    )
    await interaction.edit_original_response(content=text, view=panel(button))


class RetryAll(Pressed, template=r"jobs:retry:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Retry all", custom_id=f"jobs:retry:{key}", row=1)

    async def act(self, interaction: Interaction) -> None:
        await ask_retry(interaction, (await _state.read(interaction, self.key)).wanted)


class RetryNow(Pressed, template=r"jobs:retry-now:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Retry", style=discord.ButtonStyle.primary, custom_id=f"jobs:retry-now:{key}")

    async def act(self, interaction: Interaction) -> None:
        wanted = (await _state.read(interaction, self.key)).wanted
        items = await runtime_of(interaction).jobs.retry_all(guild_of(interaction), wanted, interaction.user.id)
        text = (
            f"**{words.count(items, 'item')}** {_are(items)} in the queue again. "
            "`/queue status` tells when that is through."
        )
        await interaction.edit_original_response(content=text, view=None)


class CancelAll(Pressed, template=r"jobs:cancel:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Cancel all", style=discord.ButtonStyle.danger, custom_id=f"jobs:cancel:{key}", row=1
        )

    async def act(self, interaction: Interaction) -> None:
        await ask_cancel(interaction, (await _state.read(interaction, self.key)).wanted)


class CancelNow(Pressed, template=r"jobs:cancel-now:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Cancel", style=discord.ButtonStyle.danger, custom_id=f"jobs:cancel-now:{key}")

    async def act(self, interaction: Interaction) -> None:
        wanted = (await _state.read(interaction, self.key)).wanted
        done = await runtime_of(interaction).jobs.cancel_all(guild_of(interaction), wanted, interaction.user.id)
        text = (
            f"Cancelled: {_ended(done)}. What was done stays. The next sync of a mapping plans anew what is still "
            "missing; `/mapping pause` keeps it from that."
        )
        await interaction.edit_original_response(content=text, view=None)


BUTTONS: tuple[type[Pressed], ...] = (RetryAll, RetryNow, CancelAll, CancelNow)


async def _of(interaction: Interaction, wanted: JobFilter | ItemFilter) -> str:
    names = await runtime_of(interaction).storage.jobs.names(guild_of(interaction))
    filtered = job_words.filter_words(wanted, names)
    return f" ({foreign.cut_lines(filtered, 500)})" if filtered else " (no filter: of the whole server)"


def _ended(found: Waiting) -> str:
    parts = [f"**{words.count(found.runs, 'run')}**"] * bool(found.runs)
    parts += [f"**{words.count(found.items, 'waiting item')}**"] * bool(found.items)
    return " and ".join(parts)


def _are(items: int) -> str:
    return "is" if items == 1 else "are"


def _label(button: Pressed, text: str) -> None:
    assert isinstance(button.item, discord.ui.Button)
    button.item.label = text
