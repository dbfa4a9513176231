"""What people read of the queue's pauses: what rests, by whom, since when and why."""

from collections.abc import Sequence

from bot.model.queue import EVERY_GUILD, QueuePause
from cogs._ui import foreign, moments


def lines(pauses: Sequence[QueuePause]) -> list[str]:
    return [line(pause) for pause in pauses]


def line(pause: QueuePause) -> str:
    """``⏸️ **Work for YouTube** is paused by @Ada since an hour ago: holidays``."""
    since = f" since {moments.exact(pause.since)} ({moments.relative(pause.since)})" if pause.since else ""
    reason = f": {foreign.plain(pause.reason, 200)}" if pause.reason else ""
    return f"⏸️ **{what(pause)}** is paused by {_who(pause)}{since}{reason}"


def what(pause: QueuePause) -> str:
    """What rests: ``The whole queue``, ``Work for YouTube``, ``Work of “Trip” for YouTube``."""
    towards = f" for {pause.service.label}" if pause.service else ""
    if pause.mapping_id is not None:
        return f"Work of “{foreign.plain(pause.mapping_name, 60)}”{towards}"
    if pause.guild_id == EVERY_GUILD:
        return f"Work{towards} in every server" if towards else "All work of this bot"
    return f"Work{towards}" if towards else "The whole queue"


def taking_back(pause: QueuePause) -> str:
    """The command that ends it."""
    options = " everywhere:True" if pause.guild_id == EVERY_GUILD else ""
    options += f" service:{pause.service.label}" if pause.service else ""
    if pause.mapping_id is not None:
        options += f" mapping:{foreign.label(pause.mapping_name, 60)}"
    return f"`/queue resume{options.replace('`', '')}`"


def _who(pause: QueuePause) -> str:
    if pause.guild_id == EVERY_GUILD:
        return "the owner of this bot"
    return f"<@{pause.actor_id}>" if pause.actor_id else "somebody whose name was not kept"
