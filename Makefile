# Two commands for a newcomer: `make nightly` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export YISHU_HOME ?= $(CURDIR)/data
RESIDENTS ?= 20000
SEED ?= 1

.PHONY: help setup nightly test lint ui clean

help:
	@echo "make nightly  set up, build a sample city if there is no data, run one night"
	@echo "make test     set up, run all tests"
	@echo "make ui       open the Dagster UI on http://127.0.0.1:3000"
	@echo "make lint     ruff, mypy, sqlfluff, import-linter, contracts"

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -m compileall -q pipelines quality scenarios
	@touch $@

nightly: setup
	@if [ -z "$$(ls -A '$(YISHU_HOME)/landing' 2>/dev/null)" ] && [ ! -d '$(YISHU_HOME)/raw' ]; then \
		echo "No data in $(YISHU_HOME): building a sample city"; \
		$(BIN)/yishu sample --residents $(RESIDENTS) --seed $(SEED); \
	fi
	@$(BIN)/yishu nightly

test: setup
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests
	$(BIN)/yishu source check

ui: setup
	$(BIN)/yishu ui

clean:
	rm -rf $(VENV) build *.egg-info dbt_project/target
