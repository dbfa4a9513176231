"""The command line as people run it: exit codes, sentences, no tracebacks."""

import os
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.config import Settings
from storage.lock import only_process

VERBS = ("run", "demo", "check", "migrate", "backup")


def crossfade(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``crossfade`` in ``folder`` with these settings and nothing else of ours in the environment."""
    ours = {name.upper() for name in Settings.model_fields}
    environment = {key: value for key, value in os.environ.items() if key not in ours} | settings
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_help_names_every_verb(tmp_path: Path) -> None:
    done = crossfade(tmp_path, "--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert verb in done.stdout


@pytest.mark.parametrize("arguments", [("fly",), ("backup",), ("demo", "--port", "many"), ("run", "--fast")])
def test_wrong_arguments_end_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = crossfade(tmp_path, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["run", "check", "migrate"])
def test_a_wrong_setting_is_a_sentence_and_ends_with_2(tmp_path: Path, verb: str) -> None:
    done = crossfade(tmp_path, verb, PUBLIC_URL="http://localhost:8080", LOG_LEVEL="loud")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.split()[0] for line in lines] == ["PUBLIC_URL", "LOG_LEVEL"]


def test_run_without_a_token_says_where_to_get_one(tmp_path: Path) -> None:
    done = crossfade(tmp_path, "run")
    assert done.returncode == 2
    assert done.stderr.startswith("DISCORD_TOKEN is not set")
    assert len(done.stderr.splitlines()) == 1


def test_settings_come_from_the_env_file_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTP_PORT=lots\n")
    assert "HTTP_PORT is 'lots'" in crossfade(tmp_path, "migrate").stderr


def test_check_without_a_token_still_tests_the_rest(tmp_path: Path) -> None:
    done = crossfade(tmp_path, "check", HTTP_PORT="0")
    assert done.returncode == 2
    assert "DISCORD_TOKEN" in done.stdout
    assert "will be created at the first start" in done.stdout
    assert not (tmp_path / "data" / "crossfade.db").exists()


def test_check_ends_with_1_when_something_fails(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        taken.close()
        done = crossfade(
            tmp_path, "check", DISCORD_TOKEN="x", DISCORD_API_URL=f"http://127.0.0.1:{port}", HTTP_PORT="0"
        )
    assert done.returncode == 1
    assert "Discord does not answer" in done.stdout
    assert "Traceback" not in done.stderr


def test_migrate_makes_the_database_and_twice_does_no_harm(tmp_path: Path) -> None:
    for _ in range(2):
        done = crossfade(tmp_path, "migrate")
        assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(tmp_path / "data" / "crossfade.db")) as database:
        assert database.execute("SELECT count(*) FROM mappings").fetchone() == (0,)


def test_a_newer_database_ends_with_3(tmp_path: Path) -> None:
    crossfade(tmp_path, "migrate")
    with closing(sqlite3.connect(tmp_path / "data" / "crossfade.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'from_tomorrow'")
    done = crossfade(tmp_path, "migrate")
    assert done.returncode == 3
    assert "newer version" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backup_is_whole_private_and_never_overwrites(tmp_path: Path) -> None:
    crossfade(tmp_path, "migrate")
    source = tmp_path / "data" / "crossfade.db"
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        with writer:
            writer.execute("INSERT INTO meta VALUES ('written', 'just now')")
        writer.execute("BEGIN IMMEDIATE")  # a bot at work holds the one writing connection
        done = crossfade(tmp_path, "backup", "copy.db")
        writer.rollback()
    assert done.returncode == 0, done.stderr
    assert "secret.key" in done.stdout
    target = tmp_path / "copy.db"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM meta WHERE value = 'just now'").fetchone() == (1,)
    before = target.read_bytes()
    again = crossfade(tmp_path, "backup", "copy.db")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("database", "target", "words"),
    [
        ("sqlite+aiosqlite:///none.db", "copy.db", "no database at none.db"),
        ("sqlite+aiosqlite:///text.db", "copy.db", "not a SQLite database"),
        ("sqlite+aiosqlite:///text.db", "missing/copy.db", "cannot be written"),
        ("postgresql+asyncpg://me@127.0.0.1/x", "copy.db", "pg_dump"),
    ],
)
def test_a_backup_that_cannot_be_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, database: str, target: str, words: str
) -> None:
    (tmp_path / "text.db").write_text("not a database, " * 100)
    done = crossfade(tmp_path, "backup", target, DATABASE_URL=database)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {entry.name for entry in tmp_path.iterdir()} <= {"text.db", "data"}


def test_run_on_a_taken_port_is_a_sentence_and_ends_with_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = crossfade(tmp_path, "run", DISCORD_TOKEN="x", HTTP_PORT=str(port))
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_process_on_the_database_is_refused_and_the_check_understands(tmp_path: Path) -> None:
    crossfade(tmp_path, "migrate")
    with only_process(tmp_path / "data" / "crossfade.db"):
        done = crossfade(tmp_path, "run", DISCORD_TOKEN="x", HTTP_PORT="0")
        checked = crossfade(tmp_path, "check", HTTP_PORT="0")
    assert done.returncode == 1
    assert "Another process" in done.stderr
    assert "Traceback" not in done.stderr
    assert "in use by a bot that runs now" in checked.stdout
