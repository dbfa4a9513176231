"""Autocomplete: served from the database within Discord's three seconds, because it cannot be deferred."""

import asyncio
import functools
from collections.abc import Iterable
from zoneinfo import available_timezones

from discord import app_commands

from bot.engine.addresses import create_value, liked_value, playlist_value
from bot.engine.schedule import suggestions
from bot.model.errors import UserMistake
from bot.model.mapping import Mapping, Playlist
from bot.model.music import Service
from bot.model.router import BasePlaylist
from cogs._ui import foreign, schedule_words
from cogs._ui.reach import Interaction, runtime_of
from storage.playlists import ListedPlaylist

DEADLINE = 2.0  # seconds; Discord drops an answer after three
ALL = "all"
ALL_MAPPINGS = "All mappings"
ALL_BASES = "All bases"
Choices = list[app_commands.Choice[str]]


async def mappings(interaction: Interaction, current: str) -> Choices:
    """The server's mappings whose name holds ``current``; the value is the mapping's id."""
    if interaction.guild_id is None:
        return []
    async with asyncio.timeout(DEADLINE):
        found = await runtime_of(interaction).mappings.suggest(interaction.guild_id, current)
    return [_mapping_choice(mapping) for mapping in found[: foreign.CHOICES]]


async def mappings_or_all(interaction: Interaction, current: str) -> Choices:
    """The same, and first the choice of all of them."""
    offered = ALL_MAPPINGS.lower().startswith(current.strip().lower())
    every = [app_commands.Choice(name=ALL_MAPPINGS, value=ALL)] if offered else []
    return (every + await mappings(interaction, current))[: foreign.CHOICES]


async def bases(interaction: Interaction, current: str) -> Choices:
    """The server's base playlists whose name holds ``current``; the value is the base's id."""
    return [_base_choice(base) for base in await _bases(interaction, current)][: foreign.CHOICES]


async def bases_or_all(interaction: Interaction, current: str) -> Choices:
    """The same, behind those that were chosen already and a comma; and first the choice of all of them."""
    chosen, comma, last = current.rpartition(",")
    if comma:
        head, value = foreign.label(chosen, 60), chosen.strip()
        found = [(f"{head}, {base.name}", f"{value},{base.id}") for base in await _bases(interaction, last)]
        fitting = [(name, value) for name, value in found if len(value) <= foreign.CHOICE]
        return [
            app_commands.Choice(name=foreign.label(name), value=value) for name, value in fitting[: foreign.CHOICES]
        ]
    offered = ALL_BASES.lower().startswith(current.strip().lower())
    every = [app_commands.Choice(name=ALL_BASES, value=ALL)] if offered else []
    return (every + await bases(interaction, current))[: foreign.CHOICES]


async def children(interaction: Interaction, current: str) -> Choices:
    """The children of all bases whose name, or whose base's, holds ``current``; the value is the child's id."""
    if interaction.guild_id is None:
        return []
    async with asyncio.timeout(DEADLINE):
        found = await runtime_of(interaction).bases.every_child(interaction.guild_id)
    sought = current.strip().casefold()
    return [
        app_commands.Choice(name=foreign.label(child.mapping.name), value=str(child.id))
        for child in found
        if sought in child.mapping.name.casefold()
    ][: foreign.CHOICES]


def is_all(mapping: str) -> bool:
    """Whether an option of ``mappings_or_all`` or ``bases_or_all`` means all of them."""
    return mapping.strip().lower() in ("", ALL, ALL_MAPPINGS.lower(), ALL_BASES.lower())


async def playlists(interaction: Interaction, current: str, *, source: bool = False, creates: bool = True) -> Choices:
    """The person's own playlists, and where it ``creates``, last the offer to create one named so on each service.

    ``source``: it will only be read, so that liked songs may be chosen; they come first.
    """
    mappings = runtime_of(interaction).mappings
    runtime_of(interaction).lists.freshen(interaction.user.id)  # what is new is there at the next keystroke
    async with asyncio.timeout(DEADLINE):
        found = await mappings.suggest_liked(interaction.user.id, current) if source else []
        found += await mappings.suggest_playlists(interaction.user.id, current)
    name = foreign.visible(current) or foreign.visible(str(interaction.namespace.name or ""))
    offered = creates and name and not _is_address(name)
    offers = [_creation(service, name) for service in Service] if offered else []
    known = [_playlist_choice(listed) for listed in found[: foreign.CHOICES - len(offers)]]
    return known + offers


async def further_sources(interaction: Interaction, current: str) -> Choices:
    """The further sources of the mapping that the command names already."""
    mapping = str(interaction.namespace.mapping or "")
    if interaction.guild_id is None or not mapping:
        return []
    try:
        async with asyncio.timeout(DEADLINE):
            found = await runtime_of(interaction).mappings.find(interaction.guild_id, mapping)
    except UserMistake:
        return []
    sought = current.strip().casefold()
    return [_source_choice(source) for source in found.more if sought in source.name.casefold()][: foreign.CHOICES]


async def schedules(interaction: Interaction, current: str) -> Choices:
    """Schedules that ``current`` may mean, each with its next run by the server's clock."""
    if interaction.guild_id is None:
        return []
    runtime = runtime_of(interaction)
    async with asyncio.timeout(DEADLINE):
        timezone = (await runtime.storage.guilds.get(interaction.guild_id)).timezone
    now = runtime.clock.now()
    offered = suggestions(foreign.label(current, foreign.CHOICE) if current.strip() else "")[: foreign.CHOICES]
    return [
        app_commands.Choice(name=schedule_words.offer(text, now, timezone), value=text)
        for text in offered
        if len(text) <= foreign.CHOICE
    ]


async def timezones(_: Interaction, current: str) -> Choices:
    """Names of timezones that hold ``current``, whatever its case and spaces."""
    sought = current.strip().lower().replace(" ", "_")
    return _choices(name for name in _timezones() if sought in name.lower())


def _choices(values: Iterable[str]) -> Choices:
    return [
        app_commands.Choice(name=foreign.label(value), value=value) for value, _ in zip(values, range(25), strict=False)
    ]


def _mapping_choice(mapping: Mapping) -> app_commands.Choice[str]:
    paused = "" if mapping.enabled else " (paused)"
    name = foreign.label(mapping.name, foreign.CHOICE - len(paused))
    return app_commands.Choice(name=name + paused, value=str(mapping.id))


async def _bases(interaction: Interaction, current: str) -> list[BasePlaylist]:
    if interaction.guild_id is None:
        return []
    async with asyncio.timeout(DEADLINE):
        found = await runtime_of(interaction).bases.bases(interaction.guild_id)
    return [base for base in found if current.strip().casefold() in base.name.casefold()]


def _base_choice(base: BasePlaylist) -> app_commands.Choice[str]:
    paused = "" if base.enabled else " (paused)"
    name = foreign.label(base.name, foreign.CHOICE - len(paused))
    return app_commands.Choice(name=name + paused, value=str(base.id))


def _playlist_choice(listed: ListedPlaylist) -> app_commands.Choice[str]:
    facts = [] if listed.item_count is None else [f"{listed.item_count:,} tracks"]
    facts += [] if listed.writable else ["read only"]
    head, tail = f"{listed.service.label} · ", f" ({', '.join(facts)})" if facts else ""
    name = foreign.label(listed.name or listed.external_id, foreign.CHOICE - len(head) - len(tail))
    return app_commands.Choice(name=head + name + tail, value=_value(listed))


def _source_choice(source: Playlist) -> app_commands.Choice[str]:
    return app_commands.Choice(name=foreign.label(source.name or source.external_id), value=_value(source))


def _value(playlist: Playlist) -> str:
    if playlist.liked:
        return liked_value(playlist.account_id)
    return playlist_value(playlist.service, playlist.external_id)


def _creation(service: Service, name: str) -> app_commands.Choice[str]:
    tail = f"” on {service.label}"
    shown = foreign.label(name, foreign.CHOICE - len(tail) - len("➕ Create “"))
    return app_commands.Choice(name=f"➕ Create “{shown}{tail}", value=create_value(service, name))


def _is_address(text: str) -> bool:
    return "://" in text or text.startswith(("spotify:", "youtube:", "create:"))


@functools.cache
def _timezones() -> tuple[str, ...]:
    """Common names first: those with a continent, UTC on top."""
    names = sorted(available_timezones())
    return ("UTC", *(name for name in names if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))))
