# Thin wrappers over plain commands; the README shows them too. PYTHON picks the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-lowest lint bench site

# Everything the demo needs, then the suite: results go to ./store, so a second run has nothing left to compute.
demo: .venv/installed
	$(BIN)/medssl-bench run suites/quickstart.toml

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 -m "not cluster"

# The commands a user runs, with the lowest versions that pyproject.toml allows, in an environment that is deleted after.
# Its torch is that of .venv.
test-lowest: .venv/installed
	.ci/lowest

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documentation as a site, in build/site. While you write: .venv-site/bin/mkdocs serve
site: .venv-site/installed
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --quiet --strict
	.venv-site/bin/python .ci/site_check.py

# How fast this machine trains, side by side with what one would otherwise run: about half an hour on two cores.
# make bench BENCH="--device cuda" on a GPU; BENCH="--only pretraining --rounds 3" for less.
bench: .venv/installed-dev
	$(BIN)/python -m benchmarks $(BENCH)

.venv/installed: pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -e . -e plugins/medssl-bench-thesis -e plugins/medssl-bench-methods -e plugins/medssl-bench-published -e plugins/medssl-bench-cluster -e plugins/medssl-bench-trackers -e plugins/medssl-bench-example
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@touch $@

.venv-site/installed: pyproject.toml
	$(PYTHON) -m venv .venv-site
	$(PYTHON) .ci/requirements.py docs | .venv-site/bin/python -m pip install --quiet -r /dev/stdin
	@touch $@
