"""What holds for a Spotify account's liked songs: a source like a playlist, and never a destination."""

from bot.model.errors import UserMistake
from bot.model.mapping import Direction

LIKED_REFUSED = (
    "Spotify does not let this login read the liked songs (any more). Their owner must log in again with"
    " `/connect spotify` and agree to everything; `/accounts` shows what the login allows."
)


def refuse_as_destination(direction: Direction, *, written: bool) -> None:
    """``written``: whether the mapping would write to the liked songs. Raises UserMistake where it would."""
    if not written:
        return
    if direction is Direction.TWO_WAY:
        raise UserMistake(
            "Liked songs can only be read, so they cannot be kept in step both ways; choose the direction that leads"
            " away from them."
        )
    raise UserMistake(
        "Liked songs can only be read, so nothing can be written to them: let them be the source, or take a playlist of"
        " yours instead."
    )
