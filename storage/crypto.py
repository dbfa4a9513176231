"""Secrets at rest: AES-256-GCM under the newest key, bound to the row they belong to.

A sealed value is ``version (1) | key id (4) | nonce (12) | ciphertext and tag``. The associated data is the name of the
row, so that a value moved to another row does not open (plain Fernet would open it).
"""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import KeysUnusable

_VERSION = b"\x01"
_KEY_ID, _NONCE = 4, 12  # bytes; 96-bit nonces are what NIST SP 800-38D recommends for GCM
_HEADER = len(_VERSION) + _KEY_ID


class Unreadable(Exception):
    """The value was sealed under a key that is gone, belongs to another row, or was changed."""


class Vault:
    """Seals and opens under ``keys`` (32 bytes each, newest first). Raises KeysUnusable for keys of another length."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if any(len(key) != 32 for key in keys):
            raise KeysUnusable("Each key in SECRET_KEYS must be 32 bytes, written in base64 (44 characters).")
        self._newest = _key_id(keys[0]) if keys else b""
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def seal(self, secret: bytes, row: str) -> bytes:
        """``secret`` under the newest key, readable only as ``row``. Raises KeysUnusable when there is no key."""
        if not self._newest:
            raise KeysUnusable("SECRET_KEYS is empty, so that logins cannot be kept; give at least one key.")
        nonce = os.urandom(_NONCE)
        return _VERSION + self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, secret, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """What was sealed as ``row``. Raises Unreadable."""
        cipher = self._ciphers.get(sealed[len(_VERSION) : _HEADER])
        if sealed[: len(_VERSION)] != _VERSION or cipher is None:
            raise Unreadable("sealed under a key that is not in SECRET_KEYS")
        nonce, body = sealed[_HEADER : _HEADER + _NONCE], sealed[_HEADER + _NONCE :]
        try:
            return cipher.decrypt(nonce, body, row.encode())
        except (InvalidTag, ValueError) as error:
            raise Unreadable("not sealed for this row, or changed since") from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether ``sealed`` stands under the newest key already."""
        return sealed[len(_VERSION) : _HEADER] == self._newest


def _key_id(key: bytes) -> bytes:
    """Which key it was, without telling anything of the key."""
    return hashlib.sha256(b"crossfade key id" + key).digest()[:_KEY_ID]
