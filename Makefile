# The first call in a fresh clone sets everything up.
.DEFAULT_GOAL := help
.PHONY: help setup test lint unit pipeline wheel clean

venv := .venv/bin
export CDP_DEV := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## the Python environment with the tools for tests, and the jars
	@./spark-submit.sh --setup

test: lint unit ## everything that must pass: style, types, direction of imports, tests

lint: setup
	$(venv)/ruff check lib jobs tests benchmarks
	$(venv)/mypy
	PYTHONPATH=lib $(venv)/lint-imports --no-logo

# Two processes, each with a Spark session of its own: a test of a few rows keeps one core busy.
unit: setup
ifeq ($(ARGS),)
	$(venv)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder
else
	$(venv)/python -m pytest $(ARGS)
endif

pipeline: ## the sample retailer through every stage
	@./spark-submit.sh pipeline

wheel: setup ## a wheel in dist/
	$(venv)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what runs made: lake, extracts, caches; not the environment
	rm -rf lake landing landing-truth dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
