"""Base playlists and their children from Discord: made, previewed, filled, watched, changed and removed."""

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
