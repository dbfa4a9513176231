"""How many messages may go into a channel, and how they are spread over the minute."""

from collections import deque
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
GATHER_SECONDS = 2.0  # neighbours of what comes first come with it
BURST = 3  # messages that may follow each other quickly; then the minute's rest is spread out


@dataclass(slots=True)
class Budget:
    """At most ``most`` in any minute. Times are monotonic seconds."""

    most: int
    spent_at: deque[float] = field(default_factory=deque)  # attempts within the window

    def left(self, now: float) -> bool:
        """Whether one more fits into this minute."""
        while self.spent_at and self.spent_at[0] <= now - WINDOW_SECONDS:
            self.spent_at.popleft()
        return len(self.spent_at) < self.most

    def ready(self, now: float, since: float) -> bool:
        """Whether what waits since ``since`` may go now."""
        if not self.left(now):
            return False
        gap = GATHER_SECONDS if len(self.spent_at) < BURST else WINDOW_SECONDS / self.most
        return now >= max(since, self.spent_at[-1] if self.spent_at else since) + gap

    def spend(self, now: float) -> None:
        self.spent_at.append(now)
