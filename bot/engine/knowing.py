"""What is known before a merge: people's decisions, remembered matches, tracks passed over and tracks gone."""

from collections.abc import Sequence
from datetime import datetime

from bot.engine.analysis import Known, reordered
from bot.engine.memory import usable
from bot.engine.reading import Sides
from bot.model.mapping import Direction, Link, LinkState, Mapping, Side
from bot.model.music import Service, Track
from bot.model.review import BlacklistRow, BlacklistState, DecidedBy, MatchRow
from storage import Storage

Key = tuple[Service, str]


async def known_for(
    storage: Storage, mapping: Mapping, sides: Sides, links: Sequence[Link], *, now: datetime, unsettled: frozenset[Key]
) -> Known:
    """Gather it from the database; no call of a service. ``unsettled``: tracks of which a read says nothing yet."""
    decided: dict[Key, str] = {}
    remembered: dict[Key, str] = {}
    tracks: dict[Key, Track] = {}
    for side in Side:
        if mapping.direction.writes(side.other):
            for row in await _matches(storage, mapping, side, _unlinked(sides, side, links)):
                answers = decided if row.decided_by is DecidedBy.PERSON else remembered
                if usable(row, mapping.policy, now):
                    answers[(row.source_service, row.source_id)] = row.destination_id
        tracks.update(await _missing(storage, mapping, sides, side, links))
    rows = await storage.blacklist.open_of_mapping(mapping.id)
    passed = frozenset((row.service, row.track_id) for row in rows if waits(row, now))
    return Known(
        decided=decided,
        remembered=remembered,
        passed_over=passed,
        tracks=tracks,
        unsettled=unsettled,
        reordered=await _reordered(storage, mapping, sides, links),
    )


async def _reordered(storage: Storage, mapping: Mapping, sides: Sides, links: Sequence[Link]) -> frozenset[Key]:
    """What people moved in the leading playlist since its last snapshot, where an undo holds places until then."""
    if not any(link.state is LinkState.PLACED for link in links):
        return frozenset()
    leading = Side.RIGHT if mapping.direction is Direction.RIGHT_TO_LEFT else Side.LEFT
    before = await storage.snapshots.latest(mapping.id, leading)
    if before is None:
        return frozenset()
    service = mapping.playlist(leading).service
    return frozenset((service, track_id) for track_id in reordered(before, sides.of(leading)))


def waits(row: BlacklistRow, now: datetime) -> bool:
    """Whether analysis passes over the row's track: open and not due for a new look, or dismissed by a person."""
    if row.state is BlacklistState.DISMISSED:
        return True
    return row.state is BlacklistState.OPEN and (row.next_look_at is None or row.next_look_at > now)


def _unlinked(sides: Sides, side: Side, links: Sequence[Link]) -> list[str]:
    linked = {_id(link, side) for link in links}
    return list(dict.fromkeys(track.external_id for track in sides.of(side).tracks if track.external_id not in linked))


async def _matches(storage: Storage, mapping: Mapping, side: Side, ids: list[str]) -> list[MatchRow]:
    source, destination = mapping.playlist(side).service, mapping.playlist(side.other).service
    return list((await storage.matches.find(source, ids, mapping.guild_id, destination)).values())


async def _missing(
    storage: Storage, mapping: Mapping, sides: Sides, side: Side, links: Sequence[Link]
) -> dict[Key, Track]:
    """The catalogue's rows of linked tracks that the playlist no longer holds: they may be back under a new id."""
    service = mapping.playlist(side).service
    held = {track.external_id for track in sides.of(side).tracks}
    gone = list(dict.fromkeys(_id(link, side) for link in links if _id(link, side) not in held))
    return {(service, id_): track for id_, track in (await storage.tracks.get_many(service, gone)).items()}


def _id(link: Link, side: Side) -> str:
    return link.left_track_id if side is Side.LEFT else link.right_track_id
