"""The whole stack with recorded data, and a real Prometheus beside it, for the dashboards."""

import time
from collections.abc import Iterator

import pytest

from local.ports import free_ports
from local.site import Ports
from local.stack import CATALOG, Stack
from tests.support.grafana.files import ROOT
from tests.support.grafana.server import MISSING, Prometheus, program
from tests.support.grafana.whole import Whole, jobs
from tests.support.waiting import wait_until

# As the README's command for a replay.
RECORDED = {
    "REPLAY": str(ROOT / "examples" / "replay"),
    "SYMBOLS": "ALGOUSDT,AVAXUSDT,XRPETH,NKNUSDT",
    "TRADES_BACKFILL": "2d",
    "KLINES_BACKFILL": "2d",
}


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    ports = Ports.free()
    environ = {**RECORDED, "BINANCE_BASE_URL": f"http://127.0.0.1:{ports.simulator}"}
    with Stack(tmp_path_factory.mktemp("whole"), CATALOG, environ=environ, ports=ports) as stack:
        ready_at = time.monotonic()
        if program("prometheus") is None:
            yield Whole(stack, ready_at, None)
            return
        with Prometheus(tmp_path_factory.mktemp("prometheus"), free_ports(1)[0], jobs(stack)) as prometheus:
            wait_until(prometheus.ready, 20, "Prometheus")
            yield Whole(stack, ready_at, prometheus)


@pytest.fixture
def prometheus(whole: Whole) -> Prometheus:
    if whole.prometheus is None:
        pytest.skip(MISSING)
    return whole.prometheus
