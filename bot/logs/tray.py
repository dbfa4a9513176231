"""What one guild's log channel has still to be told, and in which order; it neither sends nor looks at a clock."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from bot.logs import incidents
from bot.logs.budget import GATHER_SECONDS, Budget
from bot.logs.messages import Card, Daily, Message, Place, Summary, edits
from bot.model.digest import Digest
from bot.model.incident import Incident
from bot.model.logline import Level, LogLine
from bot.model.run import Run

SENDS_A_MINUTE = 10  # new messages; DESIGN.md section 6
EDITS_A_MINUTE = 10  # of messages that stand already
EDIT_SECONDS = 15.0  # an incident's card is edited at most so often
WAITING = 40  # incidents that wait for their first card; lines of further ones are counted as left out
OPEN = 500  # incidents that a guild may have at once
RUNS_SHOWN = 10  # in one summary
RUNS_WAITING = 100
RUNS_GATHER_SECONDS = 5.0  # runs that end together share a summary
FIRST_BACKOFF = 5.0
LONGEST_BACKOFF = 300.0


@dataclass(slots=True, eq=False)
class Case:
    """An open incident at work. Times are monotonic seconds."""

    incident: Incident
    told: Incident | None = None  # as its card says it; None: it has none yet
    kept: Incident | None = None  # as it is stored
    stirred_at: float = 0.0  # since when there is something to tell
    edited_at: float = float("-inf")

    @property
    def unkept(self) -> bool:
        return self.kept is not self.incident


@dataclass(slots=True)
class Tray:
    guild_id: int
    cases: dict[str, Case] = field(default_factory=dict)  # by key
    closed: list[Case] = field(default_factory=list)  # told to be over, not yet stored so
    runs: deque[Run] = field(default_factory=deque)
    more_runs: int = 0
    runs_since: float = 0.0
    digests: deque[tuple[float, Digest]] = field(default_factory=deque)
    digest_told: date = date.min  # the day of the latest that was delivered
    left_out: int = 0
    outgoing: Message | None = None  # handed out and not yet delivered
    in_hand: bool = False
    failures: int = 0
    not_before: float = 0.0
    sends: Budget = field(default_factory=lambda: Budget(SENDS_A_MINUTE))
    edits: Budget = field(default_factory=lambda: Budget(EDITS_A_MINUTE))

    def take(self, line: LogLine, now: float) -> None:
        """A line that people are to read."""
        key = incidents.key_of(line)
        case = self.cases.get(key)
        if case is not None:
            self.change(case, incidents.grown(case.incident, line), now)
        elif len(self.cases) >= OPEN or self._unposted() >= WAITING:
            self.left_out += 1
        else:
            self.cases[key] = Case(incident=incidents.opened(line), stirred_at=now)

    def end(self, line: LogLine, now: float) -> bool:
        """End what ``line`` says is over; whether it was anything."""
        lasting = [case for case in self.cases.values() if case.incident.over_at is None]
        over = [case for case in lasting if incidents.ends(line, case.incident)]
        for case in over:
            if line.level is not Level.INFO and case.told is None:
                self._drop(case)  # the line is the end of the story, and has a card of its own
            else:
                self.change(case, replace(case.incident, over_at=line.at), now)
        return bool(over)

    def tend(self, at: datetime, now: float) -> None:
        """What happens by itself: silences end, and incidents of which nothing more was heard are over."""
        for case in list(self.cases.values()):
            incident = case.incident
            if incident.silenced(at):
                continue
            if incident.silenced_until is not None:
                self.change(case, incidents.heard_again(incident), now)
                case.told = case.told if case.incident.message_id is not None else None
            elif incident.over_at is None and at >= incidents.ends_by_itself_at(incident):
                self.change(case, replace(incident, over_at=at), now)
            if case.incident.over_at is not None and case.told is not None and case.incident.message_id is None:
                self._close(case)  # nobody was there to read its card

    def add_run(self, run: Run, now: float) -> None:
        if not self.runs:
            self.runs_since = now
        if len(self.runs) < RUNS_WAITING:
            self.runs.append(run)
        else:
            self.more_runs += 1

    def add_digest(self, digest: Digest, now: float) -> None:
        """Once for each day, however often it is offered: one may be computed while its twin is delivered."""
        waiting = [self.digest_told, *(held.day for _, held in self.digests)]
        if isinstance(self.outgoing, Daily):
            waiting.append(self.outgoing.digest.day)
        if digest.day > max(waiting):
            self.digests.append((now, digest))

    def next(self, number: int, at: datetime, now: float) -> Message | None:
        """The message to send now; ``number`` is for a new one. One at a time."""
        if self.in_hand or now < self.not_before:
            return None
        message = self.outgoing
        if message is not None:
            if not self._budget(message).left(now):
                return None
        else:
            message = self._new(number, at, now)
            if message is None:
                return None
        self._budget(message).spend(now)
        self.outgoing, self.in_hand = message, True
        return message

    def delivered(self, place: Place | None, now: float) -> bool:
        """Note a success. True when it ends a row of failures."""
        message, recovered = self.outgoing, self.failures > 0
        self._let_go()
        self.failures = 0
        if isinstance(message, Daily):
            self.digest_told = message.digest.day
        case = self._case_of(message)
        if isinstance(message, Card) and case is not None:
            stands = place if place is not None else (None, None)
            case.incident = replace(
                case.incident, channel_id=stands[0], message_id=stands[1], shown=message.incident.count
            )
            case.told = message.incident
            case.edited_at = case.stirred_at = now
            if message.incident.over_at is not None and case.incident.over_at is not None:
                self._close(case)
        return recovered

    def gone(self, now: float) -> None:
        """The message that was to be edited was deleted: one that is over is closed quietly, else posted anew."""
        message = self.outgoing
        self._let_go()
        case = self._case_of(message)
        if case is None:
            return
        case.incident = replace(case.incident, channel_id=None, message_id=None)
        case.told, case.stirred_at = None, now
        if case.incident.over_at is not None:
            self._close(case)

    def failed(self, now: float) -> bool:
        """Note a failure; the same message comes again after a backoff. True when it is the first of a row."""
        self.in_hand = False
        self.failures += 1
        self.not_before = now + min(FIRST_BACKOFF * 2 ** min(self.failures - 1, 10), LONGEST_BACKOFF)
        return self.failures == 1

    def idle(self, at: datetime) -> bool:
        """Whether there is nothing to send, nor will be without something new."""
        if self.outgoing is not None or self.runs or self.digests or self.closed:
            return False
        return not any(_posts(case, at) or _edits(case, at) or case.unkept for case in self.cases.values())

    def _new(self, number: int, at: datetime, now: float) -> Message | None:
        send = self._new_post(number, at, now)
        return send if send is not None else self._new_edit(number, at, now)

    def _new_post(self, number: int, at: datetime, now: float) -> Message | None:
        """The oldest of what waits for a message of its own."""
        waiting: list[tuple[float, Case | Digest | None]] = [
            (case.stirred_at, case) for case in self.cases.values() if case.incident.id and _posts(case, at)
        ]
        waiting += list(self.digests)[:1]
        if self.runs:
            waiting.append((self.runs_since + RUNS_GATHER_SECONDS - GATHER_SECONDS, None))
        if not waiting:
            return None
        since, first = min(waiting, key=lambda pair: pair[0])
        if not self.sends.ready(now, since):
            return None
        if isinstance(first, Case):
            first.incident = replace(first.incident, left_out=first.incident.left_out + self.left_out)
            self.left_out = 0
            return Card(guild_id=self.guild_id, number=number, incident=first.incident)
        if isinstance(first, Digest):
            self.digests.popleft()
            return Daily(guild_id=self.guild_id, number=number, digest=first)
        return self._summary(number)

    def _new_edit(self, number: int, at: datetime, now: float) -> Message | None:
        due = [
            case
            for case in self.cases.values()
            if _edits(case, at) and now >= max(case.stirred_at + GATHER_SECONDS, case.edited_at + EDIT_SECONDS)
        ]
        case = min(due, key=lambda each: each.stirred_at, default=None)
        if case is None or not self.edits.ready(now, case.stirred_at):
            return None
        return Card(guild_id=self.guild_id, number=number, incident=case.incident)

    def _summary(self, number: int) -> Summary:
        shown = tuple(self.runs.popleft() for _ in range(min(RUNS_SHOWN, len(self.runs))))
        more, self.more_runs = self.more_runs + len(self.runs), 0
        self.runs.clear()
        return Summary(guild_id=self.guild_id, number=number, runs=shown, more=more)

    def change(self, case: Case, incident: Incident, now: float) -> None:
        """Put ``incident`` in the place of what the case was."""
        quiet = case.told is not None and incidents.face(case.told) == incidents.face(case.incident)
        case.incident = incident
        if quiet:
            case.stirred_at = now

    def _close(self, case: Case) -> None:
        case.incident = replace(case.incident, closed_at=case.incident.over_at)
        del self.cases[case.incident.key]
        self.closed.append(case)

    def _drop(self, case: Case) -> None:
        """Forget it untold, or close it quietly where it is stored."""
        if case.incident.id:
            case.incident = replace(case.incident, over_at=case.incident.last_seen_at)
            self._close(case)
        else:
            del self.cases[case.incident.key]

    def _case_of(self, message: Message | None) -> Case | None:
        """The incident of a card, unless it changed its message meanwhile."""
        if not isinstance(message, Card):
            return None
        case = self.cases.get(message.incident.key)
        same = case is not None and case.incident.id == message.incident.id
        return case if same and case and case.incident.message_id == message.incident.message_id else None

    def _unposted(self) -> int:
        return sum(case.told is None for case in self.cases.values())

    def _let_go(self) -> None:
        self.outgoing, self.in_hand = None, False

    def _budget(self, message: Message) -> Budget:
        return self.edits if edits(message) else self.sends


def _posts(case: Case, at: datetime) -> bool:
    return case.told is None and not case.incident.silenced(at)


def _edits(case: Case, at: datetime) -> bool:
    """Whether a standing card says less than there is to say; of a silence only that it began."""
    if case.told is None or case.incident.message_id is None:
        return False
    if case.incident.silenced(at):
        return case.told.silenced_until != case.incident.silenced_until
    return incidents.face(case.told) != incidents.face(case.incident)
