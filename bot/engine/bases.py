"""Making, changing and ending base playlists and their children, with every check that keeps playlists from harm."""

import logging
from dataclasses import dataclass
from typing import Any

from bot.clock import Clock
from bot.engine.mappings import ID_DIGITS, NAME_LENGTH, Mappings
from bot.engine.routing import parse as parse_rules
from bot.engine.routing import write as rules_text
from bot.engine.schedule import parse as parse_schedule
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.mapping import Mapping
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.rules_json import from_json, to_json
from storage import Storage

log = logging.getLogger(__name__)

CHILD_NAME_LENGTH = 60  # so that base and child fit into one line


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBase:
    """``playlist``: a URL or a value of ``bot.engine.addresses``, as for mappings."""

    guild_id: int
    actor_id: int
    name: str
    playlist: str
    schedule: str = "every 30m"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChild:
    """``rules`` is their text form. ``playlist`` as in ``NewBase``; one that is yet to be made is made last."""

    guild_id: int
    actor_id: int
    base_id: int
    name: str
    playlist: str
    rules: str


class Bases:
    """Actors are Discord user ids. Everything of another guild reads as "does not exist". Raises UserMistake.

    Changes raise ``storage.errors.BaseBusy``, a UserMistake, while the base or a child of it is being synced.
    """

    def __init__(self, storage: Storage, mappings: Mappings, clock: Clock) -> None:
        self._storage = storage
        self._mappings = mappings
        self._clock = clock

    async def create(self, new: NewBase) -> BasePlaylist:
        """A new base; its playlist belongs to the person who makes it."""
        name = _name(new.name, "base playlist", NAME_LENGTH)
        schedule = parse_schedule(new.schedule, (await self._storage.guilds.get(new.guild_id)).timezone)
        if await self._storage.routers.base_by_name(new.guild_id, name) is not None:
            raise UserMistake(f"There is already a base playlist called “{name}”; choose another name.")
        playlist = await self._mappings.own_playlist(new.playlist, new.actor_id)
        base = await self._storage.routers.add_base(
            guild_id=new.guild_id,
            name=name,
            playlist_id=playlist.id,
            schedule=schedule.text,
            created_by=new.actor_id,
            next_run_at=schedule.next_run(self._clock.now()),
        )
        self._log(Event.BASE_ADDED, base, new.actor_id, detail=f"{playlist.name} ({playlist.service.label})")
        return base

    async def edit(
        self, guild_id: int, base_id: int, actor_id: int, *, name: str | None = None, schedule: str | None = None
    ) -> BasePlaylist:
        """Change what is given."""
        base = await self.base(guild_id, base_id)
        fields: dict[str, Any] = {}
        if name is not None:
            fields["name"] = _name(name, "base playlist", NAME_LENGTH)
        if schedule is not None:
            parsed = parse_schedule(schedule, (await self._storage.guilds.get(guild_id)).timezone)
            fields |= {"schedule": parsed.text, "next_run_at": parsed.next_run(self._clock.now())}
        if not fields:
            raise UserMistake("Nothing was given that could be changed.")
        changed = _still_there(await self._storage.routers.update_base(base.id, **fields))
        self._log(Event.BASE_EDITED, changed, actor_id, detail=", ".join(sorted(fields.keys() - {"next_run_at"})))
        return changed

    async def pause(self, guild_id: int, base_id: int, actor_id: int, reason: str = "") -> BasePlaylist:
        """Stop it: nothing is routed until it is resumed."""
        base = await self.base(guild_id, base_id)
        if not base.enabled:
            raise UserMistake(f"The base “{base.name}” is paused already.")
        changed = _still_there(await self._storage.routers.update_base(base.id, enabled=False, pause_reason=reason))
        self._log(Event.BASE_PAUSED, changed, actor_id, reason=reason)
        return changed

    async def resume(self, guild_id: int, base_id: int, actor_id: int) -> BasePlaylist:
        """Go on with the base and those of its children that were stopped, and look at them at once.

        Refused while the account of the base is not linked; a child whose account is not stays stopped.
        """
        base = await self.base(guild_id, base_id)
        stopped = [one for one in await self.children(guild_id, base.id) if not one.mapping.enabled]
        if base.enabled and not stopped:
            raise UserMistake(f"The base “{base.name}” is not paused.")
        await self._mappings.refuse_unlinked(base.playlist)
        resumed = [await self._resume_child(base, child, actor_id) for child in stopped]
        if base.enabled and not any(resumed):
            await self._mappings.refuse_unlinked(stopped[0].playlist)
        again = {"enabled": True, "pause_reason": "", "next_run_at": self._clock.now()}
        changed = _still_there(await self._storage.routers.update_base(base.id, **again))
        self._log(Event.BASE_RESUMED, changed, actor_id)
        return changed

    async def _resume_child(self, base: BasePlaylist, child: ChildPlaylist, actor_id: int) -> bool:
        try:
            await self._mappings.refuse_unlinked(child.playlist)
        except UserMistake:
            return False
        again = {"enabled": True, "pause_reason": "", "last_analysed_at": None}
        await self._storage.mappings.update(child.mapping.id, **again)
        await self._storage.routers.update_child(child.id, last_error="")
        self._log(Event.CHILD_EDITED, base, actor_id, child=child.name, detail="resumed")
        return True

    async def stop_child(self, mapping: Mapping, reason: str) -> Mapping:
        """Stop one child, named by its hidden mapping, for a reason that a person must remove; the others go on."""
        changed = await self._storage.mappings.update(mapping.id, enabled=False, pause_reason=reason)
        extra = {"mapping": mapping.name, "reason": reason, "mapping_id": mapping.id, "guild_id": mapping.guild_id}
        log.warning(Event.MAPPING_PAUSED, extra=extra)
        if changed is None:
            raise _no_child()
        return changed

    async def remove(self, guild_id: int, base_id: int, actor_id: int) -> BasePlaylist:
        """End it with its children: their queues are cancelled, the playlists stay as they are."""
        base = await self.base(guild_id, base_id)
        await self._storage.routers.remove_base(base.id)
        self._log(Event.BASE_REMOVED, base, actor_id)
        return base

    async def add_child(self, new: NewChild) -> ChildPlaylist:
        """A new child. Raises RulesTextMistake, a UserMistake, with the place of the fault in its rules."""
        base = await self.base(new.guild_id, new.base_id)
        name = _name(new.name, "child playlist", CHILD_NAME_LENGTH)
        rules = parse_rules(new.rules)
        children = await self._storage.routers.children(base.id)
        if any(one.name.casefold() == name.casefold() for one in children):
            raise UserMistake(f"“{base.name}” has already a child called “{name}”; choose another name.")
        playlist = await self._mappings.child_playlist(base.playlist, new.playlist, new.actor_id)
        child = await self._storage.routers.add_child(
            base_id=base.id, playlist_id=playlist.id, name=name, rules=to_json(rules), created_by=new.actor_id
        )
        self._log(Event.CHILD_ADDED, base, new.actor_id, child=child.name, detail=rules_text(rules))
        return child

    async def edit_child(
        self, guild_id: int, child_id: int, actor_id: int, *, name: str | None = None, rules: str | None = None
    ) -> ChildPlaylist:
        """Change what is given; new rules hold from the next run on."""
        child = await self.child(guild_id, child_id)
        base = await self.base(guild_id, child.base_id)
        fields: dict[str, Any] = {}
        if name is not None:
            fields["name"] = _name(name, "child playlist", CHILD_NAME_LENGTH)
        if rules is not None:
            fields["rules"] = to_json(parse_rules(rules))
        if not fields:
            raise UserMistake("Nothing was given that could be changed.")
        changed = await self._storage.routers.update_child(child.id, **fields)
        if changed is None:
            raise _no_child()
        detail = rules_text(from_json(changed.rules)) if rules is not None else "name"
        self._log(Event.CHILD_EDITED, base, actor_id, child=changed.name, detail=detail)
        return changed

    async def remove_child(self, guild_id: int, child_id: int, actor_id: int) -> ChildPlaylist:
        """End it: its queue is cancelled, its playlist stays as it is."""
        child = await self.child(guild_id, child_id)
        base = await self.base(guild_id, child.base_id)
        if not await self._storage.routers.remove_child(child.id):
            raise _no_child()
        self._log(Event.CHILD_REMOVED, base, actor_id, child=child.name)
        return child

    async def base(self, guild_id: int, base_id: int) -> BasePlaylist:
        return _still_there(await self._storage.routers.base(base_id, guild_id))

    async def child(self, guild_id: int, child_id: int) -> ChildPlaylist:
        child = await self._storage.routers.child(child_id, guild_id)
        if child is None:
            raise _no_child()
        return child

    async def bases(self, guild_id: int) -> list[BasePlaylist]:
        """The guild's bases by name."""
        return await self._storage.routers.bases_of_guild(guild_id)

    async def children(self, guild_id: int, base_id: int) -> list[ChildPlaylist]:
        """The base's children, in the order in which they were made."""
        return await self._storage.routers.children((await self.base(guild_id, base_id)).id)

    async def every_child(self, guild_id: int) -> list[ChildPlaylist]:
        """The children of all bases, base after base."""
        return [child for base in await self.bases(guild_id) for child in await self._storage.routers.children(base.id)]

    async def chosen(self, guild_id: int, text: str) -> list[BasePlaylist]:
        """One base as in ``find``, or several with commas between them; each once."""
        try:
            return [await self.find(guild_id, text)]
        except UserMistake:
            parts = [part for part in text.split(",") if part.strip()]
            if len(parts) <= 1:
                raise
        found = [await self.find(guild_id, part) for part in parts]
        return list({base.id: base for base in found}.values())

    async def find(self, guild_id: int, text: str) -> BasePlaylist:
        """A base by its id or its name, in whatever case."""
        number = _number(text)
        found = None if number is None else await self._storage.routers.base(number, guild_id)
        found = found or await self._storage.routers.base_by_name(guild_id, text)
        if found is None:
            raise UserMistake(
                f"There is no base “{text.strip()[:NAME_LENGTH]}” here; `/router base-list` shows them all."
            )
        return found

    async def find_child(self, guild_id: int, text: str) -> ChildPlaylist:
        """A child by its id, or by its name where only one of the guild's children is called so."""
        number = _number(text)
        if number is not None and (child := await self._storage.routers.child(number, guild_id)) is not None:
            return child
        key = text.strip().casefold()
        named = [
            child
            for child in await self.every_child(guild_id)
            if key in (child.name.casefold(), child.mapping.name.casefold())
        ]
        if len(named) > 1:
            raise UserMistake(f"Several bases have a child called “{named[0].name}”; choose it from the list.")
        if not named:
            raise _no_child()
        return named[0]

    def _log(self, event: Event, base: BasePlaylist, actor_id: int, **fields: str) -> None:
        extra = {"base": base.name, "guild_id": base.guild_id, "actor_id": actor_id}
        log.info(event, extra=extra | fields)


def _name(text: str, what: str, longest: int) -> str:
    name = " ".join(text.split())
    if not name or len(name) > longest:
        raise UserMistake(f"The name of a {what} has 1 to {longest} characters.")
    if name.removeprefix("#").isdecimal():
        raise UserMistake(f"The name of a {what} cannot be a number only: numbers are ids.")
    return name


def _number(text: str) -> int | None:
    digits = text.strip().removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) <= ID_DIGITS else None


def _still_there(base: BasePlaylist | None) -> BasePlaylist:
    if base is None:
        raise UserMistake("This base playlist does not exist any more; `/router base-list` shows what there is.")
    return base


def _no_child() -> UserMistake:
    return UserMistake("There is no such child playlist here; `/router child-list` shows what there is.")
