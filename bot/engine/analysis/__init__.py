"""The three-way merge: what was agreed, what is left and what is right, made into a plan."""

from bot.engine.analysis.known import Known
from bot.engine.analysis.links import already_there
from bot.engine.analysis.merging import merge
from bot.engine.analysis.ordering import reordered
from bot.engine.analysis.rebuilding import rebuild

__all__ = ["Known", "already_there", "merge", "rebuild", "reordered"]
