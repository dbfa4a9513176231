"""The demo as a newcomer starts it: one sync in numbers, the page in the browser, and what it refuses."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bot.config import Settings
from tests import databases

KEYS = {
    "mapping", "source_tracks", "matched", "added", "review", "blacklisted", "destination_tracks", "duplicates",
    "youtube_units", "youtube_searches", "spotify_calls", "seconds",
}  # fmt: skip


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bot", "demo", *arguments]


def bare() -> dict[str, str]:
    """This environment without a setting of ours: the demo needs none."""
    ours = {name.upper() for name in Settings.model_fields}
    return {key: value for key, value in os.environ.items() if key not in ours}


def once(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    whole = command("--once", "--json", "--data", str(data), *arguments)
    return subprocess.run(
        whole, env=bare(), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
    )


def numbers(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder in which the demo synced once, and what it printed."""
    data = tmp_path_factory.mktemp("demo")
    return data, numbers(once(data))


def test_one_sync_puts_every_track_in_its_place_once(synced: tuple[Path, dict[str, Any]]) -> None:
    _, first = synced
    assert set(first) == KEYS
    assert first["source_tracks"] >= 80
    assert first["matched"] + first["review"] + first["blacklisted"] == first["source_tracks"]
    assert first["duplicates"] == 0
    assert first["added"] == first["destination_tracks"] == first["matched"] > 60
    assert first["youtube_searches"] <= 100
    assert first["youtube_units"] <= 10_000
    assert first["seconds"] < 60


def test_a_second_sync_of_the_same_folder_writes_nothing(synced: tuple[Path, dict[str, Any]]) -> None:
    data, first = synced
    second = numbers(once(data))
    assert (second["added"], second["youtube_searches"]) == (0, 0)
    same = KEYS - {"added", "youtube_units", "youtube_searches", "spotify_calls", "seconds"}
    assert {key: second[key] for key in same} == {key: first[key] for key in same}


def test_a_folder_of_another_seed_is_refused_with_the_remedy(synced: tuple[Path, dict[str, Any]]) -> None:
    done = once(synced[0], "--seed", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--seed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_is_not_a_demos_is_refused_and_left_alone(tmp_path: Path, sqlite_template: Path) -> None:
    databases.copy_of(sqlite_template, tmp_path)
    foreign = tmp_path / "crossfade.db"
    before = foreign.read_bytes()
    done = once(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not a demo's" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert foreign.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["crossfade.db"]


@contextmanager
def shown(data: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        command("--data", str(data), *arguments),
        env=bare(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def page_answers(url: str) -> bool:
    answer = requests.get(url, timeout=10)
    return answer.status_code == 200 and "<html" in answer.text.lower()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_answers_on_loopback_until_the_demo_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    with shown(tmp_path, "--json", "--port", "0") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert urlsplit(url).hostname == "127.0.0.1"
        assert page_answers(url)
        process.send_signal(number)
        _, said = process.communicate(timeout=15)
    assert (process.returncode, said) == (0, "")


def test_for_people_it_prints_the_address_and_what_to_try(tmp_path: Path) -> None:
    with shown(tmp_path, "--port", "0") as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl+C" not in said:
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+\S*", said)
        assert page_answers(url)
    assert 3 <= len(re.findall(r"^  \d\. ", said, re.MULTILINE)) <= 6


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with shown(tmp_path, "--port", str(port)) as process:
            _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {port}" in said
    assert len(said.splitlines()) == 1
