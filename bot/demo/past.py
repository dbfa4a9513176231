"""The days before the visitor came: a playlist that was edited and synced each day, and one that went missing."""

from datetime import UTC, datetime, timedelta

from bot.clock import SystemClock
from bot.demo.stage import GUILD, Stage, link
from bot.engine.mappings import NewMapping
from bot.model.mapping import Mapping, Removals

DAILY, GONE = "Sunday morning", "Old mixtape"
DAYS = 5  # before today, each with a sync; a login at YouTube lasts seven
AT_FIRST, ADDED = 6, 2  # songs on the first day, and those that Alice adds on each further one
TIDY = (3, 1)  # days ago, on which she took the oldest out as well
LOOKS, WAIT = 3, timedelta(minutes=1)  # at what is to be done, with so much time between them


class DemoClock(SystemClock):
    """The system's clock, set back while the past is lived through."""

    def __init__(self) -> None:
        self._ago = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self._ago

    def set_back(self, ago: timedelta) -> None:
        self._ago = ago

    def pass_by(self, time: timedelta) -> None:
        self._ago -= time


async def live_through(stage: Stage, clock: DemoClock, alice: int) -> None:
    """Link Alice's accounts, and make those days where the database does not hold them yet.

    Afterwards the clock shows the real time.
    """
    if await stage.runtime.storage.mappings.by_name(GUILD, DAILY) is not None:
        await link(stage, alice, GUILD)
        return
    clock.set_back(timedelta(days=DAYS))
    await link(stage, alice, GUILD)
    gone = await _mapping(stage, GONE, alice, _songs(stage)[-ADDED:], schedule="off")
    await _sync(stage, gone, clock)
    daily = await _mapping(
        stage, DAILY, alice, _songs(stage)[:AT_FIRST], removals=Removals.MIRROR, schedule="daily 18:00"
    )
    for ago in range(DAYS, 0, -1):
        clock.set_back(timedelta(days=ago))
        if ago < DAYS:
            _edit(stage, daily, ago)
        await _sync(stage, daily, clock)
    stage.sandbox.world.delete(gone.right.external_id)  # somebody tidied up on YouTube; the next sync will find out
    clock.set_back(timedelta())


async def _sync(stage: Stage, mapping: Mapping, clock: DemoClock) -> None:
    """Plan and carry out; a wait for a second look at YouTube passes by at once."""
    runtime = stage.runtime
    await runtime.sync.start(mapping.id, mapping.created_by)
    for _ in range(LOOKS):
        await runtime.executor.drain(mapping.id, patience=timedelta())
        clock.pass_by(WAIT)


async def _mapping(
    stage: Stage, name: str, alice: int, songs: list[str], *, schedule: str, removals: Removals = Removals.KEEP
) -> Mapping:
    world = stage.sandbox.world
    left = world.create_spotify_playlist("alice", name, songs)
    right = world.create_youtube_playlist("alice", f"{name} on YouTube")
    return await stage.runtime.mappings.create(
        NewMapping(
            guild_id=GUILD,
            actor_id=alice,
            name=name,
            left=f"https://open.spotify.com/playlist/{left}",
            right=f"https://www.youtube.com/playlist?list={right}",
            removals=removals,
            schedule=schedule,
        )
    )


def _songs(stage: Stage) -> list[str]:
    """Songs that are certainly found, from the end of the catalogue: today's syncs take theirs from its beginning."""
    world = stage.sandbox.world
    return [one.id for one in reversed(world.tracks) if world.right_videos(one.id)]


def _edit(stage: Stage, mapping: Mapping, ago: int) -> None:
    world, playlist = stage.sandbox.world, mapping.left.external_id
    first = AT_FIRST + ADDED * (DAYS - 1 - ago)
    world.add(playlist, _songs(stage)[first : first + ADDED])
    if ago in TIDY:
        for track in world.spotify_items(playlist)[:ADDED]:
            world.remove(playlist, track)
