"""A round of the router: several bases routed or previewed one after the other, whatever becomes of each of them."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bot.engine.router import Mode, RoutedBase, Router
from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.model.router import BasePlaylist

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseStep:
    """What has just become of one base; with neither ``routed`` nor ``error`` its turn begins."""

    base: BasePlaylist
    routed: RoutedBase | None = None
    error: Exception | None = None


class BaseRounds:
    """Actors are Discord user ids."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def run(
        self, bases: Sequence[BasePlaylist], actor_id: int, mode: Mode, *, accept_collapse: bool = False
    ) -> AsyncIterator[BaseStep]:
        """Two steps for each base. Nothing that goes wrong with one ends the round."""
        for base in bases:
            yield BaseStep(base=base)
            how = mode.value + (", also where it lost most of its tracks" if accept_collapse else "")
            log.info(Event.ROUTING_REQUESTED, extra={"base": base.name, "mode": how, "guild_id": base.guild_id})
            yield await self._turn(base, actor_id, mode, accept_collapse=accept_collapse)

    async def preview(self, bases: Sequence[BasePlaylist], actor_id: int) -> AsyncIterator[BaseStep]:
        """The same without any change."""
        for base in bases:
            yield BaseStep(base=base)
            yield await self._turn(base, actor_id, None)

    async def _turn(
        self, base: BasePlaylist, actor_id: int, mode: Mode | None, *, accept_collapse: bool = False
    ) -> BaseStep:
        """``mode`` None: only look."""
        try:
            if mode is None:
                routed = await self._router.preview(base.guild_id, base.id, actor_id)
            else:
                routed = await self._router.run(base.guild_id, base.id, actor_id, mode, accept_collapse=accept_collapse)
        except CrossfadeError as error:
            return BaseStep(base=base, error=error)
        except Exception as error:
            log.exception(Event.BUG, extra={"where": "a round of the router", "guild_id": base.guild_id})
            return BaseStep(base=base, error=error)
        return BaseStep(base=routed.base, routed=routed)
