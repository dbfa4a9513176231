"""What the README, ``.env.example`` and the changelog say is what the code does."""

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from discord import app_commands
from discord.ext import commands

import cogs
from bot.cli import cli
from bot.config import Settings
from bot.web.app import make_app
from cogs._ui.doors import LEVEL_ATTRIBUTE
from cogs._ui.levels import Level
from tests.clock import FakeClock

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WHO = {Level.MEMBER: "everybody", Level.MODERATOR: "moderator", Level.ADMIN: "admin", Level.SUPER_ADMIN: "owner"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under ``heading``."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def shown(default: object) -> str:
    """A default as people write it; '' for none."""
    if default is None or not isinstance(default, str | int | float):
        return ""
    return str(int(default)) if isinstance(default, float) else str(default)


def test_the_table_of_settings_is_the_settings() -> None:
    expected = [
        [f"`{name.upper()}`", f"`{shown(field.default)}`" if shown(field.default) else "–", field.description]
        for name, field in Settings.model_fields.items()
    ]
    assert rows("Settings") == expected


def test_every_setting_says_what_it_is_in_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_example_of_settings_names_each_once_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = re.findall(r"^(#?)([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert [name for _, name, _ in found] == [name.upper() for name in Settings.model_fields]
    for commented, name, value in found:
        assert value == shown(Settings.model_fields[name.lower()].default)
        assert bool(commented) or value == "", f"{name}: only what must be filled in stands without #"


def test_the_example_is_accepted_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.config import load_settings

    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    loaded = load_settings(env_file=ROOT / ".env.example", key_file=tmp_path / "secret.key")
    assert (loaded.discord_token, loaded.has_spotify, loaded.has_youtube) == (None, False, False)


def test_the_table_of_the_command_line_is_its_verbs() -> None:
    verbs = [str(command.name or command.callback.__name__) for command in cli.registered_commands if command.callback]
    assert [row[0] for row in rows("Command line")] == [f"`crossfade {verb}`" for verb in verbs]


def test_the_table_of_addresses_is_the_routes() -> None:
    async def ready() -> None: ...

    nothing: Any = None  # the routes are looked at, not called
    app = make_app(oauth_door=nothing, dashboard=nothing, ready=ready, clock=FakeClock())
    served = {f"`GET {route.resource.canonical}`" for route in app.router.routes() if route.resource}
    assert {row[0] for row in rows("HTTP")} == served


def test_the_table_of_commands_is_the_commands_with_who_may_use_them() -> None:
    written = {row[0]: row[1] for row in rows("Commands in Discord")}
    assert written == {f"`/{name}`": WHO[level] for name, level in discord_commands()}


def discord_commands() -> Iterator[tuple[str, Level]]:
    """Name and level of every slash command of the cogs."""
    for name in cogs.NAMES:
        importlib.import_module(name)
        # A cog that is a package keeps its class inside.
        module = importlib.import_module(f"{name}._cog") if (ROOT / name.replace(".", "/")).is_dir() else None
        for held in vars(module or importlib.import_module(name)).values():
            if isinstance(held, type) and issubclass(held, commands.Cog) and held.__module__.startswith(name):
                yield from commands_of(held)


def commands_of(cog: type[commands.Cog]) -> Iterator[tuple[str, Level]]:
    prefix = f"{cog.__cog_group_name__} " if issubclass(cog, commands.GroupCog) else ""
    for command in cog.__cog_app_commands__:
        inner = command.walk_commands() if isinstance(command, app_commands.Group) else [command]
        for one in inner:
            if isinstance(one, app_commands.Command):
                yield f"{prefix}{one.qualified_name}", getattr(one.callback, LEVEL_ATTRIBUTE, Level.MEMBER)


def test_the_changelog_has_an_entry_for_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (\S+).*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert first is not None
    assert first[1] == PROJECT["project"]["version"]
    assert "\n- " in f"\n{first[2]}"


def test_the_readme_names_the_two_commands_and_the_pages_of_the_services() -> None:
    for words in ("make demo", "make test", "/oauth/spotify/callback", "/oauth/youtube/callback", "six months"):
        assert words in README
