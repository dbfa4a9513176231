"""A page of the log under any filter, in bounded time however many lines there are."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.log_filter import LogFilter
from bot.model.logline import Level
from storage.columns import UtcDateTime
from storage.schema import LINE_IS_TROUBLE, logs

# How many lines one page looks through at most for those that fit: measured (tests/benchmarks/lists.py), 30,000 that
# lie together take 10 to 40 ms on an idle core, and so do 15,000 that lie scattered among others. A full-text index
# would find rare words at once, but SQLite's (FTS5, trigrams) took seven times the processor time for each line that is
# written, and a flood of lines is when the log matters most; PostgreSQL's needs an extension that is not everywhere.
TOGETHER, SCATTERED = 30_000, 15_000


class Walk:
    """One way through the log, by ids: ``down`` from the newest line, or up from the oldest.

    The condition that leaves the fewest lines is walked along its index (``along``); the others are checked on the way
    (``aside``), written so that no engine takes another index for them.
    """

    def __init__(self, wanted: LogFilter, *, down: bool, case_blind_like: bool) -> None:
        self._wanted = wanted
        self._case_blind_like = case_blind_like
        self._down = down
        self._bounds: list[Any] = []
        self._along = self._first()
        self._aside = self._others()
        # Of several events each has its own short walk, unless lines would have to be skipped on them.
        self._walks_events = len(wanted.events) > 1 and "guild_id" in self._along and len(self._aside) == 1

    @property
    def skips(self) -> bool:
        """Whether lines on the way may not fit, so that it has to be told where to stop."""
        return bool(self._aside) and not self._walks_events

    @property
    def stretch(self) -> int:
        """How many lines may be looked through at once."""
        return TOGETHER if self._along.keys() <= {"guild_id"} else SCATTERED

    def within(self, low: int | None, high: int | None) -> None:
        """Only ids above ``low`` and below ``high``."""
        if low is not None:
            self._bounds.append(logs.c.id > low)
        if high is not None:
            self._bounds.append(logs.c.id < high)

    def end(self, stretch: int) -> Select[Any]:
        """The last line of a whole stretch; no row where fewer are left."""
        line = select(logs.c.id, logs.c.at).where(*self._along.values(), *self._bounds)
        return self._in_order(line).offset(stretch - 1).limit(1)

    def lines(self, limit: int) -> Select[Any]:
        if self._walks_events:
            return self._of_several_events(limit)
        fitting = select(logs).where(*self._along.values(), *self._aside, *self._bounds, *self._span())
        return self._in_order(fitting).limit(limit)

    def _of_several_events(self, limit: int) -> Select[Any]:
        walks = [
            self._in_order(
                select(logs.c.id).where(*self._along.values(), logs.c.event == event, *self._bounds, *self._span())
            )
            .limit(limit)
            .subquery()
            for event in self._wanted.events
        ]
        together = union_all(*(select(walk.c.id) for walk in walks)).subquery()
        nearest = select(together.c.id).order_by(together.c.id.desc() if self._down else together.c.id).limit(limit)
        return self._in_order(select(logs).where(logs.c.id.in_(nearest)))

    def _in_order(self, statement: Select[Any]) -> Select[Any]:
        return statement.order_by(logs.c.id.desc() if self._down else logs.c.id)

    def _first(self) -> dict[str, Any]:
        """The conditions to walk along, by what they settle: one thing has the fewest lines, then what has an index."""
        wanted = self._wanted
        for column, value in self._things():
            if value is not None and column is not logs.c.mapping_id:
                return {column.name: column == value}
        if wanted.guild_id is None or (wanted.mapping_id is not None and len(wanted.events) != 1):
            return {} if wanted.mapping_id is None else {"mapping_id": logs.c.mapping_id == wanted.mapping_id}
        here = {"guild_id": logs.c.guild_id == wanted.guild_id}
        if len(wanted.events) == 1:
            return here | {"events": logs.c.event == wanted.events[0]}
        if wanted.least is not Level.INFO:
            return here | {"trouble": LINE_IS_TROUBLE}
        if wanted.job_type is not None and not wanted.events:
            return here | {"job_type": logs.c.job_type == wanted.job_type}
        return here

    def _others(self) -> list[Any]:
        wanted, along = self._wanted, self._along
        aside: list[Any] = [
            column + 0 == value
            for column, value in (*self._things(), (logs.c.guild_id, wanted.guild_id))
            if value is not None and column.name not in along
        ]
        if wanted.job_type is not None and "job_type" not in along:
            aside.append(func.lower(logs.c.job_type) == wanted.job_type.value)
        if wanted.events and "events" not in along:
            aside.append(func.lower(logs.c.event).in_(wanted.events))
        if wanted.least is Level.ERROR or (wanted.least is Level.WARN and "trouble" not in along):
            levels = [Level.ERROR.value] if wanted.least is Level.ERROR else [Level.WARN.value, Level.ERROR.value]
            aside.append(func.lower(logs.c.level).in_(levels))
        if wanted.text:
            aside.append(self._holds(wanted.text))
        return aside

    def _things(self) -> tuple[tuple[Any, int | None], ...]:
        wanted = self._wanted
        return (
            (logs.c.sync_item_id, wanted.item_id),
            (logs.c.run_id, wanted.run_id),
            (logs.c.actor, wanted.actor_id),
            (logs.c.mapping_id, wanted.mapping_id),
        )

    def _span(self) -> list[Any]:
        """Ids grow with the moments and are bounded by them already; this makes the ends exact."""
        since, until = self._wanted.since, self._wanted.until
        return [
            *([logs.c.at >= since] if since is not None else []),
            *([logs.c.at < until] if until is not None else []),
        ]

    def _holds(self, sought: str) -> Any:
        if self._case_blind_like:  # SQLite's LIKE: without the lower() that would have to be called for each line
            return logs.c.message.contains(sought, autoescape=True)
        return logs.c.message.icontains(sought, autoescape=True)


async def first_id_since(connection: AsyncConnection, moment: datetime) -> int | None:
    """Where the lines at or after ``moment`` begin, as an id; None when there is none. Ids grow with the moments."""
    return (await connection.execute(_FIRST_SINCE, {"moment": moment})).scalar()


# Halves the range of ids in one statement: below ``low`` all lines are older, from ``high`` on none is. The ends stand
# in selects of their own, since SQLite looks up one end of an index but counts through it for both.
_FIRST_SINCE = text(
    """
    WITH RECURSIVE halves(low, high) AS (
      SELECT (SELECT min(id) FROM logs), (SELECT max(id) + 1 FROM logs)
      UNION ALL
      SELECT
        CASE WHEN (SELECT at FROM logs WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) >= :moment
          THEN low ELSE (low + high) / 2 + 1 END,
        CASE WHEN (SELECT at FROM logs WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) >= :moment
          THEN (low + high) / 2 ELSE high END
      FROM halves WHERE low < high
    )
    SELECT low FROM halves WHERE low = high AND low <= (SELECT max(id) FROM logs)
    """
).bindparams(bindparam("moment", type_=UtcDateTime()))
