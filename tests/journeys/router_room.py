"""Bases and children of the journeys through /router."""

from typing import Any

from bot.engine.bases import NewBase, NewChild
from bot.model.music import Service
from bot.model.router import BasePlaylist, ChildPlaylist
from tests.journeys.room import Room, custom_ids


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
