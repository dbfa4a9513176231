"""What the background tasks did last and do next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.model.errors import CrossfadeError
from storage.database import Repository, reads, writes
from storage.schema import task_status
from storage.words import TaskState

PULSE = timedelta(minutes=1)  # the least time between two notes of a loop that is well


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """One background task. ``status`` is a word of ``TaskState``; ``last_result`` a sentence."""

    task_name: str
    last_run: datetime | None = None
    next_run: datetime | None = None
    status: str = TaskState.OK
    last_error: str = ""
    last_result: str = ""


class Tasks(Repository):
    @writes
    async def note(
        self,
        connection: AsyncConnection,
        task_name: str,
        *,
        status: str = TaskState.OK,
        last_run: datetime | None = None,
        next_run: datetime | None = None,
        last_error: str | None = None,
        last_result: str | None = None,
    ) -> None:
        """Keeps what is said of the task; what is not said stays as it was."""
        given: dict[str, Any] = {
            "status": status,
            "last_run": last_run,
            "next_run": next_run,
            "last_error": last_error,
            "last_result": last_result,
        }
        said = {name: value for name, value in given.items() if value is not None}
        statement = self.db.insert(task_status).values(
            task_name=task_name, **{"last_error": "", "last_result": "", **said}
        )
        await connection.execute(statement.on_conflict_do_update(index_elements=["task_name"], set_=said))

    @reads
    async def all(self, connection: AsyncConnection) -> list[TaskStatus]:
        """Every task that ever said something, by name."""
        rows = await connection.execute(select(task_status).order_by(task_status.c.task_name))
        return [TaskStatus(**row._mapping) for row in rows]


class Pulse:
    """The signs of life of a loop that never ends: noted about once a minute, and at once when it fails or recovers."""

    def __init__(self, tasks: Tasks, name: str, clock: Clock) -> None:
        self._tasks = tasks
        self._name = name
        self._clock = clock
        self._noted_at: datetime | None = None
        self._failing = False

    async def beat(self, result: str) -> None:
        """A turn went well; ``result`` is a sentence on it."""
        now = self._clock.now()
        if not self._failing and self._noted_at is not None and now - self._noted_at < PULSE:
            return
        await self._note(now, status=TaskState.OK, last_error="", last_result=result)
        self._failing = False

    async def failed(self, error: str) -> None:
        """A turn went wrong; the loop goes on."""
        self._failing = True
        await self._note(self._clock.now(), status=TaskState.FAILED, last_error=error)

    async def _note(self, now: datetime, **said: Any) -> None:
        self._noted_at = now
        try:
            await self._tasks.note(self._name, last_run=now, **said)
        except CrossfadeError:
            # The database is what fails: the loop tells the log so, and this note comes with a later turn.
            self._noted_at = None
