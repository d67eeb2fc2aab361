"""The age of each table's newest row as a metric, and whether it is late, so that Prometheus can
alert. Knows Prometheus."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from pipeline.api.freshness import Freshness
from pipeline.errors import StoreUnavailable


class FreshnessCollector:
    """Collects at every scrape. While Cassandra is unavailable the rows last seen keep ageing, so
    that the alert still fires."""

    def __init__(self, freshness: Freshness) -> None:
        self._freshness = freshness
        self._newest: Mapping[str, int | None] = {}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The metrics without samples; without this method, registering would read Cassandra."""
        yield from metric_families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            self._newest = self._freshness.newest()
        except StoreUnavailable:
            pass
        age, late = metric_families()
        for row in self._freshness.rows_of(self._newest):
            if row["age_seconds"] is not None:
                age.add_metric([row["table"]], row["age_seconds"])
            late.add_metric([row["table"]], row["late"])
        yield from (age, late)


def metric_families() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    """The age in seconds, and whether it is late."""
    return (
        GaugeMetricFamily("api_newest_row_age_seconds", "Since the newest row of a table", labels=["table"]),
        GaugeMetricFamily("api_newest_row_late", "1 when /freshness calls the table late", labels=["table"]),
    )


def freshness_registry(freshness: Freshness) -> CollectorRegistry:
    """A registry of its own, because another app in this process has other rows."""
    registry = CollectorRegistry()
    registry.register(FreshnessCollector(freshness))
    return registry
