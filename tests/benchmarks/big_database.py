"""A SQLite database as it looks after a busy month: 1,000,000 log lines and 100,000 items of three servers."""

from datetime import timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from storage import Storage
from tests.clock import START
from tests.factories import GUILD, PERSON, mapped

BIG, MIDDLE, SMALL = GUILD, GUILD + 1, GUILD + 2
MAPPINGS = {BIG: 14, MIDDLE: 5, SMALL: 1}
RUNS = 20_000
DAYS = 30
# A word that only the oldest line holds: whoever looks for it looks through everything.
RARE = "chrysanthemum"

_BEGAN = START - timedelta(days=DAYS)
_MOMENT = f"strftime('%Y-%m-%d %H:%M:%f000', '{_BEGAN:%Y-%m-%d %H:%M:%S}', '+' || ({{seconds}}) || ' seconds')"
# Of a thousand lines; the rest tells of items that went well. Event, level, job type.
_EVENTS = (
    (1, "error", "analysis.failed", "analysis"),
    (3, "error", "item.error", "execution"),
    (5, "warn", "item.unknown", "execution"),
    (10, "warn", "item.review", "execution"),
    (15, "warn", "item.blacklisted", "execution"),
    (16, "warn", "quota.spent", "system"),
    (26, "info", "analysis.started", "analysis"),
    (36, "info", "analysis.diffs", "analysis"),
    (46, "info", "analysis.complete", "analysis"),
    (51, "info", "execution.started", "execution"),
    (56, "info", "execution.complete", "execution"),
    (57, "info", "sync.requested", "user_action"),
    (58, "info", "review.chosen", "user_action"),
    (530, "info", "item.processing", "execution"),
)
_REASONS = (
    "login_needed",
    "quota_spent",
    "unknown_outcome",
    "playlist_gone",
    "no_permission",
    "unavailable",
    "refused:http_400",
    "service_failing",
)


async def fill(storage: Storage, *, lines: int = 1_000_000, items: int = 100_000) -> None:
    """Fills a new SQLite database; takes about half a minute."""
    for guild_id, count in MAPPINGS.items():
        for number in range(count):
            await mapped(storage, f"Mapping {number} of {guild_id % 10}", guild_id=guild_id)
    for statement, count in ((_RUNS, RUNS), (_items(), items), (_BLACKLIST, items // 20), (_lines(lines), lines)):
        await storage.db.write(partial(_insert, statement=statement, count=count))


async def _insert(connection: AsyncConnection, statement: str, count: int) -> None:
    numbers = f"WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < {count - 1})"
    place, _, values = statement.partition("SELECT")
    await connection.exec_driver_sql(f"{place} {numbers} SELECT {values} FROM n")


def _case(cases: tuple[tuple[int, str], ...], rest: str, of: str = "(x * 7919 + x / 1000 * 31) % 1000") -> str:
    """A value by where a number (by default one of a thousand, well mixed) lies."""
    return "CASE " + " ".join(f"WHEN {of} < {bound} THEN {value}" for bound, value in cases) + f" ELSE {rest} END"


# Mappings 1 to 14 are the big server's, 15 to 19 the middle one's, 20 the small one's.
_MAPPING = _case(((700, "x % 14 + 1"), (950, "x % 5 + 15")), "20", of="x * 31 % 1000")
_GUILD = _case(((700, str(BIG)), (950, str(MIDDLE))), str(SMALL), of="x * 31 % 1000")

_RUNS = f"""
INSERT INTO runs (kind, mapping_id, guild_id, "trigger", actor, status, created_at, started_at, completed_at, error,
  reason, tracks_processed, adds, removals, skipped, failed, waiting, api_requests, cached_requests, quota_units)
SELECT CASE WHEN x % 2 THEN 'execution' ELSE 'analysis' END, {_MAPPING}, {_GUILD},
  CASE WHEN x % 20 = 0 THEN 'command' ELSE 'schedule' END, CASE WHEN x % 20 = 0 THEN {PERSON} ELSE 0 END,
  CASE WHEN x % 25 = 0 THEN 'failed' WHEN x % 60 = 1 THEN 'cancelled' ELSE 'completed' END,
  {_MOMENT.format(seconds=f"x * {DAYS * 86400 // RUNS}")}, {_MOMENT.format(seconds=f"x * {DAYS * 86400 // RUNS}")},
  {_MOMENT.format(seconds=f"x * {DAYS * 86400 // RUNS} + 40")},
  CASE WHEN x % 25 = 0 THEN 'playlist.items.list: the service answered 503' ELSE '' END,
  CASE WHEN x % 25 = 0 THEN 'service_failing' ELSE '' END, 100, x % 7, x % 3, x % 2, 0, 0, x % 40, x % 9, x % 400
"""


def _items() -> str:
    """Every fifth item failed, every twentieth waits for a review, every tenth for quota or its turn."""
    reasons = _case(
        tuple((index + 1, f"'{reason}'") for index, reason in enumerate(_REASONS)), f"'{_REASONS[0]}'", of="x / 5 % 8"
    )
    status = _case(
        ((200, "'error'"), (250, "'blacklisted'"), (350, "'pending'"), (380, "'skipped'"), (390, "'cancelled'")),
        "'done'",
    )
    ended = _MOMENT.format(seconds=f"x * {DAYS * 864} / 1000 + 60")
    return f"""
INSERT INTO sync_items (mapping_id, run_id, origin_run_id, guild_id, service, action, source_track_id, occurrence,
  source_track_title, source_service, destination_service, payload, position, status, attempts, not_before, lease_token,
  last_error, reason, created_at, completed_at)
SELECT {_MAPPING}, x % {RUNS} + 1, x % {RUNS} + 1, {_GUILD},
  CASE WHEN x % 3 THEN 'youtube' ELSE 'spotify' END, 'add_track',
  'track' || x, 0, 'Song number ' || x, CASE WHEN x % 3 THEN 'spotify' ELSE 'youtube' END,
  CASE WHEN x % 3 THEN 'youtube' ELSE 'spotify' END, '{{"v":1,"track_id":"video' || x || '"}}', x % 500,
  {status} AS word, x % 4,
  CASE WHEN {status} = 'pending' AND x % 2 THEN '{START + timedelta(hours=20):%Y-%m-%d %H:%M:%S}.000000' END, '',
  CASE WHEN {status} = 'error' THEN 'playlistItems.insert: what went wrong with number ' || x
       WHEN {status} = 'pending' AND x % 2 THEN 'youtube.units is spent until 2026-11-21 08:00 UTC' ELSE '' END,
  CASE WHEN {status} = 'error' THEN {reasons} WHEN {status} = 'blacklisted' THEN 'low_confidence'
       WHEN {status} = 'pending' AND x % 2 THEN 'quota_spent' ELSE '' END,
  {_MOMENT.format(seconds=f"x * {DAYS * 864} / 1000")}, CASE WHEN {status} = 'pending' THEN NULL ELSE {ended} END
"""


_BLACKLIST = f"""
INSERT INTO blacklist (mapping_id, service, track_id, title, artists, reason, explanation, candidates, best_score,
  skip_count, state, looks, item_id, created_at)
SELECT {_MAPPING}, 'spotify', 'track' || x, 'Song number ' || x, '{{"v":1,"names":["Somebody"]}}',
  CASE WHEN x % 2 THEN 'low_confidence' ELSE 'search_failed' END, 'title 0.81, artist 1.00: review',
  '{{"v":1,"candidates":[]}}', x % 100 / 100.0, x % 5, CASE WHEN x % 4 THEN 'open' ELSE 'resolved' END, 0, x * 20 + 1,
  {_MOMENT.format(seconds="x")}
"""


def _lines(count: int) -> str:
    event, level, job_type = (
        _case(tuple((each[0], f"'{each[place]}'") for each in _EVENTS), rest)
        for place, rest in ((2, "'item.added'"), (1, "'info'"), (3, "'execution'"))
    )
    message = (
        f"CASE x WHEN 0 THEN 'Renamed the playlist to {RARE}' ELSE 'Successfully added track Song number ' || x END"
    )
    nobody = "(x * 7919 + x / 1000 * 31) % 1000 = 15"  # the program's own lines belong to no server
    return f"""
INSERT INTO logs (at, level, event, message, job_type, sync_item_id, run_id, mapping_id, guild_id, actor, details,
  source)
SELECT {_MOMENT.format(seconds=f"x * {DAYS * 86400 / count:.6f}")}, {level}, {event},
  {message} || ' to the playlist Mapping ' || (x % 14), {job_type},
  CASE WHEN (x * 7919 + x / 1000 * 31) % 1000 > 57 THEN x % 100000 + 1 END, x % {RUNS} + 1, {_MAPPING},
  CASE WHEN {nobody} THEN NULL ELSE {_GUILD} END,
  CASE WHEN (x * 7919 + x / 1000 * 31) % 1000 IN (56, 57) THEN {PERSON} END,
  '{{"v":1,"title":"Song number ' || x || '","playlist":"Mapping"}}', 'bot.engine.settling'
"""
