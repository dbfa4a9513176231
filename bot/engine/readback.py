"""Reading back writes whose outcome is not known: each becomes done, or pending again."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.clock import Clock
from bot.engine.destination import Destinations
from bot.engine.retry import MAX_ATTEMPTS, Step
from bot.engine.settling import Settler, added_link, removed_link
from bot.engine.writing import PlaylistLost, Turn
from bot.logs.context import bound
from bot.model.errors import CrossfadeError, Forbidden, NotFound
from bot.model.events import Event
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.music import Track
from storage import Storage

log = logging.getLogger(__name__)


class ReadBack:
    """Asks the service what the playlist holds now; nothing is written."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        settler: Settler,
        destinations: Destinations,
        *,
        settle: timedelta,
        crash: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._settler = settler
        self._destinations = destinations
        self._settle = settle
        self._crash = crash

    async def work(self, turn: Turn, items: Sequence[SyncItem]) -> bool:
        """Read back every item; False: the service could not tell now, and they are unknown still."""
        try:
            happened = await self._happened(turn, items)
        except (NotFound, Forbidden) as error:
            await self._still_unknown(items, turn.token, error)
            raise PlaylistLost(turn.playlist, error) from error
        except CrossfadeError as error:
            await self._still_unknown(items, turn.token, error)
            return False
        self._crash("after_read_back")
        for item in items:
            with bound(item_id=item.id):
                await self._settled(turn, item, there=happened[item.id])
        return True

    async def _happened(self, turn: Turn, items: Sequence[SyncItem]) -> dict[int, bool]:
        counted = [item for item in items if item.action in (Action.ADD_TRACK, Action.REMOVE_TRACK)]
        ids = list(dict.fromkeys(item.destination_id for item in counted))
        copies = await turn.service.copies(turn.playlist.external_id, ids) if ids else {}
        happened = {item.id: _counts_say(item, copies.get(item.destination_id, 0)) for item in counted}
        for item in items:
            if item.action is Action.MOVE_TRACK:
                happened[item.id] = await self._stands_at_its_place(turn, item)
            elif item.action is Action.RENAME_PLAYLIST:
                info = await turn.service.playlist(turn.playlist.external_id)
                happened[item.id] = info.name == item.payload.get("name")
        return happened

    async def _stands_at_its_place(self, turn: Turn, item: SyncItem) -> bool:
        began = self._clock.now()
        self._destinations.note(turn.playlist, await turn.service.content(turn.playlist.external_id), began)
        entry_id = str(item.payload.get("entry_id", ""))
        return turn.destination.find(item.destination_id, entry_id, item.position or 0) == item.position

    async def _settled(self, turn: Turn, item: SyncItem, *, there: bool) -> None:
        outcome = "it happened" if there else "it did not happen and is done again"
        log.info(Event.ITEM_READ_BACK, extra={"title": item.source_track_title, "outcome": outcome})
        if not there and item.attempts >= MAX_ATTEMPTS:
            reason = f"{item.last_error} (given up after {item.attempts} attempts)"
            await self._settler.give_up(turn.burst, item, turn.token, reason)
            return
        if not there:
            # Should the first attempt show up after all, the surplus copy is ours to remove.
            payload = item.payload | {"suspect": True}
            await self._storage.items.settle(
                item.id, turn.token, ItemStatus.PENDING, now=self._clock.now(), payload=payload, attempts=0
            )
            return
        link = None
        if item.action is Action.ADD_TRACK:
            turn.destination.added([item.destination_id], item.position)
            self._destinations.wrote(turn.playlist, await self._track(item))
            link = added_link(turn.burst.mapping, item, item.destination_id, wrote=True)
        elif item.action is Action.REMOVE_TRACK:
            every_copy = turn.service.capabilities.removes_all_copies
            entry_id = str(item.payload.get("entry_id", ""))
            turn.destination.removed(item.destination_id, entry_id, every_copy=every_copy)
            self._destinations.wrote(turn.playlist, await self._track(item))
            link = removed_link(turn.burst.mapping, item)
        await self._settler.done(turn.burst, item, turn.token, link=link)

    async def _track(self, item: SyncItem) -> Track:
        known = await self._storage.tracks.get_many(item.service, [item.destination_id])
        blank = Track(service=item.service, external_id=item.destination_id, title=item.source_track_title)
        return known.get(item.destination_id, blank)

    async def _still_unknown(self, items: Sequence[SyncItem], token: str, error: CrossfadeError) -> None:
        decision = self._settler.decide(items[0], error)
        waits = decision.step in (Step.RETRY, Step.WAIT_QUOTA, Step.WAIT_SERVICE) and decision.at is not None
        not_before = decision.at if waits else self._clock.now() + self._settle
        for item in items:
            await self._storage.items.settle(
                item.id,
                token,
                ItemStatus.UNKNOWN,
                now=self._clock.now(),
                last_error=str(error),
                not_before=not_before,
                attempts=0,
            )


def _counts_say(item: SyncItem, copies: int) -> bool:
    before = item.copies_before or 0
    return copies > before if item.action is Action.ADD_TRACK else copies < before
