"""/help: made from the commands, by level, in pages; and all about one command."""

from pathlib import Path
from typing import Any

from cogs.help import every_command, level_of
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def pages(room: Room, person: Any) -> list[str]:
    """What stands on each page, turned by the button."""
    shown = await person.slash(room.channel, "help")
    assert shown.ephemeral
    message, texts = answer(shown), [said(answer(shown))]
    while on := [one for one in custom_ids(message) if one == f"help:page:{len(texts)}"]:
        await person.click(message, custom_id=on[0])
        texts.append(said(message))
    return texts


async def test_help_names_every_command_with_its_example_under_its_level(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        texts = await pages(room, room.member)
        assert len(texts) > 1
        assert "`/setup` says where" in texts[0]
        assert all(len(text) < 2500 for text in texts)  # a phone's screen or two
        headings = {0: "For everyone", 1: "For moderators", 2: "For admins", 3: "For the owner"}
        for command in every_command(room.env.bot.tree):
            where = [text for text in texts if f"\n`/{command.qualified_name}` {command.description}" in text]
            assert len(where) == 1, command.qualified_name
            assert headings[level_of(command)] in where[0]
            assert f"`{command.extras['example']}`" in where[0]


async def test_the_pages_turn_back_and_forth_after_a_restart_and_none_leads_nowhere(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        message = answer(await room.member.slash(room.channel, "help"))
        first = said(message)
        await room.restart()
        await room.member.click(message, custom_id="help:page:1")
        assert said(message) != first
        assert custom_ids(message)[:2] == ["help:page:0", "help:page:2"]
        await room.member.click(message, custom_id="help:page:0")
        assert said(message) == first
        forged = await room.forge(room.channel, "help:page:999")
        await room.member.click(forged, custom_id="help:page:999")
        assert "Page" in said(room.last())


async def test_help_of_one_command_tells_its_options(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        shown = said(answer(await room.member.slash(room.channel, "help", command="/mapping  ADD")))
        for words in ("/mapping add", "`left` (needed)", "`two_way`", "/mapping add name:", "For admins"):
            assert words in shown, shown
        wrong = await room.member.slash(room.channel, "help", command="nonsense `@everyone`")
        assert "There is no command" in said(answer(wrong))
        choices = await room.member.autocomplete(room.channel, "help", "command", "/mapping p")
        assert [choice["value"] for choice in choices] == ["mapping pause"]
