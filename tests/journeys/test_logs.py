"""/logs: every filter, pages both ways, a search that goes on, a tail that follows, the opened line, and export."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model.logline import JobType, Level, LogLine
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def wrote(room: Room, *messages: str, **fields: Any) -> None:
    """These lines of the server, a minute apart."""
    lines = []
    for message in messages:
        usual = LogLine(
            at=room.clock.now(), level=Level.INFO, event="item.added", message=message, guild_id=room.guild.id
        )
        lines.append(replace(usual, **fields))
        room.clock.advance(60)
    await room.runtime.storage.logs.append(lines)


def button(message: Any, action: str) -> str:
    return next(each for each in custom_ids(message) if each.startswith(f"logs:{action}:"))


def options(message: Any) -> list[dict[str, Any]]:
    found = [child for row in message.components for child in row["components"] if child.get("options")]
    return list(found[0]["options"]) if found else []


async def asked(room: Room, **given: Any) -> Any:
    """The answer to /logs with these options."""
    return (await room.moderator.slash(room.channel, "logs", **given)).response


async def opened(room: Room, message: Any, words: str) -> Any:
    """What a moderator reads who opens the line with these words."""
    value = next(option["value"] for option in options(message) if words in option["label"])
    return answer(await room.moderator.select(message, [value], custom_id=button(message, "line")))


async def test_pages_are_turned_both_ways_through_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await wrote(room, *(f"Line {number:02}" for number in range(40)))
        shown = await asked(room)
        assert shown.ephemeral
        assert "Line 39" in said(shown)
        assert "Line 25" in said(shown)
        assert "Line 24" not in said(shown)
        await room.restart()
        await room.moderator.click(shown, custom_id=button(shown, "older"))
        assert "Line 24" in said(shown)
        await room.moderator.click(shown, custom_id=button(shown, "older"))
        assert "Line 00" in said(shown)
        assert "Line 10" not in said(shown)
        await room.restart()
        await room.moderator.click(shown, custom_id=button(shown, "newer"))
        assert "Line 24" in said(shown)
        assert "Line 25" not in said(shown)
        await wrote(room, "The newest")
        await room.moderator.click(shown, custom_id=button(shown, "newer"))
        await room.moderator.click(shown, custom_id=button(shown, "newer"))
        assert "The newest" in said(shown)
        await wrote(room, "Newer still")
        await room.moderator.click(shown, custom_id=button(shown, "latest"))
        assert "Newer still" in said(shown)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"level": "error"}, "errors"),
        ({"level": "warn"}, "warnings and errors"),
        ({"job_type": "user_action"}, "what people did"),
        ({"mapping": "Trip"}, "mapping Trip"),
        ({"item": 77}, "item 77"),
        ({"text": "NEEDLE"}, "with “NEEDLE”"),
        ({"since": "30m"}, "since"),
        ({"until": "2026-11-19"}, "until"),
        ({"run": 88}, "run 88"),
        ({"event": "backup.done"}, "event backup.done"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
async def test_each_option_narrows_and_stands_on_the_page(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    fields: dict[str, dict[str, Any]] = {
        "level": {"level": Level.ERROR},
        "job_type": {"job_type": JobType.USER_ACTION},
        "mapping": {},
        "item": {"sync_item_id": 77},
        "text": {"message": "A needle in it"},
        "since": {},
        "until": {"at": None},
        "run": {"run_id": 88},
        "event": {"event": "backup.done"},
    }
    name = next(iter(given))
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        meant = dict(fields[name])
        if name == "mapping":
            meant["mapping_id"] = mapping.id
        if name == "until":
            meant["at"] = room.clock.now() - timedelta(days=3)
            await wrote(room, "Wanted", **meant)
        await wrote(room, *["Another"] * 3)
        room.clock.advance(3600)
        if name != "until":
            await wrote(room, meant.pop("message", "Wanted"), **meant)
        shown = await asked(room, **given)
        assert "Another" not in said(shown)
        assert "Wanted" in said(shown) or "needle" in said(shown)
        assert words in said(shown)


async def test_what_one_person_did(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await wrote(room, "By the admin", actor_id=room.admin.id)
        await wrote(room, "By the member", actor_id=room.member.id)
        shown = await asked(room, actor=room.member)
        assert "By the member" in said(shown)
        assert "By the admin" not in said(shown)


async def test_dates_are_of_the_servers_timezone(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        settings = await room.runtime.storage.guilds.get(room.guild.id)
        await room.runtime.storage.guilds.save(replace(settings, timezone="Asia/Kolkata"))
        midnight = room.clock.now().replace(hour=18, minute=30) - timedelta(days=1)
        await wrote(room, "Yesterday there", at=midnight - timedelta(minutes=1))
        await wrote(room, "Today there", at=midnight)
        shown = await asked(room, since="today")
        assert "Today there" in said(shown)
        assert "Yesterday there" not in said(shown)
        shown = await asked(room, since="yesterday", until="yesterday")
        assert "Yesterday there" in said(shown)
        assert "Today there" not in said(shown)


async def test_bad_options_are_told_with_the_remedy(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for given, words in (
            ({"since": "soon"}, "no moment"),
            ({"since": "1h", "until": "2h"}, "lies after"),
            ({"event": "nothing.such"}, "There is no event"),
            ({"mapping": "Nowhere"}, "There is no mapping"),
        ):
            told = await room.moderator.slash(room.channel, "logs", **given)
            assert words in said(answer(told))
        refused = await room.member.slash(room.channel, "logs")
        assert "moderators" in said(answer(refused))


async def test_a_line_about_an_item_opens_the_item_with_its_log(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        await room.runtime.log.flush()
        shown = await asked(room, event="item.added")
        await room.restart()
        page = await opened(room, shown, "Successfully added")
        assert page.ephemeral
        text = said(page)
        for words in ("From", "Spotify", "To", "YouTube", "Attempts", "Payload", "track_id", "Its log", "Trip right"):
            assert words in text
        assert {each.rpartition(":")[0] for each in custom_ids(page)} == {"item:retry", "item:review", "item:details"}


async def test_a_line_without_an_item_shows_what_it_carries(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        details = {"detail": "```@everyone", "traceback": "Trace\n  line"}
        await wrote(room, "Something broke", level=Level.ERROR, actor_id=room.admin.id, details=details, run_id=5)
        page = await opened(room, await asked(room), "Something broke")
        text = said(page)
        assert "run 5" in text
        assert f"<@{room.admin.id}>" in text
        assert "@everyone" not in text
        assert text.count("```") == 4
        assert "Trace\n  line" in text


async def test_a_tail_shows_new_lines_by_itself_until_it_is_stopped(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await wrote(room, "Before")
        shown = await asked(room, tail=True)
        assert "Before" in said(shown)
        assert "Follows for 10 minutes" in said(shown)
        edits = len(room.env.http_requests)
        await room.env.advance_time(10)
        assert len(room.env.http_requests) == edits
        await wrote(room, "Fresh")
        await room.env.advance_time(4)
        assert "Fresh" in said(shown)
        await room.moderator.click(shown, custom_id=button(shown, "stop"))
        assert "Follows" not in said(shown)
        await wrote(room, "Too late")
        await room.env.advance_time(10)
        assert "Too late" not in said(shown)
        await room.moderator.click(shown, custom_id=button(shown, "tail"))
        assert "Too late" in said(shown)
        assert "Follows for 10 minutes" in said(shown)


async def test_a_tail_ends_by_itself_and_after_a_restart_its_button_shows_the_page(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        shown = await asked(room, tail=True, level="error")
        room.clock.advance(601)
        await room.env.advance_time(4)
        assert "Follows" not in said(shown)
        await wrote(room, "Unseen", level=Level.ERROR)
        await room.env.advance_time(10)
        assert "Unseen" not in said(shown)
        await room.moderator.click(shown, custom_id=button(shown, "tail"))
        await room.restart()
        await room.moderator.click(shown, custom_id=button(shown, "stop"))
        assert "Unseen" in said(shown)
        assert "Follows" not in said(shown)


async def test_of_one_person_only_the_newest_tail_follows(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        first = await asked(room, tail=True)
        second = await asked(room, tail=True)
        assert "Follows" not in said(first)
        await wrote(room, "Fresh")
        await room.env.advance_time(4)
        assert "Fresh" not in said(first)
        assert "Fresh" in said(second)


async def test_a_tail_whose_message_is_gone_ends(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await asked(room, tail=True)
        room.env.inject_error("PATCH", "/webhooks/*/*/messages/*", status=404, code=10008, message="Unknown Message")
        await wrote(room, "Fresh")
        await room.env.advance_time(4)
        before = len(room.env.http_requests)
        await wrote(room, "Fresher")
        await room.env.advance_time(10)
        assert len(room.env.http_requests) == before


async def test_the_export_holds_exactly_the_filter(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await wrote(room, *(f"Line {number}" for number in range(30)))
        await wrote(room, "=A formula", level=Level.ERROR, actor_id=room.admin.id)
        shown = await asked(room)
        as_csv, as_json = [each for each in custom_ids(shown) if ":export:" in each]
        await room.restart()
        everything = answer(await room.moderator.click(shown, custom_id=as_csv)).attachments[0]
        rows = list(csv.DictReader(io.StringIO((await everything.read()).decode())))
        assert len(rows) == len(await room.runtime.storage.logs.query(room.guild.id, limit=100))
        assert rows[0]["message"] == "'=A formula"
        narrowed = await asked(room, level="error")
        as_csv, as_json = [each for each in custom_ids(narrowed) if ":export:" in each]
        (line,) = json.loads(
            await answer(await room.moderator.click(narrowed, custom_id=as_json)).attachments[0].read()
        )
        assert (line["message"], line["actor_id"]) == ("=A formula", str(room.admin.id))
        nothing = await asked(room, text="no such words")
        as_csv, _ = [each for each in custom_ids(nothing) if ":export:" in each]
        told = await room.moderator.click(nothing, custom_id=as_csv)
        assert "Nothing matches" in said(answer(told))


async def test_everywhere_is_the_owners_and_shows_what_belongs_to_no_server(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await wrote(room, "The program's own", guild_id=None)
        await wrote(room, "Another server's", guild_id=777)
        refused = await room.admin.slash(room.channel, "logs", everywhere=True)
        assert "the owner of this bot" in said(answer(refused))
        assert "The program's own" not in said(await asked(room))
        room.env.bot.owner_id = room.member.id
        shown = (await room.member.slash(room.channel, "logs", everywhere=True)).response
        assert "The program's own" in said(shown)
        assert "Another server's" in said(shown)
        refresh = button(shown, "latest")
        pressed = await room.admin.click(await room.forge(room.channel, refresh), custom_id=refresh)
        assert "the owner of this bot" in said(answer(pressed))


async def test_another_servers_lines_cannot_be_reached_by_its_buttons(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await wrote(room, "Ours")
        shown = await asked(room)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        theirs = (await owner.slash(channel, "logs")).response
        assert "Nothing was logged yet" in said(theirs)
        for custom_id in [each for each in custom_ids(shown) if ":line:" not in each]:
            pressed = await owner.click(await room.forge(channel, custom_id), custom_id=custom_id)
            assert "no longer there" in said(answer(pressed))
