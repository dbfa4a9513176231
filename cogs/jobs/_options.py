"""The options of /jobs list as a filter: what they may hold, and what is said where they do not fit together."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from bot.model.errors import UserMistake
from bot.model.jobs import ItemFilter, JobFilter, Sort
from bot.model.run import Trigger
from cogs._ui import job_words

E = TypeVar("E", bound=Enum)

RUNS, ITEMS = "runs", "items"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As given; None: left out. ``status`` and ``kind`` are words of the list that is shown, ``sort`` of ``SORTS``."""

    show: str | None = None
    status: str | None = None
    kind: str | None = None
    mapping_id: int | None = None
    trigger: str | None = None
    actor_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    id: int | None = None
    sort: str | None = None

    def over(self, saved: JobFilter | ItemFilter | None) -> JobFilter | ItemFilter:
        """The filter that these options ask for, laid over a saved one. Raises UserMistake."""
        items = isinstance(saved, ItemFilter) if self.show is None and saved is not None else self.show == ITEMS
        start: JobFilter | ItemFilter = ItemFilter() if items else JobFilter()
        if saved is not None:
            if isinstance(saved, ItemFilter) is not items:
                raise UserMistake(
                    f"That filter was saved for {ITEMS if not items else RUNS}, so it cannot be shown as "
                    f"{ITEMS if items else RUNS}. Leave `show` out, or choose another filter."
                )
            start = saved
        wanted = replace(start, **self._common())
        wanted = self._items(wanted) if isinstance(wanted, ItemFilter) else self._runs(wanted)
        if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
            raise UserMistake("`since` lies after `until`, so nothing can match. Swap them, or leave one out.")
        return wanted

    def _common(self) -> dict[str, Any]:
        given: dict[str, Any] = {
            "mapping_id": self.mapping_id,
            "actor_id": self.actor_id,
            "since": self.since,
            "until": self.until,
            "text": self.text,
            "id": self.id,
        }
        if self.trigger is not None:
            given["triggers"] = (Trigger(self.trigger),)
        if self.sort is not None:
            given["sort"], given["ascending"] = job_words.SORTS[self.sort]
        return {name: value for name, value in given.items() if value is not None}

    def _runs(self, wanted: JobFilter) -> JobFilter:
        if self.status is not None:
            wanted = replace(wanted, statuses=(_chosen(self.status, job_words.RUN_STATUSES, "status", RUNS),))
        if self.kind is not None:
            wanted = replace(wanted, kinds=(_chosen(self.kind, job_words.KINDS, "kind", RUNS),))
        return wanted

    def _items(self, wanted: ItemFilter) -> ItemFilter:
        if self.status is not None:
            wanted = replace(wanted, statuses=(_chosen(self.status, job_words.ITEM_STATUSES, "status", ITEMS),))
        if self.kind is not None:
            wanted = replace(wanted, actions=(_chosen(self.kind, job_words.ACTIONS, "kind", ITEMS),))
        if wanted.sort is Sort.STARTED:
            raise UserMistake("Items have no start of their own. Sort them by `created` or `completed`.")
        return wanted


def statuses(show: str | None) -> dict[str, str]:
    """Value and words of each status of the list."""
    found: dict[Any, str] = dict(job_words.ITEM_STATUSES if show == ITEMS else job_words.RUN_STATUSES)
    return {status.value: words for status, words in found.items()}


def kinds(show: str | None) -> dict[str, str]:
    """Value and words of each kind of run, or action of an item."""
    found: dict[Any, str] = dict(job_words.ACTIONS if show == ITEMS else job_words.KINDS)
    return {kind.value: words for kind, words in found.items()}


def _chosen(text: str, known: dict[E, str], option: str, show: str) -> E:
    sought = text.strip().lower()
    for member, words in known.items():
        if sought in (str(member.value), words):
            return member
    raise UserMistake(
        f"`{option}:{text[:40]}` is nothing that {show} have. It is one of: {', '.join(known.values())}."
        + (f" `show:{ITEMS}` has others." if show == RUNS else f" `show:{RUNS}` has others.")
    )
