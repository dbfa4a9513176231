"""/stats and /quota."""

from dataclasses import replace
from pathlib import Path

from bot.model.quota import Bucket
from tests.journeys.room import answer, custom_ids, open_room, said


async def test_stats_shows_the_cards_and_refreshes_on_a_press_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(4)
        shown = await room.member.slash(room.channel, "stats")
        guild = room.guild.id
        assert custom_ids(shown.response) == [f"stats:refresh:{guild}", f"stats:pause:{guild}"]
        for card in ("Mappings", "Pending", "Running", "Errors", "Skipped", "Done", "YouTube quota today", "Last runs"):
            assert card in said(shown.response)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        room.clock.advance(5)
        await room.restart()
        await room.member.click(room.last(), custom_id=f"stats:refresh:{guild}")
        dashboard = await room.runtime.stats.dashboard(guild)
        assert f"Done\n**{dashboard.done}**" in said(room.last())
        assert "execution: " in said(room.last())


async def test_the_board_refreshes_itself_until_it_is_paused_and_goes_on_when_resumed(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.member.slash(room.channel, "stats")
        guild = room.guild.id
        await room.mapping(1)
        room.clock.advance(5)
        await room.env.advance_time(61)
        assert "Mappings\n**1**" in said(room.last())
        await room.member.click(room.last(), custom_id=f"stats:pause:{guild}")
        assert "Refresh is paused" in said(room.last())
        await room.mapping(1, name="Other")
        room.clock.advance(5)
        await room.env.advance_time(130)
        assert "Mappings\n**1**" in said(room.last())
        await room.member.click(room.last(), custom_id=f"stats:pause:{guild}")
        assert "Refreshes every 60 seconds" in said(room.last())
        await room.mapping(1, name="Third")
        room.clock.advance(5)
        await room.env.advance_time(61)
        assert "Mappings\n**3**" in said(room.last())


async def test_the_board_goes_on_refreshing_itself_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.member.slash(room.channel, "stats")
        await room.restart()
        await room.mapping(1)
        room.clock.advance(5)
        await room.env.advance_time(61)
        assert "Mappings\n**1**" in said(room.last())


async def test_a_board_that_was_deleted_while_the_bot_was_away_is_forgotten_at_the_start(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        shown = await room.member.slash(room.channel, "stats")
        await room.env.bot.get_channel(room.channel.id).get_partial_message(shown.response.id).delete()
        await room.restart()
        before = len(room.env.http_requests)
        room.clock.advance(5)
        await room.env.advance_time(300)
        assert len(room.env.http_requests) == before


async def test_the_pace_of_the_board_is_the_servers_own(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        settings = await room.runtime.storage.guilds.get(room.guild.id)
        await room.runtime.storage.guilds.save(replace(settings, refresh_seconds=10))
        await room.member.slash(room.channel, "stats")
        assert "Refreshes every 10 seconds" in said(room.last())
        await room.mapping(1)
        room.clock.advance(5)
        await room.env.advance_time(11)
        assert "Mappings\n**1**" in said(room.last())


async def test_a_newer_board_ends_the_refresh_of_the_older_one(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        first = await room.member.slash(room.channel, "stats")
        await room.admin.slash(room.channel, "stats")
        assert "Refresh is paused" in said(first.response)
        before = len(room.env.http_requests)
        room.clock.advance(5)
        await room.env.advance_time(61)
        assert len([one for one in room.env.http_requests[before:] if one.method == "PATCH"]) == 1


async def test_a_deleted_board_ends_its_refresh(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        shown = await room.member.slash(room.channel, "stats")
        await room.env.bot.get_channel(room.channel.id).get_partial_message(shown.response.id).delete()
        room.clock.advance(5)
        await room.env.advance_time(61)
        before = len(room.env.http_requests)
        await room.env.advance_time(300)
        assert len(room.env.http_requests) == before


async def test_the_board_of_another_server_gets_the_polite_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for custom_id in ("stats:refresh:777", "stats:pause:777"):
            forged = await room.forge(room.channel, custom_id)
            pressed = await room.member.click(forged, custom_id=custom_id)
            assert "no longer there" in said(answer(pressed))
            assert answer(pressed).ephemeral


async def test_stats_count_only_the_own_server(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(1)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        shown = await owner.slash(channel, "stats")
        assert "Mappings\n**0**" in said(shown.response)


async def test_quota_shows_a_chart_with_words_and_the_forecast(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(5)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        before = await room.member.slash(room.channel, "quota")
        assert "Fits into today's quota" in said(before.response)
        await room.work(mapping.id)
        shown = await room.member.slash(room.channel, "quota")
        (picture,) = shown.response.attachments
        assert picture.filename == "quota.png"
        used = (await room.runtime.quota.state(Bucket.YOUTUBE_SEARCH)).used
        assert f"{used:,} of 100" in said(shown.response)
        assert "Nothing is waiting" in said(shown.response)
