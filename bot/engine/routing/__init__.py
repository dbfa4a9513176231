"""Routing: which tracks of a base playlist belong in which child playlist, and the text in which people say so."""

from bot.engine.routing.choosing import Routed, route
from bot.engine.routing.layout import Base
from bot.engine.routing.reading import RulesTextMistake, parse
from bot.engine.routing.writing import write

__all__ = ["Base", "Routed", "RulesTextMistake", "parse", "route", "write"]
