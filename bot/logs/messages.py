"""What the feed hands to its sink: a card of an incident, a summary of runs, a digest of the day."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bot.model.digest import Digest
from bot.model.incident import Incident
from bot.model.run import Run, RunKind, RunStatus


class Place(NamedTuple):
    """Where a message stands: Discord's ids."""

    channel_id: int
    message_id: int


class CardGone(Exception):
    """The message that was to be edited is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An incident as it is now. With a ``message_id`` its message is edited, else a new one is posted.

    ``number`` is the same when a message is tried again: the nonce that keeps Discord from showing it twice.
    """

    guild_id: int
    number: int
    incident: Incident

    @property
    def edits(self) -> bool:
        return self.incident.message_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Runs that changed or failed something, oldest first; ``more`` ended with them and are only counted."""

    guild_id: int
    number: int
    runs: tuple[Run, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    guild_id: int
    number: int
    digest: Digest


Message = Card | Summary | Daily


class Sink(Protocol):
    async def show(self, message: Message) -> Place | None:
        """Post or edit ``message``; where it stands, None when nobody is to read it any more.

        Raises CardGone when the message to be edited was deleted, and anything else when Discord does not take it now:
        it is then given again later, with the same number.
        """
        ...


def edits(message: Message) -> bool:
    return isinstance(message, Card) and message.edits


def worth_telling(run: Run) -> bool:
    """Whether a run changed or failed something.

    Only executions change playlists: the counts of other kinds say what they plan. A failed analysis is an incident.
    """
    counts = run.counts
    if run.kind is RunKind.EXECUTION and (counts.adds or counts.removals or counts.failed):
        return True
    return run.kind is not RunKind.ANALYSIS and run.status is RunStatus.FAILED
