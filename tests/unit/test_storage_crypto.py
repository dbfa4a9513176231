"""Secrets at rest open only in their own row, unchanged, under a key that is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import KeysUnusable
from storage.crypto import Unreadable, Vault

OLD, NEW = b"o" * 32, b"n" * 32


@given(secret=st.binary(max_size=500), row=st.text(max_size=50))
def test_what_is_sealed_opens_as_it_was(secret: bytes, row: str) -> None:
    assert Vault([NEW]).open(Vault([NEW, OLD]).seal(secret, row), row) == secret


@given(row=st.text(max_size=20), other=st.text(max_size=20))
def test_a_value_of_another_row_does_not_open(row: str, other: str) -> None:
    sealed = Vault([NEW]).seal(b"secret", row)
    if row != other:
        with pytest.raises(Unreadable):
            Vault([NEW]).open(sealed, other)


@given(data=st.data())
def test_a_value_changed_in_any_bit_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(Vault([NEW]).seal(b"secret", "row"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Unreadable):
        Vault([NEW]).open(bytes(sealed), "row")


@given(garbage=st.binary(max_size=60))
def test_garbage_does_not_open(garbage: bytes) -> None:
    with pytest.raises(Unreadable):
        Vault([NEW]).open(garbage, "row")


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    vault = Vault([NEW])
    assert len({vault.seal(b"secret", "row") for _ in range(50)}) == 50


def test_new_values_stand_under_the_newest_key() -> None:
    old, both = Vault([OLD]), Vault([NEW, OLD])
    kept = old.seal(b"secret", "row")
    assert both.open(kept, "row") == b"secret"
    assert (both.is_newest(kept), both.is_newest(both.seal(b"secret", "row"))) == (False, True)
    with pytest.raises(Unreadable, match="SECRET_KEYS"):
        old.open(both.seal(b"secret", "row"), "row")


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 16, b"x" * 33])
def test_a_key_of_another_length_is_refused_with_a_sentence(key: bytes) -> None:
    with pytest.raises(KeysUnusable, match="32 bytes"):
        Vault([NEW, key])


def test_sealing_without_a_key_is_refused_with_a_sentence() -> None:
    with pytest.raises(KeysUnusable, match="SECRET_KEYS is empty"):
        Vault([]).seal(b"secret", "row")
