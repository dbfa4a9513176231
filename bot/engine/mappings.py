"""Making, changing and ending mappings, with every check that keeps people and playlists from harm."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.clock import Clock
from bot.engine.addresses import NewPlaylist, PlaylistAddress, address_of, create_value, playlist_value
from bot.engine.analysis.waiting import side_of
from bot.engine.circles import circle
from bot.engine.liked import LIKED_REFUSED, refuse_as_destination
from bot.engine.schedule import parse
from bot.engine.several import further_source, refuse_direction, refuse_source
from bot.model.account import Account, AccountStatus
from bot.model.errors import Forbidden, NotFound, Refused, UserMistake
from bot.model.events import Event
from bot.model.mapping import Direction, Mapping, Order, Playlist, Removals, Side
from bot.model.matching import MatchPolicy
from bot.model.music import LIKED, LIKED_NAME, LIKED_URL, PlaylistInfo, Service
from bot.services.protocol import MusicService
from bot.services.registry import MusicServices
from storage import Storage
from storage.playlists import ListedPlaylist

__all__ = ["Mappings", "NewMapping", "create_value", "playlist_value"]

log = logging.getLogger(__name__)

NAME_LENGTH = 80  # what fits into a Discord choice beside its id
ID_DIGITS = 18  # a longer number is no id: the column holds 63 bits
MOST_A_RUN = 5_000  # about what one playlist may hold


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMapping:
    """``left`` and ``right``: a playlist's URL, a ``spotify:`` URI, or a value of ``bot.engine.addresses``."""

    guild_id: int
    actor_id: int
    name: str
    left: str
    right: str
    direction: Direction = Direction.LEFT_TO_RIGHT
    removals: Removals = Removals.KEEP
    order: Order = Order.APPEND
    schedule: str = "every 30m"
    policy: MatchPolicy = MatchPolicy.BALANCED
    max_adds: int = 500
    max_removals: int = 25


class Mappings:
    """Actors are Discord user ids. Everything of another guild reads as "does not exist". Raises UserMistake."""

    def __init__(self, storage: Storage, services: MusicServices, clock: Clock) -> None:
        self._storage = storage
        self._services = services
        self._clock = clock

    async def create(self, new: NewMapping) -> Mapping:
        """A new mapping. Its playlists belong to the person who makes it; one that is yet to be made is made last."""
        name = await self._free_name(new.guild_id, new.name)
        schedule = parse(new.schedule, (await self._storage.guilds.get(new.guild_id)).timezone)
        _check_caps(new.max_adds, new.max_removals)
        addresses = {Side.LEFT: address_of(new.left), Side.RIGHT: address_of(new.right)}
        if addresses[Side.LEFT] == addresses[Side.RIGHT]:
            raise UserMistake("Both sides are the same playlist; a mapping needs two different ones.")
        sides = {side: await self._found(address, new.actor_id) for side, address in addresses.items()}
        await self._refuse_harm(new.direction, new.removals, sides, mapping_id=None)
        rows = {side: await self._row(sides[side]) for side in Side}
        mapping = await self._storage.mappings.add(
            guild_id=new.guild_id,
            name=name,
            left_playlist_id=rows[Side.LEFT].id,
            right_playlist_id=rows[Side.RIGHT].id,
            direction=new.direction,
            removals=new.removals,
            order=new.order,
            schedule=schedule.text,
            policy=new.policy,
            max_adds=new.max_adds,
            max_removals=new.max_removals,
            created_by=new.actor_id,
            next_run_at=schedule.next_run(self._clock.now()),
        )
        left, right = mapping.left, mapping.right
        detail = f"{left.name} ({left.service.label}) and {right.name} ({right.service.label})"
        self._log(Event.MAPPING_ADDED, mapping, new.actor_id, detail=detail)
        return mapping

    async def own_playlist(self, text: str, actor_id: int) -> Playlist:
        """The playlist that a person names, as their own account sees it; made if it is yet to be made."""
        return await self._row(await self._found(address_of(text), actor_id))

    async def child_playlist(self, base: Playlist, text: str, actor_id: int) -> Playlist:
        """The playlist that a person names as a child of ``base``; refused where another mapping would fight it."""
        child = await self._found(address_of(text), actor_id)
        sides = {Side.LEFT: _Side.of(base), Side.RIGHT: child}
        await self._refuse_harm(Direction.LEFT_TO_RIGHT, Removals.EXACT, sides, mapping_id=None)
        return await self._row(child)

    async def edit(
        self,
        guild_id: int,
        mapping_id: int,
        actor_id: int,
        *,
        name: str | None = None,
        direction: Direction | None = None,
        removals: Removals | None = None,
        order: Order | None = None,
        schedule: str | None = None,
        policy: MatchPolicy | None = None,
        max_adds: int | None = None,
        max_removals: int | None = None,
    ) -> Mapping:
        """Change what is given; the next analysis looks at the playlists anew, whether they changed or not."""
        mapping = await self._existing(guild_id, mapping_id)
        given = {
            "name": None if name is None or name == mapping.name else await self._free_name(guild_id, name, mapping),
            "direction": direction,
            "removals": removals,
            "order": order,
            "policy": policy,
            "max_adds": max_adds,
            "max_removals": max_removals,
        }
        fields: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        after = replace(mapping, **fields)
        _check_caps(after.max_adds, after.max_removals)
        refuse_direction(after)
        sides, more = _sides_of(mapping)
        await self._refuse_harm(after.direction, after.removals, sides, more, mapping_id=mapping.id)
        if schedule is not None:
            parsed = parse(schedule, (await self._storage.guilds.get(guild_id)).timezone)
            fields |= {"schedule": parsed.text, "next_run_at": parsed.next_run(self._clock.now())}
        if not fields:
            raise UserMistake("Nothing was given that could be changed.")
        changed = await self._storage.mappings.update(mapping.id, **fields, last_analysed_at=None)
        if after.direction is not mapping.direction:
            await self._stop_writing(after)
        detail = ", ".join(sorted(fields.keys() - {"next_run_at"}))
        self._log(Event.MAPPING_EDITED, mapping, actor_id, detail=detail)
        return _still_there(changed)

    async def _stop_writing(self, mapping: Mapping) -> None:
        """What still waits for a playlist that is only read from now on is not sent there any more."""
        waiting = await self._storage.items.open_of_mapping(mapping.id)
        against = [item.id for item in waiting if not mapping.direction.writes(side_of(mapping, item))]
        await self._storage.items.cancel_open(mapping.id, against, "The mapping goes the other way now.")

    async def add_source(self, guild_id: int, mapping_id: int, actor_id: int, text: str) -> Mapping:
        """One more playlist of the actor's as a source, behind those that the mapping has; ``text`` names it."""
        mapping = await self._existing(guild_id, mapping_id)
        address = address_of(text)
        refuse_source(mapping, address)
        found = await self._found(address, actor_id)
        sides, more = _sides_of(mapping)
        await self._refuse_harm(mapping.direction, mapping.removals, sides, [*more, found], mapping_id=mapping.id)
        if any(_same(one, found) for one in mapping.sources(Side.RIGHT)):
            raise UserMistake(f"That is a source of “{mapping.name}” already.")
        source = await self._row(found)
        changed = await self._storage.mappings.add_source(mapping.id, source.id)
        self._log(Event.MAPPING_EDITED, mapping, actor_id, detail=f"source {source.name} added")
        return _still_there(changed)

    async def remove_source(self, guild_id: int, mapping_id: int, actor_id: int, text: str) -> Mapping:
        """Without this further source. What only it held is from now on as if it had been taken out of the source."""
        mapping = await self._existing(guild_id, mapping_id)
        source = further_source(mapping, address_of(text))
        changed = await self._storage.mappings.remove_source(mapping.id, source.id)
        self._log(Event.MAPPING_EDITED, mapping, actor_id, detail=f"source {source.name} removed")
        return _still_there(changed)

    async def pause(self, guild_id: int, mapping_id: int, actor_id: int, reason: str = "") -> Mapping:
        """Stop it: nothing is analysed or written until it is resumed; what is queued waits."""
        mapping = await self._existing(guild_id, mapping_id)
        if not mapping.enabled:
            raise UserMistake(f"The mapping “{mapping.name}” is paused already.")
        changed = await self._storage.mappings.update(mapping.id, enabled=False, pause_reason=reason)
        self._log(Event.MAPPING_PAUSED, mapping, actor_id, reason=reason)
        return _still_there(changed)

    async def resume(self, guild_id: int, mapping_id: int, actor_id: int) -> Mapping:
        """Go on; refused while an account of it is not linked."""
        mapping = await self._existing(guild_id, mapping_id)
        if mapping.enabled:
            raise UserMistake(f"The mapping “{mapping.name}” is not paused.")
        for playlist in mapping.playlists:
            await self.refuse_unlinked(playlist)
        changed = await self._storage.mappings.update(
            mapping.id, enabled=True, pause_reason="", next_run_at=self._clock.now(), last_analysed_at=None
        )
        self._log(Event.MAPPING_RESUMED, mapping, actor_id)
        return _still_there(changed)

    async def remove(self, guild_id: int, mapping_id: int, actor_id: int) -> Mapping:
        """End it: its queue is cancelled, the playlists stay as they are, its history stays readable."""
        mapping = await self._existing(guild_id, mapping_id)
        if not await self._storage.mappings.remove(mapping.id):
            raise UserMistake("This mapping does not exist any more.")
        self._log(Event.MAPPING_REMOVED, mapping, actor_id)
        return mapping

    async def find(self, guild_id: int, text: str) -> Mapping:
        """A mapping by its id or its name, in whatever case."""
        wanted = text.strip()
        found = None
        number = wanted.removeprefix("#")
        if number.isdecimal() and len(number) <= ID_DIGITS:
            found = await self._storage.mappings.get(int(number), guild_id)
        found = found or await self._storage.mappings.by_name(guild_id, wanted)
        if found is None:
            raise UserMistake(f"There is no mapping “{wanted[:NAME_LENGTH]}” here; `/mapping list` shows them all.")
        return found

    async def suggest(self, guild_id: int, text: str) -> list[Mapping]:
        """At most 25 mappings whose name contains ``text``; from the database."""
        return await self._storage.mappings.suggest(guild_id, text)

    async def suggest_playlists(self, discord_user_id: int, text: str) -> list[ListedPlaylist]:
        """At most 25 playlists of the person's connected accounts whose name contains ``text``; from the database."""
        accounts = await self._storage.accounts.of_user(discord_user_id)
        usable = [account.id for account in accounts if account.status is AccountStatus.CONNECTED]
        return await self._storage.playlists.suggest(usable, text)

    async def suggest_liked(self, discord_user_id: int, text: str) -> list[ListedPlaylist]:
        """The liked songs of each of the person's Spotify accounts, where ``text`` may mean them; no source else."""
        if text.strip().casefold() not in LIKED_NAME.casefold():
            return []
        accounts = await self._storage.accounts.of_user(discord_user_id)
        usable = [one for one in accounts if one.service is Service.SPOTIFY and one.status is AccountStatus.CONNECTED]
        return [_liked_of(account, several=len(usable) > 1) for account in usable]

    async def of_guild(self, guild_id: int) -> list[Mapping]:
        return await self._storage.mappings.of_guild(guild_id)

    async def _existing(self, guild_id: int, mapping_id: int) -> Mapping:
        mapping = _still_there(await self._storage.mappings.get(mapping_id, guild_id))
        if mapping.hidden:
            raise UserMistake(f"“{mapping.name}” is a child of the router; `/router child-edit` changes it.")
        return mapping

    async def _free_name(self, guild_id: int, name: str, renamed: Mapping | None = None) -> str:
        name = " ".join(name.split())
        if not name or len(name) > NAME_LENGTH:
            raise UserMistake(f"A mapping's name has 1 to {NAME_LENGTH} characters.")
        if name.removeprefix("#").isdecimal():
            raise UserMistake("A mapping's name cannot be a number only: numbers are the ids of mappings.")
        other = await self._storage.mappings.by_name(guild_id, name)
        if other is not None and (renamed is None or other.id != renamed.id):
            raise UserMistake(f"There is already a mapping called “{name}”; choose another name.")
        return name

    async def _found(self, address: PlaylistAddress | NewPlaylist, actor_id: int) -> "_Side":
        """The playlist as the person's own account sees it. Nothing is made here."""
        accounts = await self._usable(address.service, actor_id)
        if isinstance(address, NewPlaylist):
            return _Side(service=address.service, external_id="", account=accounts[0], new_name=address.name)
        if address.external_id == LIKED:
            return await self._liked(address, accounts)
        exists = False
        for account in await self._likeliest_first(address, accounts):
            try:
                info = await (await self._services.for_account(account.id)).playlist(address.external_id)
            except (Forbidden, NotFound, Refused) as error:  # what that means is said once every account was asked
                exists = exists or isinstance(error, Forbidden)
                continue
            if info.writable:
                return _Side(service=address.service, external_id=info.external_id, account=account, info=info)
            exists = True
        raise _not_yours(address.service) if exists else _unknown(address.service)

    async def _liked(self, address: PlaylistAddress, accounts: list[Account]) -> "_Side":
        meant = [one for one in accounts if address.account_id in (0, one.id)]
        if not meant:
            raise UserMistake("You can map only liked songs of the accounts you linked; pick them from the list.")
        if len(meant) > 1:
            raise UserMistake("You have linked several Spotify accounts; pick one's liked songs from the list.")
        try:
            info = await (await self._services.for_account(meant[0].id)).playlist(LIKED)
        except Forbidden as error:
            raise UserMistake(LIKED_REFUSED) from error
        return _Side(service=address.service, external_id=LIKED, account=meant[0], info=info)

    async def _usable(self, service: Service, actor_id: int) -> list[Account]:
        if not self._services.configured(service):
            raise UserMistake(f"{service.label} is not set up on this bot; its owner must give it a client id.")
        accounts = [one for one in await self._storage.accounts.of_user(actor_id) if one.service is service]
        usable = [one for one in accounts if one.status is AccountStatus.CONNECTED]
        if usable:
            return usable
        if any(one.status is AccountStatus.NEEDS_LOGIN for one in accounts):
            raise UserMistake(f"Your {service.label} login has ended; log in again with `/connect {service.value}`.")
        if any(one.status is AccountStatus.PENDING for one in accounts):
            raise UserMistake(f"Confirm your {service.label} account first: `/accounts` shows the button.")
        raise UserMistake(f"You have not linked a {service.label} account yet; do so with `/connect {service.value}`.")

    async def _likeliest_first(self, address: PlaylistAddress, accounts: list[Account]) -> list[Account]:
        """Of several accounts the one whose list holds the playlist is asked first."""
        if len(accounts) == 1:
            return accounts
        known = [
            account.id
            for account in accounts
            if await self._storage.playlists.by_external(address.service, address.external_id, account.id)
        ]
        return sorted(accounts, key=lambda account: account.id not in known)

    async def _refuse_harm(
        self,
        direction: Direction,
        removals: Removals,
        sides: dict[Side, "_Side"],
        more: Sequence["_Side"] = (),
        *,
        mapping_id: int | None,
    ) -> None:
        sources = [sides[Side.LEFT], *more]
        if sides[Side.RIGHT].external_id and sides[Side.RIGHT].key in [source.key for source in sources]:
            raise UserMistake("Both sides are the same playlist; a mapping needs two different ones.")
        written = any(sides[side].external_id == LIKED for side in Side if direction.writes(side))
        refuse_as_destination(direction, written=written)
        if removals is Removals.EXACT and direction is Direction.TWO_WAY:
            raise UserMistake("`exact` needs a direction: with two ways neither playlist could say what is right.")
        others = await self._related([*sides.values(), *more], mapping_id)
        if removals is Removals.EXACT:
            _refuse_second_exact(direction, sides, others)
        if removals is not Removals.KEEP and circle(_edges(direction, sides, more), others):
            raise UserMistake(
                "Together with the mappings that exist this one would pass removals round in a circle; use"
                " `removals: keep` or another direction."
            )

    async def _related(self, sides: Sequence["_Side"], mapping_id: int | None) -> list[Mapping]:
        """Every other mapping that can be reached from these playlists, in whatever guild."""
        found: dict[int, Mapping] = {}
        keys = [side.key for side in sides if side.external_id]
        seen: set[tuple[Service, str]] = set()
        while keys:
            key = keys.pop()
            if key in seen:
                continue
            seen.add(key)
            for mapping in await self._storage.mappings.touching(*key):
                if mapping.id != mapping_id:
                    found[mapping.id] = mapping
                    keys += [(one.service, one.external_id) for one in mapping.playlists]
        return list(found.values())

    async def _row(self, side: "_Side") -> Playlist:
        info = side.info
        if info is None:
            service: MusicService = await self._services.for_account(side.account_id)
            info = await service.create(side.new_name, "Kept in step by Crossfade.")
        return await self._storage.playlists.upsert(info, side.account_id)

    async def refuse_unlinked(self, playlist: Playlist) -> None:
        """Refuses a playlist whose account has no login now."""
        account = await self._storage.accounts.get(playlist.account_id)
        if account is None or account.status is not AccountStatus.CONNECTED:
            raise UserMistake(
                f"The {playlist.service.label} account of “{playlist.name}” is not linked (any more): its owner must"
                f" use `/connect {playlist.service.value}` first."
            )

    def _log(self, event: Event, mapping: Mapping, actor_id: int, **fields: str) -> None:
        extra = {"mapping": mapping.name, "mapping_id": mapping.id, "guild_id": mapping.guild_id, "actor_id": actor_id}
        log.info(event, extra=extra | fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One side of a mapping before it has its row. A playlist that is yet to be made has no ``external_id``."""

    service: Service
    external_id: str
    account: Account | None = None
    info: PlaylistInfo | None = None
    new_name: str = ""

    @classmethod
    def of(cls, playlist: Playlist) -> "_Side":
        return cls(service=playlist.service, external_id=playlist.external_id)

    @property
    def key(self) -> tuple[Service, str]:
        return (self.service, self.external_id)

    @property
    def account_id(self) -> int:
        return self.account.id if self.account is not None else 0


def _liked_of(account: Account, *, several: bool) -> ListedPlaylist:
    return ListedPlaylist(
        id=0,
        service=Service.SPOTIFY,
        external_id=LIKED,
        account_id=account.id,
        name=f"{LIKED_NAME} of {account.display_name}" if several else LIKED_NAME,
        url=LIKED_URL,
        writable=False,
    )


def _sides_of(mapping: Mapping) -> tuple[dict[Side, _Side], list[_Side]]:
    """Both sides, and the further sources."""
    return {side: _Side.of(mapping.playlist(side)) for side in Side}, [_Side.of(one) for one in mapping.more]


def _same(playlist: Playlist, side: _Side) -> bool:
    """Whichever account reads it; only liked songs are each account's own."""
    same = (playlist.service, playlist.external_id) == side.key
    return same and (not playlist.liked or playlist.account_id == side.account_id)


def _edges(
    direction: Direction, sides: dict[Side, _Side], more: Sequence[_Side]
) -> list[tuple[tuple[Service, str], tuple[Service, str]]]:
    """From which playlist to which the mapping writes."""
    edges = [(sides[side.other].key, sides[side].key) for side in Side if direction.writes(side)]
    return edges + [(source.key, sides[Side.RIGHT].key) for source in more]


def _refuse_second_exact(direction: Direction, sides: dict[Side, _Side], others: list[Mapping]) -> None:
    written = {sides[side].key for side in Side if direction.writes(side) and sides[side].external_id}
    for other in others:
        if other.removals is not Removals.EXACT:
            continue
        for side in Side:
            playlist = other.playlist(side)
            if other.direction.writes(side) and (playlist.service, playlist.external_id) in written:
                raise UserMistake(
                    f"Another mapping keeps “{playlist.name}” exactly like its own source; two such mappings would"
                    " undo each other's work."
                )


def _check_caps(max_adds: int, max_removals: int) -> None:
    if not 1 <= max_adds <= MOST_A_RUN or not 0 <= max_removals <= MOST_A_RUN:
        raise UserMistake(f"A run may add 1 to {MOST_A_RUN} tracks and remove 0 to {MOST_A_RUN}.")


def _unknown(service: Service) -> UserMistake:
    return UserMistake(
        f"{service.label} says that this playlist does not exist, so nothing was mapped: it was deleted, is hidden from"
        f" you, or the link is not complete. Copy the link anew from {service.label}."
    )


def _not_yours(service: Service) -> UserMistake:
    return UserMistake(
        f"That {service.label} playlist is somebody else's, so nothing was mapped. You can map only playlists that the"
        " accounts you linked may change: copy it into one of yours, or let its owner make the mapping."
    )


def _still_there(mapping: Mapping | None) -> Mapping:
    if mapping is None:
        raise UserMistake("This mapping does not exist any more; `/mapping list` shows what there is.")
    return mapping
