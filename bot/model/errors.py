"""The one tree of errors, named by what happens next.

    CrossfadeError
    ├── RetryLater            certain that nothing happened; the same again at ``at``
    ├── LoginNeeded           the account's person must log in again; its work waits
    ├── QuotaSpent            the bucket is empty until ``until``; its work waits
    ├── ServicePaused         the service asked for a long silence, until ``until``; its work waits
    ├── UnknownOutcome        a write may or may not have happened; read back before anything else
    ├── NotFound              what was asked for does not exist (any more)
    ├── Forbidden             it exists, but not for this account
    ├── Refused               the service understood and will never do this (video unavailable, playlist full)
    ├── UserMistake           a person asked for something impossible; the sentence says what to do
    └── Bug                   our own fault, or an answer that nobody understands

Foreign errors are translated into these in ``services/`` and ``storage/``, and nowhere else. ``str(error)`` is a
sentence for the log without secrets; people read the sentences of the doors.
"""

from datetime import datetime


class CrossfadeError(Exception):
    """Root of what we raise on purpose. ``code`` is a stable word for logs and for the grouping of errors."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class RetryLater(CrossfadeError):
    """Nothing happened on the other side. ``at``: not before this moment (aware UTC); None: by our own backoff."""

    code = "retry_later"

    def __init__(self, message: str, *, at: datetime | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.at = at


class LoginNeeded(CrossfadeError):
    """The login of ``account_id`` (our row's id, 0 where not known) is dead or lacks scopes."""

    code = "login_needed"

    def __init__(self, message: str, *, account_id: int = 0, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.account_id = account_id


class QuotaSpent(CrossfadeError):
    """``bucket`` (a ``bot.model.quota.Bucket`` value) holds nothing more until ``until`` (aware UTC)."""

    code = "quota_spent"

    def __init__(self, message: str, *, bucket: str, until: datetime) -> None:
        super().__init__(message)
        self.bucket = bucket
        self.until = until


class ServicePaused(CrossfadeError):
    """``service`` asked for silence until ``until`` (aware UTC); no call is sent to it before."""

    code = "service_paused"

    def __init__(self, message: str, *, service: str, until: datetime) -> None:
        super().__init__(message)
        self.service = service
        self.until = until


class UnknownOutcome(CrossfadeError):
    """A write was sent and no trustworthy answer came: timeout, reset, 5xx, garbage."""

    code = "unknown_outcome"


class NotFound(CrossfadeError):
    code = "not_found"


class Forbidden(CrossfadeError):
    code = "forbidden"


class Refused(CrossfadeError):
    """A final no of the service for this one thing. ``code`` holds the service's reason word."""

    code = "refused"


class UserMistake(CrossfadeError):
    """``str(error)`` is the sentence for the person: what is wrong and what to do."""

    code = "user_mistake"


class Bug(CrossfadeError):
    code = "bug"
