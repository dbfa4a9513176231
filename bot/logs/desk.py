"""The feed's desk: which lines the servers read, gathered into incidents, and which messages are due; all of it pure.

Times are given: ``at`` is aware UTC, ``now`` monotonic seconds. Each guild has a tray of its own.
"""

from dataclasses import replace
from datetime import datetime

from bot.logs import incidents
from bot.logs.messages import Message, Place
from bot.logs.tray import Case, Tray
from bot.model.digest import Digest
from bot.model.incident import Incident
from bot.model.logline import Level, LogLine
from bot.model.run import Run


class FeedDesk:
    """For each message of ``due`` one of ``delivered``, ``gone`` and ``failed`` must follow."""

    def __init__(self) -> None:
        self._trays: dict[int, Tray] = {}
        self._number = 0

    def load(self, open_incidents: list[Incident], now: float) -> None:
        """What an earlier process left open; their cards are edited, not posted anew."""
        for incident in open_incidents:
            posted = incident.message_id is not None
            told = replace(incident, count=incident.shown, over_at=None) if posted else None
            case = Case(incident=incident, told=told, kept=incident, stirred_at=now)
            self._tray(incident.guild_id).cases[incident.key] = case

    def take_in(self, line: LogLine, least: Level | None, now: float) -> None:
        """``least``: the least level that the line's guild reads; None: it has no feed, so nothing new begins."""
        if self._ended(line, now) or line.guild_id is None or least is None:
            return
        if line.level is not Level.INFO and incidents.worse_or_equal(line.level, least):
            self._tray(line.guild_id).take(line, now)

    def add_run(self, guild_id: int, run: Run, now: float) -> None:
        self._tray(guild_id).add_run(run, now)

    def add_digest(self, digest: Digest, now: float) -> None:
        self._tray(digest.guild_id).add_digest(digest, now)

    def tend(self, at: datetime, now: float) -> None:
        """End silences and what nothing more was heard of."""
        for tray in self._trays.values():
            tray.tend(at, now)

    def unkept(self) -> list[tuple[Case, Incident]]:
        """What storage does not know yet; closed ones first, since another of their key may follow."""
        cases = [case for tray in self._trays.values() for case in tray.closed]
        for tray in self._trays.values():
            cases += [case for case in tray.cases.values() if case.unkept]
        return [(case, case.incident) for case in cases]

    def kept(self, stored: list[tuple[Case, Incident, Incident]]) -> None:
        """What ``unkept`` returned, each with what was stored: new ones have their id now."""
        for case, before, after in stored:
            case.kept = after
            case.incident = after if case.incident is before else replace(case.incident, id=after.id)
        for tray in self._trays.values():
            tray.closed = [case for case in tray.closed if case.unkept]

    def due(self, at: datetime, now: float) -> list[Message]:
        """The messages to send now, at most one for each guild."""
        found = []
        for tray in self._trays.values():
            message = tray.next(self._number + 1, at, now)
            if message is not None:
                self._number = max(self._number, message.number)
                found.append(message)
        return found

    def delivered(self, message: Message, place: Place | None, now: float) -> bool:
        """Note a success. True when it ends a row of failures."""
        return self._trays[message.guild_id].delivered(place, now)

    def gone(self, message: Message, now: float) -> None:
        """The message that was to be edited was deleted."""
        self._trays[message.guild_id].gone(now)

    def failed(self, message: Message, now: float) -> bool:
        """Note a failure; the same message is due again after a backoff. True when it is the first of a row."""
        return self._trays[message.guild_id].failed(now)

    def idle(self, at: datetime) -> bool:
        """Whether nothing waits to be sent or stored."""
        return all(tray.idle(at) for tray in self._trays.values())

    def find(self, guild_id: int, incident_id: int) -> Case | None:
        """The guild's open incident."""
        tray = self._trays.get(guild_id)
        cases = tray.cases.values() if tray else ()
        return next((case for case in cases if case.incident.id == incident_id), None)

    def change(self, case: Case, incident: Incident, now: float) -> None:
        """A person's change of an open incident."""
        self._tray(incident.guild_id).change(case, incident, now)

    def counts(self) -> tuple[int, int]:
        """How many incidents are open, and how many of them wait for their first card."""
        cases = [case for tray in self._trays.values() for case in tray.cases.values()]
        return len(cases), sum(case.told is None for case in cases)

    def _ended(self, line: LogLine, now: float) -> bool:
        """Whether the line needs no card of its own, because the card that it closes tells it."""
        if not incidents.can_end(line):
            return False
        if incidents.ends_everywhere(line):
            ended = {guild_id for guild_id, tray in self._trays.items() if tray.end(line, now)}
            return line.guild_id in ended
        tray = self._trays.get(line.guild_id) if line.guild_id is not None else None
        if tray is not None:
            tray.end(line, now)
        return False

    def _tray(self, guild_id: int) -> Tray:
        return self._trays.setdefault(guild_id, Tray(guild_id=guild_id))
