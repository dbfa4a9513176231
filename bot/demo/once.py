"""One sync of the demo without Discord, and its outcome in numbers."""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.demo.stage import ALICE, GUILD, MAPPING, Stage, link, open_stage
from bot.engine.mappings import NewMapping
from bot.model.mapping import LinkState, Mapping
from bot.model.music import Service
from bot.model.review import BlacklistReason

TRACKS = 84  # one search each, with room for second ones, within the 100 searches of a day
STRIDE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``matched`` + ``review`` + ``blacklisted`` = ``source_tracks`` once everything is settled.

    ``added``, units, searches and calls are those of this call alone; ``duplicates`` are copies beyond the first.
    """

    mapping: str
    source_tracks: int
    matched: int
    added: int
    review: int
    blacklisted: int
    destination_tracks: int
    duplicates: int
    youtube_units: int
    youtube_searches: int
    spotify_calls: int
    seconds: float

    @property
    def settled(self) -> bool:
        return self.matched + self.review + self.blacklisted == self.source_tracks and not self.duplicates


async def sync_once(*, data: Path, seed: int, json_output: bool) -> int:
    """Link, map, sync until nothing is due, print; 0 when every source track has its place, else 1."""
    began = time.monotonic()
    async with open_stage(data, seed) as stage:
        await link(stage, ALICE, GUILD)
        mapping = await first_mapping(stage)
        runtime, books = stage.runtime, stage.sandbox.books
        spent = (books.units(), books.searches(), books.spotify_calls())
        before = Counter(stage.sandbox.world.youtube_items(mapping.right.external_id))
        await runtime.executor.recover()
        await runtime.sync.start(mapping.id, ALICE)
        await runtime.executor.drain(mapping.id)
        outcome = await _outcome(stage, mapping, before, spent, began)
    _print(outcome, json_output=json_output)
    return 0 if outcome.settled else 1


async def first_mapping(stage: Stage, actor_id: int = ALICE) -> Mapping:
    """The mapping of a Spotify playlist onto an empty YouTube playlist, made where it does not exist yet."""
    runtime, world = stage.runtime, stage.sandbox.world
    existing = await runtime.storage.mappings.by_name(GUILD, MAPPING)
    if existing is not None:
        return existing
    playlist = world.create_spotify_playlist("alice", MAPPING, [one.id for one in world.tracks[::STRIDE]][:TRACKS])
    return await runtime.mappings.create(
        NewMapping(
            guild_id=GUILD,
            actor_id=actor_id,
            name=MAPPING,
            left=f"https://open.spotify.com/playlist/{playlist}",
            right=f"https://www.youtube.com/playlist?list={world.known.empty_youtube}",
        )
    )


async def _outcome(
    stage: Stage, mapping: Mapping, before: Counter[str], spent: tuple[int, int, int], began: float
) -> Outcome:
    storage, world, books = stage.runtime.storage, stage.sandbox.world, stage.sandbox.books
    source = world.spotify_items(mapping.left.external_id)
    destination = Counter(world.youtube_items(mapping.right.external_id))
    linked = {
        link.left_track_id
        for link in await storage.links.of_mapping(mapping.id)
        if link.state is LinkState.ACTIVE and destination[link.right_track_id]
    }
    reasons = {row.track_id: row.reason for row in await storage.blacklist.open_of_mapping(mapping.id)}
    waiting = [track for track in source if track not in linked and track in reasons]
    review = sum(reasons[track] is BlacklistReason.LOW_CONFIDENCE for track in waiting)
    units, searches, calls = spent
    return Outcome(
        mapping=mapping.name,
        source_tracks=len(source),
        matched=sum(track in linked for track in source),
        added=(destination - before).total(),
        review=review,
        blacklisted=len(waiting) - review,
        destination_tracks=destination.total(),
        duplicates=sum(count - 1 for count in destination.values()),
        youtube_units=books.units() - units,
        youtube_searches=books.searches() - searches,
        spotify_calls=books.spotify_calls() - calls,
        seconds=round(time.monotonic() - began, 2),
    )


def _print(outcome: Outcome, *, json_output: bool) -> None:
    if json_output:
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        return
    sys.stdout.write(
        f"{outcome.mapping}: {outcome.source_tracks} tracks on {Service.SPOTIFY.label}, {outcome.matched} of them on"
        f" {Service.YOUTUBE.label} ({outcome.added} added now), {outcome.review} wait for review, nothing was found for"
        f" {outcome.blacklisted}. {outcome.youtube_units} units and {outcome.youtube_searches} searches of YouTube,"
        f" {outcome.spotify_calls} calls of Spotify, {outcome.seconds:.1f} s.\n"
    )
