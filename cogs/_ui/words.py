"""The words for the members of our enums, the same at every door."""

from bot.model.account import AccountStatus
from bot.model.item import Action, ItemStatus
from bot.model.mapping import Direction, Mapping, Order, Playlist, Removals, Side
from bot.model.matching import MatchPolicy
from bot.model.review import BlacklistReason
from cogs._ui import foreign

DIRECTIONS = {
    Direction.LEFT_TO_RIGHT: "left to right",
    Direction.RIGHT_TO_LEFT: "right to left",
    Direction.TWO_WAY: "both ways",
}
SOURCES_SHOWN = 2  # further ones, where a mapping has one line
ARROWS = {Direction.LEFT_TO_RIGHT: "→", Direction.RIGHT_TO_LEFT: "←", Direction.TWO_WAY: "⇄"}
REMOVALS = {
    Removals.KEEP: "keep: nothing is removed",
    Removals.MIRROR: "mirror: removals of linked tracks are passed on",
    Removals.EXACT: "exact: the destination holds the source's tracks and nothing else",
}
ORDERS = {Order.APPEND: "new tracks go to the end", Order.KEEP: "the source's order is kept"}
POLICIES = {
    MatchPolicy.EXACT: "exact: only certain matches",
    MatchPolicy.BALANCED: "balanced",
    MatchPolicy.BEST_EFFORT: "best effort: likely matches too",
}
ACTIONS = {
    Action.ADD_TRACK: "add",
    Action.REMOVE_TRACK: "remove",
    Action.MOVE_TRACK: "move",
    Action.RENAME_PLAYLIST: "rename the playlist",
}
STATUSES = {
    ItemStatus.PENDING: "waits for its turn",
    ItemStatus.RUNNING: "is being worked on",
    ItemStatus.UNKNOWN: "was sent without a clear answer; it will be read back",
    ItemStatus.DONE: "done",
    ItemStatus.ERROR: "failed; it can be retried",
    ItemStatus.SKIPPED: "skipped: not needed any more",
    ItemStatus.BLACKLISTED: "nothing certain was found; a person can decide",
    ItemStatus.CANCELLED: "cancelled",
}
ACCOUNT_STATUSES = {
    AccountStatus.PENDING: "waits for your confirmation",
    AccountStatus.CONNECTED: "connected",
    AccountStatus.NEEDS_LOGIN: "needs a new login",
    AccountStatus.DISCONNECTED: "disconnected",
}
REASONS = {
    BlacklistReason.SEARCH_FAILED: "nothing found",
    BlacklistReason.LOW_CONFIDENCE: "a person should choose",
    BlacklistReason.UNAVAILABLE: "cannot be added",
    BlacklistReason.REJECTED_BY_USER: "a person said: not there",
}


def count(number: int, one: str, many: str = "") -> str:
    """``1 track``, ``2 tracks``; thousands are set apart."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def playlist(of: Playlist, limit: int = 60) -> str:
    """``Spotify [Road trip](…)`` for embeds."""
    return f"{of.service.label} {link(of, limit)}"


def link(of: Playlist, limit: int = 60) -> str:
    """``[Road trip](…)`` for embeds, where the service is told already."""
    return foreign.link(of.name or of.external_id, of.url, limit)


def destination(mapping: Mapping, side: Side, limit: int = 40) -> str:
    """``YouTube “Road trip”`` without a link."""
    written = mapping.playlist(side)
    return f"{written.service.label} “{foreign.plain(written.name or written.external_id, limit)}”"


def pair(mapping: Mapping) -> str:
    """Both playlists with links and the arrow of the direction between them; of several sources the first names."""
    shown = mapping.more[:SOURCES_SHOWN]
    more = "".join(f" + {foreign.plain(source.name or source.external_id, 30)}" for source in shown)
    rest = len(mapping.more) - len(shown)
    more += f" and {rest} more" if rest else ""
    return f"{playlist(mapping.left)}{more} {ARROWS[mapping.direction]} {playlist(mapping.right)}"
