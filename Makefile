# `make app` and `make test` each work alone in a fresh clone: Python 3.11 or newer is all they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help app test test-slow lint format notebooks docs bench bench-peers setup pins clean

VENV := .venv
BIN := $(VENV)/bin
APP_STAMP := $(VENV)/.installed-app
DEV_STAMP := $(VENV)/.installed-dev
PEERS := .venv-peers
BINDSNET := .venv-bindsnet
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := BIM_CHROMIUM="$$(tools/ensure_chromium.sh)" $(BIN)/python -m pytest -n 2 --dist loadgroup
ARGS ?=

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

app: $(APP_STAMP) ## install what the app needs, then serve the page (ARGS="--port 5007")
	$(BIN)/bim-explorer serve $(ARGS)

test: lint ## everything a change must pass, browser tests included (ARGS="-k rtrl")
	$(PYTEST) $(ARGS)

test-slow: $(DEV_STAMP) ## notebooks, faults and soak
	$(PYTEST) -m slow --nbmake --nbmake-timeout=180 tests notebooks $(ARGS) || [ $$? -eq 5 ]

lint: $(DEV_STAMP) ## ruff, pyright and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(DEV_STAMP) ## let ruff mend and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

notebooks: $(DEV_STAMP) ## open the lessons in JupyterLab
	$(BIN)/jupyter lab notebooks $(ARGS)

docs: $(DEV_STAMP) ## build the site in site/: how-to, lessons (run while it is built), reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict $(ARGS)

bench: $(DEV_STAMP) ## time the engine; figures, tables and plots in benchmarks/figures (ARGS="engine step")
	$(BIN)/python benchmarks/report.py $(ARGS)

bench-peers: $(DEV_STAMP) $(PEERS)/.installed $(BINDSNET)/.installed ## the same against other packages
	$(BIN)/python benchmarks/report.py peers $(ARGS)

setup: $(DEV_STAMP) ## only make .venv with everything in it

pins: ## write constraints.txt anew (ARGS="torch==2.13.0" holds a version)
	tools/pin_versions.sh $(ARGS)

clean: ## remove what can be made again, .venv included
	rm -rf $(VENV) $(PEERS) $(BINDSNET) .pins build dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@python="$$(tools/find_python.sh)"; echo "making $(VENV) with $$python ..."; "$$python" -m venv $(VENV)

$(APP_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV) (a few minutes the first time) ..."
	$(PIP_INSTALL) -e .
	@touch $@

$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV), tools included (a few minutes the first time) ..."
	$(PIP_INSTALL) -e '.[dev,notebooks,sweeps,docs]'
	@touch $@ $(APP_STAMP)

$(PEERS)/.installed: benchmarks/peers-requirements.txt | $(BIN)/python
	@echo "installing the peers into $(PEERS) ..."
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(BINDSNET)/.installed: benchmarks/peers-bindsnet-requirements.txt | $(BIN)/python
	@echo "installing BindsNET into $(BINDSNET) ..."
	$(BIN)/python -m venv $(BINDSNET)
	$(BINDSNET)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	$(BINDSNET)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps bindsnet==0.3.4
	@touch $@
