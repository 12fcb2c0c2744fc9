# Everything a person or a machine does here, one word each. `make help` lists them.

PORT   ?= 8501
PYTHON ?= python3
# DATA=DIR: measure on texts of one's own, DIR/dev.jsonl.gz with a column "text".
DATA   ?=
# PYTEST=OPTIONS: what pytest is told; by default, to share the tests between two processes (some 2 GB each);
# the one that is done first takes tests from the other.
PYTEST ?= --numprocesses 2 --dist worksteal
# TORCH=cpu: take PyTorch's CPU build (Linux; saves gigabytes of CUDA packages).
TORCH  ?=

VENV  := .venv
BIN   := $(VENV)/bin
# Modules are compiled when they are first imported: compiling all of them takes longer than downloading them.
PIP   := $(BIN)/python -m pip --disable-pip-version-check --quiet
EXTRA := $(if $(filter cpu,$(TORCH)),--extra-index-url https://download.pytorch.org/whl/cpu)

.DEFAULT_GOAL := help
.PHONY: help install run test check format bench golden clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## the package with the `explain` command, editable, into .venv

run: $(VENV)/.installed  ## start the app on the shipped model (PORT=8501)
	@$(BIN)/explain serve --port $(PORT)

test: $(VENV)/.developing $(VENV)/.browser  ## run the whole suite, in a real browser too
	@$(BIN)/python -m pytest $(PYTEST)

check: $(VENV)/.developing  ## format, lint, types, import rule, names, sizes; lint and unit tests of the JavaScript
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m scripts.language
	@$(BIN)/python -m scripts.sizes
	@$(BIN)/python -m tests.javascript

format: $(VENV)/.developing  ## put everything into the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.developing  ## measure speed, beside other libraries and the floor of the hardware
	@$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA))

golden: $(VENV)/.developing  ## write the golden files, the generated docs and the report's schema; then read the diff
	@$(BIN)/python -m tests.golden

clean:  ## remove the environment and what tools left
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.txt pyproject.toml
	@echo "Installing into $(VENV) (once; a few minutes) ..."
	@$(PIP) install --no-compile $(EXTRA) -r requirements.txt
	@$(PIP) install --no-compile --no-deps --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.txt
	@$(PIP) install --no-compile $(EXTRA) -r requirements-dev.txt
	@touch $@

$(VENV)/.browser: $(VENV)/.developing tests/chromium.py
	@$(BIN)/python -m tests.chromium
	@touch $@
