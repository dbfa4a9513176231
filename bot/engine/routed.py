"""What the children of a base are to hold now: the base read once, what is known of its tracks, and each child's rules.

A child's content takes the place of the left side in the merge of its hidden mapping; its change token is a digest of
what was chosen, so that a child whose choice did not change costs nothing.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.engine.analysis.guards import LEAST_SHARE, SMALLEST
from bot.engine.reading import Listings, PlaylistGone
from bot.engine.routing import Base, Routed, route
from bot.model.errors import Forbidden, NotFound, UserMistake
from bot.model.mapping import Mapping
from bot.model.music import PlaylistContent, PlaylistEntry, PlaylistInfo
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.rules import Facts, Field, Rules, fields
from bot.model.rules_json import from_json
from bot.services.registry import MusicServices
from storage import Storage

log = logging.getLogger(__name__)

# As for mappings: YouTube's etag is a hint only, so that its playlists are read whole once a day.
WHOLE_READ_EVERY = timedelta(hours=24)


class CollapsedBase(UserMistake):
    """The base was read with so few of the tracks it held before that nothing is routed from it."""

    code = "collapsed_base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """``facts``: one for each entry, in order. ``degraded``: fields that a failing source could not tell this time.

    ``hits`` and ``misses`` are the cache's; ``requests``: calls that were made for it, by who was asked.
    """

    facts: tuple[Facts, ...]
    degraded: frozenset[Field] = frozenset()
    hits: int = 0
    misses: int = 0
    requests: dict[str, int] = field(default_factory=dict)


class FactsSource(Protocol):
    async def facts(self, entries: Sequence[PlaylistEntry], asked: frozenset[Field], account_id: int) -> Known:
        """What is known of the entries, at least the fields ``asked`` as far as anybody tells.

        ``account_id``: whose base it is, and who asks its service.
        """
        ...


class OnlyEntries:
    """The facts that the entries carry themselves, at no cost."""

    async def facts(self, entries: Sequence[PlaylistEntry], asked: frozenset[Field], account_id: int) -> Known:
        return Known(facts=tuple(map(Facts.of, entries)))


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRead:
    """``content``: the base as it is. ``saved``: its change token vouched for what we had, so it was not read again."""

    content: PlaylistContent
    saved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one child is to hold. ``content`` is the left side of its mapping's merge."""

    child: ChildPlaylist
    rules: Rules
    routed: Routed
    content: PlaylistContent
    kept: tuple[Facts, ...] = ()  # undecided because a source fails now, and left in because they were in before

    @property
    def digest(self) -> str:
        return self.content.info.change_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    base: BaseRead
    known: Known
    of: dict[int, Choice] = field(default_factory=dict)  # by child id
    refused: dict[int, str] = field(default_factory=dict)  # children whose rules cannot be read, and why


class Chooser:
    """Reads bases and applies rules; writes nothing to any service."""

    def __init__(self, storage: Storage, services: MusicServices, source: FactsSource, clock: Clock) -> None:
        self._storage = storage
        self._services = services
        self._source = source
        self._clock = clock

    async def choose(
        self,
        base: BasePlaylist,
        children: Sequence[ChildPlaylist],
        listings: Listings,
        *,
        full: bool = False,
        accept_collapse: bool = False,
    ) -> Choices:
        """What each child is to hold now. Raises PlaylistGone, CollapsedBase, and the services' errors."""
        read = await self.read(base, listings, full=full, accept_collapse=accept_collapse)
        rules, refused = _rules_of(children)
        asked = frozenset[Field]().union(*(fields(each) for each in rules.values()))
        known = await self._source.facts(read.content.entries, asked, base.playlist.account_id)
        zone = ZoneInfo((await self._storage.guilds.get(base.guild_id)).timezone)
        prepared, now = Base(known.facts), self._clock.now()
        of = {
            child.id: _choice(child, rules[child.id], prepared, known, read.content, now, zone)
            for child in children
            if child.id in rules
        }
        return Choices(base=read, known=known, of=of, refused=refused)

    async def content_of(self, mapping: Mapping, listings: Listings, full: bool = False) -> PlaylistContent | None:
        """What stands in for the left playlist of a child's mapping; None for every other mapping.

        ``full``: the base is read, whatever its change token says.
        """
        if not mapping.hidden:
            return None
        child = await self._storage.routers.child_of_mapping(mapping.id)
        base = None if child is None else await self._storage.routers.base(child.base_id)
        if child is None or base is None:
            raise UserMistake("This child playlist was removed; `/router child-list` shows what there is.")
        choices = await self.choose(base, [child], listings, full=full)
        if child.id in choices.refused:
            raise UserMistake(choices.refused[child.id])
        return choices.of[child.id].content

    async def read(
        self, base: BasePlaylist, listings: Listings, *, full: bool = False, accept_collapse: bool = False
    ) -> BaseRead:
        """The base, from the service only where its change token says that it must be.

        ``accept_collapse``: a person says that it really lost most of its tracks.
        """
        info = await listings.info(base.playlist, 0)
        before = await self._storage.routers.last_read(base.id)
        if before is not None and not full and self._vouched(before.info, info.change_token):
            kept = await self._storage.routers.content(base.id)
            if kept is not None:
                return BaseRead(content=kept, saved=True)
        content = await self._content(base, info)
        if before is not None and not accept_collapse:
            _refuse_collapsed(base, len(content.entries), before.entries)
        held = content
        if before is not None and content.skipped > before.skipped:
            # Spotify answers null for a track now and then; that is no removal until the next look says the same.
            previous = await self._storage.routers.content(base.id)
            held = content if previous is None else _with_hidden(content, previous)
        await self._storage.routers.keep_content(base.id, content)
        return BaseRead(content=held, saved=False)

    async def _content(self, base: BasePlaylist, info: PlaylistInfo) -> PlaylistContent:
        service = await self._services.for_account(base.playlist.account_id)
        began = self._clock.now()
        try:
            content = await service.content(base.playlist.external_id, info)
        except (NotFound, Forbidden) as error:
            raise PlaylistGone(base.playlist, error) from error
        return replace(content, info=replace(content.info, fetched_at=began))

    def _vouched(self, info: PlaylistInfo, token: str) -> bool:
        if not token or info.change_token != token:
            return False
        old = info.fetched_at is None or info.fetched_at <= self._clock.now() - WHOLE_READ_EVERY
        return not info.token_is_hint or not old


def _with_hidden(content: PlaylistContent, previous: PlaylistContent) -> PlaylistContent:
    """``content`` with what the last read still showed, each where it was."""
    shown = Counter(track.external_id for track in content.tracks)
    entries = list(content.entries)
    for entry in previous.entries:
        if shown[entry.track.external_id]:
            shown[entry.track.external_id] -= 1
        else:
            place = next((n for n, other in enumerate(entries) if other.position >= entry.position), len(entries))
            entries.insert(place, entry)
    return replace(content, entries=tuple(entries))


def _refuse_collapsed(base: BasePlaylist, read: int, before: int) -> None:
    if before >= SMALLEST and read < LEAST_SHARE * before:
        raise CollapsedBase(
            f"“{base.name}” was read with {read:,} of the {before:,} tracks that it held before, so nothing was routed"
            " from it: that looks like a failing service. Where it is meant, an admin can let it pass."
        )


def _rules_of(children: Sequence[ChildPlaylist]) -> tuple[dict[int, Rules], dict[int, str]]:
    rules: dict[int, Rules] = {}
    refused: dict[int, str] = {}
    for child in children:
        try:
            rules[child.id] = from_json(child.rules)
        except UserMistake as error:  # written by a newer program, or by hand
            refused[child.id] = f"The rules of “{child.name}” cannot be read: {error}"
    return rules, refused


def _choice(
    child: ChildPlaylist,
    rules: Rules,
    base: Base,
    known: Known,
    content: PlaylistContent,
    now: datetime,
    zone: ZoneInfo,
) -> Choice:
    routed = route(base, rules, now=now, zone=zone)
    kept = _kept(child, routed, known.degraded)
    chosen = routed.chosen if not kept else _in_base_order(routed.chosen, kept)
    entries = tuple(
        PlaylistEntry(position=place, track=facts.track, added_at=facts.added_at) for place, facts in enumerate(chosen)
    )
    info = replace(content.info, item_count=len(entries), change_token=_digest(entries), fetched_at=now)
    return Choice(
        child=child, rules=rules, routed=routed, content=PlaylistContent(info=info, entries=entries), kept=kept
    )


def _kept(child: ChildPlaylist, routed: Routed, degraded: frozenset[Field]) -> tuple[Facts, ...]:
    """A source that fails for a day must not empty a child: what was in, and is now undecided for that, stays."""
    before = set(child.last_routed.get("tracks", ()))
    chosen = {facts.position for facts in routed.chosen}
    doubtful = {facts.position: facts for one in degraded for facts in routed.unknown.get(one, ())}
    return tuple(
        facts
        for position, facts in sorted(doubtful.items())
        if facts.track.external_id in before and position not in chosen
    )


def _in_base_order(chosen: Sequence[Facts], kept: Sequence[Facts]) -> tuple[Facts, ...]:
    """Those that are kept go behind the last chosen one that stands before them in the base."""
    ordered = list(chosen)
    for facts in kept:
        before = [place for place, other in enumerate(ordered) if other.position < facts.position]
        ordered.insert(before[-1] + 1 if before else 0, facts)
    return tuple(ordered)


def _digest(entries: Sequence[PlaylistEntry]) -> str:
    ids = "\n".join(f"{entry.track.external_id} {int(entry.track.available)}" for entry in entries)
    return f"routed:{hashlib.sha256(ids.encode()).hexdigest()[:32]}"
