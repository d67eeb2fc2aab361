# What the README tells people to type. A target calls a script; `make` alone lists them from the ## comments.
.DEFAULT_GOAL := help
.PHONY: help demo local test test-unit test-compose bench faults lint docs clean

PYTHON := .local/venv/bin/python

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo:  ## the whole stack without Docker, against a simulated exchange; Ctrl-C stops it (first start some minutes, later 20 s)
	@local/start demo

local:  ## the same against the live exchange (BINANCE_BASE_URL)
	@local/start local

test:  ## all tests: unit, integration against real services on free ports, dashboards (about 15 minutes)
	@local/start setup --dev
	$(PYTHON) -m pytest tests/unit
	$(PYTHON) -m pytest tests/integration
	$(PYTHON) -m pytest tests/dashboards

test-unit:  ## the unit tests alone: no service, no port (under a minute)
	@local/start venv --dev
	$(PYTHON) -m pytest tests/unit

test-compose:  ## docker-compose.yml brought up for real and checked end to end (several minutes)
	@tests/compose/run

bench:  ## the benchmarks, as tables (half an hour); bench/run NAME runs one
	@bench/run

faults:  ## both fault suites in full: every fault of the exchange, every part of the chain killed (half an hour)
	@local/start setup
	$(PYTHON) -m bench.producer_faults --minutes 10
	$(PYTHON) -m bench.chain_faults

lint:  ## ruff, its formatter, types, which package may import which (seconds)
	@local/start venv --dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.local/venv/bin/lint-imports --no-logo

docs:  ## writes the settings tables of README.md and docs/settings.md from the code (seconds)
	@local/start venv --dev
	$(PYTHON) -m scripts.settings_table

clean:  ## removes .local: data, logs, downloads' copies; refuses while a stack runs
	@local/start clean
