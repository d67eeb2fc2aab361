"""The whole stack and a Prometheus beside it, as the tests of the dashboards see them. Starts
nothing."""

from dataclasses import dataclass

from local.stack import Stack
from tests.support.grafana.resolver import Resolver
from tests.support.grafana.server import Prometheus


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
