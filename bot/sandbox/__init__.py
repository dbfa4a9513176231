"""Simulated Spotify and YouTube over real HTTP, on loopback, over one seeded world that keeps its own books."""

from bot.sandbox.books import Books, Request
from bot.sandbox.catalogue import Track
from bot.sandbox.faults import FaultKind, Faults
from bot.sandbox.people import PEOPLE, Person
from bot.sandbox.server import Sandbox
from bot.sandbox.shelf import Hand, Playlist, Write
from bot.sandbox.videos import Kind, Video
from bot.sandbox.world import Known, Switches, World

__all__ = [
    "PEOPLE",
    "Books",
    "FaultKind",
    "Faults",
    "Hand",
    "Kind",
    "Known",
    "Person",
    "Playlist",
    "Request",
    "Sandbox",
    "Switches",
    "Track",
    "Video",
    "World",
    "Write",
]
