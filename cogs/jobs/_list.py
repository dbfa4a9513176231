"""The list of /jobs: a page with its buttons, which refreshes itself while something on it is at work."""

from dataclasses import replace
from typing import Any

import discord

from bot.engine.exports import Format
from bot.engine.job_rows import columns_of
from bot.engine.jobs import JobPage, cursor_of
from bot.model.jobs import ItemFilter, JobFilter
from bot.runtime import Runtime
from cogs._ui import foreign, item_buttons, item_cards, job_cards
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.exports import send_export
from cogs._ui.forms import Form
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs.jobs import _bulk, _state
from cogs.jobs._refresh import refresher_of
from cogs.jobs._state import ListView


async def show(interaction: Interaction, view: ListView) -> None:
    """Answer with the page as it is now; from now on it refreshes itself while something on the list is at work."""
    guild_id, key = guild_of(interaction), await _state.keep(interaction, view)
    runtime, refresher = runtime_of(interaction), refresher_of(interaction.client)
    page = await _page(runtime, guild_id, view)
    card = job_cards.list_card(page, view.wanted, runtime.clock.now(), refreshes=page.active)
    message = await interaction.edit_original_response(embeds=foreign.fit([card]), view=buttons(page, key))

    async def again(last: bool) -> bool:
        page = await _page(runtime, guild_id, view)
        goes_on = page.active and not last
        card = job_cards.list_card(page, view.wanted, runtime.clock.now(), refreshes=goes_on)
        await message.edit(embeds=foreign.fit([card]), view=buttons(page, key))
        return goes_on

    refresher.stop(message.id)
    if page.active:
        refresher.begin(message.id, guild_id, again)


async def export(interaction: Interaction, wanted: JobFilter | ItemFilter, format_: Format) -> None:
    """All that matches as a private file."""
    runtime, guild_id = runtime_of(interaction), guild_of(interaction)
    name = f"{_state.subject_of(wanted)}-{runtime.clock.now():%Y-%m-%d}"
    pages = runtime.jobs.export(guild_id, wanted)
    await send_export(interaction, name=name, format_=format_, columns=columns_of(wanted), pages=pages)


def buttons(page: JobPage, key: int) -> discord.ui.View:
    """Pages, then what can be done with all that matches, then the rows to open."""
    back, on = Previous(key), Next(key)
    assert isinstance(back.item, discord.ui.Button)
    assert isinstance(on.item, discord.ui.Button)
    back.item.disabled, on.item.disabled = page.first <= 1, page.last >= page.total
    row = [back, on, Refresh(key), Save(key)]
    if not page.rows:
        return panel(*row)
    return panel(*row, Export(key), _bulk.RetryAll(key), _bulk.CancelAll(key), Open.of(page, key))


async def _page(runtime: Runtime, guild_id: int, view: ListView) -> JobPage:
    return await runtime.jobs.page(guild_id, view.wanted, size=view.size, after=view.after, before=view.before)


class Previous(Pressed, template=r"jobs:previous:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Previous", custom_id=f"jobs:previous:{key}", row=0)

    async def act(self, interaction: Interaction) -> None:
        view = await _state.read(interaction, self.key)
        page = await _page(runtime_of(interaction), guild_of(interaction), view)
        if page.first > 1:
            view = replace(view, after=None, before=cursor_of(page.rows[0], view.wanted))
        else:
            view = view.first_page()
        await show(interaction, view)


class Next(Pressed, template=r"jobs:next:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Next", custom_id=f"jobs:next:{key}", row=0)

    async def act(self, interaction: Interaction) -> None:
        view = await _state.read(interaction, self.key)
        page = await _page(runtime_of(interaction), guild_of(interaction), view)
        if page.last < page.total and page.rows:
            view = replace(view, after=cursor_of(page.rows[-1], view.wanted), before=None)
        await show(interaction, view)


class Refresh(Pressed, template=r"jobs:refresh:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Refresh", style=discord.ButtonStyle.primary, custom_id=f"jobs:refresh:{key}", row=0
        )

    async def act(self, interaction: Interaction) -> None:
        await show(interaction, await _state.read(interaction, self.key))


class Export(Pressed, template=r"jobs:export:(?P<key>[0-9]{1,19})"):
    """The list as CSV; JSON is in ``/jobs export``."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Export", custom_id=f"jobs:export:{key}", row=1)

    async def act(self, interaction: Interaction) -> None:
        await export(interaction, (await _state.read(interaction, self.key)).wanted, Format.CSV)


class Save(Pressed, template=r"jobs:save:(?P<key>[0-9]{1,19})"):
    """Opens a form for the filter's name."""

    level = Level.MODERATOR
    answer = Answer.MODAL

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Save filter", custom_id=f"jobs:save:{key}", row=0)

    async def act(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(SaveForm(self.key))


class SaveForm(Form):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    def __init__(self, key: int) -> None:
        super().__init__(title="Save this filter", custom_id=f"jobs:save-as:{key}")
        self.key = key
        self.name = self.line(
            "name", "Name", "One of the same name is replaced; everybody here can use it", most=_state.LARGEST_NAME
        )

    async def act(self, interaction: Interaction) -> None:
        view = await _state.read(interaction, self.key)
        name = await _state.save(interaction, self.name.value, view.wanted)
        shown = foreign.plain(name)
        text = f"Saved as **{shown}**. `/jobs list filter:` offers it to every moderator here."
        await interaction.edit_original_response(content=text)


class Open(Pressed, template=r"jobs:open:(?P<key>[0-9]{1,19})"):
    """A row of the page in full; for the one who chose it only."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    @classmethod
    def of(cls, page: JobPage, key: int) -> "Open":
        options = [
            discord.SelectOption(label=foreign.label(job_cards.row_label(row, page)), value=str(row.id))
            for row in page.rows
        ]
        select: discord.ui.Select[Any] = discord.ui.Select(
            placeholder="Open one of these", custom_id=f"jobs:open:{key}", options=options, row=2
        )
        return cls(key, face=select)

    async def act(self, interaction: Interaction) -> None:
        view = await _state.read(interaction, self.key)
        assert isinstance(self.item, discord.ui.Select)
        chosen = int(self.item.values[0])
        if isinstance(view.wanted, JobFilter):
            cog: Any = interaction.client.get_cog("Jobs")
            await cog.open(interaction, chosen)
            return
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        item = await runtime.reviews.item(guild_id, chosen)
        names = await runtime.storage.jobs.names(guild_id)
        card = item_cards.item_card(item, mapping_name=names.get(item.mapping_id, ""))
        controls = panel(*item_buttons.for_item(chosen))
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=controls)


BUTTONS: tuple[type[Pressed], ...] = (Previous, Next, Refresh, Export, Save, Open)
