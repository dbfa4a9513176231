"""Carries queued items out on playlists in memory as the executor does, so that there is a run to take back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.engine.analysis import already_there
from bot.engine.queueing import items_of
from bot.engine.settling import added_link, removed_link, side_of
from bot.engine.undoing import Inverse, invert, queued
from bot.model.item import Action, ItemStatus, NewItem, SyncItem
from bot.model.mapping import Link, Side
from bot.model.music import PlaylistContent, Service
from bot.model.plan import LinkChange, Plan
from tests.unit.applying import World

WHEN = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run that is done: its items as they ended, what it had read, and its changes of the merge base at once."""

    items: tuple[SyncItem, ...]
    before: dict[Side, PlaylistContent]
    links: tuple[LinkChange, ...] = ()


def run(world: World, plan: Plan | None = None, *, only: int | None = None) -> Ran:
    """A sync whose items are carried out; ``only``: that many of them, the others wait."""
    before = contents(world)
    plan = plan or world.merge()
    change_links(world, plan.links)
    new = stored(world, items_of(plan, world.mapping))
    done = [carry_out(world, item) if only is None or n < only else item for n, item in enumerate(new)]
    return Ran(items=tuple(done), before=before)


def inverse_of(world: World, ran: Ran) -> Inverse:
    return invert(
        world.mapping, ran.items, tuple(world.links.values()), contents(world), ran.before, restores=ran.links
    )


def undo(world: World, ran: Ran) -> Ran:
    before = contents(world)
    inverse = inverse_of(world, ran)
    change_links(world, inverse.plan.links)
    done = [carry_out(world, item) for item in stored(world, queued(inverse, world.mapping))]
    return Ran(items=tuple(done), before=before, links=inverse.plan.links)


def contents(world: World) -> dict[Side, PlaylistContent]:
    return {side: world.content(side) for side in Side}


def wrote(ran: Ran) -> int:
    return sum(item.wrote for item in ran.items)


def stored(world: World, new: Sequence[NewItem]) -> list[SyncItem]:
    return [
        SyncItem(
            id=number,
            mapping_id=world.mapping.id,
            run_id=1,
            service=item.service,
            action=item.action,
            source_track_id=item.source_track_id,
            occurrence=item.occurrence,
            source_track_title=item.source_track_title,
            source_service=item.source_service,
            destination_service=item.service,
            payload=item.payload,
            position=item.position,
        )
        for number, item in enumerate(new, 1)
    ]


def carry_out(world: World, item: SyncItem) -> SyncItem:
    """The item as it ends."""
    act = {Action.ADD_TRACK: _add, Action.REMOVE_TRACK: _remove, Action.MOVE_TRACK: _move}[item.action]
    return act(world, item)


def _done(world: World, item: SyncItem, *, wrote: bool, copies: int, link: LinkChange | None) -> SyncItem:
    if link is not None:
        change_links(world, [link])
    intent = WHEN if wrote else None
    return replace(item, status=ItemStatus.DONE, intent_at=intent, copies_before=copies if wrote else None)


def _add(world: World, item: SyncItem) -> SyncItem:
    side = side_of(world.mapping, item)
    rows = world.lists[side]
    source = world.catalogue.get((item.source_service, item.source_track_id))
    found = world.catalogue.get((item.service, item.destination_id))
    if found is None and source is not None:
        found = world.counterpart(source, [track for _, track in rows])
    if found is None or found.external_id in {track.external_id for _, track in rows if not track.available}:
        assert source is not None
        passed = world.known.passed_over | {(source.service, source.external_id)}
        world.known = replace(world.known, passed_over=passed)
        return replace(item, status=ItemStatus.BLACKLISTED)
    item = replace(item, payload=item.payload | {"track_id": found.external_id})
    copies = world.ids(side).count(found.external_id)
    if "undo" in item.payload:
        there = copies >= item.payload["copies"]
    else:
        there = already_there(tuple(world.links.values()), side, found.external_id, item.occurrence, copies)
    if not there:
        at_end = item.position is None or item.position >= len(rows)
        world.put(side, found, None if at_end else item.position)
    link = added_link(world.mapping, item, found.external_id, wrote=not there)
    return _done(world, item, wrote=not there, copies=copies, link=link)


def _remove(world: World, item: SyncItem) -> SyncItem:
    side, track_id, entry_id = side_of(world.mapping, item), item.destination_id, item.payload["entry_id"]
    rows = world.lists[side]
    every_copy = item.service is Service.SPOTIFY
    copies = world.ids(side).count(track_id)
    gone = [row for row in rows if row[1].external_id == track_id and (every_copy or row[0] == entry_id)]
    world.lists[side] = [row for row in rows if row not in gone]
    world.removed += [(side, track_id)] * len(gone)
    return _done(world, item, wrote=bool(gone), copies=copies, link=removed_link(world.mapping, item))


def _move(world: World, item: SyncItem) -> SyncItem:
    side, entry_id = side_of(world.mapping, item), item.payload["entry_id"]
    rows = world.lists[side]
    copies = [n for n, row in enumerate(rows) if row[1].external_id == item.destination_id]
    named = [n for n, row in enumerate(rows) if entry_id and row[0] == entry_id]
    if not (named or copies):
        return replace(item, status=ItemStatus.SKIPPED)
    origin = named[0] if named else min(copies, key=lambda n: abs(n - item.payload["origin"]))
    position = min(item.position or 0, len(rows) - 1)
    rows.insert(position, rows.pop(origin))
    return _done(world, item, wrote=origin != position, copies=len(copies), link=None)


def change_links(world: World, changes: Sequence[LinkChange]) -> None:
    """As the database does it: forgotten first, then put, a pair known by its tracks and its occurrence."""
    for change in changes:
        if change.before is not None:
            world.links.pop(_key(change.before), None)
    for change in changes:
        if change.after is not None:
            world.links[_key(change.after)] = change.after


def _key(link: Link) -> tuple[str, str, int]:
    return (link.left_track_id, link.right_track_id, link.occurrence)
