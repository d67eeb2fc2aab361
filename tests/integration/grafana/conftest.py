"""The whole stack with recorded data, and a real Prometheus beside it, for the dashboards."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local.ports import free_ports
from local.site import Ports
from local.stack import CATALOG, Stack
from tests.grafana.files import ROOT
from tests.grafana.resolver import Resolver
from tests.grafana.server import MISSING, Prometheus, program
from tests.integration.waiting import wait_until

# As the README's command for a replay.
RECORDED = {
    "REPLAY": str(ROOT / "tests" / "data" / "real"),
    "SYMBOLS": "ALGOUSDT,AVAXUSDT,XRPETH,NKNUSDT",
    "TRADES_BACKFILL": "2d",
    "KLINES_BACKFILL": "2d",
}


@dataclass(frozen=True)
class Whole:
    """Everything that runs; `ready_at`: when all of it did, as time.monotonic says."""

    stack: Stack
    ready_at: float
    prometheus: Prometheus | None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.stack.ports.api}"

    @property
    def metrics(self) -> dict[str, str]:
        """Where each scrape job's program serves its metrics."""
        return {job: f"http://127.0.0.1:{port}/metrics" for job, port in jobs(self.stack).items()}

    def resolver(self) -> Resolver:
        addresses = {"market-api": self.api}
        return Resolver(addresses | ({"prometheus": self.prometheus.address} if self.prometheus else {}))


def jobs(stack: Stack) -> dict[str, int]:
    ports = stack.ports
    return {
        "producer": ports.producer_metrics,
        "consumer": ports.consumer_metrics,
        "guard": ports.guard_metrics,
        "api": ports.api,
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
