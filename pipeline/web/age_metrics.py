"""The age of each table's newest row as a metric, so that Prometheus can raise an alarm. Knows Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from pipeline.errors import StoreUnavailable
from pipeline.times import now_ms
from pipeline.web.freshness import Freshness


class Ages:
    """Asked at every scrape. While the store is away the rows last seen go on ageing, which is what an alarm needs."""

    def __init__(self, freshness: Freshness) -> None:
        self._freshness, self._newest = freshness, {}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """What will come, so that registering asks no store."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            self._newest = self._freshness.newest()
        except StoreUnavailable:
            pass
        family = self._family()
        for table, updated_at in self._newest.items():
            if updated_at is not None:
                family.add_metric([table], max(0, now_ms() - updated_at) / 1000)
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily("api_newest_row_age_seconds", "Since the newest row of a table", labels=["table"])


def registry_of(freshness: Freshness) -> CollectorRegistry:
    """A registry of its own: a second app in this process has other rows."""
    registry = CollectorRegistry()
    registry.register(Ages(freshness))
    return registry
