"""Which remembered matches may still be used: automatic ones age, and a stricter mapping wants surer ones."""

from datetime import datetime, timedelta

from bot.engine.matching import remembered_well
from bot.model.matching import MatchPolicy
from bot.model.review import DecidedBy, MatchRow

# YouTube's terms: what was found is to be looked at again within 30 days (PLATFORM.md).
REMEMBERED_FOR = timedelta(days=30)


def usable(row: MatchRow, policy: MatchPolicy, now: datetime) -> bool:
    """A person's decision always; an automatic match within its time, if the policy would accept it too."""
    if row.decided_by is DecidedBy.PERSON:
        return True
    return row.decided_at + REMEMBERED_FOR > now and remembered_well(row, policy)
