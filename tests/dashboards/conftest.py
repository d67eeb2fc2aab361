"""The whole stack with recorded data, together with a real Prometheus and the live pusher, which
pushes to an end that stands for Grafana."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.ports import free_ports
from local.site import Ports
from local.stack import Stack, available
from tests.support.grafana.files import ROOT
from tests.support.grafana.monitored_stack import MonitoredStack, metrics_ports
from tests.support.grafana.server import MISSING, Prometheus, program
from tests.support.live.grafana_server import GrafanaServer
from tests.support.program import Program
from tests.support.waiting import wait_until

# The same settings as in the README's command for a replay.
RECORDED = {
    "REPLAY": str(ROOT / "examples" / "replay"),
    "SYMBOLS": "ALGOUSDT,AVAXUSDT,XRPETH,NKNUSDT",
    "TRADES_BACKFILL": "2d",
    "KLINES_BACKFILL": "2d",
}


@pytest.fixture(scope="package")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MonitoredStack]:
    ports, live_port = Ports.free(), free_ports(1)[0]
    environ = {**RECORDED, "BINANCE_BASE_URL": f"http://127.0.0.1:{ports.simulator}"}
    with ExitStack() as open_parts:
        stack = Stack(tmp_path_factory.mktemp("stack"), available(), environ=environ, ports=ports)
        open_parts.enter_context(stack)
        ready_at = time.monotonic()
        grafana = open_parts.enter_context(GrafanaServer())
        settings = {**stack.environ, "GRAFANA_URL": grafana.url, "METRICS_PORT": str(live_port)}
        log = tmp_path_factory.mktemp("live") / "live.log"
        open_parts.enter_context(Program(["consumer_to_grafana.py"], settings, log, live_port))
        if program("prometheus") is None:
            yield MonitoredStack(stack, live_port, ready_at, None)
            return
        directory, ports_of_jobs = tmp_path_factory.mktemp("prometheus"), metrics_ports(stack, live_port)
        prometheus = open_parts.enter_context(Prometheus(directory, free_ports(1)[0], ports_of_jobs))
        wait_until(prometheus.ready, 20, "Prometheus")
        yield MonitoredStack(stack, live_port, ready_at, prometheus)


@pytest.fixture
def prometheus(monitored: MonitoredStack) -> Prometheus:
    if monitored.prometheus is None:
        pytest.skip(MISSING)
    return monitored.prometheus
