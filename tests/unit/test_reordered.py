"""What people moved in a playlist, told from two reads of it."""

import pytest

from bot.engine.analysis import reordered
from tests.factories import content, track


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        ("abcd", "abcd", ""),
        ("abcd", "bcda", "a"),
        ("abcd", "dabc", "d"),
        ("abcd", "bacd", "ab"),  # nobody can tell which of the two it was
        ("abcd", "abecd", "e"),
        ("abcd", "acd", ""),
        ("", "ab", "ab"),
    ],
)
def test_what_left_the_common_order_was_moved(before: str, now: str, moved: str) -> None:
    found = reordered(content("p", list(map(track, before))), content("p", list(map(track, now))))
    assert found == frozenset(moved)
