# One vocabulary of commands, here, in the README and in CI. Each does what it needs first.

# The packages of Python and of Node are installed side by side.
MAKEFLAGS += --jobs=3
# What is compiled is kept: the tests start a hundred processes.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
BETTER_AUTH := tests/auth/better_auth
PAGES := $(wildcard web/*.html web/*.json web/*.ts) $(shell find web/src client/src -type f)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help run test check setup lock bench bench-quick bench-profile bench-merge bench-setup
.DEFAULT_GOAL := help

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Serve on http://127.0.0.1:8000 with an embedded Postgres
	@exec $(BIN)/workflow-sync serve

test: setup ## Run the tests, three at a time, since they mostly wait for processes
	npm --prefix client run --silent test
	$(BIN)/pytest --numprocesses 3 --dist worksteal

check: setup ## Run the linters, the type checkers, the import contracts and the comparison of the SDL
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/workflow-sync schema | diff schema/schema.graphql -
	npm --prefix client run --silent check
	npm --prefix web run --silent check

setup: .venv/.installed client/node_modules/.installed server/pages/index.html $(BETTER_AUTH)/node_modules/.installed ## Install everything into this folder and build the pages

bench: bench-setup ## Measure everything beside others, and keep the results in bench/results: about 45 minutes
	@$(BIN)/python -m bench --runs 5 --seconds 4 --out bench/results

bench-quick: bench-setup ## Measure the most telling part of it: under 3 minutes
	@$(BIN)/python -m bench --systems ours,mercurius,seed,yoga,floor --workloads whole,fanout --sizes 34 --seconds 2

bench-profile: bench-setup ## Draw a flame graph of a worker that saves
	@$(BIN)/python -m bench.profile

bench-merge: setup ## Measure what a merge costs, beside jsonpatch and pycrdt
	@$(BIN)/python -m bench.merge

bench-setup: setup bench/peers/node_modules/.installed
	@command -v wrk >/dev/null || { echo "Installing wrk ..." && apt-get install -y -qq wrk >/dev/null; } || \
		{ echo "wrk is needed to drive the servers: apt-get install wrk, or brew install wrk"; exit 1; }

lock: .venv/.installed ## Pin the newest dependencies that pyproject.toml allows
	$(COMPILE) --upgrade --group dev --group bench pyproject.toml --output-file requirements.lock

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing the Python packages: about a minute the first time ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

server/pages/index.html: web/node_modules/.installed $(PAGES)
	@echo "Building the pages ..."
	@npm --prefix web run --silent build

%/node_modules/.installed: %/package-lock.json
	@echo "Installing the Node packages of $* ..."
	@npm --prefix $* ci --silent
	@touch $@
