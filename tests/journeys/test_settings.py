"""Setting up a server."""

from pathlib import Path
from typing import Any

import discord
import pytest
from discord.ext import commands

import cogs
from bot.client import CrossfadeBot
from bot.model.errors import UserMistake
from tests.journeys.room import answer, custom_ids, open_room, said


async def test_options_are_saved_and_announced_to_the_log(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        role = room.guild.create_role("DJs")
        saved = await room.admin.slash(
            room.channel, "setup", log_channel=room.log_channel, moderator_role=role, timezone="Europe/Berlin"
        )
        assert saved.ephemeral
        assert f"<#{room.log_channel.id}>" in said(answer(saved))
        settings = await room.runtime.storage.guilds.get(room.guild.id)
        assert settings.log_channel_id == room.log_channel.id
        assert settings.moderator_role_id == role.id
        assert settings.timezone == "Europe/Berlin"
        assert any(line.event == "settings.changed" and line.actor_id == room.admin.id for line in await room.lines())


async def test_without_options_a_panel_saves_each_choice_even_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        role = room.guild.create_role("DJs")
        shown = await room.admin.slash(room.channel, "setup")
        panel = shown.response
        await room.restart()
        guild = room.guild.id
        await room.admin.select(panel, [room.log_channel], custom_id=f"setup:log_channel:{guild}")
        await room.admin.select(panel, [role], custom_id=f"setup:admin_role:{guild}")
        await room.admin.select(panel, ["error"], custom_id=f"setup:log_level:{guild}")
        modal = await room.admin.click(panel, custom_id=f"setup:timezone:{guild}")
        await room.admin.submit_modal(modal, {"timezone": "Asia/Tokyo"})
        settings = await room.runtime.storage.guilds.get(guild)
        assert (settings.log_channel_id, settings.admin_role_id) == (room.log_channel.id, role.id)
        assert (settings.log_level, settings.timezone) == ("error", "Asia/Tokyo")
        await room.admin.select(panel, [], custom_id=f"setup:log_channel:{guild}")
        assert (await room.runtime.storage.guilds.get(guild)).log_channel_id is None


async def test_a_channel_where_the_bot_cannot_post_is_refused_with_the_reason(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        closed = room.guild.create_text_channel(
            "closed", overwrites={room.guild.default_role: discord.PermissionOverwrite(send_messages=False)}
        )
        refused = await room.admin.slash(room.channel, "setup", log_channel=closed, timezone="Europe/Berlin")
        assert "Send Messages" in said(answer(refused))
        settings = await room.runtime.storage.guilds.get(room.guild.id)
        assert (settings.log_channel_id, settings.timezone) == (None, "UTC")


async def test_a_timezone_that_does_not_exist_and_the_role_of_everyone_are_refused(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for timezone in ("Mars/Olympus", "../../etc/passwd", "", "\x00"):
            refused = await room.admin.slash(room.channel, "setup", timezone=timezone)
            assert "is not a timezone" in said(answer(refused))
        refused = await room.admin.slash(room.channel, "setup", moderator_role=room.guild.default_role)
        assert "every member" in said(answer(refused))
        choices = await room.admin.autocomplete(room.channel, "setup", "timezone", "new york")
        assert [choice["value"] for choice in choices] == ["America/New_York"]


async def test_setup_is_for_admins_and_the_configured_role_makes_one(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for person in (room.member, room.moderator):
            refused = await person.slash(room.channel, "setup", timezone="Asia/Tokyo")
            assert refused.ephemeral
            assert "admins" in said(answer(refused))
        role = room.guild.create_role("Keepers")
        keeper = room.guild.add_member(room.env.create_user("kim"), roles=[role])
        await room.admin.slash(room.channel, "setup", admin_role=role)
        allowed = await keeper.slash(room.channel, "setup", timezone="Asia/Tokyo")
        assert "Saved" in said(answer(allowed))


async def test_the_configured_moderator_role_may_sync_and_no_more(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(1)
        role = room.guild.create_role("DJs")
        dj = room.guild.add_member(room.env.create_user("dan"), roles=[role])
        await room.admin.slash(room.channel, "setup", moderator_role=role)
        shown = await dj.slash(room.channel, "sync", mapping="Trip", preview=True)
        assert "Preview" in said(answer(shown))
        refused = await dj.slash(room.channel, "mapping remove", mapping="Trip")
        assert "admins" in said(answer(refused))


async def test_commands_are_those_of_the_design(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        names = set(room.member.available_commands(room.channel))
        wanted = {"setup", "connect", "accounts", "sync", "stats", "quota", "logs", "review", "help", "settings"}
        wanted |= {f"mapping {verb}" for verb in ("add", "edit", "list", "show", "pause", "resume", "remove")}
        assert wanted <= names


async def test_commands_answer_in_servers_only(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        assert not room.member.user.available_commands()


async def test_with_a_sync_guild_commands_appear_there_at_once(tmp_path: Path) -> None:
    async with open_room(tmp_path, sync_guild_id=4242) as room:
        puts = [request for request in room.env.http_requests if request.method == "PUT"]
        assert [request.path for request in puts if "commands" in request.path][-1].endswith("/guilds/4242/commands")


async def test_a_sync_guild_without_the_bot_is_a_sentence_for_its_owner(tmp_path: Path) -> None:
    async with open_room(tmp_path, sync_guild_id=4242) as room:
        await room.env.bot.close()
        room.env.inject_error("PUT", "/applications/*", status=403, code=50001, message="Missing Access")
        with pytest.raises(UserMistake, match="SYNC_GUILD_ID"):
            await room.env.restart_bot(CrossfadeBot(room.runtime))


async def test_a_cog_that_does_not_load_stops_the_start(tmp_path: Path, monkeypatch: Any) -> None:
    async with open_room(tmp_path) as room:
        runtime = room.runtime
        await room.env.bot.close()
        monkeypatch.setattr(cogs, "NAMES", (*cogs.NAMES, "cogs.does_not_exist"))
        with pytest.raises(commands.ExtensionNotFound):
            await room.env.restart_bot(CrossfadeBot(runtime))


async def test_the_log_level_select_keeps_what_was_chosen(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        shown = await room.admin.slash(room.channel, "setup")
        assert f"setup:log_level:{room.guild.id}" in custom_ids(shown.response)
