"""What went wrong and what waits, grouped by reason; retried and exported by the group."""

import asyncio
import functools
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.clock import Clock
from bot.engine.sync import Sync
from bot.model.errors import CrossfadeError, UserMistake
from bot.model.events import Event
from bot.model.failure import Failure, FailureFilter, FailureGroup, FailureKind, FailureTally, Hold
from bot.model.item import SyncItem
from bot.model.log_filter import LogFilter
from bot.model.logline import LogLine
from bot.model.music import Service
from bot.model.reasons import Cause, reason_of
from bot.model.review import BlacklistRow
from bot.model.run import Run, Trigger
from storage import Storage

log = logging.getLogger(__name__)

PAGE = 1000  # rows of an export read at once
LINES_OF_AN_EXAMPLE = 8
COLUMNS = (
    "kind",
    "reason",
    "id",
    "mapping_id",
    "mapping",
    "run_id",
    "service",
    "action",
    "title",
    "attempts",
    "error",
    "at",
    "until",
)
_READ_BACK = Cause.UNKNOWN_OUTCOME.value  # such items wait until the playlist shows what became of them
NOTHING_LEFT = "Nothing of this group is left: it was retried or settled meanwhile. /errors shows what there is now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """The newest failure of a group, which is one of ``item``, ``run`` and ``row``, with its log, newest first."""

    item: SyncItem | None = None
    run: Run | None = None
    row: BlacklistRow | None = None
    lines: Sequence[LogLine] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """``items`` are in the queue again, ``mappings`` are analysed again one after the other."""

    items: int
    mappings: int


class Failures:
    """Filters carry their guild: nothing of another one is counted, shown or retried."""

    def __init__(self, storage: Storage, clock: Clock, sync: Sync, *, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._sync = sync
        self._wake = wake
        self._background: set[asyncio.Task[None]] = set()

    async def groups(self, wanted: FailureFilter) -> list[FailureGroup]:
        """Failures of the window, then what waits now; the largest of each kind first."""
        since = self._clock.now() - wanted.window
        failures = self._storage.failures
        tallies: list[FailureTally] = []
        for kind, count in (
            (FailureKind.ITEM, failures.items),
            (FailureKind.RUN, failures.runs),
            (FailureKind.REVIEW, failures.reviews),
        ):
            if wanted.kind in (None, kind):
                tallies += await count(wanted, since)
        if wanted.kind in (None, FailureKind.WAIT):
            tallies += await self._waits(wanted)
        return grouped(tallies)

    async def group(self, wanted: FailureFilter) -> FailureGroup:
        """The one group of ``wanted``'s kind and reason. Raises UserMistake where nothing of it is left."""
        found = await self.groups(wanted)
        if not found:
            raise UserMistake(NOTHING_LEFT)
        return found[0]

    async def example(self, wanted: FailureFilter) -> Example:
        """The group's newest failure with its log."""
        group = await self.group(wanted)
        guild_id, found = wanted.guild_id, group.example_id
        if group.kind is FailureKind.RUN:
            run = await self._storage.runs.get(found, guild_id)
            return Example(run=run, lines=await self._lines(LogFilter(guild_id=guild_id, run_id=found)))
        if group.kind is FailureKind.REVIEW:
            row = await self._storage.blacklist.get(found, guild_id)
            of_item = LogFilter(guild_id=guild_id, item_id=row.item_id) if row is not None and row.item_id else None
            return Example(row=row, lines=() if of_item is None else await self._lines(of_item))
        item = await self._storage.items.get(found, guild_id)
        return Example(item=item, lines=await self._lines(LogFilter(guild_id=guild_id, item_id=found)))

    async def retry(self, wanted: FailureFilter, actor_id: int) -> Retried:
        """Everything of the group is tried again. Raises UserMistake where nothing of it is left, or it only waits."""
        group = await self.group(wanted)
        if group.kind is FailureKind.WAIT:
            raise UserMistake("What waits goes on by itself when its cause is gone; there is nothing to retry.")
        since = self._clock.now() - wanted.window
        failures, items, mappings = self._storage.failures, 0, 0
        if group.kind is FailureKind.RUN:
            mappings = self._analyse(await failures.failed_mappings(wanted, since), actor_id)
        else:
            again = failures.retry_items if group.kind is FailureKind.ITEM else failures.look_again
            items = await _all_of(functools.partial(again, wanted, since))
        if not items and not mappings:
            raise UserMistake(NOTHING_LEFT)
        self._wake()
        extra = {"reason": group.reason or "unknown", "items": items or None, "mappings": mappings or None}
        log.info(Event.ERRORS_RETRIED, extra=extra | {"guild_id": wanted.guild_id, "actor_id": actor_id})
        return Retried(items=items, mappings=mappings)

    async def pages(self, wanted: FailureFilter) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """The failures of the filter as rows of ``COLUMNS``, page by page."""
        since = self._clock.now() - wanted.window
        names = await self._storage.jobs.names(wanted.guild_id)
        holds = await self._storage.failures.holds(wanted.guild_id)
        for kind in FailureKind:
            if wanted.kind not in (None, kind):
                continue
            after_id = 0
            while page := await self._storage.failures.page(kind, wanted, since, after_id=after_id, limit=PAGE):
                after_id = page[-1].id
                if kind is FailureKind.WAIT:
                    page = self._waiting(page, wanted, holds)
                yield [_row(failure, names) for failure in page]

    async def close(self) -> None:
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _waits(self, wanted: FailureFilter) -> list[FailureTally]:
        holds = await self._storage.failures.holds(wanted.guild_id)
        queued = await self._storage.failures.waits(wanted, self._clock.now())
        waits = [
            replace(each, reason=held_by(each.reason, each.service, holds.get(each.mapping_id))) for each in queued
        ]
        return [each for each in waits if each.reason and wanted.reason in (None, each.reason)]

    def _waiting(self, page: Sequence[Failure], wanted: FailureFilter, holds: Mapping[int, Hold]) -> list[Failure]:
        now = self._clock.now()
        found = []
        for each in page:
            own = each.reason if each.reason == _READ_BACK or (each.until is not None and each.until > now) else ""
            reason = held_by(own, each.service, holds.get(each.mapping_id))
            if reason and wanted.reason in (None, reason):
                found.append(replace(each, reason=reason))
        return found

    async def _lines(self, wanted: LogFilter) -> Sequence[LogLine]:
        return (await self._storage.logs.page(wanted, limit=LINES_OF_AN_EXAMPLE)).lines

    def _analyse(self, mapping_ids: Sequence[int], actor_id: int) -> int:
        async def one_after_the_other() -> None:
            for mapping_id in mapping_ids:
                try:
                    await self._sync.start(mapping_id, actor_id, Trigger.RETRY)
                except CrossfadeError as error:  # the others have their turn all the same
                    task = f"the new analysis of mapping {mapping_id}"
                    log.info(Event.TASK_FAILED, extra={"task": task, "error": str(error), "mapping_id": mapping_id})

        task = asyncio.create_task(one_after_the_other())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return len(mapping_ids)


async def _all_of(again: Callable[..., Awaitable[tuple[int, int | None]]]) -> int:
    """Batch by batch, so that the one writer is free in between; how many were retried."""
    retried, last = 0, 0
    while True:
        count, next_after = await again(after_id=last)
        retried += count
        if next_after is None:
            return retried
        last = next_after


def held_by(reason: str, service: Service | None, hold: Hold | None) -> str:
    """Why an item of the queue waits, '' when it only waits for its turn. ``reason``: its own, while that holds."""
    if hold is not None and hold.paused:
        return reason_of(hold.pause_reason) or Cause.MAPPING_PAUSED.value
    if hold is not None and service in hold.logins:
        return Cause.LOGIN_NEEDED.value
    return reason


def grouped(tallies: Sequence[FailureTally]) -> list[FailureGroup]:
    """One group for each kind and reason; in the order of the kinds, the largest first."""
    together: dict[tuple[FailureKind, str], list[FailureTally]] = defaultdict(list)
    for tally in tallies:
        together[tally.kind, tally.reason].append(tally)
    order = list(FailureKind)
    groups = [_group(kind, reason, parts) for (kind, reason), parts in together.items()]
    return sorted(groups, key=lambda group: (order.index(group.kind), -group.count, group.reason))


def _group(kind: FailureKind, reason: str, parts: Sequence[FailureTally]) -> FailureGroup:
    counts: dict[int, int] = defaultdict(int)
    for part in parts:
        counts[part.mapping_id] += part.count
    return FailureGroup(
        kind=kind,
        reason=reason,
        count=sum(counts.values()),
        first_seen=min((part.first_seen for part in parts if part.first_seen is not None), default=None),
        last_seen=max((part.last_seen for part in parts if part.last_seen is not None), default=None),
        until=max((part.until for part in parts if part.until is not None), default=None),
        mappings=tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        services=tuple(service for service in Service if any(part.service is service for part in parts)),
        example_id=max(part.example_id for part in parts),
    )


def _row(failure: Failure, names: Mapping[int, str]) -> Mapping[str, Any]:
    values: dict[str, Any] = {name: getattr(failure, name) for name in COLUMNS if name != "mapping"}
    return values | {"mapping_id": failure.mapping_id or None, "mapping": names.get(failure.mapping_id, "")}
