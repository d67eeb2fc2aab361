#!/usr/bin/env python3
"""PostgreSQL → PostgreSQL: forecasts the volatility of the next minutes of every tracked symbol,
and scores each forecast when its window closes.

python3 forecast_volatility.py                       settings come from the environment and .env
python3 forecast_volatility.py --evaluate FILE …     a table of all models over archive files
python3 forecast_volatility.py --evaluate            the same over the candles in PostgreSQL
"""

import argparse
import logging
from contextlib import closing
from pathlib import Path

from pipeline import logs, monitor, postgres, program
from pipeline.forecast import archive, backtest
from pipeline.forecast.database import Database, Tables
from pipeline.forecast.loop import Loop
from pipeline.forecast.minutes import Candle
from pipeline.forecast.models import BASELINES, LOG_HAR
from pipeline.settings import Settings, load
from pipeline.stopping import on_signals

log = logging.getLogger("pipeline.forecast")
STUCK_AFTER_SECONDS = 120


def main() -> int:
    files = arguments().evaluate
    settings = load("forecaster")
    return forecast(settings) if files is None else evaluate(settings, files)


def forecast(settings: Settings) -> int:
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    if not settings.FORECAST_HORIZONS:
        monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: (True, {"forecasts": "off"}))
        log.info("forecasts_off")
        while not stop.wait(3600):
            pass
        return 0
    database = Database(lambda: postgres.connect(settings, "forecaster"))
    loop = Loop(database, settings.SYMBOLS, settings.FORECAST_HORIZONS, settings.FORECAST_MODEL)
    monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: health(loop))
    log.info("forecaster_started", extra={"model": settings.FORECAST_MODEL, "symbols": ",".join(settings.SYMBOLS)})
    try:
        loop.run(stop)
    finally:
        database.close()
    return 0


def evaluate(settings: Settings, files: list[Path]) -> int:
    logs.start("ERROR", settings.LOG_FORMAT)  # the table alone
    candles = archive.candles_by_symbol(files) if files else stored_candles(settings)
    models = dict.fromkeys([*BASELINES, LOG_HAR, settings.FORECAST_MODEL])
    print(backtest.markdown(backtest.evaluate(candles, settings.FORECAST_HORIZONS, models)), end="")
    return 0


def stored_candles(settings: Settings) -> dict[str, list[Candle]]:
    with closing(postgres.connect(settings, "forecaster")) as connection:
        return Tables(connection).all_candles(settings.SYMBOLS)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluate", nargs="*", type=Path, metavar="FILE", help="print the table of models and exit")
    return parser.parse_args()


def health(loop: Loop) -> tuple[bool, dict[str, object]]:
    idle_seconds = round(loop.idle_seconds(), 1)
    return idle_seconds < STUCK_AFTER_SECONDS, {"seconds_since_progress": idle_seconds}


if __name__ == "__main__":
    raise SystemExit(program.run("forecaster", main))
