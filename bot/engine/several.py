"""What holds for a mapping with several sources: of one service, in one direction, ten at most."""

from bot.engine.addresses import NewPlaylist, PlaylistAddress
from bot.model.errors import UserMistake
from bot.model.mapping import Direction, Mapping, Playlist

MOST_SOURCES = 10


def refuse_direction(mapping: Mapping) -> None:
    """Raises UserMistake where the mapping has further sources and would write to them."""
    if mapping.more and mapping.direction is not Direction.LEFT_TO_RIGHT:
        raise UserMistake(
            f"“{mapping.name}” has several sources on its left, so it can only run from left to right; take the further"
            " ones away with `/mapping source-remove` first."
        )


def refuse_source(mapping: Mapping, address: PlaylistAddress | NewPlaylist) -> None:
    """Raises UserMistake where the mapping can have no further source, or not this one."""
    if isinstance(address, NewPlaylist):
        raise UserMistake("A source must exist already; pick one of your playlists, or paste its link.")
    if mapping.direction is not Direction.LEFT_TO_RIGHT:
        raise UserMistake(
            f"Several sources need one direction, from left to right; “{mapping.name}” has another."
            " `/mapping edit direction:` changes it, or make a new mapping."
        )
    service = mapping.left.service
    if address.service is not service:
        raise UserMistake(
            f"The sources of “{mapping.name}” are on {service.label}, and all of them must be on one service; for a"
            f" {address.service.label} playlist make a mapping of its own."
        )
    if len(mapping.more) + 1 >= MOST_SOURCES:
        raise UserMistake(f"A mapping has at most {MOST_SOURCES} sources; make a second one to the same destination.")


def further_source(mapping: Mapping, address: PlaylistAddress | NewPlaylist) -> Playlist:
    """The further source that the address names. Raises UserMistake."""
    if isinstance(address, NewPlaylist):
        raise UserMistake("Pick the source from the list, or paste its link.")
    if _is(mapping.left, address) and not any(_is(source, address) for source in mapping.more):
        raise UserMistake(
            f"“{mapping.left.name}” is the first source of “{mapping.name}” and stays; a new mapping can do without it."
        )
    for source in mapping.more:
        if _is(source, address):
            return source
    raise UserMistake(f"That is no source of “{mapping.name}”; `/mapping show` lists its sources.")


def _is(playlist: Playlist, address: PlaylistAddress) -> bool:
    same = (playlist.service, playlist.external_id) == (address.service, address.external_id)
    return same and address.account_id in (0, playlist.account_id)
