"""The words and signs of runs and items in lists: the same at every door of the jobs."""

from bot.model.item import Action, ItemStatus
from bot.model.jobs import ItemFilter, JobFilter, Sort
from bot.model.run import RunKind, RunStatus, Trigger
from cogs._ui import colours, foreign, moments, words

RUN_SIGNS = {
    RunStatus.QUEUED: "🕓",
    RunStatus.IN_PROGRESS: "▶️",
    RunStatus.COMPLETED: "✅",
    RunStatus.FAILED: "❌",
    RunStatus.CANCELLED: "⏹️",
}
RUN_STATUSES = {
    RunStatus.QUEUED: "queued",
    RunStatus.IN_PROGRESS: "in progress",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
}
RUN_COLOURS = {
    RunStatus.QUEUED: colours.QUIET,
    RunStatus.IN_PROGRESS: colours.WORKING,
    RunStatus.COMPLETED: colours.GOOD,
    RunStatus.FAILED: colours.BAD,
    RunStatus.CANCELLED: colours.QUIET,
}
ITEM_SIGNS = {
    ItemStatus.PENDING: "🕓",
    ItemStatus.RUNNING: "▶️",
    ItemStatus.UNKNOWN: "❔",
    ItemStatus.DONE: "✅",
    ItemStatus.ERROR: "❌",
    ItemStatus.SKIPPED: "⏭️",
    ItemStatus.BLACKLISTED: "🔎",
    ItemStatus.CANCELLED: "⏹️",
}
ITEM_STATUSES = {
    ItemStatus.PENDING: "waiting",
    ItemStatus.RUNNING: "being worked on",
    ItemStatus.UNKNOWN: "to be read back",
    ItemStatus.DONE: "done",
    ItemStatus.ERROR: "failed",
    ItemStatus.SKIPPED: "skipped",
    ItemStatus.BLACKLISTED: "for review",
    ItemStatus.CANCELLED: "cancelled",
}
KINDS = {
    RunKind.ANALYSIS: "analysis",
    RunKind.EXECUTION: "execution",
    RunKind.ROUTING: "routing",
    RunKind.UNDO: "undo",
}
ACTIONS = {
    Action.ADD_TRACK: "add",
    Action.REMOVE_TRACK: "remove",
    Action.MOVE_TRACK: "move",
    Action.RENAME_PLAYLIST: "rename",
}
TRIGGERS = {
    Trigger.SCHEDULE: "the schedule",
    Trigger.COMMAND: "a person",
    Trigger.RETRY: "a retry",
    Trigger.START: "the start of the program",
    Trigger.PREVIEW: "a preview",
}
SORTS = {
    "created, newest first": (Sort.CREATED, False),
    "created, oldest first": (Sort.CREATED, True),
    "started, newest first": (Sort.STARTED, False),
    "started, oldest first": (Sort.STARTED, True),
    "completed, newest first": (Sort.COMPLETED, False),
    "completed, oldest first": (Sort.COMPLETED, True),
}
TEXT_SHOWN = 60


def filter_words(wanted: JobFilter | ItemFilter, names: dict[int, str]) -> str:
    """``failed · mapping Trip · by a person · since …``; '' where nothing is left out. Safe in an embed."""
    parts = [*_kinds(wanted)]
    if wanted.id is not None:
        parts.append(f"number {wanted.id}")
    if isinstance(wanted, ItemFilter) and wanted.run_id is not None:
        parts.append(f"of run {wanted.run_id}")
    if wanted.mapping_id is not None:
        parts.append(f"mapping {foreign.plain(names.get(wanted.mapping_id, str(wanted.mapping_id)), TEXT_SHOWN)}")
    parts += [f"asked for by {TRIGGERS[trigger]}" for trigger in wanted.triggers]
    if wanted.actor_id is not None:
        parts.append(f"asked for by <@{wanted.actor_id}>")
    parts += [f"since {moments.exact(wanted.since)}"] if wanted.since is not None else []
    parts += [f"before {moments.exact(wanted.until)}"] if wanted.until is not None else []
    if wanted.text:
        parts.append(f"error with “{foreign.plain(wanted.text, TEXT_SHOWN)}”")
    if isinstance(wanted, ItemFilter) and wanted.reason is not None:
        parts.append(f"reason {foreign.plain(wanted.reason, TEXT_SHOWN)}")
    return " · ".join(parts)


def things(wanted: JobFilter | ItemFilter, number: int) -> str:
    """``1 run``, ``12 items``."""
    return words.count(number, "run" if isinstance(wanted, JobFilter) else "item")


def sort_words(wanted: JobFilter | ItemFilter) -> str:
    return next(name for name, value in SORTS.items() if value == (wanted.sort, wanted.ascending))


def _kinds(wanted: JobFilter | ItemFilter) -> list[str]:
    if isinstance(wanted, JobFilter):
        return [RUN_STATUSES[one] for one in wanted.statuses] + [KINDS[one] for one in wanted.kinds]
    return [ITEM_STATUSES[one] for one in wanted.statuses] + [ACTIONS[one] for one in wanted.actions]
