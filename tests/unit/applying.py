"""Carries plans out on playlists in memory, with the documented effect of every item."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.engine.analysis import Known, already_there, merge
from bot.model.item import Action, SyncItem
from bot.model.mapping import Link, LinkState, Mapping, Playlist, Side
from bot.model.music import PlaylistContent, PlaylistEntry, PlaylistInfo, Service, Track
from bot.model.plan import Add, Plan

SERVICES = {Side.LEFT: Service.SPOTIFY, Side.RIGHT: Service.YOUTUBE}


def mapping_of(**fields: object) -> Mapping:
    sides = {
        side.value: Playlist(
            id=number,
            service=service,
            external_id=f"pl{number}",
            account_id=number,
            name=f"The {side.value} one",
            url="",
        )
        for number, (side, service) in enumerate(SERVICES.items(), start=1)
    }
    return Mapping(**({"id": 1, "guild_id": 1, "name": "both", "max_removals": 10_000} | sides | fields))  # type: ignore[arg-type]


@dataclass
class World:
    """Two playlists, the links between them, and what the executor would find for a track among what is held."""

    mapping: Mapping
    lists: dict[Side, list[tuple[str, Track]]] = field(default_factory=lambda: {Side.LEFT: [], Side.RIGHT: []})
    links: dict[tuple[str, str, int], Link] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    counterpart: Callable[[Track, list[Track]], Track | None] = lambda track, held: None
    catalogue: dict[tuple[Service, str], Track] = field(default_factory=dict)
    added: list[tuple[Side, str]] = field(default_factory=list)
    removed: list[tuple[Side, str]] = field(default_factory=list)
    _entries: int = 0

    def put(self, side: Side, track: Track, at: int | None = None) -> None:
        self._entries += 1
        place = len(self.lists[side]) if at is None else at
        assert place <= len(self.lists[side]), "an add behind the end of the playlist"
        self.lists[side].insert(place, (f"e{self._entries}", track))
        self.catalogue[track.service, track.external_id] = track

    def ids(self, side: Side) -> list[str]:
        return [track.external_id for _, track in self.lists[side]]

    def service(self, side: Side) -> Service:
        return self.mapping.playlist(side).service

    def content(self, side: Side) -> PlaylistContent:
        named = self.service(side) is Service.YOUTUBE
        entries = tuple(
            PlaylistEntry(position=n, track=track, entry_id=entry_id if named else "")
            for n, (entry_id, track) in enumerate(self.lists[side])
        )
        info = PlaylistInfo(service=self.service(side), external_id="x", name="x")
        return PlaylistContent(info=info, entries=entries)

    def merge(self, **options: object) -> Plan:
        given = {"previous_left": None, "previous_right": None, "force": True} | options
        return merge(
            self.mapping,
            self.content(Side.LEFT),
            self.content(Side.RIGHT),
            tuple(self.links.values()),
            replace(self.known, tracks=self.catalogue),
            **given,  # type: ignore[arg-type]
        )

    def apply(self, plan: Plan) -> None:
        """Links, removes, moves, adds: the order that the plan's indexes hold for."""
        assert plan.guard is None
        for change in plan.links:
            if change.before is not None:
                del self.links[_key(change.before)]
        for change in plan.links:
            if change.after is not None:
                assert _key(change.after) not in self.links, "two links of one key"
                self.links[_key(change.after)] = change.after
        for remove in plan.removes:
            self._remove(remove.side, remove.track.external_id, remove.entry_id)
            if remove.linked and not remove.surplus:
                del self.links[
                    (*_pair(remove.side.other, remove.source_track_id, remove.track.external_id), remove.occurrence)
                ]
        for move in plan.moves:
            rows = self.lists[move.side]
            assert rows[move.origin][1].external_id == move.track.external_id
            rows.insert(move.position, rows.pop(move.origin))
        unwritten = {Side.LEFT: 0, Side.RIGHT: 0}
        for add in plan.adds:
            # Adds come in ascending places: each that wrote nothing moves the later ones up by one.
            at = None if add.position is None else add.position - unwritten[add.side]
            if not self._add(add, at) and at is not None:
                unwritten[add.side] += 1

    def _remove(self, side: Side, track_id: str, entry_id: str) -> None:
        every_copy = self.service(side) is Service.SPOTIFY
        gone = [
            row for row in self.lists[side] if row[1].external_id == track_id and (every_copy or row[0] == entry_id)
        ]
        self.lists[side] = [row for row in self.lists[side] if row not in gone]
        self.removed += [(side, track_id)] * len(gone)

    def _add(self, add: Add, at: int | None) -> bool:
        """Whether it was written."""
        source = add.source
        known = self.catalogue.get((self.service(add.side), add.destination_id))
        found = known or self.counterpart(source, [track for _, track in self.lists[add.side]])
        dead = {track.external_id for _, track in self.lists[add.side] if not track.available}
        if found is None or found.external_id in dead:
            self.known = replace(
                self.known, passed_over=self.known.passed_over | {(source.service, source.external_id)}
            )
            return False
        copies = self.ids(add.side).count(found.external_id)
        there = already_there(tuple(self.links.values()), add.side, found.external_id, add.occurrence, copies)
        if not there:
            self.put(add.side, found, at)
            self.added.append((add.side, found.external_id))
        left, right = _pair(add.side.other, source.external_id, found.external_id)
        link = Link(
            mapping_id=1,
            left_track_id=left,
            right_track_id=right,
            occurrence=add.occurrence,
            state=LinkState.ACTIVE,
            written_side=None if there else add.side,
        )
        self.links[_key(link)] = link
        return not there

    def sync(self, **options: object) -> Plan:
        plan = self.merge(**options)
        self.apply(plan)
        return plan


def _pair(side: Side, here: str, there: str) -> tuple[str, str]:
    return (here, there) if side is Side.LEFT else (there, here)


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)


def is_empty(plan: Plan) -> bool:
    return not (plan.adds or plan.removes or plan.moves or plan.links or plan.cancels)


def items_of(plan: Plan, **fields: Any) -> list[SyncItem]:
    """The plan's changes as they stand in the queue, in order; of two with one key the database keeps the first."""
    rows: list[tuple[Action, Side, str, int, dict[str, Any], int | None]] = []
    for remove in plan.removes:
        key = remove.source_track_id or remove.track.external_id
        payload = {"track_id": remove.track.external_id, "entry_id": remove.entry_id}
        rows.append((Action.REMOVE_TRACK, remove.side, key, remove.occurrence, payload, None))
    moved: Counter[str] = Counter()
    for move in plan.moves:
        payload = {"track_id": move.track.external_id, "entry_id": move.entry_id, "origin": str(move.origin)}
        occurrence = moved[move.track.external_id]
        moved[move.track.external_id] += 1
        rows.append((Action.MOVE_TRACK, move.side, move.track.external_id, occurrence, payload, move.position))
    for add in plan.adds:
        payload = {"track_id": add.destination_id} if add.destination_id else {}
        rows.append((Action.ADD_TRACK, add.side, add.source.external_id, add.occurrence, payload, add.position))
    first = {
        (action, side, key, occurrence): row for row in reversed(rows) for action, side, key, occurrence in [row[:4]]
    }
    return [
        SyncItem(
            **{
                "id": number,
                "mapping_id": 1,
                "run_id": 1,
                "service": SERVICES[side],
                "action": action,
                "source_track_id": key,
                "occurrence": occurrence,
                "source_track_title": key,
                "source_service": SERVICES[side.other],
                "destination_service": SERVICES[side],
                "payload": payload | {"side": side.value},
                "position": position,
            }
            | fields
        )
        for number, (action, side, key, occurrence, payload, position) in enumerate(
            (row for row in rows if first[row[:4]] is row), start=1
        )
    ]
