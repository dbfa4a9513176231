"""What a server chooses for itself: checked, written field by field, logged with from and to, and effective at once."""

import logging
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.engine.hub import Hub
from bot.engine.schedule import parse
from bot.model.errors import UserMistake
from bot.model.events import Event, SettingsChanged
from bot.model.guild import GuildSettings
from storage import Storage

log = logging.getLogger(__name__)

RETENTION_DAYS = range(31)
REFRESH_SECONDS = range(10, 601)
HOURS = range(24)
LOG_LEVELS = ("warn", "error")
OFF = "off"
_SHOWN = 60  # characters of a wrong value that its sentence repeats


class Preferences:
    """``forget`` is called with a guild's id when it may want less to be kept than before."""

    def __init__(self, storage: Storage, hub: Hub, clock: Clock, *, forget: Callable[[int], None]) -> None:
        self._storage = storage
        self._hub = hub
        self._clock = clock
        self._forget = forget

    async def get(self, guild_id: int) -> GuildSettings:
        return await self._storage.guilds.get(guild_id)

    async def change(self, guild_id: int, actor_id: int, **changes: Any) -> GuildSettings:
        """The settings after ``changes`` (fields of GuildSettings). Only those are written, so nobody's are undone.

        Raises UserMistake for a value that is not allowed; nothing is changed then.
        """
        if not changes:
            return await self.get(guild_id)
        changes = {name: _checked(name, value) for name, value in changes.items()}
        before, after = await self._storage.guilds.update(guild_id, **changes)
        changed = {name for name in changes if getattr(before, name) != getattr(after, name)}
        for name in sorted(changed):
            self._log(guild_id, actor_id, name, getattr(before, name), getattr(after, name))
        if "timezone" in changed:
            await self._reschedule(after)
        if changed & {"timezone", "retention_days"}:
            self._forget(guild_id)
        if changed:
            self._hub.announce(SettingsChanged(guild_id=guild_id))
        return after

    async def _reschedule(self, guild: GuildSettings) -> None:
        """Times of day are now meant in the new timezone. What is due already stays due."""
        now = self._clock.now()
        for mapping in await self._storage.mappings.of_guild(guild.guild_id):
            schedule = parse(mapping.schedule, guild.timezone)
            if schedule.cron is not None and (mapping.next_run_at is None or mapping.next_run_at > now):
                await self._storage.mappings.update(mapping.id, next_run_at=schedule.next_run(now))

    def _log(self, guild_id: int, actor_id: int, name: str, before: object, after: object) -> None:
        """One line for each setting, so that none is cut away by the length of another."""
        label = name.removesuffix("_id").replace("_", " ")
        detail = f"{label} from {_told(before)} to {_told(after)}"
        extra = {"detail": detail, "setting": name, "before": before, "after": after}
        log.info(Event.SETTINGS_CHANGED, extra={**extra, "guild_id": guild_id, "actor_id": actor_id})


def whole_number(text: str) -> int:
    """A number that a person typed. Raises UserMistake."""
    typed = text.strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise UserMistake(
            f"“{typed[:_SHOWN]}” is not a whole number. Nothing was changed. Write digits only, such as 7."
        )
    return int(typed)


def hour_or_off(text: str) -> int | None:
    """``off`` (None) or an hour of the day, such as ``8`` or ``08:00``. Raises UserMistake."""
    typed = text.strip().lower().removesuffix(":00")
    if typed in (OFF, "none", "never", ""):
        return None
    if not (typed.isascii() and typed.isdigit() and int(typed[:9]) in HOURS):
        raise UserMistake(
            f"“{text.strip()[:_SHOWN]}” is no hour of the day. Nothing was changed. "
            "Write `off`, or an hour from 0 to 23."
        )
    return int(typed)


def known_timezone(name: str) -> str:
    """The timezone's name as the database of timezones writes it. Raises UserMistake."""
    try:
        return ZoneInfo(name.strip()).key
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; odd names raise the others
        raise UserMistake(
            f"“{name.strip()[:_SHOWN]}” is not a timezone. Nothing was changed. "
            "Write it as continent and city, such as Europe/Berlin, or UTC."
        ) from None


def _checked(name: str, value: Any) -> Any:
    """The value as it is stored. Raises UserMistake where ``value`` is outside of what DESIGN.md section 4 allows."""
    if name == "retention_days" and value not in RETENTION_DAYS:
        raise UserMistake(
            f"The log can be kept for 0 to 30 days, not {value:,}. Nothing was changed. "
            "0 keeps today only; what people did always stays 30 days."
        )
    if name == "refresh_seconds" and value not in REFRESH_SECONDS:
        raise UserMistake(
            f"Boards refresh every 10 to 600 seconds, not every {value:,}. Nothing was changed. "
            "Faster than 10 Discord would slow everything down."
        )
    if name == "log_level" and value not in LOG_LEVELS:
        raise UserMistake(
            "The log channel shows from `warn` or from `error` on. Nothing was changed. Choose one of them."
        )
    if name == "digest_hour" and value is not None and value not in HOURS:
        raise UserMistake("The digest comes at an hour from 0 to 23, or is off. Nothing was changed.")
    return known_timezone(value) if name == "timezone" else value


def _told(value: object) -> str:
    return "none" if value is None else str(value)
