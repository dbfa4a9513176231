"""A round: several mappings of a server analysed one after the other, whatever becomes of each of them."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.engine.estimate import Estimate
from bot.engine.sync import Busy, StartedSync, Sync
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.model.mapping import Mapping

log = logging.getLogger(__name__)


class Turn(StrEnum):
    """How a mapping stands in its round."""

    WAITING = "waiting"
    READING = "reading"
    BUSY = "busy"  # another run of it is active: named and passed over
    RECENT = "recent"  # looked at just now, and nobody asked for a second look
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"  # its plan is made


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What has just become of one mapping of the round."""

    mapping: Mapping
    turn: Turn
    started: StartedSync | None = None
    error: Exception | None = None


Check = Callable[[Mapping], Awaitable[Mapping]]


class Rounds:
    """Actors are Discord user ids."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync

    async def run(
        self,
        estimates: Sequence[Estimate],
        actor_id: int,
        *,
        preview: bool = False,
        full: bool = False,
        force: bool = False,
        check: Check,
    ) -> AsyncIterator[Step]:
        """Two steps for each mapping that is looked at, one for each that is passed over.

        ``check`` may pause a mapping when its turn comes. Nothing that goes wrong with one ends the round.
        """
        for estimate in estimates:
            mapping = estimate.mapping
            if passed := _passed_over(estimate):
                yield Step(mapping=mapping, turn=passed)
                continue
            yield Step(mapping=mapping, turn=Turn.READING)
            yield await self._turn(mapping, actor_id, preview=preview, full=full, force=force, check=check)

    async def _turn(
        self, mapping: Mapping, actor_id: int, *, preview: bool, full: bool, force: bool, check: Check
    ) -> Step:
        begin = self._sync.preview if preview else self._sync.start
        try:
            mapping = await check(mapping)
            if not mapping.enabled:
                return Step(mapping=mapping, turn=Turn.PAUSED)
            started = await begin(mapping.id, actor_id, full=full, force=force)
        except Busy:
            return Step(mapping=mapping, turn=Turn.BUSY)
        except CrossfadeError as error:
            return Step(mapping=mapping, turn=Turn.FAILED, error=error)
        except Exception as error:
            log.exception(Event.BUG, extra={"where": "a round", "mapping_id": mapping.id, "guild_id": mapping.guild_id})
            return Step(mapping=mapping, turn=Turn.FAILED, error=error)
        return Step(mapping=mapping, turn=Turn.DONE, started=started)


def _passed_over(estimate: Estimate) -> Turn | None:
    if not estimate.mapping.enabled:
        return Turn.PAUSED
    if estimate.busy:
        return Turn.BUSY
    return Turn.RECENT if estimate.looked_at is not None else None
