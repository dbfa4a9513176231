"""A few kills of the bot in the middle of a sync with faults on; ``make kills`` does fifty."""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["left_to_right", "right_to_left"])
def test_a_bot_that_is_killed_in_the_middle_loses_and_doubles_nothing(direction: str) -> None:
    options = ["--kills", "3", "--tracks", "16", "--direction", direction]
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", *options], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kills" in done.stdout
    assert "0 lost, 0 doubled" in done.stdout


@pytest.mark.slow
def test_a_bot_that_is_killed_while_it_routes_leaves_children_that_hold_what_their_rules_choose() -> None:
    options = ["--kills", "3", "--tracks", "20"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills_routing", *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kills" in done.stdout
    assert "0 lost or doubled" in done.stdout
