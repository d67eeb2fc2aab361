# What the README tells people to type. A target calls a script; `make` alone lists them from the ## comments.
.DEFAULT_GOAL := help
# How many of the three suites with real services run at the same time: each has its own stack (about 1.5 GB).
TEST_JOBS ?= 3
.PHONY: help demo local test test-chain test-servers test-dashboards test-compose bench faults lint clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo:  ## the whole stack on this machine without Docker, against the simulator; Ctrl-C stops it (first start a minute, later 20 s)
	@local/start demo

local:  ## the same against the live exchange (BINANCE_BASE_URL)
	@local/start local

test:  ## all tests: unit, then the three suites with real services at the same time (below 10 minutes on 2 cores)
	@local/start setup --dev
	.local/venv/bin/python -m pytest tests/unit
	@$(MAKE) --no-print-directory --jobs $(TEST_JOBS) --output-sync=target test-chain test-servers test-dashboards

test-chain:  ## every part of the chain killed under load, and the API, against real services (5 minutes alone)
	.local/venv/bin/python -m pytest tests/integration/chain tests/integration/api

test-servers:  ## consumer, guard, producer and replay against real services (5 minutes alone)
	.local/venv/bin/python -m pytest tests/integration --ignore tests/integration/chain --ignore tests/integration/api

test-dashboards:  ## every panel and alert against the whole stack and a real Prometheus (5 minutes alone)
	.local/venv/bin/python -m pytest tests/dashboards

test-compose:  ## docker-compose.yml brought up for real and checked end to end (several minutes)
	@tests/compose/run

bench:  ## the benchmarks, as a table (some minutes)
	@test -x bench/run || { echo 'bench/run is not there yet'; exit 1; }
	@bench/run

faults:  ## both fault suites in full: every fault of the exchange, every part of the chain killed (half an hour)
	@local/start setup
	.local/venv/bin/python -m bench.producer_faults --minutes 10
	.local/venv/bin/python -m bench.chain_faults

lint:  ## ruff, its formatter, types, which package may import which (seconds)
	@local/start venv --dev
	.local/venv/bin/python -m ruff check .
	.local/venv/bin/python -m ruff format --check .
	.local/venv/bin/python -m mypy

clean:  ## removes .local: data, logs, virtual environment; refuses while a stack runs. Downloads stay in ~/.cache/crypto-cdc
	@local/start clean
