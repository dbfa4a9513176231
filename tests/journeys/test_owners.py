"""Mappings whose owners left the server pause and say so, though Discord does not tell us when somebody leaves."""

from pathlib import Path

from tests.journeys.room import Room, answer, open_room, said


async def _paused(room: Room, mapping_id: int) -> str:
    """Why the mapping is paused; '' while it is not."""
    mapping = await room.runtime.mappings.find(room.guild.id, str(mapping_id))
    return "" if mapping.enabled else mapping.pause_reason


async def test_a_sync_after_the_owner_left_pauses_the_mapping_and_says_why(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        room.guild.remove_member(room.admin)
        told = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert answer(told).ephemeral
        assert "owner of its Spotify account left this server" in said(answer(told))
        assert not room.sandbox.world.youtube_items(mapping.right.external_id)
        assert await _paused(room, mapping.id)
        lines = [line for line in await room.lines() if line.event == "mapping.paused"]
        assert "left this server" in lines[-1].message


async def test_showing_a_mapping_finds_out_that_its_owner_left(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(1)
        assert "paused" not in said(answer(await room.member.slash(room.channel, "mapping show", mapping="Trip")))
        room.guild.remove_member(room.admin)
        shown = said(answer(await room.member.slash(room.channel, "mapping show", mapping="Trip")))
        assert "paused: The owner of its Spotify account left this server" in shown


async def test_a_mapping_pauses_when_the_owner_of_a_further_source_left(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        room.sandbox.world.default_account = "bob"
        await room.link(room.member)
        gym = f"https://open.spotify.com/playlist/{room.sandbox.world.known.gym}"
        await room.runtime.mappings.add_source(room.guild.id, mapping.id, room.member.id, gym)
        shown = said(answer(await room.moderator.slash(room.channel, "mapping show", mapping="Trip")))
        assert "paused" not in shown
        room.guild.remove_member(room.member)
        shown = said(answer(await room.moderator.slash(room.channel, "mapping show", mapping="Trip")))
        assert "paused: The owner of its Spotify account left this server" in shown


async def test_the_daily_look_pauses_it_though_nobody_asks(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        await room.restart()
        await room.runtime.scheduler.run_now("owners")
        assert not await _paused(room, mapping.id)
        room.guild.remove_member(room.admin)
        await room.runtime.scheduler.run_now("owners")
        assert "left this server" in await _paused(room, mapping.id)
        [task] = [task for task in await room.runtime.tasks.list() if task.name == "owners"]
        assert task.last_result == "1 mappings looked at, 1 paused"


async def test_a_discord_that_does_not_answer_pauses_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        room.env.inject_error("GET", "/guilds/*/members/*", status=503, times=None)
        await room.moderator.slash(room.channel, "mapping show", mapping="Trip")
        assert not await _paused(room, mapping.id)
