"""Starts the simulator: arguments, market, server. `python3 -m simulator --help` lists the
options."""

import argparse
import logging
import sys

from simulator.arguments import parse_arguments
from simulator.intervals import HOUR_MS
from simulator.market.blocks import EPOCH_MS
from simulator.market.random_market import RandomMarket
from simulator.replay.archive import BadArchive
from simulator.replay.replay_market import ReplayMarket
from simulator.source import MarketSource
from simulator.times import clock_ms
from simulator.web.app import create_app
from simulator.web.server import PortTaken, open_server, serve_until, stop_on_signals

log = logging.getLogger("simulator")
DEFAULT_REPLAY_AGE_MS = 12 * HOUR_MS


class ClockTooEarly(Exception):
    """The random market begins at EPOCH_MS; there are no prices before it."""


def make_source(options: argparse.Namespace, now_ms: int) -> MarketSource:
    if options.replay:
        start_ms = now_ms - DEFAULT_REPLAY_AGE_MS if options.replay_start is None else options.replay_start
        return ReplayMarket(options.replay, start_ms)
    if now_ms < EPOCH_MS + HOUR_MS:
        raise ClockTooEarly(f"this machine's clock shows {now_ms} ms; the random market begins at {EPOCH_MS} ms")
    return RandomMarket(options.seed, options.symbols, options.quote.upper())


def main() -> int:
    options = parse_arguments()
    stopping = stop_on_signals()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=options.log_level, stream=sys.stderr)
    try:
        source = make_source(options, clock_ms())
        app = create_app(source, options.weight_limit, fault_seed=options.seed)
        server = open_server(app, options.host, options.port)
    except (BadArchive, ClockTooEarly, PortTaken) as reason:
        print(f"simulator: {reason}", file=sys.stderr)
        return 1
    address = f"http://{options.host}:{server.port}"
    log.info("simulator_started url=%s NOT the real exchange: %s", address, source.start_line)
    serve_until(server, stopping)
    log.info("simulator_stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
