"""/settings: everything that a server can choose, and that it holds at once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.model.guild import GuildSettings
from bot.model.logline import JobType, Level, LogLine
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def settings(room: Room) -> GuildSettings:
    return await room.runtime.storage.guilds.get(room.guild.id)


async def test_every_option_is_saved_and_logged_with_from_and_to(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        keepers, players = room.guild.create_role("Keepers"), room.guild.create_role("DJs")
        given = {
            "retention": 14,
            "refresh": 30,
            "log_channel": room.log_channel,
            "log_level": "error",
            "moderator_role": players,
            "admin_role": keepers,
            "timezone": "Europe/Berlin",
            "digest": "08:00",
        }
        saved = await room.admin.slash(room.channel, "settings", **given)
        assert saved.ephemeral
        text = said(answer(saved))
        for words in (
            "Saved",
            f"<#{room.log_channel.id}>",
            "14 days",
            "30 seconds",
            "Europe/Berlin",
            "08:00",
            "errors",
        ):
            assert words in text
        assert await settings(room) == GuildSettings(
            guild_id=room.guild.id,
            log_channel_id=room.log_channel.id,
            log_level="error",
            moderator_role_id=players.id,
            admin_role_id=keepers.id,
            timezone="Europe/Berlin",
            retention_days=14,
            refresh_seconds=30,
            digest_hour=8,
        )
        lines = [line for line in await room.lines() if line.event == "settings.changed"]
        assert len(lines) == len(given)
        assert {line.actor_id for line in lines} == {room.admin.id}
        told = "\n".join(line.message for line in lines)
        for change in (
            "retention days from 7 to 14",
            "timezone from UTC to Europe/Berlin",
            "digest hour from none to 8",
        ):
            assert change in told
        off = await room.admin.slash(room.channel, "settings", digest="off")
        assert "off" in said(answer(off))
        assert (await settings(room)).digest_hour is None


async def test_what_is_set_already_is_not_logged_as_a_change(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.admin.slash(room.channel, "settings", retention=7, timezone="UTC")
        assert not [line for line in await room.lines() if line.event == "settings.changed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"retention": 31}, "0 to 30 days, not 31"),
        ({"retention": -1}, "0 to 30 days"),
        ({"refresh": 5}, "10 to 600 seconds, not every 5"),
        ({"refresh": 601}, "10 to 600 seconds"),
        ({"timezone": "Mars/Olympus"}, "is not a timezone"),
    ],
)
async def test_a_value_that_is_not_allowed_is_a_sentence_and_changes_nothing(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    async with open_room(tmp_path) as room:
        refused = await room.admin.slash(room.channel, "settings", log_level="error", **options)
        assert words in said(answer(refused))
        assert "Nothing was changed" in said(answer(refused))
        assert await settings(room) == GuildSettings(guild_id=room.guild.id)


async def test_a_channel_where_the_bot_cannot_post_is_refused_on_the_panel_too(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        silent = discord.PermissionOverwrite(send_messages=False)
        closed = room.guild.create_text_channel("closed", overwrites={room.guild.default_role: silent})
        refused = await room.admin.slash(room.channel, "settings", log_channel=closed, retention=3)
        assert "Send Messages" in said(answer(refused))
        shown = await room.admin.slash(room.channel, "settings")
        pressed = await room.admin.select(shown.response, [closed], custom_id=f"settings:log_channel:{room.guild.id}")
        assert "Send Messages" in said(answer(pressed))
        assert await settings(room) == GuildSettings(guild_id=room.guild.id)


async def test_the_panel_saves_each_choice_even_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        role = room.guild.create_role("DJs")
        guild = room.guild.id
        panel = (await room.admin.slash(room.channel, "settings")).response
        actions = "log_channel moderator_role admin_role log_level timezone retention refresh digest".split()
        assert custom_ids(panel) == [f"settings:{action}:{guild}" for action in actions]
        await room.restart()
        await room.admin.select(panel, [room.log_channel], custom_id=f"settings:log_channel:{guild}")
        await room.admin.select(panel, [role], custom_id=f"settings:moderator_role:{guild}")
        await room.admin.select(panel, [role], custom_id=f"settings:admin_role:{guild}")
        await room.admin.select(panel, ["error"], custom_id=f"settings:log_level:{guild}")
        for action, typed in (("timezone", "Asia/Tokyo"), ("retention", "0"), ("refresh", "600"), ("digest", "23")):
            modal = await room.admin.click(panel, custom_id=f"settings:{action}:{guild}")
            await room.admin.submit_modal(modal, {action: typed})
        assert await settings(room) == GuildSettings(
            guild_id=guild,
            log_channel_id=room.log_channel.id,
            log_level="error",
            moderator_role_id=role.id,
            admin_role_id=role.id,
            timezone="Asia/Tokyo",
            retention_days=0,
            refresh_seconds=600,
            digest_hour=23,
        )
        assert custom_ids(panel) == [f"settings:{action}:{guild}" for action in actions]
        assert "today only" in said(panel)
        modal = await room.admin.click(panel, custom_id=f"settings:digest:{guild}")
        await room.admin.submit_modal(modal, {"digest": "off"})
        assert (await settings(room)).digest_hour is None


async def test_words_that_are_no_number_are_a_sentence(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        panel = (await room.admin.slash(room.channel, "settings")).response
        for action, typed in (("retention", "a week"), ("refresh", "-20"), ("digest", "noon"), ("retention", "٣")):
            modal = await room.admin.click(panel, custom_id=f"settings:{action}:{room.guild.id}")
            refused = await room.admin.submit_modal(modal, {action: typed})
            assert "Nothing was changed" in said(answer(refused))
        assert await settings(room) == GuildSettings(guild_id=room.guild.id)


async def test_two_admins_who_change_different_settings_at_once_both_get_theirs(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        change = room.runtime.preferences.change
        await asyncio.gather(
            *(change(room.guild.id, room.admin.id, retention_days=days) for days in (1, 2, 3)),
            change(room.guild.id, room.moderator.id, timezone="Asia/Tokyo"),
            change(room.guild.id, room.admin.id, refresh_seconds=77),
            change(room.guild.id, room.moderator.id, log_level="error"),
        )
        after = await settings(room)
        assert (after.timezone, after.refresh_seconds, after.log_level) == ("Asia/Tokyo", 77, "error")
        lines = [line.message for line in await room.lines() if "retention" in line.message]
        assert len(lines) == 3  # each from what the one before had left


async def test_a_new_pace_holds_for_the_board_that_is_open(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        board = (await room.admin.slash(room.channel, "stats")).response
        await room.admin.slash(room.channel, "settings", refresh=10)
        await room.env.settle()
        assert "Refreshes every 10 seconds" in said(board)
        await room.mapping(1)
        room.clock.advance(5)
        await room.env.advance_time(11)
        assert "Mappings\n**1**" in said(board)


async def test_a_shorter_retention_forgets_at_once_but_not_what_people_did(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        now = room.clock.now()
        old = LogLine(
            at=now - timedelta(days=3), level=Level.INFO, event="item.added", message="old", guild_id=room.guild.id,
            job_type=JobType.EXECUTION,
        )  # fmt: skip
        audit = LogLine(
            at=now - timedelta(days=3), level=Level.INFO, event="plan.applied", message="done by a person",
            guild_id=room.guild.id, job_type=JobType.USER_ACTION, actor_id=room.admin.id,
        )  # fmt: skip
        await room.runtime.storage.logs.append([old, audit])
        await room.admin.slash(room.channel, "settings", retention=0)
        await room.until(lambda: not room.runtime.retention.busy)
        messages = [line.message for line in await room.lines()]
        assert "old" not in messages
        assert "done by a person" in messages


async def test_times_of_day_follow_the_timezone_at_once(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        daily = await room.mapping(1, schedule="daily 18:00")
        often = await room.mapping(1, name="Often", schedule="every 30m")
        assert daily.next_run_at is not None
        await room.admin.slash(room.channel, "settings", timezone="Asia/Tokyo")
        after = await room.runtime.storage.mappings.get(daily.id)
        assert after is not None
        assert after.next_run_at is not None
        assert after.next_run_at.strftime("%H:%M") == "09:00"  # 18:00 in Tokyo
        untouched = await room.runtime.storage.mappings.get(often.id)
        assert untouched is not None
        assert untouched.next_run_at == often.next_run_at


async def test_a_panel_of_another_server_and_a_lower_level_are_refused(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        forged = await room.forge(room.channel, "settings:retention:777")
        pressed = await room.admin.click(forged, custom_id="settings:retention:777")
        assert "no longer there" in said(answer(pressed))
        for person in (room.member, room.moderator):
            refused = await person.slash(room.channel, "settings", retention=1)
            assert "admins" in said(answer(refused))
        assert await settings(room) == GuildSettings(guild_id=room.guild.id)
