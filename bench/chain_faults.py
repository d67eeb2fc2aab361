"""The whole chain under a steady load, while its parts are killed and stopped, snapshots are taken,
malformed records sent and column types changed. After each scenario, Cassandra is compared with
PostgreSQL row by row, and history with the list of committed changes. Exits with 1 if any row is
missing, unexpected or different, or if a record became a dead letter by mistake.

    .local/venv/bin/python -m bench.chain_faults [--rounds 3] [--outage 180] [--seed 1]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import machine
from bench.results import publish, table
from tests.support.chain.campaign import ChainCampaign, ScenarioResult
from tests.support.chain.chain_world import running
from tests.support.chain.load import RATE
from tests.support.chain.odd_load import RATE as ODD_RATE
from tests.support.chain.scenarios import AGAIN, KILLED, OTHERS, cassandra_stopped


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.chain_faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each process is killed (3)")
    parser.add_argument("--outage", type=float, default=180, help="seconds for which Cassandra is stopped (180)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random load and timing (1)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chain_faults_"))
    results = list(run(folder, options.rounds, options.outage, options.seed))
    rows = [
        (
            each.scenario,
            each.changes or "",
            each.rows_compared,
            each.odd_rows_compared,
            f"{each.settled_seconds:.1f}",
            len(each.errors),
        )
        for each in results
    ]
    head = machine.head("python3 -m bench.chain_faults " + " ".join(sys.argv[1:]))
    titles = ("scenario", "changes committed", "rows compared", "of odd types", "equal after, s", "errors")
    errors = [f"- ERROR: {each.scenario}: {line}" for each in results for line in each.errors]
    verdict = "\n".join(errors) or "No errors: current tables are equal row by row, history is as it was committed."
    load = f"{RATE} changes/s over five tables, {ODD_RATE} transactions/s over three of odd types, seed {options.seed}"
    about = f"{load}; “equal after” counts from the last change."
    publish("chain_faults", f"# The chain under faults\n\n{head}\n{about}\n\n{table(titles, rows)}\n{verdict}\n")
    print(f"logs: {folder}", file=sys.stderr)
    return 1 if errors else 0


def run(folder: Path, rounds: int, outage_seconds: float, seed: int) -> Iterator[ScenarioResult]:
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True)

    with running(folder) as world:
        campaign = ChainCampaign(world, seed, progress)
        for scenario in (*KILLED * rounds, cassandra_stopped(outage_seconds), AGAIN, *OTHERS):
            yield campaign.run(scenario)
        yield campaign.compare_everything()
        yield campaign.judge_independently()


if __name__ == "__main__":
    raise SystemExit(main())
