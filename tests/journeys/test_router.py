"""Base playlists and their children from Discord: made, previewed, filled, watched, changed and removed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.engine.bases import NewBase, NewChild
from bot.model.music import Service
from bot.model.router import BasePlaylist, ChildPlaylist
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def based(room: Room, tracks: int = 12, *, name: str = "Everything", schedule: str = "off") -> BasePlaylist:
    """A base over the admin's new Spotify playlist."""
    world = room.sandbox.world
    for service in Service:
        if not [one for one in await room.runtime.accounts.of_user(room.admin.id) if one.service is service]:
            await room.link(room.admin, service)
    found = [track.id for track in world.tracks if world.right_videos(track.id)][:tracks]
    source = world.create_spotify_playlist("alice", f"{name} source", found)
    new = NewBase(
        guild_id=room.guild.id, actor_id=room.admin.id, name=name, playlist=spotify(source), schedule=schedule
    )
    return await room.runtime.bases.create(new)


async def child(
    room: Room, base: BasePlaylist, name: str, rules: str, service: Service = Service.SPOTIFY
) -> ChildPlaylist:
    new = NewChild(
        guild_id=room.guild.id,
        actor_id=room.admin.id,
        base_id=base.id,
        name=name,
        playlist=empty(room, name, service),
        rules=rules,
    )
    return await room.runtime.bases.add_child(new)


def empty(room: Room, name: str, service: Service = Service.SPOTIFY) -> str:
    """The address of the admin's new empty playlist."""
    world = room.sandbox.world
    if service is Service.SPOTIFY:
        return spotify(world.create_spotify_playlist("alice", name, []))
    return f"https://www.youtube.com/playlist?list={world.create_youtube_playlist('alice', name, [])}"


def spotify(playlist_id: str) -> str:
    return f"https://open.spotify.com/playlist/{playlist_id}"


def held(room: Room, one: ChildPlaylist) -> list[str]:
    world = room.sandbox.world
    if one.playlist.service is Service.SPOTIFY:
        return world.spotify_items(one.playlist.external_id)
    return world.youtube_items(one.playlist.external_id)


def button(message: Any, head: str) -> str:
    """The custom id of the message's button or select of that head."""
    return next(each for each in custom_ids(message) if each.startswith(head))


async def test_a_base_with_a_child_is_made_previewed_and_filled_from_discord(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        world = room.sandbox.world
        for service in Service:
            await room.link(room.admin, service)
        tracks = [track.id for track in world.tracks if world.right_videos(track.id)][:10]
        source = world.create_spotify_playlist("alice", "Source", tracks)
        made = await room.admin.slash(room.channel, "router base-add", name="Everything", playlist=spotify(source))
        assert "Added base “Everything”" in said(answer(made))
        assert "every 30 minutes" in said(answer(made))
        added = await room.admin.slash(
            room.channel,
            "router child-add",
            base="Everything",
            name="First four",
            playlist=empty(room, "First four"),
            rules="position <= 4",
        )
        assert "Added “First four”" in said(answer(added))
        assert "position <= 4" in said(answer(added))
        bases = await room.member.slash(room.channel, "router base-list")
        assert "Everything" in said(answer(bases))
        assert "1 child" in said(answer(bases))
        children = await room.member.slash(room.channel, "router child-list")
        assert "First four" in said(answer(children))
        assert "waits for its first run" in said(answer(children))
        shown = await room.moderator.slash(room.channel, "router preview", base="Everything")
        text = said(answer(shown))
        assert "Preview of “Everything”" in text
        assert "4 to add" in text
        assert "will hold 4 tracks" in text
        assert "Spotify call" in text
        await room.moderator.slash(room.channel, "router run", base="Everything")
        assert "4 to do" in said(room.last())
        await room.work()
        ended = said(room.last())
        assert "Synced the children of “Everything”" in ended
        assert "4 done" in ended
        (only,) = await room.runtime.bases.every_child(room.guild.id)
        assert held(room, only) == tracks[:4]


async def test_history_shows_the_runs_as_lines_and_a_picture_and_takes_one_back(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 4")
        empty_yet = await room.member.slash(room.channel, "router history", base="Everything")
        assert "was not synced yet" in said(answer(empty_yet))
        assert not custom_ids(answer(empty_yet))
        await room.moderator.slash(room.channel, "router run", base="Everything")
        await room.work()
        room.clock.advance(timedelta(minutes=2))
        shown = await room.member.slash(room.channel, "router history", base=str(base.id))
        message = answer(shown)
        text = said(message)
        assert f"<@{room.moderator.id}>" in text
        assert "+4" in text
        assert [each.filename for each in message.attachments] == ["routing.png"]
        await room.restart()
        undone = await room.moderator.select(message, [str(few.id)], custom_id=f"router:undo:{base.id}")
        assert "of “Everything → Few”?" in said(answer(undone))
        apply = button(answer(undone), "undo:apply")
        await room.moderator.click(answer(undone), custom_id=apply)
        await room.work()
        assert held(room, few) == []
        refused = await room.member.select(message, [str(few.id)], custom_id=f"router:undo:{base.id}")
        assert "moderators" in said(answer(refused))


async def test_jobs_and_the_log_channel_name_the_base_of_a_routing_run(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        await child(room, base, "Few", "position <= 4")
        await room.admin.slash(room.channel, "setup", log_channel=room.log_channel)
        await room.moderator.slash(room.channel, "router run", base="Everything")
        (run,) = await room.runtime.router.history(room.guild.id, base.id)
        listed = await room.moderator.slash(room.channel, "jobs list", kind="routing")
        assert "routing of **base Everything**" in said(answer(listed))
        opened = await room.moderator.slash(room.channel, "jobs show", id=run.id)
        assert "base Everything" in said(answer(opened))
        assert "Routed 12 tracks to 1 child · 4 to add" in said(answer(opened))
        board = await room.member.slash(room.channel, "stats")
        assert "12 tracks routed" in said(answer(board))
        room.sandbox.world.delete(base.playlist.external_id)
        failed = await room.moderator.slash(room.channel, "router run", base="Everything", mode="full")
        assert "is paused; nothing was changed" in said(answer(failed))
        await room.until(lambda: any("**Everything**: " in said(one) for one in room.log_channel.history()))
