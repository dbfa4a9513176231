"""What stands behind the buttons of a list: its filter, its page and their size, kept in the database."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import discord

from bot.engine.jobs import USUAL_PAGE
from bot.model.errors import UserMistake
from bot.model.jobs import Cursor, ItemFilter, JobFilter
from cogs._ui import errors
from cogs._ui.reach import Interaction, guild_of, runtime_of

JOBS, ITEMS = "jobs", "items"
_VIEWS = "jobs.view"
LARGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """A page of a list: behind ``after``, or up to ``before``."""

    wanted: JobFilter | ItemFilter
    size: int = USUAL_PAGE
    after: Cursor | None = None
    before: Cursor | None = None

    def first_page(self) -> "ListView":
        return replace(self, after=None, before=None)


async def keep(interaction: Interaction, view: ListView) -> int:
    """The key of the view's buttons."""
    values = {
        "v": 1,
        "list": subject_of(view.wanted),
        "filter": view.wanted.to_json(),
        "size": view.size,
        "after": _place(view.after),
        "before": _place(view.before),
    }
    filters = runtime_of(interaction).storage.filters
    return await filters.keep(guild_of(interaction), _VIEWS, values, interaction.user.id)


async def read(interaction: Interaction, key: int) -> ListView:
    """The view behind a button. Raises the stale answer where it is forgotten, or another server's."""
    row = await runtime_of(interaction).storage.filters.get(key, guild_of(interaction), _VIEWS)
    if row is None:
        raise errors.STALE
    values = row.filter
    try:
        wanted = _filter(values["list"], values["filter"])
    except ValueError:
        raise errors.STALE from None
    return ListView(
        wanted=wanted, size=values["size"], after=_cursor(values["after"]), before=_cursor(values["before"])
    )


async def save(interaction: Interaction, name: str, wanted: JobFilter | ItemFilter) -> str:
    """Keeps the filter under ``name`` for everybody in the server; the name as it is kept."""
    shown = " ".join(name.split())
    if not shown or len(shown) > LARGEST_NAME:
        raise UserMistake(f"A filter's name has 1 to {LARGEST_NAME} characters. Nothing was saved; choose another one.")
    filters = runtime_of(interaction).storage.filters
    saved = await filters.name(guild_of(interaction), subject_of(wanted), shown, wanted.to_json(), interaction.user.id)
    return saved.name


async def named(interaction: Interaction, name: str) -> JobFilter | ItemFilter:
    """The filter that people saved as ``name``; ``jobs:`` or ``items:`` in front says of which list.

    A name may begin like that itself.
    """
    list_, _, rest = name.partition(":")
    chosen = ((list_, rest),) if list_ in (JOBS, ITEMS) and rest else ()
    subjects = (*chosen, (JOBS, name), (ITEMS, name))
    filters = runtime_of(interaction).storage.filters
    for subject, sought in subjects:
        row = await filters.find(guild_of(interaction), subject, sought)
        if row is not None:
            try:
                return _filter(subject, row.filter)
            except ValueError:
                raise UserMistake("This filter was saved by another version; save it again under its name.") from None
    raise UserMistake(
        f"No filter is saved as “{name[:60]}”. Choose one from the list, or save one with `/jobs list save_as:`."
    )


async def all_named(interaction: discord.Interaction[Any], guild_id: int) -> list[tuple[str, str]]:
    """Value and label of each saved filter of the server."""
    filters, found = runtime_of(interaction).storage.filters, []
    for subject, what in ((JOBS, "runs"), (ITEMS, "items")):
        found += [(f"{subject}:{row.name}", f"{row.name} ({what})") for row in await filters.named(guild_id, subject)]
    return found


def subject_of(wanted: JobFilter | ItemFilter) -> str:
    return JOBS if isinstance(wanted, JobFilter) else ITEMS


def _filter(subject: str, values: dict[str, Any]) -> JobFilter | ItemFilter:
    return JobFilter.from_json(values) if subject == JOBS else ItemFilter.from_json(values)


def _place(cursor: Cursor | None) -> list[Any] | None:
    if cursor is None:
        return None
    return [cursor.value.isoformat() if cursor.value is not None else None, cursor.id]


def _cursor(place: list[Any] | None) -> Cursor | None:
    if place is None:
        return None
    moment, id_ = place
    return Cursor(value=datetime.fromisoformat(moment) if moment is not None else None, id=id_)
