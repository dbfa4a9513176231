"""The embed of /tasks: each background task with how it went, when it comes again, and what it is for."""

from collections.abc import Sequence

import discord

from bot.engine.tasks import BackgroundTask
from cogs._ui import colours, foreign, moments
from storage.words import TaskState

_SIGNS = {TaskState.OK: "✅", TaskState.RUNNING: "▶️", TaskState.FAILED: "❌", "": "⚪"}
_LISTED, _ALONE = 120, 600  # characters of a result or an error


def tasks_card(tasks: Sequence[BackgroundTask]) -> discord.Embed:
    failed = [task for task in tasks if task.status == TaskState.FAILED]
    said = f"{len(failed)} of them failed at the last run." if failed else "All is well."
    card = discord.Embed(
        title="Background tasks",
        description=f"They serve every server of this bot. {said}",
        colour=colours.BAD if failed else colours.GOOD,
    )
    for task in tasks:
        card.add_field(name=f"{_SIGNS.get(task.status, '•')} {task.title}", value=_told(task, _LISTED), inline=False)
    card.set_footer(
        text="The owner of this bot can run one now; those without a time work whenever there is something."
    )
    return card


def ran_card(task: BackgroundTask) -> discord.Embed:
    """What came of running it by hand."""
    colour = {TaskState.FAILED: colours.BAD, TaskState.RUNNING: colours.WORKING}.get(
        TaskState(task.status), colours.GOOD
    )
    title = "still at work" if task.status == TaskState.RUNNING else "failed" if colour == colours.BAD else "was run"
    return discord.Embed(title=f"{task.title}: {title}", description=_told(task, _ALONE), colour=colour)


def _told(task: BackgroundTask, limit: int) -> str:
    times = [f"last {moments.relative(task.last_run)}" if task.last_run else "not run yet"]
    if task.status == TaskState.RUNNING:
        times = [f"at work since {moments.relative(task.last_run)}" if task.last_run else "at work"]
    if task.next_run is not None:
        times.append(f"next {moments.relative(task.next_run)}")
    elif task.loops:
        times.append("goes on all the time")
    lines = [task.purpose, " · ".join(times)]
    if task.last_error:
        lines.append(f"Error: {foreign.plain(task.last_error, limit)}")
    if task.last_result:
        lines.append(f"Result: {foreign.plain(task.last_result, limit)}")
    return "\n".join(lines)
