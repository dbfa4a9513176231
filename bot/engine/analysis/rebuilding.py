"""A rebuild: everything out of the destination, and what the source holds in again, in its order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.engine.analysis.guards import collapsed
from bot.engine.analysis.known import Known
from bot.engine.analysis.links import id_on
from bot.engine.analysis.merging import merge
from bot.model.item import SyncItem
from bot.model.mapping import Link, Mapping, Side
from bot.model.music import PlaylistContent
from bot.model.plan import Add, Plan, Remove

DESTINATION = Side.RIGHT


def rebuild(
    mapping: Mapping,
    left: PlaylistContent,
    right: PlaylistContent,
    links: Sequence[Link],
    known: Known,
    *,
    previous_right: int | None,
    open_items: Sequence[SyncItem] = (),
    every_copy: bool,
) -> Plan:
    """Of a mapping from left to right: removes for all that ``right`` holds, then adds for all of ``left``.

    ``every_copy``: one removal takes all copies of a track, as on Spotify. Pairs end and begin as their items are
    done, so that a crash in between leaves queue and merge base telling the same. What can no longer be played could
    not be added again, so that it stays. However much it removes, only a read that looks broken stops it: what that
    did not show would stand there twice.
    """
    wanted = merge(
        mapping,
        left,
        replace(right, entries=()),
        (),
        known,
        previous_left=None,
        previous_right=None,
        force=True,
    )
    dead = {entry.track.external_id for entry in right.entries if not entry.track.available}
    stay = {(link.left_track_id, link.occurrence) for link in links if link.right_track_id in dead}
    counterparts = {(link.left_track_id, link.occurrence): link.right_track_id for link in links}
    return replace(
        wanted,
        adds=tuple(
            _known_add(add, counterparts) for add in wanted.adds if (add.source.external_id, add.occurrence) not in stay
        ),
        removes=tuple(_removes(right, links, every_copy=every_copy)),
        links=(),
        unchanged=0,
        cancels=tuple(item.id for item in open_items),
        guard=collapsed(mapping, DESTINATION, right, previous_right or 0),
    )


def _known_add(add: Add, counterparts: dict[tuple[str, int], str]) -> Add:
    """At the end, after the one before it; a counterpart that was agreed on needs no search."""
    known = add.destination_id or counterparts.get((add.source.external_id, add.occurrence), "")
    return replace(add, destination_id=known, position=None)


def _removes(right: PlaylistContent, links: Sequence[Link], *, every_copy: bool) -> list[Remove]:
    waiting: dict[str, list[Link]] = {}
    for link in links:
        waiting.setdefault(id_on(link, DESTINATION), []).append(link)
    removes: list[Remove] = []
    strangers: Counter[str] = Counter()
    gone: set[str] = set()
    for entry in right.entries:
        track_id = entry.track.external_id
        if not entry.track.available:
            continue
        if every_copy and track_id in gone and not waiting.get(track_id):
            continue  # a pair's own removal still ends the pair, and finds nothing left to send
        gone.add(track_id)
        pairs = waiting.get(track_id)
        pair = pairs.pop(0) if pairs else None
        removes.append(
            Remove(
                side=DESTINATION,
                track=entry.track,
                entry_id=entry.entry_id,
                source_track_id=pair.left_track_id if pair is not None else "",
                occurrence=pair.occurrence if pair is not None else strangers[track_id],
                linked=pair is not None,
            )
        )
        strangers[track_id] += pair is None
    return removes
