"""What YouTube's refusals mean for us. Told apart by status and ``error.errors[0].reason``, never by message text."""

from bot.model.errors import CrossfadeError, Forbidden, LoginNeeded, NotFound, Refused, RetryLater, UnknownOutcome
from bot.services.sending import Rejection
from bot.services.transport import Exhausted

QUOTA_REASONS = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
BACK_OFF_REASONS = frozenset(
    {
        "rateLimitExceeded",
        "RATE_LIMIT_EXCEEDED",
        "userRateLimitExceeded",
        "concurrentLimitExceeded",
        "servingLimitExceeded",
        "backendError",
    }
)
MISSING_REASONS = frozenset({"playlistNotFound", "playlistItemNotFound", "channelNotFound", "notFound"})
# Google's error model puts what an answer says beyond its status into a short list.
MOST_DETAILS = 4
SCOPE_REASONS = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
# Final for this one thing, with the word that says why; among them some that stand under 403 and 404.
FINAL_REASONS = frozenset(
    {
        "failedPrecondition",
        "invalidPlaylistItemPosition",
        "manualSortRequired",
        "playlistContainsMaximumNumberOfVideos",
        "maxPlaylistExceeded",
        "playlistOperationUnsupported",
        "videoAlreadyInPlaylist",
        "videoNotFound",
    }
)
_SENTENCES = {
    "youtubeSignupRequired": "this Google account has no YouTube channel yet; make one at youtube.com and try again",
    "accessNotConfigured": "the YouTube Data API is not enabled in the Google project of this bot",
}


def explain(no: Rejection, *, write: bool) -> CrossfadeError:
    """A refusal is certain, but for a 409 without a known reason: those were seen on writes that took effect."""
    reason = _reason(no)
    code = reason or f"http_{no.status}"
    if reason in QUOTA_REASONS or _counts_days(no):
        return Exhausted(f"{no.operation}: YouTube says that its quota is spent", code=code)
    if reason in BACK_OFF_REASONS:
        return RetryLater(f"{no.operation}: YouTube asks to slow down", code=code)
    if reason in FINAL_REASONS:
        return Refused(f"{no.operation}: YouTube refuses this ({reason})", code=code)
    if reason in _SENTENCES:
        return Forbidden(f"{no.operation}: {_SENTENCES[reason]}", code=code)
    if reason in SCOPE_REASONS:
        return LoginNeeded(f"{no.operation}: the consent does not cover this", code="scopes")
    if reason in MISSING_REASONS:
        return NotFound(f"{no.operation}: YouTube does not know it (any more)", code=code)
    return _by_status(no, code, write=write)


def _reason(no: Rejection) -> str:
    """The word of YouTube's own error list, or that of the ``details`` which newer answers of Google carry instead."""
    details = (no.word("error", "details", place, "reason") for place in range(MOST_DETAILS))
    return no.word("error", "errors", 0, "reason") or next(filter(None, details), "")


def _counts_days(no: Rejection) -> bool:
    """Whether the limit that was met is one of a day: newer answers say ``rateLimitExceeded`` for those too."""
    limits = (no.word("error", "details", place, "metadata", "quota_limit") for place in range(MOST_DETAILS))
    if any("PerDay" in limit for limit in limits):
        return True
    return no.status == 403 and not _reason(no) and no.word("error", "status") == "RESOURCE_EXHAUSTED"


def _by_status(no: Rejection, code: str, *, write: bool) -> CrossfadeError:
    match no.status:
        case 401:
            return LoginNeeded(f"{no.operation}: Google no longer accepts this login", code="login_refused")
        case 403:
            return Forbidden(f"{no.operation}: YouTube does not allow this account to do that", code=code)
        case 404 | 410:
            return NotFound(f"{no.operation}: YouTube does not know it (any more)", code=code)
        case 409 if write:
            return UnknownOutcome(f"{no.operation}: YouTube met a conflict", code=code)
        case 409:
            return RetryLater(f"{no.operation}: YouTube met a conflict", code=code)
        case _:
            return Refused(f"{no.operation}: YouTube refused with {no.status} ({code})", code=code)
