"""Why things fail, in stable words: the same cause has the same reason, whatever item, moment or title it met."""

import re
from enum import StrEnum

REASON_LIMIT = 128  # the width of the column


class Cause(StrEnum):
    """A cause that we know. A reason is its word, with ``:detail`` where that tells groups apart; see ``reason_of``."""

    LOGIN_NEEDED = "login_needed"
    QUOTA_SPENT = "quota_spent"
    SERVICE_PAUSED = "service_paused"  # the service asked for silence
    SLOW_DOWN = "slow_down"  # too many requests
    SERVICE_FAILING = "service_failing"  # reads that get no usable answer
    UNREACHABLE = "unreachable"
    UNKNOWN_OUTCOME = "unknown_outcome"  # writes that get no usable answer
    PLAYLIST_GONE = "playlist_gone"
    PLAYLIST_CHANGED = "playlist_changed"  # while it was read
    PLAYLIST_FULL = "playlist_full"
    NO_PERMISSION = "no_permission"  # on a playlist
    FORBIDDEN = "forbidden"  # anything else that the account may not do
    NO_CHANNEL = "no_channel"
    API_DISABLED = "api_disabled"
    NOT_CONFIGURED = "not_configured"
    NOT_FOUND = "not_found"
    REFUSED = "refused"  # detail: the service's own word
    SEARCH_FAILED = "search_failed"
    LOW_CONFIDENCE = "low_confidence"
    UNAVAILABLE = "unavailable"
    REJECTED_BY_USER = "rejected_by_user"
    MAPPING_PAUSED = "mapping_paused"
    MAPPING_REMOVED = "mapping_removed"
    STOPPED = "stopped"  # the program ended, or its run gave no sign of life
    BUG = "bug"


def reason_of(error: str) -> str:
    """The reason behind a sentence of ours (``last_error``, a run's ``error``); '' for ''. At most 128 characters.

    Known causes become their ``Cause``. Of all others the sentence stays, without what is particular to one item: its
    quoted names, addresses, ids, times and numbers.
    """
    text = _GIVEN_UP.sub("", error).strip()
    if not text:
        return ""
    operation, _, said = text.partition(": ")
    if _OPERATION.fullmatch(operation):
        return _known(said, operation) or _general(f"{operation}: {said}")
    return _known(text, "") or _general(text)


def cause_of(reason: str) -> Cause | None:
    """The known cause of a reason; None for a reason that is a sentence."""
    word = reason.partition(":")[0]
    return Cause(word) if word in _CAUSES else None


_CAUSES = frozenset(Cause)
_GIVEN_UP = re.compile(r"( \(given up after \d+ attempts\))+$")
_OPERATION = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+")
_WRITES = frozenset({"add", "remove", "reorder", "insert", "delete", "update", "create"})

# Our own sentences (errors of bot/services and bot/engine), in the order of the more special first. The tests raise
# each of those errors and look where its sentence lands, so that a reworded one is noticed.
_SENTENCES: tuple[tuple[str, Cause], ...] = (
    (r"search_failed:", Cause.SEARCH_FAILED),
    (r"low_confidence:", Cause.LOW_CONFIDENCE),
    (r"unavailable:", Cause.UNAVAILABLE),
    (r"rejected_by_user:", Cause.REJECTED_BY_USER),
    (r"Bug: ", Cause.BUG),
    (r"a second request on one charge|the address cannot be used", Cause.BUG),
    (r"no longer accepts this login|is not logged in|does not cover this|was let go meanwhile", Cause.LOGIN_NEEDED),
    (r"login of this account is no longer good|refuses the login", Cause.LOGIN_NEEDED),
    (r"quota is spent|is spent until", Cause.QUOTA_SPENT),
    (r"asked for silence until", Cause.SERVICE_PAUSED),
    (r"asks to slow down|too many requests|is busy with it", Cause.SLOW_DOWN),
    (r"no connection to the service", Cause.UNREACHABLE),
    (r"keeps failing", Cause.SERVICE_FAILING),
    (r"does not know this playlist|is gone, or this account may no longer", Cause.PLAYLIST_GONE),
    (r"the playlist changed while it was read", Cause.PLAYLIST_CHANGED),
    (r"has no YouTube channel yet", Cause.NO_CHANNEL),
    (r"is not enabled in the Google project", Cause.API_DISABLED),
    (r"is not set up here|is not set up on this bot", Cause.NOT_CONFIGURED),
    (r"was disconnected by its owner", Cause.LOGIN_NEEDED),
    (r"The mapping was removed", Cause.MAPPING_REMOVED),
    (r"[Tt]he program stopped|gave no sign of life", Cause.STOPPED),
)
_KNOWN = tuple((re.compile(pattern), cause) for pattern, cause in _SENTENCES)
_NO_ANSWER = re.compile(
    r"the answer (did not arrive|was empty|was not JSON|was not understood|is not what was asked for|names )"
    r"|the service answered \d|YouTube Music answered \d|met a conflict"
)
_REFUSAL = re.compile(r"refuses this \((\w+)\)|refused with \d+(?: \(?(\w+)\)?)?")
_REFUSALS = {
    "playlistContainsMaximumNumberOfVideos": Cause.PLAYLIST_FULL,
    "maxPlaylistExceeded": Cause.PLAYLIST_FULL,
    "failedPrecondition": Cause.UNAVAILABLE,
    "videoNotFound": Cause.UNAVAILABLE,
    "bad_id": Cause.UNAVAILABLE,
}


def _known(said: str, operation: str) -> str:
    for pattern, cause in _KNOWN:
        if pattern.search(said):
            return cause.value
    of_playlist = operation.startswith("playlist")
    if "does not know it" in said or "does not hold this video" in said:
        gone = of_playlist and "does not hold" not in said
        return (Cause.PLAYLIST_GONE if gone else Cause.NOT_FOUND).value
    if "does not allow this account" in said:
        return (Cause.NO_PERMISSION if of_playlist else Cause.FORBIDDEN).value
    if _NO_ANSWER.search(said):
        write = operation.rpartition(".")[2] in _WRITES
        return (Cause.UNKNOWN_OUTCOME if write else Cause.SERVICE_FAILING).value
    refusal = _REFUSAL.search(said)
    if refusal is not None:
        word = refusal[1] or refusal[2] or ""
        return _REFUSALS[word].value if word in _REFUSALS else f"{Cause.REFUSED.value}:{word}"[:REASON_LIMIT]
    return ""


_PARTICULAR = (
    (re.compile(r"https?://\S+"), "…"),
    (re.compile(r"“[^”]*”|«[^»]*»|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'(?!\w)"), "“…”"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"), "…"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "…"),
    # An id: eight characters or more without a space that mix letters with digits.
    (re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{8,}(?![\w-])"), "…"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "#"),
)


def _general(text: str) -> str:
    for pattern, placeholder in _PARTICULAR:
        text = pattern.sub(placeholder, text)
    text = " ".join(text.split())
    return text if len(text) <= REASON_LIMIT else text[: REASON_LIMIT - 1].rstrip() + "…"
