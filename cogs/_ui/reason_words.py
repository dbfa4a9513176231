"""What people read about the reason of a failure: what happened, and what to do about it."""

from datetime import datetime

from bot.model.reasons import Cause, cause_of
from cogs._ui import foreign, moments

_HAPPENED: dict[Cause, str] = {
    Cause.LOGIN_NEEDED: "The login of an account is no longer valid",
    Cause.QUOTA_SPENT: "The quota is used up",
    Cause.SERVICE_PAUSED: "The service asked for a pause",
    Cause.SLOW_DOWN: "The service asks to slow down",
    Cause.SERVICE_FAILING: "The service does not answer as it should",
    Cause.UNREACHABLE: "The service cannot be reached",
    Cause.UNKNOWN_OUTCOME: "The service gave no clear answer",
    Cause.PLAYLIST_GONE: "A playlist is gone, or the account may no longer use it",
    Cause.PLAYLIST_CHANGED: "The playlist changed while it was read",
    Cause.PLAYLIST_FULL: "The playlist is full",
    Cause.NO_PERMISSION: "The account may not change the playlist",
    Cause.FORBIDDEN: "The service does not let the account do that",
    Cause.NO_CHANNEL: "The Google account has no YouTube channel",
    Cause.API_DISABLED: "The YouTube Data API is switched off for this bot",
    Cause.NOT_CONFIGURED: "The service is not set up on this bot",
    Cause.NOT_FOUND: "The service does not know the track any more",
    Cause.REFUSED: "The service refuses it for good",
    Cause.SEARCH_FAILED: "No counterpart was found",
    Cause.LOW_CONFIDENCE: "No counterpart is certain enough",
    Cause.UNAVAILABLE: "The counterpart cannot be added",
    Cause.REJECTED_BY_USER: "A person said that it is not on the other service",
    Cause.MAPPING_PAUSED: "The mapping is paused",
    Cause.MAPPING_REMOVED: "The mapping was removed",
    Cause.STOPPED: "Crossfade was stopped in the middle of it",
    Cause.BUG: "Something went wrong inside Crossfade",
}
_REMEDIES: dict[Cause, str] = {
    Cause.LOGIN_NEEDED: "The account's owner logs in again with `/connect`; then it goes on by itself.",
    Cause.QUOTA_SPENT: "It goes on by itself when the quota is full again{until}; `/quota` shows where it went.",
    Cause.SERVICE_PAUSED: "It goes on by itself when the pause is over{until}.",
    Cause.SLOW_DOWN: "It goes on by itself{until}; what failed can be retried later.",
    Cause.SERVICE_FAILING: "Retry when the service works again; `/logs` tells when it answers.",
    Cause.UNREACHABLE: "Check the bot's connection to the internet; then it goes on by itself{until}.",
    Cause.UNKNOWN_OUTCOME: "What waits is read back first, so that nothing is done twice; what failed can be retried.",
    Cause.PLAYLIST_GONE: (
        "Look whether it was deleted or made private. If it is back, `/mapping resume`; "
        "else add a mapping with another one."
    ),
    Cause.PLAYLIST_CHANGED: "Retry: people edited it at that moment.",
    Cause.PLAYLIST_FULL: "Make room in the playlist, or map onto another one; then retry.",
    Cause.NO_PERMISSION: "Use a playlist of the linked account, or have its owner link theirs with `/connect`.",
    Cause.FORBIDDEN: "Link the account again with `/connect` and allow all that is listed; the owner checks the app.",
    Cause.NO_CHANNEL: "Its owner opens youtube.com once and makes a channel; then retry.",
    Cause.API_DISABLED: "The owner of this bot enables it in the Google project; then retry.",
    Cause.NOT_CONFIGURED: "The owner of this bot sets its client id; `crossfade check` tells what is missing.",
    Cause.NOT_FOUND: "Retry looks for another counterpart; if that fails too, `/review` lets a person choose.",
    Cause.REFUSED: "Look at an example: its log holds the service's word. Retry helps only if something changed.",
    Cause.SEARCH_FAILED: "`/review` lets a person search in other words; retry searches once more.",
    Cause.LOW_CONFIDENCE: "`/review` shows the candidates to choose from.",
    Cause.UNAVAILABLE: "`/review` lets a person choose another recording.",
    Cause.REJECTED_BY_USER: "Nothing to do; retry in `/review` takes it back.",
    Cause.MAPPING_PAUSED: "`/mapping resume` lets it go on.",
    Cause.MAPPING_REMOVED: "Nothing to do.",
    Cause.STOPPED: "Nothing to do: its work goes on by itself.",
    Cause.BUG: "Retry; if it fails again, tell the owner of this bot: the log holds the trace.",
}
_UNKNOWN = "Look at an example with its log; retry when its cause is gone."


def happened(reason: str, limit: int = 100) -> str:
    """``The playlist is full``; for a reason that is no known cause its own words, made harmless."""
    cause = cause_of(reason)
    if cause is None:
        return foreign.plain(reason, limit) if reason else "No reason was kept"
    _, _, word = reason.partition(":")
    return _HAPPENED[cause] + (f" ({foreign.plain(word, 40)})" if word else "")


def label(reason: str, limit: int = foreign.CHOICE) -> str:
    """The same where Discord renders no markdown."""
    cause = cause_of(reason)
    if cause is None:
        return foreign.label(reason or "No reason was kept", limit)
    _, _, word = reason.partition(":")
    return foreign.label(_HAPPENED[cause] + (f" ({word})" if word else ""), limit)


def remedy(reason: str, until: datetime | None = None) -> str:
    """What to do about it; ``until``: when what waits for it goes on."""
    cause = cause_of(reason)
    words = _UNKNOWN if cause is None else _REMEDIES[cause]
    return words.format(until=f", {moments.relative(until)}" if until is not None else "")
