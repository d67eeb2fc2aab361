# What the README tells people to type. A target calls a script; `make` alone lists them from the ## comments.
.DEFAULT_GOAL := help
.PHONY: help demo local test test-unit test-chain test-reconcile test-servers test-programs test-dashboards test-nodes test-compose test-cluster bench bench-quick faults lint docs clean

PYTHON := .local/venv/bin/python
# How many of the six suites with real services run at the same time: each has its own stack (about 1.5 GB; test-nodes 5).
TEST_JOBS ?= 3
# make demo NODES=3: three brokers, Cassandra nodes and consumers, two workers and API processes (docs/cluster.md).
NODES ?= 1

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo:  ## the whole stack without Docker, against a simulated exchange; Ctrl-C stops it (first start a minute, later 20 s)
	@local/start demo --nodes $(NODES)

local:  ## the same against the live exchange (BINANCE_BASE_URL)
	@local/start local --nodes $(NODES)

test:  ## all tests: unit, then the six suites with real services, three at a time (some 25 minutes on 2 cores)
	@local/start setup --dev
	$(PYTHON) -m pytest tests/unit
	@$(MAKE) --no-print-directory --jobs $(TEST_JOBS) --output-sync=target test-chain test-servers test-programs test-reconcile test-dashboards test-nodes

test-unit:  ## the unit tests alone: no service, no port (two minutes)
	@local/start venv --dev
	$(PYTHON) -m pytest tests/unit

test-reconcile:  ## rows broken behind the pipeline's back, found and repaired by reconcile.py and the auditor (5 minutes alone)
	$(PYTHON) -m pytest --durations 5 tests/integration/reconcile

test-chain:  ## every part of the chain killed under load, and the API, against real services (8 minutes alone)
	$(PYTHON) -m pytest --durations 10 tests/integration/chain tests/integration/api

test-servers:  ## consumer, guard, mirror_table.py, replay against real services (8 minutes alone)
	$(PYTHON) -m pytest --durations 15 tests/integration/test_*.py

test-programs:  ## producer, consumers to Redis and to Grafana, TLS and logins against real services (7 minutes alone)
	$(PYTHON) -m pytest --durations 15 tests/integration/producer tests/integration/current tests/integration/live tests/integration/secure

test-nodes:  ## one node of each kind killed, two hanging, on three of everything (4 to 5 minutes alone, 5 GB)
	$(PYTHON) -m pytest --durations 10 tests/integration/nodes

test-dashboards:  ## every panel and alert against the whole stack and a real Prometheus (5 minutes alone)
	$(PYTHON) -m pytest --durations 10 tests/dashboards

test-compose:  ## docker-compose.yml brought up for real and checked end to end (several minutes)
	@tests/compose/run

test-cluster:  ## docker-compose.cluster.yml: one node of every kind killed, cut off, hanging; the standby promoted (over an hour, 10 GiB)
	@tests/compose/run --capture=no tests/compose_cluster

bench:  ## the benchmarks, as tables (over an hour); bench/run NAME runs one
	@bench/run

bench-quick:  ## has the consumer become slower? ratios compared with the kept ones; alone on the machine (below 3 minutes)
	@local/start setup
	$(PYTHON) -m bench.quick

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

docs:  ## writes the generated parts of the documents from the code: tables of settings, docs/types.md (seconds)
	@local/start venv --dev
	$(PYTHON) -m scripts.settings_table
	$(PYTHON) -m scripts.types_table

clean:  ## removes .local: data, logs, virtual environment; refuses while a stack runs. Downloads stay in ~/.cache/crypto-cdc
	@local/start clean
