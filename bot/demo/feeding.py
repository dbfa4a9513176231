"""The demo's router: one playlist of everything that feeds three others."""

from bot.demo.stage import GUILD, Stage
from bot.engine.bases import NewBase, NewChild
from bot.model.music import Service
from bot.model.router import BasePlaylist

BASE = "Everything"
TRACKS = 120
CHILDREN = (
    ("90s", "year 1990..1999 sort by released", Service.SPOTIFY),
    ("Short and clean", "duration < 3:30 and not explicit", Service.SPOTIFY),
    ("Japanese", "language is Japanese limit 6", Service.YOUTUBE),  # six searches of the hundred of a day
)


async def feeding_base(stage: Stage, actor_id: int) -> BasePlaylist:
    """The base with its children on both services, made where it does not exist yet."""
    bases, world = stage.runtime.bases, stage.sandbox.world
    for base in await bases.bases(GUILD):
        if base.name == BASE:
            return base
    step = max(1, len(world.tracks) // TRACKS)
    source = world.create_spotify_playlist("alice", BASE, [track.id for track in world.tracks[::step]][:TRACKS])
    base = await bases.create(
        NewBase(guild_id=GUILD, actor_id=actor_id, name=BASE, playlist=f"https://open.spotify.com/playlist/{source}")
    )
    for name, rules, service in CHILDREN:
        address = (
            f"https://open.spotify.com/playlist/{world.create_spotify_playlist('alice', name, [])}"
            if service is Service.SPOTIFY
            else f"https://www.youtube.com/playlist?list={world.create_youtube_playlist('alice', name)}"
        )
        await bases.add_child(
            NewChild(guild_id=GUILD, actor_id=actor_id, base_id=base.id, name=name, playlist=address, rules=rules)
        )
    return base
