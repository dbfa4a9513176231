"""The habits of the house: what every file keeps to."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.logs.sentences import TEMPLATES
from bot.model.events import Event

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted(path for room in ("bot", "cogs", "storage") for path in (ROOT / room).rglob("*.py"))
LOG_CALLS = {"debug", "info", "warning", "error", "exception", "critical"}
STANDARD_FIELDS = {"run_id", "mapping_id", "item_id", "guild_id", "actor_id", "job_type"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the project, whether committed yet or not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for line in listed.stdout.splitlines():
        path = ROOT / line
        if path.is_file() and path.suffix not in {".png", ".lock"}:
            yield line, path.read_text(encoding="utf-8")


def log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_CALLS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in {"log", "logger", "logging"}:
                yield node


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_opens_with_what_it_holds(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ",", ":")) or len(docstring.splitlines()) > 1


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_has_a_name_that_says_something(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_log_line_is_a_registered_event_with_the_fields_of_its_sentence(path: Path) -> None:
    for call in log_calls(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{name(path)}:{call.lineno}"
        first = call.args[0]
        assert len(call.args) == 1, f"{where}: an event and fields, no format arguments"
        if not (isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Event"):
            assert not isinstance(first, ast.Constant | ast.JoinedStr), f"{where}: an Event, not a text"
            continue
        fields = literal_fields(call)
        if fields is not None:
            lacking = needed_fields(Event[first.attr]) - fields
            assert not lacking, f"{where}: the sentence of {first.attr} needs {sorted(lacking)}"


def literal_fields(call: ast.Call) -> set[str] | None:
    """The keys of ``extra`` where they can be read from the code, else None."""
    for keyword in call.keywords:
        if keyword.arg == "extra":
            if not isinstance(keyword.value, ast.Dict):
                return None
            keys = keyword.value.keys
            if not all(isinstance(key, ast.Constant) for key in keys):
                return None
            return {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return set()


def needed_fields(event: Event) -> set[str]:
    always = re.sub(r"\[[^\]]*\]", "", TEMPLATES[event])
    return set(re.findall(r"\{(\w+)", always))


def test_the_fields_of_sentences_are_names_that_logging_leaves_free() -> None:
    import logging

    taken = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
    used = {field for template in TEMPLATES.values() for field in re.findall(r"\{(\w+)", template)}
    assert not used & (taken | STANDARD_FIELDS)


def test_nothing_names_a_place_of_somebodys_machine() -> None:
    place = re.compile(r"(?<![\w.:])/(?:root|home|work|Users)/\w+|/tmp/\w+")
    found = [f"{path}: {hit[0]}" for path, text in texts() for hit in place.finditer(text)]
    assert found == []


def test_no_file_holds_a_secret() -> None:
    secret = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY|\bGOCSPX-[\w-]{20,}|\bya29\.[\w-]{30,}|\bgh[pousr]_\w{30,}|\bAIza[\w-]{35}"
    )
    assert [path for path, text in texts() if secret.search(text)] == []


def test_the_lock_pins_everything_with_hashes_and_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index-url" not in lock
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE).strip())
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==", block), block[:80]
        assert "--hash=sha256:" in block, block[:80]


def test_the_version_stands_in_one_place() -> None:
    version = PROJECT["project"]["version"]
    holders = {path for path, text in texts() if re.search(rf"\b{re.escape(version)}\b", text)}
    assert holders == {"pyproject.toml", "CHANGELOG.md"}


def test_every_package_is_listed_for_installation() -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_package_has_its_init() -> None:
    assert [name(path.parent) for path in MODULES if not (path.parent / "__init__.py").exists()] == []


def test_ci_runs_the_check_that_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^make check$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert "check: lint types imports test" in (ROOT / "Makefile").read_text(encoding="utf-8")
