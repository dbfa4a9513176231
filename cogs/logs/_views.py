"""The pages of /logs and their buttons; each carries the id of its filter, so that it survives restarts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, Self

import discord

from bot.engine.exports import Format
from bot.model.log_filter import LogFilter, LogPage, from_json
from bot.model.logline import LogLine
from cogs._ui import errors, foreign, item_buttons, log_cards, opened_item
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.exports import send_export
from cogs._ui.levels import Level
from cogs._ui.line_paging import OfLine, choice, edges, newer, older
from cogs._ui.reach import Interaction, guild_of, require, runtime_of

SUBJECT = "logs"
PAGE = 15
_EXPORTED = 1000  # lines read at once
_LINES_OF_AN_ITEM = 12
COLUMNS = (
    "id",
    "at",
    "level",
    "event",
    "message",
    "job_type",
    "guild_id",
    "mapping_id",
    "run_id",
    "sync_item_id",
    "actor_id",
    "source",
    "details",
)
View = tuple[discord.Embed, discord.ui.View]


class Following(Protocol):
    """Who lets messages follow the log; the cog holds it as ``tails``."""

    async def begin(self, interaction: Interaction, wanted: LogFilter) -> None: ...
    def end(self, person_id: int) -> None: ...


async def filter_of(interaction: Interaction, key: int) -> LogFilter:
    """The filter behind a button. Raises the stale answer where there is none, NotAllowed for the owner's."""
    filters = runtime_of(interaction).storage.filters
    for guild_id in (guild_of(interaction), 0):
        saved = await filters.get(key, guild_id, SUBJECT)
        if saved is not None:
            if guild_id == 0:
                await require(interaction, Level.SUPER_ADMIN)
            return from_json(saved.filter, guild_id or None)
    raise errors.STALE


async def keep(interaction: Interaction, wanted: LogFilter) -> int:
    """The id of the filter for custom ids; those across servers are kept under none."""
    filters = runtime_of(interaction).storage.filters
    return await filters.keep(wanted.guild_id or 0, SUBJECT, wanted.as_json(), interaction.user.id)


async def latest(interaction: Interaction, wanted: LogFilter) -> View:
    """The newest lines."""
    page = await runtime_of(interaction).storage.logs.page(wanted, limit=PAGE)
    return await shown(interaction, wanted, page)


async def shown(interaction: Interaction, wanted: LogFilter, page: LogPage, *, newest: bool = True) -> View:
    """A page that was read downwards; ``newest``: nothing newer was passed over."""
    key = await keep(interaction, wanted)
    top, bottom = edges(page)
    items: list[discord.ui.Item[Any]] = []
    if page.lines:
        items.append(Open(key, face=choice(f"logs:line:{key}", page.lines)))
    items.append(Latest(key) if newest else Newer(key, top))
    items.append(Older(key, bottom, label="Search on" if page.stopped_id else "Older", possible=page.more))
    items += [Follow(key), *(Export(key, format_) for format_ in Format)]
    return await card(interaction, wanted, page), panel(*items)


async def card(interaction: Interaction, wanted: LogFilter, page: LogPage, *, following: bool = False) -> discord.Embed:
    name = ""
    if wanted.mapping_id is not None:
        mapping = await runtime_of(interaction).storage.mappings.get(wanted.mapping_id, wanted.guild_id)
        name = mapping.name if mapping is not None else ""
    return log_cards.logs_card(page, wanted, mapping_name=name, following=following)


def following_panel(key: int, page: LogPage) -> discord.ui.View:
    """What stands under a page that follows the log."""
    lines = [Open(key, face=choice(f"logs:line:{key}", page.lines))] if page.lines else []
    return panel(*lines, Stop(key))


class Older(OfLine, template=r"logs:older:(?P<key>[0-9]{1,19}):(?P<line>[0-9]{1,18})"):
    """The page before the line, or a search that goes on there."""

    room = "logs"

    async def act(self, interaction: Interaction) -> None:
        wanted = await filter_of(interaction, self.key)
        page = await older(runtime_of(interaction).storage.logs, wanted, self.line_id, PAGE)
        await _show(interaction, await shown(interaction, wanted, page, newest=False))


class Newer(OfLine, template=r"logs:newer:(?P<key>[0-9]{1,19}):(?P<line>[0-9]{1,18})"):
    """The page after the line; the newest one where less than a page is left."""

    room = "logs"

    async def act(self, interaction: Interaction) -> None:
        wanted = await filter_of(interaction, self.key)
        page, newest = await newer(runtime_of(interaction).storage.logs, wanted, self.line_id, PAGE)
        await _show(interaction, await shown(interaction, wanted, page, newest=newest))


class Latest(Pressed, template=r"logs:latest:(?P<key>[0-9]{1,19})"):
    """The newest lines of now."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Refresh", custom_id=f"logs:latest:{key}")

    async def act(self, interaction: Interaction) -> None:
        await _show(interaction, await latest(interaction, await filter_of(interaction, self.key)))


class Follow(Pressed, template=r"logs:tail:(?P<key>[0-9]{1,19})"):
    """From now on new lines appear by themselves."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        style = discord.ButtonStyle.primary
        return discord.ui.Button(label="Follow", style=style, custom_id=f"logs:tail:{key}")

    async def act(self, interaction: Interaction) -> None:
        await tails_of(interaction).begin(interaction, await filter_of(interaction, self.key))


class Stop(Pressed, template=r"logs:stop:(?P<key>[0-9]{1,19})"):
    """Ends the following; the page stays."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Stop", style=discord.ButtonStyle.danger, custom_id=f"logs:stop:{key}")

    async def act(self, interaction: Interaction) -> None:
        tails_of(interaction).end(interaction.user.id)
        await _show(interaction, await latest(interaction, await filter_of(interaction, self.key)))


class Open(Pressed, template=r"logs:line:(?P<key>[0-9]{1,19})"):
    """One line of the page with all that it carries; a line about an item opens the item."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        runtime = runtime_of(interaction)
        wanted = await filter_of(interaction, self.key)
        line = await runtime.storage.logs.get(int(self.item.values[0]), wanted.guild_id)
        if line is None:
            raise errors.STALE
        mapping = None
        if line.mapping_id is not None:
            mapping = await runtime.storage.mappings.get(line.mapping_id, line.guild_id)
        embeds = [log_cards.line_card(line, mapping_name=mapping.name if mapping is not None else "")]
        view = panel()
        item = None
        if line.sync_item_id is not None:
            item = await runtime.storage.items.get(line.sync_item_id, line.guild_id)
        if item is not None:
            of_item = LogFilter(guild_id=wanted.guild_id, item_id=item.id)
            lines = (await runtime.storage.logs.page(of_item, limit=_LINES_OF_AN_ITEM)).lines
            row = await runtime.storage.blacklist.of_item(item.id)
            embeds += opened_item.cards(item, mapping=mapping, row=row, lines=lines)
            if line.guild_id == guild_of(interaction):
                view = panel(*item_buttons.for_item(item.id))
        await interaction.edit_original_response(embeds=foreign.fit(embeds), view=view)


class Export(Pressed, template=r"logs:export:(?P<key>[0-9]{1,19}):(?P<format>csv|json)"):
    """All lines of exactly this filter, as a file."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    def __init__(self, key: int, format_: Format) -> None:
        custom_id = f"logs:export:{key}:{format_.value}"
        super().__init__(key, face=discord.ui.Button(label=format_.value.upper(), emoji="📄", custom_id=custom_id))
        self.format = format_

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), Format(match["format"]))

    async def act(self, interaction: Interaction) -> None:
        pages = _pages(interaction, await filter_of(interaction, self.key))
        await send_export(interaction, name="log", format_=self.format, columns=COLUMNS, pages=pages)


BUTTONS: tuple[type[Pressed], ...] = (Older, Newer, Latest, Follow, Stop, Open, Export)


def tails_of(interaction: Interaction) -> Following:
    cog: Any = interaction.client.get_cog("Logs")
    tails: Following = cog.tails
    return tails


async def _show(interaction: Interaction, view: View) -> None:
    await interaction.edit_original_response(embeds=foreign.fit([view[0]]), view=view[1])


async def _pages(interaction: Interaction, wanted: LogFilter) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """All lines, newest first, read on from the last id."""
    before: int | None = None
    while True:
        page = await runtime_of(interaction).storage.logs.page(wanted, before_id=before, limit=_EXPORTED)
        if page.lines:
            yield [_row(line) for line in page.lines]
        if not page.more:
            return
        before = page.stopped_id or page.lines[-1].id


def _row(line: LogLine) -> Mapping[str, Any]:
    values = {name: getattr(line, name) for name in COLUMNS}
    for name in ("guild_id", "actor_id"):  # snowflakes are text outside of the database
        values[name] = None if values[name] is None else str(values[name])
    return values
