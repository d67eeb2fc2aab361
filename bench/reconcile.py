"""reconcile.py over a day of the product while 250 changes per second go on: time and memory; rows
changed, deleted and left out behind the pipeline's back, found and repaired; the auditor's share of
a core.

    .local/venv/bin/python -m bench.reconcile [--trades 930000] [--broken 10000]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench import machine
from bench.consuming import cpu_seconds
from bench.results import publish, table
from local.ports import free_ports
from tests.support.chain.chain_world import GROUP, ChainWorld, running
from tests.support.chain.load import RATE
from tests.support.program import Program
from tests.support.reconcile.breakage import Breakage, reported
from tests.support.reconcile.quiet_rows import MINUTES, SYMBOLS, QuietRows
from tests.support.reconcile.run import Run, reconcile
from tests.support.waiting import wait_until

ORDERS = 50_000
AUDIT_SECONDS = 120
Line = tuple[str, str, str, str, str, str]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.reconcile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trades", type=int, default=930_000, help="trades of the day (930000)")
    parser.add_argument("--broken", type=int, default=10_000, help="rows changed, deleted or left out (10000)")
    options = parser.parse_args()
    rows = QuietRows(options.trades, SYMBOLS * MINUTES, SYMBOLS * MINUTES, ORDERS)
    folder = Path(tempfile.mkdtemp(prefix="bench_reconcile_"))
    with running(folder) as world:
        lines, errors, share = measure(world, rows, options.broken, folder)
    head = machine.head("python3 -m bench.reconcile " + " ".join(sys.argv[1:]))
    titles = ("run", "rows compared", "differ", "seconds", "of CPU", "peak MiB")
    verdict = "\n".join(errors) or "Every broken row was found, none was invented; the repair left nothing to find."
    about = (
        f"{RATE} changes/s go on meanwhile. {options.broken:,} rows were broken: three fifths in Cassandra (deleted, "
        "changed, added), two fifths in PostgreSQL while their tables were not in the publication (deleted, changed, "
        "added). “Of CPU” is reconcile.py's own; Cassandra and PostgreSQL use the other core."
    )
    auditor = f"The auditor used {share:.1f} % of a core over {AUDIT_SECONDS} s, after its first round."
    publish("reconcile", f"# reconcile.py\n\n{head}\n{about}\n\n{table(titles, lines)}\n{verdict}\n{auditor}\n")
    return 1 if errors else 0


def measure(world: ChainWorld, rows: QuietRows, broken: int, folder: Path) -> tuple[list[Line], list[str], float]:
    """The lines, what went wrong, and the auditor's share of a core in percent."""
    began = time.monotonic()
    rows.fill(world)
    print(f"{rows.total:,} rows in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    errors: list[str] = []
    with world.load("C900X", 1) as load, world.odd_load(1):
        load.more(200)
        equal = reconcile(world, "--last", "1d")
        errors += [] if equal.exit_code == 0 else [f"- ERROR: before anything was broken: {found_in(equal)}"]
        breakage = Breakage(world, seed=3)
        breakage.break_rows(broken)
        found = reconcile(world, "--last", "1d")
        seen = dict(reported(found.found.get("differences", [])))
        missed = breakage.broken.items() - seen.items()
        invented = seen.items() - breakage.broken.items()
        errors += [f"- ERROR: not found: {len(missed)}, e.g. {sorted(missed)[:3]}"] if missed else []
        errors += [f"- ERROR: invented: {len(invented)}, e.g. {sorted(invented)[:3]}"] if invented else []
        repair = reconcile(world, "--last", "1d", "--repair")
        errors += [] if repair.exit_code == 0 else [f"- ERROR: repair: {found_in(repair)}"]
        silent = reconcile(world, "--last", "1d")
        errors += [] if silent.exit_code == 0 else [f"- ERROR: after the repair: {found_in(silent)}"]
        share = audited(world, folder)
    runs = {"equal": equal, f"{broken:,} rows broken": found, "`--repair`": repair, "once more": silent}
    return [line(name, run) for name, run in runs.items()], errors, share


def line(name: str, run: Run) -> Line:
    differ = len(run.found.get("differences", []))
    rows = f"{run.found.get('rows', 0):,}"
    return name, rows, f"{differ:,}", f"{run.seconds:.0f}", f"{run.cpu_seconds:.0f}", f"{run.peak_mib:.0f}"


def found_in(run: Run) -> str:
    return f"exit code {run.exit_code} {run.errors[-500:]} {str(run.found)[:500]}"


def audited(world: ChainWorld, folder: Path) -> float:
    """The auditor's use of a core in percent, after its first round."""
    port = free_ports(1)[0]
    environ = {**world.stack.environ, "CONSUMER_GROUP": GROUP, "METRICS_PORT": str(port)}
    command = ["-m", "pipeline.reconciliation.auditor"]
    with Program(command, environ, folder / "auditor.log", port) as auditor:
        wait_until(auditor.healthy, 60, "the auditor's health")
        # The first round after a start does not wait.
        wait_until(lambda: auditor.metric("auditor_last_round_timestamp_seconds") > 0, 300, "the first round")
        before, began = cpu_seconds(auditor.process.pid), time.monotonic()
        time.sleep(AUDIT_SECONDS)
        return 100 * (cpu_seconds(auditor.process.pid) - before) / (time.monotonic() - began)


if __name__ == "__main__":
    raise SystemExit(main())
