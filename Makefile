# Everything a newcomer needs: `make demo` and `make test` set up what they need first.
# python3.11 where it is there, else the newest that may be called python3; PYTHON=… names another one.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$each -c '$(FITS)' 2>/dev/null && { echo $$each; break; }; done)
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo run test check format lint types imports benchmark kills pictures lock clean

install: $(STAMP)

# The stamp makes a second install a no-op; the lock's hashes are checked by pip itself.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' 2>/dev/null || { \
		echo "Crossfade needs Python 3.11, 3.12, 3.13 or 3.14; install one, or name it: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) comes without its venv module; on Debian and Ubuntu: apt install python3-venv"; exit 2; }
	$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: install
	$(BIN)/crossfade demo

run: install
	$(BIN)/crossfade run

test: install
	$(BIN)/python -m pytest -n auto --dist worksteal

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

check: lint types imports test

benchmark: install ## The stats endpoint over a million log lines; a minute or two.
	$(BIN)/python -m tests.benchmarks.stats_endpoint

kills: install ## Fifty kills in the middle of a sync, in each direction, and of routing; a quarter of an hour or so.
	$(BIN)/python -m tests.kills --kills 50
	$(BIN)/python -m tests.kills --kills 50 --direction right_to_left
	$(BIN)/python -m tests.kills_routing --kills 50

pictures: install ## Takes docs/*.png anew from the running demo (needs chromium).
	$(BIN)/python -m tests.pictures

lock: ## Rewrites requirements.lock from pyproject.toml (needs uv).
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra demo --extra postgres --extra ytmusic --extra dev -q pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
