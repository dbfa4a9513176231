"""The router's playlists: one base that feeds many children, each by its rules."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model.mapping import Mapping, Playlist


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePlaylist:
    """``schedule`` is written as a mapping's is. ``pause_reason`` says why it is not enabled, '' without a word."""

    id: int
    guild_id: int
    name: str
    playlist: Playlist
    schedule: str = "every 30m"
    enabled: bool = True
    pause_reason: str = ""
    created_by: int = 0
    created_at: datetime | None = None
    next_run_at: datetime | None = None
    last_routed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPlaylist:
    """``mapping`` is the hidden mapping from the base to the child's playlist. ``rules`` is their JSON form.

    ``last_routed`` is JSON on what was last put into the queue for it, empty before the first time; ``last_error``:
    why the last run could not route it.
    """

    id: int
    base_id: int
    mapping: Mapping
    name: str
    rules: dict[str, Any]
    last_routed: dict[str, Any] = field(default_factory=dict)
    last_routed_at: datetime | None = None
    last_error: str = ""
    created_by: int = 0
    created_at: datetime | None = None

    @property
    def playlist(self) -> Playlist:
        return self.mapping.right
