"""One run in full, with what can be done to it."""

from typing import Any

import discord

from bot.engine.exports import Format
from bot.engine.jobs import JobDetails
from bot.model.jobs import Cancelled, ItemFilter
from cogs._ui import foreign, job_cards, log_cards, words
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs.jobs import _list
from cogs.jobs._state import ListView

LINES = 25


async def show(interaction: Interaction, run_id: int) -> None:
    """Answer with the run as it is now. Raises UserMistake where this server has none of that id."""
    job = await runtime_of(interaction).jobs.show(guild_of(interaction), run_id)
    await interaction.edit_original_response(embeds=foreign.fit([job_cards.job_card(job)]), view=buttons(job))


async def retry(interaction: Interaction, run_id: int) -> str:
    """Puts what failed back into the queue; the sentence about it."""
    items = await runtime_of(interaction).jobs.retry_run(guild_of(interaction), run_id, interaction.user.id)
    are = "is" if items == 1 else "are"
    return f"**{words.count(items, 'item')}** of run {run_id} {are} in the queue again and tried anew."


async def cancel(interaction: Interaction, run_id: int) -> str:
    """Stops the run; the sentence about it."""
    done = await runtime_of(interaction).jobs.cancel(guild_of(interaction), run_id, interaction.user.id)
    return _told(run_id, done)


def buttons(job: JobDetails) -> discord.ui.View:
    """Those that can do something now are lit."""
    run_id = job.run.id
    again, stop = RetryRun(run_id), CancelRun(run_id)
    assert isinstance(again.item, discord.ui.Button)
    assert isinstance(stop.item, discord.ui.Button)
    again.item.disabled, stop.item.disabled = not job.can_retry, not job.can_cancel
    return panel(again, stop, JobLog(run_id), JobItems(run_id), ExportItems(run_id))


class RetryRun(Pressed, template=r"jobs:retry-run:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Retry", style=discord.ButtonStyle.primary, custom_id=f"jobs:retry-run:{key}")

    async def act(self, interaction: Interaction) -> None:
        text = await retry(interaction, self.key)
        await show(interaction, self.key)
        await interaction.followup.send(text, ephemeral=True)


class CancelRun(Pressed, template=r"jobs:cancel-run:(?P<key>[0-9]{1,19})"):
    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Cancel", style=discord.ButtonStyle.danger, custom_id=f"jobs:cancel-run:{key}")

    async def act(self, interaction: Interaction) -> None:
        text = await cancel(interaction, self.key)
        await show(interaction, self.key)
        await interaction.followup.send(text, ephemeral=True)


class JobLog(Pressed, template=r"jobs:log:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Log", custom_id=f"jobs:log:{key}")

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        run = await runtime.jobs.get(guild_id, self.key)
        lines = await runtime.storage.logs.query(guild_id, run_id=run.id, limit=LINES)
        shown = foreign.bullets([log_cards.log_line(line) for line in lines], foreign.DESCRIPTION)
        card = discord.Embed(title=f"Log of run {run.id}, newest first", description=shown or "It logged nothing.")
        card.set_footer(text=f"/logs run:{run.id} filters, follows and exports it")
        await interaction.edit_original_response(embeds=foreign.fit([card]))


class JobItems(Pressed, template=r"jobs:items:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Items", custom_id=f"jobs:items:{key}")

    async def act(self, interaction: Interaction) -> None:
        run = await runtime_of(interaction).jobs.get(guild_of(interaction), self.key)
        await _list.show(interaction, ListView(wanted=ItemFilter(run_id=run.id)))


class ExportItems(Pressed, template=r"jobs:export-run:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Export", custom_id=f"jobs:export-run:{key}")

    async def act(self, interaction: Interaction) -> None:
        run = await runtime_of(interaction).jobs.get(guild_of(interaction), self.key)
        await _list.export(interaction, ItemFilter(run_id=run.id), Format.CSV)


BUTTONS: tuple[type[Pressed], ...] = (RetryRun, CancelRun, JobLog, JobItems, ExportItems)


def _told(run_id: int, done: Cancelled) -> str:
    items = f"{words.count(done.items, 'waiting item')} left the queue" if done.items else ""
    if done.asked:
        text = f"Run {run_id} stops at its next safe point: what it is sending is settled, what is done stays done."
        text += f" {items[0].upper()}{items[1:]}." if items else ""
    else:
        text = f"{items} with run {run_id}; what it did stays done."
    return f"{text} The next sync plans anew what is still missing; `/mapping pause` keeps it from that."
