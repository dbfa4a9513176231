"""What Spotify's refusals mean for us. Told apart by status and ``reason``, never by the text of a message."""

from bot.model.errors import CrossfadeError, Forbidden, LoginNeeded, NotFound, Refused, RetryLater
from bot.services.sending import Rejection


def explain(no: Rejection, *, write: bool) -> CrossfadeError:
    """Every 4xx of Spotify is certain: the call did nothing, whether it was a read or a write."""
    reason = no.word("error", "reason") or f"http_{no.status}"
    match no.status:
        case 401:
            return LoginNeeded(f"{no.operation}: Spotify no longer accepts this login", code="login_refused")
        case 403:
            return Forbidden(
                f"{no.operation}: Spotify does not allow this account to do that; the playlist is somebody else's, or"
                " the account is not on the app's user list",
                code=reason,
            )
        case 404 | 410:
            return NotFound(f"{no.operation}: Spotify does not know it (any more)", code=reason)
        case 409 | 423 | 425:
            return RetryLater(f"{no.operation}: Spotify is busy with it", code=reason)
        case _:
            return Refused(f"{no.operation}: Spotify refused with {no.status} ({reason})", code=reason)
