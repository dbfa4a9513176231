"""The background tasks as people see them: what each is for, how it went, when it comes again, and running one now."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.engine.scheduler import Scheduler
from bot.model.errors import UserMistake
from bot.model.events import Event
from storage import Storage
from storage.tasks import TaskStatus
from storage.words import TaskState

log = logging.getLogger(__name__)

PATIENCE = 20.0  # seconds that a person waits for a task's end; it goes on either way
INTERRUPTED = "The program stopped while it ran; it runs again at its time."


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Work that never ends. ``nudge`` makes it turn at once and says what came of it; None: it keeps its own pace."""

    title: str
    purpose: str
    nudge: Callable[[], Awaitable[str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundTask:
    """``status`` is a word of ``TaskState``, '' before the first run; ``next_run`` None: whenever there is work."""

    name: str
    title: str
    purpose: str
    last_run: datetime | None
    next_run: datetime | None
    status: str
    last_error: str
    last_result: str
    runnable: bool
    loops: bool


class Tasks:
    """They serve every guild, so that running one out of its turn is the owner's."""

    def __init__(self, storage: Storage, scheduler: Scheduler, loops: Mapping[str, Loop]) -> None:
        self._storage = storage
        self._scheduler = scheduler
        self._loops = loops

    async def list(self) -> list[BackgroundTask]:
        """The loops first, then what comes round, each in the order of the program."""
        noted = {status.task_name: status for status in await self._storage.tasks.all()}
        return [self._loop(name, noted.get(name)) for name in self._loops] + [
            self._repeating(name, noted.get(name)) for name in self._scheduler.tasks
        ]

    async def get(self, name: str) -> BackgroundTask:
        """Raises UserMistake for an unknown name."""
        for task in await self.list():
            if task.name == name:
                return task
        raise UserMistake("There is no such task any more; `/tasks` shows what there is.")

    async def run_now(self, name: str, actor_id: int) -> BackgroundTask:
        """Run it out of its turn; as it stands at its end, or still at work when that takes long.

        One that runs already is waited for, not started twice. Raises UserMistake for what cannot be run.
        """
        task = await self.get(name)
        if not task.runnable:
            raise UserMistake(f"“{task.title}” keeps its own pace, so that it cannot be run by hand.")
        log.info(Event.TASK_REQUESTED, extra={"task": name, "actor_id": actor_id})
        if name in self._scheduler.tasks:
            await self._scheduler.run_now(name, patience=PATIENCE)
        else:
            await self._nudge(name)
        return await self.get(name)

    async def _nudge(self, name: str) -> None:
        nudge = self._loops[name].nudge
        assert nudge is not None
        result = await nudge()
        await self._storage.tasks.note(name, status=TaskState.OK, last_run=self._storage.db.now(), last_result=result)

    def _loop(self, name: str, noted: TaskStatus | None) -> BackgroundTask:
        loop = self._loops[name]
        return _task(name, loop.title, loop.purpose, noted, None, runnable=loop.nudge is not None, loops=True)

    def _repeating(self, name: str, noted: TaskStatus | None) -> BackgroundTask:
        task = self._scheduler.tasks[name]
        following = self._scheduler.next_run(name) or (noted.next_run if noted else None)
        if noted is not None and noted.status == TaskState.RUNNING and not self._scheduler.is_running(name):
            noted = TaskStatus(
                task_name=name,
                last_run=noted.last_run,
                status=TaskState.FAILED,
                last_error=INTERRUPTED,
                last_result=noted.last_result,
            )
        return _task(name, task.title, task.purpose, noted, following, runnable=True, loops=False)


def _task(
    name: str,
    title: str,
    purpose: str,
    noted: TaskStatus | None,
    next_run: datetime | None,
    *,
    runnable: bool,
    loops: bool,
) -> BackgroundTask:
    return BackgroundTask(
        name=name,
        title=title,
        purpose=purpose,
        last_run=noted.last_run if noted else None,
        next_run=next_run,
        status=noted.status if noted else "",
        last_error=noted.last_error if noted else "",
        last_result=noted.last_result if noted else "",
        runnable=runnable,
        loops=loops,
    )
