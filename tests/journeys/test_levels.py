"""The table command × level: each command and each button, tried by a member, a moderator, an admin and the owner.

A command or a button without a row fails the suite; whoever adds one adds one line here. What a row says is really
tried: below the level everybody reads the refusal, from the level on nobody does (whatever else is then answered).
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands

from cogs._ui.doors import Pressed
from cogs._ui.levels import Level, NotAllowed
from cogs.help import every_command
from tests.journeys.room import Room, answer, open_room, said

MEMBER, MODERATOR, ADMIN, OWNER = Level

COMMANDS = {
    "accounts": MEMBER,
    "activity": MODERATOR,
    "connect": MEMBER,
    "errors": MODERATOR,
    "help": MEMBER,
    "jobs cancel": ADMIN,
    "jobs export": MODERATOR,
    "jobs list": MODERATOR,
    "jobs retry": MODERATOR,
    "jobs show": MODERATOR,
    "logs": MODERATOR,
    "mapping add": ADMIN,
    "mapping edit": ADMIN,
    "mapping list": MEMBER,
    "mapping pause": ADMIN,
    "mapping remove": ADMIN,
    "mapping resume": ADMIN,
    "mapping show": MEMBER,
    "mapping source-add": ADMIN,
    "mapping source-remove": ADMIN,
    "queue clear-failed": ADMIN,
    "queue pause": ADMIN,
    "queue resume": ADMIN,
    "queue status": MEMBER,
    "quota": MEMBER,
    "review": MODERATOR,
    "router base-add": ADMIN,
    "router base-list": MEMBER,
    "router base-pause": ADMIN,
    "router base-remove": ADMIN,
    "router base-resume": ADMIN,
    "router cache": MEMBER,
    "router child-add": ADMIN,
    "router child-edit": ADMIN,
    "router child-list": MEMBER,
    "router child-remove": ADMIN,
    "router history": MEMBER,
    "router preview": MODERATOR,
    "router run": MODERATOR,
    "router schedule": ADMIN,
    "settings": ADMIN,
    "setup": ADMIN,
    "stats": MEMBER,
    "sync": MODERATOR,
    "tasks": ADMIN,
    "undo": MODERATOR,
}

# By the head of the custom id, ``room:action``; what follows are keys.
BUTTONS = {
    "account:confirm": MEMBER,
    "account:disconnect": MEMBER,
    "account:forget": MEMBER,
    "account:forget-now": MEMBER,
    "account:reject": MEMBER,
    "activity:latest": MODERATOR,
    "activity:line": MODERATOR,
    "activity:newer": MODERATOR,
    "activity:older": MODERATOR,
    "errors:choose": MODERATOR,
    "errors:confirm": MODERATOR,
    "errors:export": MODERATOR,
    "errors:page": MODERATOR,
    "errors:retry": MODERATOR,
    "help:page": MEMBER,
    "incident:ack": MODERATOR,
    "incident:details": MODERATOR,
    "incident:retry": MODERATOR,
    "incident:silence": MODERATOR,
    "item:details": MEMBER,
    "item:retry": MODERATOR,
    "item:review": MODERATOR,
    "jobs:cancel": ADMIN,
    "jobs:cancel-now": ADMIN,
    "jobs:cancel-run": ADMIN,
    "jobs:export": MODERATOR,
    "jobs:export-run": MODERATOR,
    "jobs:items": MODERATOR,
    "jobs:log": MODERATOR,
    "jobs:next": MODERATOR,
    "jobs:open": MODERATOR,
    "jobs:previous": MODERATOR,
    "jobs:refresh": MODERATOR,
    "jobs:retry": MODERATOR,
    "jobs:retry-now": MODERATOR,
    "jobs:retry-run": MODERATOR,
    "jobs:save": MODERATOR,
    "logs:export": MODERATOR,
    "logs:latest": MODERATOR,
    "logs:line": MODERATOR,
    "logs:newer": MODERATOR,
    "logs:older": MODERATOR,
    "logs:stop": MODERATOR,
    "logs:tail": MODERATOR,
    "mapping:list": MEMBER,
    "mapping:pause": ADMIN,
    "mapping:resume": ADMIN,
    "mapping:run": MODERATOR,
    "plan:apply": MODERATOR,
    "plan:cancel": MODERATOR,
    "plan:force": ADMIN,
    "queue:clear": ADMIN,
    "queue:pause": ADMIN,
    "queue:refresh": MEMBER,
    "queue:resume": ADMIN,
    "review:accept": MODERATOR,
    "review:bulk": MODERATOR,
    "review:choose": MODERATOR,
    "review:dismiss": MODERATOR,
    "review:export": MODERATOR,
    "review:link": MODERATOR,
    "review:never": MODERATOR,
    "review:next": MODERATOR,
    "review:preview": MODERATOR,
    "review:previous": MODERATOR,
    "review:retry": MODERATOR,
    "review:search": MODERATOR,
    "router:apply": MODERATOR,
    "router:bases": MEMBER,
    "router:children": MEMBER,
    "router:collapse": ADMIN,
    "router:force": ADMIN,
    "router:forget": OWNER,
    "router:keep": MODERATOR,
    "router:look": MODERATOR,
    "router:pause": ADMIN,
    "router:plan": MODERATOR,
    "router:rebuild": MODERATOR,
    "router:remove-base": ADMIN,
    "router:remove-child": ADMIN,
    "router:resume": ADMIN,
    "router:rules": ADMIN,
    "router:run": MODERATOR,
    "router:undo": MODERATOR,
    "settings:admin_role": ADMIN,
    "settings:digest": ADMIN,
    "settings:log_channel": ADMIN,
    "settings:log_level": ADMIN,
    "settings:moderator_role": ADMIN,
    "settings:refresh": ADMIN,
    "settings:retention": ADMIN,
    "settings:timezone": ADMIN,
    "setup:admin_role": ADMIN,
    "setup:log_channel": ADMIN,
    "setup:log_level": ADMIN,
    "setup:moderator_role": ADMIN,
    "setup:timezone": ADMIN,
    "stats:pause": MEMBER,
    "stats:refresh": MEMBER,
    "tasks:refresh": ADMIN,
    "tasks:run": OWNER,
    "undo:apply": MODERATOR,
    "undo:cancel": MODERATOR,
    "undo:choose": MODERATOR,
    "undo:force": ADMIN,
}

# Selects that cannot be made from their id alone: their options come from what they are about.
SELECTS = {
    "activity:line",
    "errors:choose",
    "logs:line",
    "review:choose",
    "jobs:open",
    "router:plan",
    "router:undo",
    "undo:choose",
}

REFUSAL = {level: str(NotAllowed(level)).partition(".")[0] for level in Level}
_CLASS = re.compile(r"(\[[^\]]+\])(?:\{[\d,]+\}|[+*?])?")  # a class of characters that stands in no group
_GROUP = re.compile(r"\(\?P<(\w+)>([^()]*)\)")


async def test_every_command_and_subcommand_has_its_row(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        assert set(COMMANDS) == {command.qualified_name for command in every_command(room.env.bot.tree)}


async def test_every_button_and_select_has_its_row(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        assert set(BUTTONS) == {head for kind in registered(room) for head in heads(kind)}


@pytest.mark.parametrize("level", list(Level), ids=lambda level: level.name.lower())
async def test_commands_are_refused_below_their_level_and_answer_from_it_on(tmp_path: Path, level: Level) -> None:
    async with people(tmp_path) as (room, everybody):
        wrong = []
        for command in every_command(room.env.bot.tree):
            needed = COMMANDS.get(command.qualified_name, MEMBER)
            result = await everybody[level].slash(room.channel, command.qualified_name, **least(room, command))
            wrong += misjudged(f"/{command.qualified_name}", level, needed, result)
        assert not wrong


@pytest.mark.parametrize("level", list(Level), ids=lambda level: level.name.lower())
async def test_buttons_are_refused_below_their_level_and_answer_from_it_on(tmp_path: Path, level: Level) -> None:
    async with people(tmp_path) as (room, everybody):
        wrong = []
        for kind in registered(room):
            for head in heads(kind):
                result = await press(room, everybody[level], kind, head)
                wrong += misjudged(head, level, BUTTONS.get(head, MEMBER), result)
        assert not wrong


@asynccontextmanager
async def people(tmp_path: Path) -> AsyncIterator[tuple[Room, dict[Level, Any]]]:
    """A room with somebody of each level. Nothing of what the buttons speak of exists there."""
    async with open_room(tmp_path) as room:
        owner = room.guild.add_member(room.env.create_user("oda"))
        room.env.bot.owner_id, room.env.bot.owner_ids = owner.id, set()
        yield room, {MEMBER: room.member, MODERATOR: room.moderator, ADMIN: room.admin, OWNER: owner}


def misjudged(what: str, level: Level, needed: Level, result: Any) -> list[str]:
    """A sentence for whoever reads the failing test; none where all is as the table says."""
    message = answer(result)
    text = said(message) if message is not None else ""  # a modal is no message
    refused = any(refusal in text for refusal in REFUSAL.values())
    if level < needed and REFUSAL[needed] not in text:
        return [f"{what} is for {needed.label}s, but a {level.label} was not told so: {text[:200]!r}"]
    if level < needed and not message.ephemeral:
        return [f"{what} refused a {level.label} before everybody's eyes"]
    if level >= needed and refused:
        return [f"{what} is for {needed.label}s, but refused a {level.label}: {text[:200]!r}"]
    return []


def least(room: Room, command: app_commands.Command[Any, ..., Any]) -> dict[str, Any]:
    """Something for each option that must be given."""
    return {option.display_name: _anything(room, option) for option in command.parameters if option.required}


def _anything(room: Room, option: app_commands.Parameter) -> Any:
    if option.choices:
        return option.choices[0].value
    kinds = discord.AppCommandOptionType
    given: dict[discord.AppCommandOptionType, Any] = {
        kinds.string: "1",
        kinds.integer: option.min_value or 1,
        kinds.number: option.min_value or 1.0,
        kinds.boolean: False,
        kinds.channel: room.channel,
        kinds.user: room.member,
    }
    return given[option.type]


def registered(room: Room) -> list[type[Pressed]]:
    """The classes whose buttons survive a restart."""
    kinds = set(room.env.bot._connection._view_store._dynamic_items.values())
    assert all(issubclass(kind, Pressed) for kind in kinds)
    return sorted(kinds, key=lambda kind: str(kind.__discord_ui_compiled_template__.pattern))


def heads(kind: type[Pressed]) -> list[str]:
    """``room:action`` of each custom id that the class answers: one for each of the words that its template allows."""
    spellings = [""]
    for part in _parts(kind)[:2]:
        group = _GROUP.fullmatch(part)
        words = group[2].split("|") if group else [part]
        spellings = [f"{before}:{word}".lstrip(":") for before in spellings for word in words]
    return spellings


async def press(room: Room, person: Any, kind: type[Pressed], head: str) -> Any:
    """Press what a forged message carries: an id of that head whose keys are the number of this server."""
    custom_id = sample(kind, head, room.guild.id)
    view = discord.ui.View(timeout=None)
    face = _face(kind, head, room.guild.id)
    face.custom_id = custom_id  # type: ignore[attr-defined]
    view.add_item(face)
    message = await room.env.bot.get_channel(room.channel.id).send(view=view)
    forged = room.last()
    assert forged.id == message.id
    if isinstance(face, discord.ui.Button):
        return await person.click(forged, custom_id=custom_id)
    return await person.select(forged, _values(room, face), custom_id=custom_id)


def sample(kind: type[Pressed], head: str, number: int) -> str:
    """A custom id that the class answers: its template with ``number`` for each key."""
    custom_id = ":".join([head, *(_filled(part, number) for part in _parts(kind)[2:])])
    assert kind.__discord_ui_compiled_template__.fullmatch(custom_id), custom_id
    return custom_id


def _filled(part: str, number: int) -> str:
    """The part of a template with something that fits in the place of each group."""

    def fill(group: re.Match[str]) -> str:
        digits = [str(number)[-length:] for length in range(19, 0, -1)]
        return next(one for one in [*digits, *group[2].split("|"), "a"] if re.fullmatch(group[2], one))

    return _CLASS.sub(lambda found: next(one for one in "1a" if re.match(found[1], one)), _GROUP.sub(fill, part))


def _parts(kind: type[Pressed]) -> list[str]:
    """The template between its colons; those inside of a group are no ends."""
    return re.split(r":(?![^()]*\))", kind.__discord_ui_compiled_template__.pattern)


def _face(kind: type[Pressed], head: str, number: int) -> discord.ui.Item[Any]:
    if head in SELECTS:
        return discord.ui.Select(options=[discord.SelectOption(label="One", value="1")])
    try:
        return kind(number).item
    except (NotImplementedError, TypeError):  # its look needs more than a key
        return discord.ui.Button(label="Press")


def _values(room: Room, face: discord.ui.Item[Any]) -> list[Any]:
    if isinstance(face, discord.ui.ChannelSelect):
        return [room.log_channel]
    if isinstance(face, discord.ui.RoleSelect):
        return [room.guild.create_role("Chosen")]
    if isinstance(face, discord.ui.UserSelect):
        return [room.member]
    assert isinstance(face, discord.ui.Select)
    return [face.options[0].value]
