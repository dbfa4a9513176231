"""Every command tells what it is, what its options are, and how it is used."""

import re
from pathlib import Path

from cogs.help import every_command
from tests.journeys.room import open_room

UNDESCRIBED = "…"  # what discord.py writes where nobody described it
_OPTION = re.compile(r"(?:^|\s)([a-z_]+):")


async def test_every_command_has_a_description_described_options_and_an_example_that_could_be_typed(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path) as room:
        tree = room.env.bot.tree
        for group in tree.walk_commands():
            assert group.description != UNDESCRIBED, group.qualified_name
        for command in every_command(tree):
            name = command.qualified_name
            example = command.extras.get("example", "")
            assert re.match(rf"/{name}(?: |$)", example), f"/{name} has no example"
            for option in command.parameters:
                assert option.description not in ("", UNDESCRIBED), f"/{name} {option.display_name} is not described"
            options = {option.display_name: option for option in command.parameters}
            given = set(_OPTION.findall(example.removeprefix(f"/{name}")))
            assert given <= options.keys(), f"the example of /{name} gives what it does not take"
            needed = {option.display_name for option in command.parameters if option.required}
            assert needed <= given, f"the example of /{name} leaves out what it needs"
