"""The age of each table's newest row as a metric, and whether that is late, so that Prometheus can
raise an alarm. Knows Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from pipeline.api.freshness import Freshness
from pipeline.errors import StoreUnavailable


class Ages:
    """Asked at every scrape. While the store is away the rows last seen go on ageing, which is what
    an alarm needs."""

    def __init__(self, freshness: Freshness) -> None:
        self._freshness = freshness
        self._newest = {}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """What will come, so that registering asks no store."""
        yield from self._families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            self._newest = self._freshness.newest()
        except StoreUnavailable:
            pass
        ages, lates = self._families()
        for row in self._freshness.rows_of(self._newest):
            if row["age_seconds"] is not None:
                ages.add_metric([row["table"]], row["age_seconds"])
            lates.add_metric([row["table"]], row["late"])
        yield from (ages, lates)

    @staticmethod
    def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily("api_newest_row_age_seconds", "Since the newest row of a table", labels=["table"]),
            GaugeMetricFamily("api_newest_row_late", "1 when /freshness calls the table late", labels=["table"]),
        )


def registry_of(freshness: Freshness) -> CollectorRegistry:
    """A registry of its own: a second app in this process has other rows."""
    registry = CollectorRegistry()
    registry.register(Ages(freshness))
    return registry
