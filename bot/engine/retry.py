"""What happens next after an error: the one table of retries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.errors import (
    CrossfadeError,
    Forbidden,
    LoginNeeded,
    NotFound,
    QuotaSpent,
    Refused,
    RetryLater,
    ServicePaused,
    UnknownOutcome,
)
from bot.model.item import Action

# Seven doublings from 5 s end at about 10 minutes: with the cap, eight attempts span half an hour of a failing service.
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)
MAX_ATTEMPTS = 8

# The services' own words (PLATFORM.md) for "not with this track", "not at this place" and "not in this playlist".
TRACK_UNAVAILABLE = frozenset({"failedPrecondition", "videoNotFound", "bad_id"})
BAD_PLACE = frozenset({"manualSortRequired", "invalidPlaylistItemPosition"})
ALREADY_THERE = frozenset({"videoAlreadyInPlaylist"})
ENTRY_GONE = frozenset({"playlistItemNotFound"})


class Step(StrEnum):
    RETRY = "retry"  # the same again at ``at``
    RETRY_AT_END = "retry_at_end"  # again at ``at``, without a place
    WAIT_LOGIN = "wait_login"  # until the account's person has logged in again; ``at`` is None
    WAIT_QUOTA = "wait_quota"  # the bucket is empty until ``at``
    WAIT_SERVICE = "wait_service"  # the service wants silence until ``at``
    READ_BACK = "read_back"  # it may have happened: look at ``at``
    SETTLED = "settled"  # the effect is there already
    BLACKLIST = "blacklist"  # the counterpart exists but can never be added
    GIVE_UP = "give_up"  # a person has to look


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDecision:
    """``counts`` is False where the item is not at fault: the attempt is not held against it. ``at`` is aware UTC."""

    step: Step
    reason: str
    at: datetime | None = None
    code: str = ""
    counts: bool = True


def backoff(attempts: int, jitter: float) -> timedelta:
    """How long to wait after ``attempts`` earlier ones: doubled each time, between half and all of it by ``jitter``.

    ``jitter`` is 0 up to 1: spread, so that many items that failed together do not come back together.
    """
    doubled: int = 2 ** min(attempts, 20)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT) * (0.5 + jitter / 2)


def decide(
    error: Exception,
    *,
    attempts: int,
    now: datetime,
    jitter: float,
    settle: timedelta = timedelta(seconds=60),
    action: Action = Action.ADD_TRACK,
    max_attempts: int = MAX_ATTEMPTS,
) -> RetryDecision:
    """What becomes of an item whose attempt ended with ``error``.

    ``attempts`` were made and counted before this one. ``settle`` is how long the service may take to show a committed
    write. An error that is none of ours is a bug: the item is given up rather than repeated blindly.
    """
    code = error.code if isinstance(error, CrossfadeError) else "bug"
    reason = str(error) or type(error).__name__
    match error:
        case LoginNeeded():
            return RetryDecision(step=Step.WAIT_LOGIN, reason=reason, code=code, counts=False)
        case QuotaSpent(until=until):
            return RetryDecision(step=Step.WAIT_QUOTA, reason=reason, at=until, code=code, counts=False)
        case ServicePaused(until=until):
            return RetryDecision(step=Step.WAIT_SERVICE, reason=reason, at=until, code=code, counts=False)
        case UnknownOutcome():
            return RetryDecision(step=Step.READ_BACK, reason=reason, at=now + settle, code=code)
        case RetryLater(at=datetime() as at):
            # The service itself named the moment: that is no fault of the item, however often it happens.
            return RetryDecision(step=Step.RETRY, reason=reason, at=max(at, now), code=code, counts=False)
        case RetryLater():
            return _again(reason, code, attempts=attempts, now=now, jitter=jitter, max_attempts=max_attempts)
        case NotFound() | Refused() | Forbidden():
            return _final(action, reason, code, now=now, last=attempts + 1 >= max_attempts)
        case _:
            return RetryDecision(step=Step.GIVE_UP, reason=reason, code=code)


def _again(reason: str, code: str, *, attempts: int, now: datetime, jitter: float, max_attempts: int) -> RetryDecision:
    if attempts + 1 >= max_attempts:
        return RetryDecision(step=Step.GIVE_UP, reason=f"{reason} (given up after {attempts + 1} attempts)", code=code)
    return RetryDecision(step=Step.RETRY, reason=reason, at=now + backoff(attempts, jitter), code=code)


def _final(action: Action, reason: str, code: str, *, now: datetime, last: bool) -> RetryDecision:
    """The service's answer is certain, and the same request would be answered so again."""
    if code in BAD_PLACE and not last:
        return RetryDecision(step=Step.RETRY_AT_END, reason=reason, at=now, code=code)
    if action is Action.REMOVE_TRACK and code in ENTRY_GONE:
        return RetryDecision(step=Step.SETTLED, reason="it was gone already", code=code)
    if action is Action.ADD_TRACK and code in ALREADY_THERE:
        return RetryDecision(step=Step.SETTLED, reason="it was there already", code=code)
    if action is Action.ADD_TRACK and code in TRACK_UNAVAILABLE:
        return RetryDecision(step=Step.BLACKLIST, reason=reason, code=code)
    return RetryDecision(step=Step.GIVE_UP, reason=reason, code=code)
