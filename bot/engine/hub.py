"""The hub: the engine announces facts, doors subscribe to them; the engine never calls a door."""

import contextvars
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.model.events import Event, Fact

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True, eq=False)
class _Subscriber:
    callback: Callable[[Any], object]
    context: contextvars.Context


class Hub:
    """Lives on one event loop; ``announce`` and ``subscribe`` are called there only."""

    def __init__(self) -> None:
        self._subscribers: dict[type, list[_Subscriber]] = defaultdict(list)

    def subscribe(self, kind: type[F], callback: Callable[[F], object]) -> Callable[[], None]:
        """Have ``callback`` called with every fact of ``kind``; returns the way to end that.

        The callback must be quick and must not block. It runs in the context variables of the moment of subscription:
        discord.py keeps its webhook adapter in one, and a message edited from an engine task fails without it.
        """
        subscriber = _Subscriber(callback, contextvars.copy_context())
        self._subscribers[kind].append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers[kind]:
                self._subscribers[kind].remove(subscriber)

        return unsubscribe

    def announce(self, fact: Fact) -> None:
        """Tell every subscriber of the fact's kind. A subscriber that fails is logged and harms nobody else."""
        for subscriber in tuple(self._subscribers[type(fact)]):
            try:
                subscriber.context.copy().run(subscriber.callback, fact)
            except Exception as error:
                log.exception(Event.BUG, extra={"error": repr(error), "fact": type(fact).__name__})
