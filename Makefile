# Everything that people and CI run. `make help` says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed

# The first interpreter that pyproject.toml allows.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do "$$p" -c '$(FITS)' 2>/dev/null && echo "$$p" && break; done)

.PHONY: help setup demo test check bench faults soak lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Build .venv from the locked packages (the second time it does nothing)

# Built anew whenever the lock changes, so that nothing outside the lock is ever in it.
$(LOCKED): requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or 3.12 found: install one, or say PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -m venv --clear $(VENV) || { echo "Could not build .venv: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	@echo "Installing the locked packages into $(VENV) (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Play the stories against simulated tools, then leave the pages up (ARGS=--exit ends by itself)
	@$(BIN)/helpdesk demo $(ARGS)

test: check ## Run everything that CI checks, and say which requirements are shown
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## Check format, types, layers and the configuration, without running tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@for profile in $(sort $(wildcard config/profiles/*.yaml)); do $(BIN)/helpdesk check "$$profile"; done

bench: setup ## Measure the figures that we promise (ARGS=calendar measures one part)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

faults: setup ## Play stories with faults by the seed (SEED=17 replays one; COUNT=5000 plays many; STORY=emergency, STORY=everybody)
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(if $(STORY),--story "$(STORY)")

soak: setup ## Kill real worker processes under load on PostgreSQL (ARGS="--seconds 300")
	@$(BIN)/python -m tests.faults.soak $(ARGS)

lock: setup ## Resolve pyproject.toml again into the two lock files (needs uv)
	@uv pip compile pyproject.toml --extra dev --extra build --universal --python-version 3.11 --generate-hashes --no-header \
		--upgrade --quiet -o requirements.lock
	@uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-header \
		--constraints requirements.lock --quiet -o deploy/requirements.lock

clean: ## Remove what setup and the tests made
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
