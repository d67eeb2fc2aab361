# What the README tells people to type. A target calls a script; `make` alone lists them from the ## comments.
.DEFAULT_GOAL := help
.PHONY: help demo local test test-compose bench faults lint docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo:  ## the whole stack on this machine without Docker, against the simulator; Ctrl-C stops it (first start a minute or two, later 20 s)
	@local/start demo

local:  ## the same against the live exchange (BINANCE_BASE_URL)
	@local/start local

test:  ## all tests: unit, then integration against real services on free ports, then the dashboards (some minutes)
	@local/start setup --dev
	.local/venv/bin/python -m pytest tests/unit
	.local/venv/bin/python -m pytest tests/integration
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
	.local/venv/bin/python -m ruff format --check .
	.local/venv/bin/python -m mypy

docs:  ## the generated parts of the documents: README's settings, docs/types.md (seconds)
	@local/start venv --dev
	.local/venv/bin/python -m scripts.settings_table
	.local/venv/bin/python -m scripts.types_table

clean:  ## removes .local: data, logs, downloads' copies; refuses while a stack runs
	@local/start clean
