"""producer_binance.py, unchanged but for how often it reads the exchange's listing:
LISTING_SECONDS."""

import os

from pipeline import program
from pipeline.producer import jobset, plan

seconds = float(os.environ["LISTING_SECONDS"])
jobset.LISTING_PACE = plan.Pace("listing", 1, jobset.WEIGHT, seconds, seconds)

import producer_binance  # noqa: E402

raise SystemExit(program.run("producer", producer_binance.main))
