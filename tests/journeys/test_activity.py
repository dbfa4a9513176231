"""/activity: what happened and who did it, one line for each occurrence; and that every action is told there."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model.events import Event
from bot.model.logline import Level, LogLine
from tests.journeys.room import Room, answer, custom_ids, link_url, open_room, said


async def happened(room: Room, event: Event, message: str, **fields: Any) -> None:
    usual = LogLine(at=room.clock.now(), level=Level.INFO, event=event.value, message=message, guild_id=room.guild.id)
    await room.runtime.storage.logs.append([replace(usual, **fields)])
    room.clock.advance(1)


def button(message: Any, action: str) -> str:
    return next(each for each in custom_ids(message) if each.startswith(f"activity:{action}:"))


async def asked(room: Room, **given: Any) -> Any:
    await room.runtime.log.flush()
    return (await room.moderator.slash(room.channel, "activity", **given)).response


async def test_the_feed_tells_occurrences_with_who_did_them_and_not_their_steps(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        shown = await asked(room)
        assert shown.ephemeral
        text = said(shown)
        assert "today" in text
        assert "Mapping Trip was added" in text
        assert f"by <@{room.admin.id}>" in text
        assert "Execution complete for mapping Trip: 3 added" in text
        assert "Successfully added track" not in text
        assert "Friday, 20 November" in text


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("people", Event.MAPPING_PAUSED),
        ("work", Event.ANALYSIS_COMPLETE),
        ("system", Event.SERVICE_BACK),
        ("errors", Event.ANALYSIS_FAILED),
    ],
)
async def test_a_type_shows_only_its_own(tmp_path: Path, kind: str, event: Event) -> None:
    async with open_room(tmp_path) as room:
        for each in (Event.MAPPING_PAUSED, Event.ANALYSIS_COMPLETE, Event.SERVICE_BACK, Event.ANALYSIS_FAILED):
            await happened(room, each, f"This is {each.value}")
        text = said(await asked(room, type=kind))
        assert f"This is {event.value}" in text
        assert text.count("This is") == 1


async def test_days_are_those_of_the_servers_timezone(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        settings = await room.runtime.storage.guilds.get(room.guild.id)
        await room.runtime.storage.guilds.save(replace(settings, timezone="Asia/Kolkata"))
        midnight = room.clock.now().replace(hour=18, minute=30) - timedelta(days=1)
        await happened(room, Event.MAPPING_ADDED, "Two days ago", at=midnight - timedelta(days=1, minutes=1))
        await happened(room, Event.MAPPING_ADDED, "Yesterday", at=midnight - timedelta(minutes=1))
        await happened(room, Event.MAPPING_ADDED, "This morning", at=midnight)
        text = said(await asked(room))
        assert "This morning" in text
        assert "Yesterday" not in text
        text = said(await asked(room, days=1))
        assert "Yesterday" in text
        assert "Two days ago" not in text
        assert "Two days ago" in said(await asked(room, days=2))


async def test_by_shows_what_one_person_did_and_an_empty_day_says_what_to_try(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await happened(room, Event.MAPPING_PAUSED, "By the admin", actor_id=room.admin.id)
        await happened(room, Event.MAPPING_RESUMED, "By the member", actor_id=room.member.id)
        text = said(await asked(room, by=room.member))
        assert "By the member" in text
        assert "By the admin" not in text
        assert "`days:7` shows a week" in said(await asked(room, by=room.moderator))


async def test_pages_turn_both_ways_and_a_line_opens_through_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for number in range(20):
            details = {"detail": f"details of {number}"}
            await happened(room, Event.MAPPING_EDITED, f"Edit {number:02}", actor_id=room.admin.id, details=details)
        shown = await asked(room)
        assert "Edit 19" in said(shown)
        assert "Edit 04" not in said(shown)
        await room.restart()
        await room.moderator.click(shown, custom_id=button(shown, "older"))
        assert "Edit 04" in said(shown)
        await room.moderator.click(shown, custom_id=button(shown, "newer"))
        assert "Edit 19" in said(shown)
        await happened(room, Event.MAPPING_EDITED, "Edit 20")
        await room.moderator.click(shown, custom_id=button(shown, "latest"))
        assert "Edit 20" in said(shown)
        await room.restart()
        options = [child for row in shown.components for child in row["components"] if child.get("options")]
        value = next(each["value"] for each in options[0]["options"] if "Edit 19" in each["label"])
        opened = answer(await room.moderator.select(shown, [value], custom_id=button(shown, "line")))
        assert opened.ephemeral
        assert "details of 19" in said(opened)
        assert f"<@{room.admin.id}>" in said(opened)


async def test_levels_and_servers_are_kept_apart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await happened(room, Event.SYSTEM_STARTED, "Crossfade started", guild_id=None)
        await happened(room, Event.MAPPING_PAUSED, "Ours")
        refused = await room.member.slash(room.channel, "activity")
        assert "moderators" in said(answer(refused))
        refused = await room.admin.slash(room.channel, "activity", everywhere=True)
        assert "the owner of this bot" in said(answer(refused))
        shown = await asked(room)
        assert "Crossfade started" not in said(shown)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        stranger = elsewhere.add_member(elsewhere.owner)
        theirs = (await stranger.slash(channel, "activity")).response
        assert "Ours" not in said(theirs)
        refresh = button(shown, "latest")
        pressed = await stranger.click(await room.forge(channel, refresh), custom_id=refresh)
        assert "no longer there" in said(answer(pressed))
        room.env.bot.owner_id = room.member.id
        everywhere = (await room.member.slash(room.channel, "activity", everywhere=True, type="system")).response
        assert "Crossfade started" in said(everywhere)
        refresh = button(everywhere, "latest")
        pressed = await room.admin.click(await room.forge(room.channel, refresh), custom_id=refresh)
        assert "the owner of this bot" in said(answer(pressed))


async def test_whatever_people_do_is_told_with_their_name_and_server(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.admin.slash(room.channel, "setup", timezone="Europe/Berlin")
        await room.admin.slash(room.channel, "settings", retention=9)
        for service in ("spotify", "youtube"):
            linking = await room.admin.slash(room.channel, "connect", service=service)
            await room.browse(link_url(answer(linking)))
            account = (await room.runtime.accounts.of_user(room.admin.id))[-1]
            custom_id = f"account:confirm:{account.id}"
            await room.admin.click(await room.forge(room.channel, custom_id), custom_id=custom_id)
        mapping = await room.mapping(5, lost=3)
        name = {"mapping": str(mapping.id)}
        await room.admin.slash(room.channel, "mapping edit", **name, schedule="off")
        await room.admin.slash(room.channel, "mapping pause", **name)
        await room.admin.slash(room.channel, "mapping resume", **name)
        await room.admin.slash(room.channel, "sync", **name, preview=True)
        run = (await room.runtime.storage.runs.of_mapping(mapping.id, 1))[0]
        await _pressed(room, f"plan:cancel:{run.id}")
        await room.admin.slash(room.channel, "sync", **name, preview=True)
        run = (await room.runtime.storage.runs.of_mapping(mapping.id, 1))[0]
        await _pressed(room, f"plan:apply:{run.id}")
        await room.work(mapping.id)
        rows = await room.runtime.storage.blacklist.open_of_mapping(mapping.id)
        await _pressed(room, f"review:dismiss:{rows[0].id}")
        await _pressed(room, f"review:never:{rows[1].id}")
        await _pressed(room, f"review:retry:{rows[2].id}")
        await room.work(mapping.id)
        await _pressed(room, f"item:retry:{rows[2].item_id}")
        await room.admin.slash(room.channel, "mapping remove", **name)
        told = {line.event: line for line in await room.lines()}
        for event in (
            *(Event.SETTINGS_CHANGED, Event.ACCOUNT_LINKED, Event.ACCOUNT_CONFIRMED),
            *(Event.MAPPING_ADDED, Event.MAPPING_EDITED, Event.MAPPING_PAUSED, Event.MAPPING_RESUMED),
            *(Event.SYNC_REQUESTED, Event.PLAN_CANCELLED, Event.PLAN_APPLIED, Event.MAPPING_REMOVED),
            *(Event.REVIEW_DISMISSED, Event.REVIEW_NEVER, Event.REVIEW_RETRIED, Event.ITEM_RETRIED),
        ):
            assert event in told, event
            assert (told[event].guild_id, told[event].actor_id) == (room.guild.id, room.admin.id), event


async def test_a_person_who_is_forgotten_stands_in_no_line_not_even_in_that_one(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        await room.admin.slash(room.channel, "mapping edit", mapping=str(mapping.id), schedule="off")
        await _pressed(room, f"account:forget-now:{room.admin.id}")
        told = {line.event: line for line in await room.lines()}
        assert {Event.MAPPING_EDITED, Event.MAPPING_PAUSED} <= told.keys()
        assert told[Event.ACCOUNT_FORGOTTEN].guild_id == room.guild.id
        assert not [line for line in told.values() if line.actor_id is not None]


async def _pressed(room: Room, custom_id: str) -> None:
    await room.admin.click(await room.forge(room.channel, custom_id), custom_id=custom_id)
