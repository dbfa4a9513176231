"""How a value lies in the cache: when it was put there, then JSON, compressed where it is long."""

import json
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_HEAD = struct.Struct(">cQ")  # how the rest is packed, and the second since 1970 in which it was stored
_PLAIN, _COMPRESSED = b"J", b"Z"
LONG = 512  # bytes from which compressing gains more than it costs
LARGEST = 4 * 1024 * 1024  # bytes of JSON; far above anything that we keep, and a bound for what garbage may unfold to


class Garbage(Exception):
    """These bytes were not written by ``pack``."""


@dataclass(frozen=True, slots=True)
class Packed:
    stored_at: datetime
    value: Any


def pack(value: Any, stored_at: datetime) -> bytes:
    """``value`` is whatever JSON can hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    seconds = int(stored_at.timestamp())
    if len(text) < LONG:
        return _HEAD.pack(_PLAIN, seconds) + text
    return _HEAD.pack(_COMPRESSED, seconds) + zlib.compress(text)


def unpack(packed: object) -> Packed:
    """Raises Garbage. Nothing in the bytes is ever executed or imported, whoever wrote them."""
    stored = stored_at(packed)
    assert isinstance(packed, bytes)
    body = packed[_HEAD.size :]
    try:
        text = body if packed[:1] == _PLAIN else _unfolded(body)
        return Packed(stored, json.loads(text))
    except (ValueError, zlib.error, RecursionError) as error:
        raise Garbage(type(error).__name__) from error


def stored_at(packed: object) -> datetime:
    """When it was stored, without looking at the rest. Raises Garbage."""
    if not isinstance(packed, bytes) or len(packed) < _HEAD.size:
        raise Garbage("not an entry")
    flag, seconds = _HEAD.unpack_from(packed)
    if flag not in (_PLAIN, _COMPRESSED):
        raise Garbage("unknown packing")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Garbage("no time") from error


def _unfolded(body: bytes) -> bytes:
    unfolding = zlib.decompressobj()
    text = unfolding.decompress(body, LARGEST)
    if not unfolding.eof:
        raise Garbage("cut off or too large")
    return text
