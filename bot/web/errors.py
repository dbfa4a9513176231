"""What a browser or a program reads when a request fails: one table from our errors to status, word and sentence."""

from dataclasses import dataclass

from aiohttp import web

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
    UserMistake,
)
from bot.services.oauth import STALE_STATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``code`` is a stable word for programs, ``message`` one sentence for people."""

    status: int
    code: str
    message: str


BUG = Failure(
    status=500, code="bug", message="Something went wrong in the bot; its log says what. Nothing was changed."
)
_BUSY = "The music service does not answer right now; wait a moment, then press the button in Discord again."
_REFUSED = "The music service did not accept this login; press the button in Discord again."
_BY_STATUS = {
    404: Failure(status=404, code="not_found", message="There is nothing at this address."),
    405: Failure(status=405, code="method_not_allowed", message="This address is only for reading (GET)."),
    413: Failure(status=413, code="too_large", message="The request is too large."),
}


def failure_of(error: CrossfadeError) -> Failure:
    """The answer for an error of ours. Only a UserMistake speaks for itself; the others may name what is private."""
    if isinstance(error, UserMistake):
        return Failure(status=410 if error.code == STALE_STATE else 400, code=error.code, message=str(error))
    if isinstance(error, RetryLater | ServicePaused | QuotaSpent | UnknownOutcome):
        return Failure(status=503, code=error.code, message=_BUSY)
    if isinstance(error, Refused | LoginNeeded | Forbidden):
        return Failure(status=400, code="login_refused", message=_REFUSED)
    return _BY_STATUS[404] if isinstance(error, NotFound) else BUG


def failure_of_status(status: int) -> Failure:
    """The answer for an error that aiohttp raised by itself."""
    return _BY_STATUS.get(status) or Failure(status=status, code="bad_request", message="The request cannot be used.")


def error_json(status: int, code: str, message: str) -> web.Response:
    """The one shape of a failed request for programs."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
