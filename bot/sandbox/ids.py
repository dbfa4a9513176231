"""Ids that look like the services' own, made from what they stand for."""

import base64
import hashlib
import string

_BASE62 = string.digits + string.ascii_letters


def _digest(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()


def fraction(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the parts."""
    return int.from_bytes(_digest(*parts)[:7], "big") / 2**56


def base62(*parts: object) -> str:
    """22 characters, as Spotify's ids."""
    number = int.from_bytes(_digest(*parts)[:17], "big")
    letters = []
    for _ in range(22):
        number, rest = divmod(number, 62)
        letters.append(_BASE62[rest])
    return "".join(letters)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def video(*parts: object) -> str:
    """11 characters, as YouTube's video ids."""
    return _base64url(_digest("video", *parts)[:8])


def channel(*parts: object) -> str:
    """``UC`` and 22 characters, as YouTube's channel ids."""
    return "UC" + _base64url(_digest("channel", *parts)[:16])


def youtube_playlist(*parts: object) -> str:
    """``PL`` and 32 characters, as YouTube's playlist ids."""
    return "PL" + _base64url(_digest("playlist", *parts)[:24])


def playlist_item(playlist_id: str, *parts: object) -> str:
    """The playlist's id and a number, encoded as YouTube does."""
    return _base64url(f"{playlist_id}.{_digest(playlist_id, *parts).hex()[:16].upper()}".encode())


def snapshot(playlist_id: str, revision: int) -> str:
    """A counter and a hash, as Spotify's snapshot ids: another one with each write."""
    return base64.b64encode(revision.to_bytes(4, "big") + _digest(playlist_id, revision)[:20]).decode()


def etag(*parts: object) -> str:
    """27 characters, as Google's etags."""
    return _base64url(_digest("etag", *parts)[:20])
