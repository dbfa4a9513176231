"""The pages of /activity and their buttons; each carries the id of its filter, so that it survives restarts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import discord

from bot.engine import dates
from bot.logs.activity import ActivityKind, events_of
from bot.model.log_filter import LogFilter, LogPage
from cogs._ui import activity_cards, errors, foreign, log_cards
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.line_paging import OfLine, choice, edges, newer, older
from cogs._ui.reach import Interaction, guild_of, require, runtime_of

SUBJECT = "activity"
PAGE = 15
View = tuple[discord.Embed, discord.ui.View]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a message shows. ``guild_id`` None: everywhere. ``days`` before the day of ``asked_at``, aware."""

    guild_id: int | None
    kind: ActivityKind | None
    days: int
    asked_at: datetime
    actor_id: int | None

    def as_json(self) -> dict[str, Any]:
        kind = None if self.kind is None else self.kind.value
        return {"kind": kind, "days": self.days, "asked_at": self.asked_at.isoformat(), "actor_id": self.actor_id}


async def latest(interaction: Interaction, feed: Feed) -> View:
    """The newest occurrences."""
    wanted, _ = await _wanted(interaction, feed)
    page = await runtime_of(interaction).storage.logs.page(wanted, limit=PAGE)
    return await shown(interaction, feed, page, newest=True)


async def shown(interaction: Interaction, feed: Feed, page: LogPage, *, newest: bool) -> View:
    """A page that was read downwards; ``newest``: nothing newer was passed over."""
    wanted, timezone = await _wanted(interaction, feed)
    filters = runtime_of(interaction).storage.filters
    key = await filters.keep(feed.guild_id or 0, SUBJECT, feed.as_json(), interaction.user.id)
    top, bottom = edges(page)
    items: list[discord.ui.Item[Any]] = []
    if page.lines:
        items.append(Open(key, face=choice(f"activity:line:{key}", page.lines)))
    items.append(Latest(key) if newest else Newer(key, top))
    items.append(Older(key, bottom, label="Search on" if page.stopped_id else "Older", possible=page.more))
    card = activity_cards.activity_card(page, wanted, feed.kind, days=feed.days, timezone=timezone)
    return card, panel(*items)


async def feed_of(interaction: Interaction, key: int) -> Feed:
    """The filter behind a button. Raises the stale answer where there is none, NotAllowed for the owner's."""
    filters = runtime_of(interaction).storage.filters
    for guild_id in (guild_of(interaction), 0):
        saved = await filters.get(key, guild_id, SUBJECT)
        if saved is not None:
            if guild_id == 0:
                await require(interaction, Level.SUPER_ADMIN)
            kind = saved.filter["kind"]
            return Feed(
                guild_id=guild_id or None,
                kind=None if kind is None else ActivityKind(kind),
                days=saved.filter["days"],
                asked_at=datetime.fromisoformat(saved.filter["asked_at"]),
                actor_id=saved.filter["actor_id"],
            )
    raise errors.STALE


class Older(OfLine, template=r"activity:older:(?P<key>[0-9]{1,19}):(?P<line>[0-9]{1,18})"):
    """The page before the line."""

    room = "activity"

    async def act(self, interaction: Interaction) -> None:
        feed = await feed_of(interaction, self.key)
        wanted, _ = await _wanted(interaction, feed)
        page = await older(runtime_of(interaction).storage.logs, wanted, self.line_id, PAGE)
        await _show(interaction, await shown(interaction, feed, page, newest=False))


class Newer(OfLine, template=r"activity:newer:(?P<key>[0-9]{1,19}):(?P<line>[0-9]{1,18})"):
    """The page after the line; the newest one where less than a page is left."""

    room = "activity"

    async def act(self, interaction: Interaction) -> None:
        feed = await feed_of(interaction, self.key)
        wanted, _ = await _wanted(interaction, feed)
        page, newest = await newer(runtime_of(interaction).storage.logs, wanted, self.line_id, PAGE)
        await _show(interaction, await shown(interaction, feed, page, newest=newest))


class Latest(Pressed, template=r"activity:latest:(?P<key>[0-9]{1,19})"):
    """What happened up to now."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Refresh", custom_id=f"activity:latest:{key}")

    async def act(self, interaction: Interaction) -> None:
        await _show(interaction, await latest(interaction, await feed_of(interaction, self.key)))


class Open(Pressed, template=r"activity:line:(?P<key>[0-9]{1,19})"):
    """One occurrence with all that is known of it."""

    level = Level.MODERATOR
    answer = Answer.PRIVATE

    async def act(self, interaction: Interaction) -> None:
        assert isinstance(self.item, discord.ui.Select)
        storage = runtime_of(interaction).storage
        feed = await feed_of(interaction, self.key)
        line = await storage.logs.get(int(self.item.values[0]), feed.guild_id)
        if line is None:
            raise errors.STALE
        mapping = None
        if line.mapping_id is not None:
            mapping = await storage.mappings.get(line.mapping_id, line.guild_id)
        card = log_cards.line_card(line, mapping_name=mapping.name if mapping is not None else "")
        await interaction.edit_original_response(embeds=foreign.fit([card]))


BUTTONS: tuple[type[Pressed], ...] = (Older, Newer, Latest, Open)


async def _wanted(interaction: Interaction, feed: Feed) -> tuple[LogFilter, str]:
    """The lines of the feed, and the timezone whose days it counts."""
    timezone = (await runtime_of(interaction).storage.guilds.get(guild_of(interaction))).timezone
    since = dates.day_begins(feed.asked_at, timezone, feed.days)
    wanted = LogFilter(guild_id=feed.guild_id, events=events_of(feed.kind), actor_id=feed.actor_id, since=since)
    return wanted, timezone


async def _show(interaction: Interaction, view: View) -> None:
    await interaction.edit_original_response(embeds=foreign.fit([view[0]]), view=view[1])
