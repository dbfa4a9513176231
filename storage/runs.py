"""Runs, one active at most for each mapping, and the plans that previews left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.plan import Plan
from bot.model.reasons import reason_of
from bot.model.run import Run, RunCounts, RunKind, RunStatus, Trigger
from storage.database import Repository, reads, writes
from storage.schema import RUN_IS_ACTIVE, base_playlists, mappings, plans, runs, snapshots, sync_items
from storage.stopping import cancel_waiting, ending, look_again, of_run
from storage.words import PlanState

_PLAN = TypeAdapter(Plan)
_COUNTS = tuple(asdict(RunCounts()))


class Runs(Repository):
    @writes
    async def start(
        self,
        connection: AsyncConnection,
        kind: RunKind,
        mapping_id: int,
        trigger: Trigger,
        actor_id: int,
        now: datetime,
        undoes_run_id: int | None = None,
    ) -> Run | None:
        """A new run in progress; None while the mapping has an active one (the unique index says so)."""
        guild = select(mappings.c.guild_id).where(mappings.c.id == mapping_id).scalar_subquery()
        statement = (
            self.db.insert(runs)
            .values(
                kind=kind,
                undoes_run_id=undoes_run_id,
                mapping_id=mapping_id,
                guild_id=guild,
                trigger=trigger,
                actor=actor_id,
                status=RunStatus.IN_PROGRESS,
                created_at=now,
                started_at=now,
                heartbeat_at=now,
                error="",
                **asdict(RunCounts()),
            )
            .on_conflict_do_nothing()
            .returning(*runs.c)
        )
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else run_of(row)

    @writes
    async def start_routing(
        self, connection: AsyncConnection, base_id: int, trigger: Trigger, actor_id: int, now: datetime
    ) -> Run | None:
        """A new routing run of the base; None while it has an active one, or was removed."""
        base = select(base_playlists.c.guild_id).where(
            base_playlists.c.id == base_id, base_playlists.c.removed_at.is_(None)
        )
        # Whoever changes the base or a child waits for this row, and then sees the run.
        guild_id = (await connection.execute(base.with_for_update())).scalar()
        if guild_id is None:
            return None
        statement = (
            self.db.insert(runs)
            .values(
                kind=RunKind.ROUTING,
                base_playlist_id=base_id,
                guild_id=guild_id,
                trigger=trigger,
                actor=actor_id,
                status=RunStatus.IN_PROGRESS,
                created_at=now,
                started_at=now,
                heartbeat_at=now,
                error="",
                details={},
                **asdict(RunCounts()),
            )
            .on_conflict_do_nothing()
            .returning(*runs.c)
        )
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else run_of(row)

    @writes
    async def note_details(self, connection: AsyncConnection, run_id: int, details: Mapping[str, Any]) -> None:
        """Keeps what a routing run tells beyond its counts; what was kept before is replaced."""
        await connection.execute(update(runs).where(runs.c.id == run_id).values(details=dict(details)))

    @reads
    async def of_base(self, connection: AsyncConnection, base_id: int, limit: int = 10) -> list[Run]:
        """The base's latest routing runs, newest first."""
        statement = select(runs).where(runs.c.base_playlist_id == base_id).order_by(runs.c.id.desc()).limit(limit)
        return [run_of(row) for row in await connection.execute(statement)]

    @writes
    async def heartbeat(self, connection: AsyncConnection, run_id: int, now: datetime) -> bool:
        """Says that the run is alive; False when it is not active any more."""
        statement = update(runs).where(runs.c.id == run_id, RUN_IS_ACTIVE).values(heartbeat_at=now)
        return bool((await connection.execute(statement)).rowcount)

    @writes
    async def add_counts(self, connection: AsyncConnection, run_id: int, delta: RunCounts) -> None:
        """Adds ``delta`` to the run's counts."""
        added = {name: runs.c[name] + value for name, value in asdict(delta).items() if value}
        if added:
            await connection.execute(update(runs).where(runs.c.id == run_id).values(**added))

    @writes
    async def finish(
        self, connection: AsyncConnection, run_id: int, status: RunStatus, now: datetime, error: str = ""
    ) -> Run | None:
        """The run as it ended; None when it had ended before.

        One that people asked to stop ends ``cancelled``, however near to its end it was, with what it has waiting.
        """
        statement = (
            update(runs)
            .where(runs.c.id == run_id, RUN_IS_ACTIVE)
            .values(status=ending(status), completed_at=now, error=error, reason=reason_of(error))
            .returning(*runs.c)
        )
        row = (await connection.execute(statement)).one_or_none()
        if row is not None and row.cancelled_by is not None:
            await cancel_waiting(connection, now, of_run(run_id))
            await look_again(connection, [row.mapping_id or 0])
        return None if row is None else run_of(row)

    @reads
    async def asked_to_stop(self, connection: AsyncConnection, run_ids: Sequence[int]) -> set[int]:
        """Those of these runs that people cancelled."""
        statement = select(runs.c.id).where(runs.c.id.in_(run_ids), runs.c.cancelled_by.is_not(None))
        return set((await connection.execute(statement)).scalars())

    @reads
    async def get(self, connection: AsyncConnection, run_id: int, guild_id: int | None = None) -> Run | None:
        """The run, None when it is unknown or belongs to another guild than ``guild_id``."""
        statement = select(runs).where(runs.c.id == run_id)
        if guild_id is not None:
            statement = statement.where(runs.c.guild_id == guild_id)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else run_of(row)

    @reads
    async def recent(self, connection: AsyncConnection, guild_id: int | None, limit: int = 10) -> list[Run]:
        """The guild's latest runs (None: of all guilds), newest first."""
        return await recent(connection, guild_id, limit)

    @reads
    async def of_mapping(self, connection: AsyncConnection, mapping_id: int, limit: int = 10) -> list[Run]:
        """The mapping's latest runs, newest first."""
        statement = select(runs).where(runs.c.mapping_id == mapping_id).order_by(runs.c.id.desc()).limit(limit)
        return [run_of(row) for row in await connection.execute(statement)]

    @reads
    async def active(self, connection: AsyncConnection, guild_id: int | None = None) -> list[Run]:
        """The guild's runs that are under way (None: of all guilds), oldest first."""
        statement = select(runs).where(RUN_IS_ACTIVE).order_by(runs.c.id)
        if guild_id is not None:
            statement = statement.where(runs.c.guild_id == guild_id)
        return [run_of(row) for row in await connection.execute(statement)]

    @reads
    async def active_of_mapping(self, connection: AsyncConnection, mapping_id: int) -> Run | None:
        """The mapping's run that is under way."""
        statement = select(runs).where(runs.c.mapping_id == mapping_id, RUN_IS_ACTIVE)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else run_of(row)

    @writes
    async def fail_abandoned(self, connection: AsyncConnection, now: datetime, older_than: timedelta) -> list[Run]:
        """Fails active runs without a heartbeat for ``older_than`` (design: 30 minutes); those runs."""
        silent = runs.c.heartbeat_at < now - older_than
        return await self._fail(connection, silent, now, "It gave no sign of life.")

    @writes
    async def fail_all_active(self, connection: AsyncConnection, now: datetime, reason: str) -> list[Run]:
        """At the start of the only process: fails what the dead one left under way; those runs."""
        return await self._fail(connection, runs.c.id.is_not(None), now, reason)

    @writes
    async def save_plan(
        self, connection: AsyncConnection, run_id: int, plan: Plan, state: PlanState = PlanState.OPEN
    ) -> None:
        """Keeps a preview's plan, open to be applied once, or what a run has applied."""
        kept = {"plan": _PLAN.dump_python(plan, mode="json"), "state": state, "created_at": self.db.now()}
        statement = self.db.insert(plans).values(run_id=run_id, **kept)
        await connection.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=kept))

    @reads
    async def plan(self, connection: AsyncConnection, run_id: int) -> Plan | None:
        """The plan that the run showed, whatever became of it."""
        kept = (await connection.execute(select(plans.c.plan).where(plans.c.run_id == run_id))).scalar()
        return None if kept is None else _PLAN.validate_python(kept)

    @reads
    async def plan_state(self, connection: AsyncConnection, run_id: int) -> PlanState | None:
        """What became of the plan; None when the run has none."""
        return (await connection.execute(select(plans.c.state).where(plans.c.run_id == run_id))).scalar()

    @writes
    async def take_plan(self, connection: AsyncConnection, run_id: int, state: PlanState = PlanState.APPLIED) -> bool:
        """Turns an open plan into ``state``; True for one caller only, however many press the button."""
        statement = update(plans).where(plans.c.run_id == run_id, plans.c.state == PlanState.OPEN).values(state=state)
        return bool((await connection.execute(statement)).rowcount)

    @writes
    async def delete_older(self, connection: AsyncConnection, before: datetime, batch: int = 500) -> int:
        """Drops ended runs from before ``before`` that no item or snapshot refers to, with their plans; how many."""
        statement = (
            select(runs.c.id)
            .where(
                runs.c.completed_at < before,
                ~exists().where(sync_items.c.run_id == runs.c.id),
                ~exists().where(sync_items.c.origin_run_id == runs.c.id),
                ~exists().where(snapshots.c.run_id == runs.c.id),
            )
            .order_by(runs.c.id)
            .limit(batch)
        )
        ids = list((await connection.execute(statement)).scalars())
        await connection.execute(delete(plans).where(plans.c.run_id.in_(ids)))
        return (await connection.execute(delete(runs).where(runs.c.id.in_(ids)))).rowcount

    async def _fail(self, connection: AsyncConnection, which: Any, now: datetime, reason: str) -> list[Run]:
        statement = (
            update(runs)
            .where(RUN_IS_ACTIVE, which)
            .values(status=ending(RunStatus.FAILED), completed_at=now, error=reason, reason=reason_of(reason))
            .returning(*runs.c)
        )
        failed = sorted((run_of(row) for row in await connection.execute(statement)), key=lambda run: run.id)
        # What a routing run left undone is taken up at once, whatever the schedule of its base.
        bases = [one.base_playlist_id for one in failed if one.base_playlist_id and one.status is RunStatus.FAILED]
        due = update(base_playlists).where(base_playlists.c.id.in_(bases), base_playlists.c.removed_at.is_(None))
        await connection.execute(due.values(next_run_at=now))
        return failed


async def recent(connection: AsyncConnection, guild_id: int | None, limit: int) -> list[Run]:
    """``Runs.recent`` inside somebody else's transaction."""
    statement = select(runs).order_by(runs.c.id.desc()).limit(limit)
    if guild_id is not None:
        statement = statement.where(runs.c.guild_id == guild_id)
    return [run_of(row) for row in await connection.execute(statement)]


def run_of(row: Row[Any]) -> Run:
    """The run that a row of the table tells of."""
    return Run(
        id=row.id,
        kind=row.kind,
        mapping_id=row.mapping_id or 0,
        base_playlist_id=row.base_playlist_id,
        details=row.details or {},
        trigger=row.trigger,
        actor_id=row.actor,
        status=row.status,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        heartbeat_at=row.heartbeat_at,
        error=row.error,
        counts=RunCounts(**{name: row._mapping[name] for name in _COUNTS}),
        cancelled_by=row.cancelled_by,
        undoes_run_id=row.undoes_run_id,
    )
