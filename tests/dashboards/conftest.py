"""The whole stack with recorded data, together with a real Prometheus."""

import time
from collections.abc import Iterator

import pytest

from local.ports import free_ports
from local.site import Ports
from local.stack import Stack, available
from tests.support.grafana.files import ROOT
from tests.support.grafana.monitored_stack import MonitoredStack, metrics_ports
from tests.support.grafana.server import MISSING, Prometheus, program
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
    ports = Ports.free()
    environ = {**RECORDED, "BINANCE_BASE_URL": f"http://127.0.0.1:{ports.simulator}"}
    with Stack(tmp_path_factory.mktemp("stack"), available(), environ=environ, ports=ports) as stack:
        ready_at = time.monotonic()
        if program("prometheus") is None:
            yield MonitoredStack(stack, ready_at, None)
            return
        with Prometheus(tmp_path_factory.mktemp("prometheus"), free_ports(1)[0], metrics_ports(stack)) as prometheus:
            wait_until(prometheus.ready, 20, "Prometheus")
            yield MonitoredStack(stack, ready_at, prometheus)


@pytest.fixture
def prometheus(monitored: MonitoredStack) -> Prometheus:
    if monitored.prometheus is None:
        pytest.skip(MISSING)
    return monitored.prometheus
