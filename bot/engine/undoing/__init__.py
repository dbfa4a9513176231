"""What takes one run's own effects back: the inverse of its writes, as a plan with the fewest changes."""

from bot.engine.undoing.effects import Effect, change_of, effects_of
from bot.engine.undoing.inverting import Inverse, invert
from bot.engine.undoing.marks import queued

__all__ = ["Effect", "Inverse", "change_of", "effects_of", "invert", "queued"]
