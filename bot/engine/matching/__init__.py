"""How alike two tracks are, and why: the pure matcher between Spotify and YouTube."""

from bot.engine.matching.deciding import match, remembered_well, settled
from bot.engine.matching.identity import identity
from bot.engine.matching.queries import Query, queries
from bot.engine.matching.shelf import Shelf

__all__ = ["Query", "Shelf", "identity", "match", "queries", "remembered_well", "settled"]
