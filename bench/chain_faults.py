"""The whole chain under a steady load while its parts are killed, stopped, snapshotted, poisoned
and re-typed. After each, Cassandra is compared with PostgreSQL row by row, and history with the
list of committed changes. Ends with 1 when anything was lost, invented, false or a dead letter that
should not be one.

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
from local.stack import Stack
from tests.support.chain.campaign import Campaign, Outcome
from tests.support.chain.load import RATE
from tests.support.chain.scenarios import AGAIN, KILLED, OTHERS, store_stopped
from tests.support.chain.world import SERVICES, World


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.chain_faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of kills (3)")
    parser.add_argument("--outage", type=float, default=180, help="seconds that Cassandra is stopped (180)")
    parser.add_argument("--seed", type=int, default=1, help="of load and moments (1)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chain_faults_"))
    outcomes = list(run(folder, options.rounds, options.outage, options.seed))
    rows = [
        (one.scenario, one.changes or "", one.compared, f"{one.settled_seconds:.1f}", len(one.wrong) or "nothing")
        for one in outcomes
    ]
    head = machine.head("python3 -m bench.chain_faults " + " ".join(sys.argv[1:]))
    titles = ("what happened", "changes committed", "rows compared", "equal after, s", "wrong")
    wrong = [f"- WRONG: {one.scenario}: {line}" for one in outcomes for line in one.wrong]
    verdict = "\n".join(wrong) or "Nothing was wrong: current tables equal row by row, history as it was committed."
    about = f"{RATE} changes/s over five tables, seed {options.seed}; “equal after” counts from the last change."
    publish("chain_faults", f"# The chain under faults\n\n{head}\n{about}\n\n{table(titles, rows)}\n{verdict}\n")
    print(f"logs: {folder}", file=sys.stderr)
    return 1 if wrong else 0


def run(folder: Path, rounds: int, outage_seconds: float, seed: int) -> Iterator[Outcome]:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    with Stack(folder, SERVICES) as stack:
        world = World(stack, folder)
        try:
            campaign = Campaign(world, seed, say)
            for scenario in (*KILLED * rounds, store_stopped(outage_seconds), AGAIN, *OTHERS):
                yield campaign.run(scenario)
            yield campaign.everything()
        finally:
            world.close()


if __name__ == "__main__":
    raise SystemExit(main())
