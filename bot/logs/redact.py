"""Takes secrets out of texts and fields before a log line is queued."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.logs.sentences import plain

MASK = "[redacted]"
SHORTEST_SECRET = 6  # a shorter known value would blank ordinary words
DEPTH_LIMIT = 6
ENTRIES_LIMIT = 50
READ_LIMIT = 20_000  # of a longer text the rest is left out, so that no log line takes long
TEXT_LIMIT = 4_000  # characters of one field in the details

_HUSHED = (
    "access_token|refresh_token|id_token|client_secret|code_verifier|code|token|api_key|apikey|password|passwd"
    "|secret|secret_key|secret_keys|authorization|cookie|set-cookie|interaction_token|bot_token|verifier"
)
_HUSHED_KEY = re.compile(rf"(?:.*[_-])?(?:{_HUSHED})", re.IGNORECASE)
# Fields whose name sounds secret and that hold none: our errors' stable words and the merge's change tokens.
_HARMLESS_KEYS = frozenset({"code", "error_code", "change_token", "status_code"})

# Each keeps its first group and masks the rest.
_PATTERNS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"""(authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|bot)\s+)?)[^\s"',}]+""", re.IGNORECASE),
        (r"(\b(?:bearer|basic|bot)\s+)[\w.~+/=-]{12,}", re.IGNORECASE),
        # code=…, "client_secret": "…", 'refresh_token': '…'
        (rf"""(\b(?:\w+_)?(?:{_HUSHED})["']?\s*=\s*["']?)[^\s"'&,;)}}]+""", re.IGNORECASE),
        (rf"""(["'](?:\w+_)?(?:{_HUSHED})["']\s*:\s*["'])[^"']+""", re.IGNORECASE),
        (r"(\bstate=)[\w-]{16,}", re.IGNORECASE),  # an OAuth state, not a word like pending
        (r"(://[^\s/@:]*:)[^\s/@]+(?=@)", 0),  # a password in an address
        (r"(/(?:webhooks|interactions)/\d+/)[\w.-]{20,}", 0),  # Discord: the token is part of the path
        (r"()(?<![\w-])[\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}", 0),  # a Discord bot token
        (r"()(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*", 0),  # a JWT
        (r"()\b(?:ya29\.|1//|GOCSPX-)[\w.-]{10,}", 0),  # Google: access token, refresh token, client secret
        (
            r"()(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{43,}",
            0,
        ),  # as long and mixed as a token; an album's list id has 41
    )
)

# What every one of the patterns needs somewhere: a text without it needs no closer look, and most have none.
_SUSPECT = re.compile(r"[=:/]|[\w.~+-]{12}")
CLEAN_KEPT = 4_000  # short texts known to hold no secret: the same names and errors are logged again and again
CLEAN_LENGTH = 300


class Redactor:
    """Masks ``secrets`` (exact values) and everything that looks like a token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._clean: set[str] = set()

    def text(self, text: str) -> str:
        if text in self._clean:
            return text
        redacted = self._redacted(text[:READ_LIMIT])
        if redacted == text and len(text) <= CLEAN_LENGTH:
            if len(self._clean) >= CLEAN_KEPT:
                self._clean = set()
            self._clean.add(text)
        return redacted

    def _redacted(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if _SUSPECT.search(text) is None:
            return text
        for pattern in _PATTERNS:
            text = pattern.sub(_masked, text)
        return text

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A copy that JSON can hold, without secrets, with bounded depth, length and number of entries."""
        return {str(key): self._field(str(key), value, 0) for key, value in list(fields.items())[:ENTRIES_LIMIT]}

    def _field(self, key: str, value: Any, depth: int) -> Any:
        if key not in _HARMLESS_KEYS and _HUSHED_KEY.fullmatch(key) and value not in (None, ""):
            return MASK
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth < DEPTH_LIMIT and isinstance(value, Mapping):
            entries = list(value.items())[:ENTRIES_LIMIT]
            return {str(key): self._field(str(key), held, depth + 1) for key, held in entries}
        if depth < DEPTH_LIMIT and isinstance(value, list | tuple | set | frozenset):
            return [self._value(held, depth + 1) for held in list(value)[:ENTRIES_LIMIT]]
        lines = (plain(line) for line in self.text(str(value)).splitlines())
        return "\n".join(lines)[:TEXT_LIMIT]


def _masked(found: re.Match[str]) -> str:
    return found[1] + MASK
