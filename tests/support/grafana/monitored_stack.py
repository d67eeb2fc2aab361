"""The running stack together with a Prometheus, for the tests of the dashboards. Starts nothing."""

from dataclasses import dataclass

from local.stack import Stack
from tests.support.grafana.resolver import Resolver
from tests.support.grafana.server import Prometheus


@dataclass(frozen=True)
class MonitoredStack:
    """`ready_at`: when all of the stack was ready, as time.monotonic(). `live_port`: of the metrics
    of the pusher, which the stack without Grafana has not."""

    stack: Stack
    live_port: int
    ready_at: float
    prometheus: Prometheus | None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.stack.ports.api}"

    @property
    def metrics_urls(self) -> dict[str, str]:
        """The URL of the metrics of each scrape job."""
        return {
            job: f"http://127.0.0.1:{port}/metrics" for job, port in metrics_ports(self.stack, self.live_port).items()
        }

    def resolver(self) -> Resolver:
        addresses = {"market-api": self.api}
        return Resolver(addresses | ({"prometheus": self.prometheus.address} if self.prometheus else {}))


def metrics_ports(stack: Stack, live_port: int) -> dict[str, int]:
    ports = stack.ports
    return {
        "producer": ports.producer_metrics,
        "consumer": ports.consumer_metrics,
        "guard": ports.guard_metrics,
        "forecaster": ports.forecaster_metrics,
        "consumer-redis": ports.redis_metrics,
        "auditor": ports.auditor_metrics,
        "api": ports.api,
        "live": live_port,
    }
