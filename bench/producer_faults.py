"""The producer under every fault in turn, then under several at random, compared with the market's
truth. Exits with 1 if anything was lost, duplicated or wrong, or a limit was broken.

    .local/venv/bin/python -m bench.producer_faults [--minutes 10] [--seed 1]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench import machine
from bench.results import publish, table
from local.stack import Stack
from pipeline.times import now_ms
from tests.support.producer_faults.campaign import Campaign, Outcome
from tests.support.producer_faults.disturbances import EVERY, LONG
from tests.support.producer_faults.world import SYMBOLS, World

# From this duration on there is time for bans of a minute.
WITH_LONG_MINUTES = 8
INTERVALS = ("1m", "5m")
SETTINGS = {
    "KLINE_INTERVALS": ",".join(INTERVALS),
    "TRADES_BACKFILL": "2m",
    "KLINES_BACKFILL": "6h",
    "LISTING_INTERVAL_SECONDS": "10",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.producer_faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10, help="faults in turn, then at random (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the random part (1)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="producer_faults_"))
    outcome = run(options.minutes, options.seed, folder)
    head = machine.head("python3 -m bench.producer_faults " + " ".join(sys.argv[1:]))
    about = f"{len(SYMBOLS)} tracked symbols, candles of {' and '.join(INTERVALS)}, seed {options.seed}"
    verdict = "\n".join(f"- WRONG: {line}" for line in outcome.wrong) or "Nothing was wrong."
    figures = table(("what", "figure"), list(outcome.figures.items()))
    publish("producer_faults", f"# Producer under faults\n\n{head}\n{about}\n\n{figures}\n{verdict}\n")
    print(f"logs: {folder}", file=sys.stderr)
    return 1 if outcome.wrong else 0


def run(minutes: float, seed: int, folder: Path) -> Outcome:
    with Stack(folder, ("postgres", "postgres-schema")) as stack:
        world = World(stack, folder, **SETTINGS)
        try:
            world.empty()
            world.exchange.start()
            began_ms, end = now_ms(), time.monotonic() + minutes * 60
            world.start_producer()
            world.wait_for_rows("order_book", len(SYMBOLS))
            campaign = Campaign(world, SYMBOLS, INTERVALS, seed, lambda text: report(began_ms, text))
            seconds = max(0.5, min(6.0, minutes * 60 / 3 / len(EVERY) - 1))
            campaign.in_turn(EVERY, seconds, calm_seconds=1.0)
            if minutes >= WITH_LONG_MINUTES:
                campaign.in_turn(LONG, seconds, calm_seconds=1.0)
            campaign.at_random(EVERY, end)
            report(began_ms, "comparing")
            # The backfill begins two minutes before the producer's start, which is a little after
            # `began_ms`.
            return campaign.verdict(began_ms - 110_000)
        finally:
            world.close()


def report(began_ms: int, text: str) -> None:
    print(f"{(now_ms() - began_ms) / 1000:6.1f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
