"""A Prometheus histogram that takes thousands of values in one call: the library's own costs 2 µs
per value, a tenth of what a row costs in all. Knows nothing of what is measured."""

import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry


class BulkHistogram(Collector):
    """One histogram with one label. Thread-safe: it is scraped while values are observed."""

    def __init__(
        self, name: str, help_text: str, label: str, buckets: Sequence[float], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._name = name
        self._help = help_text
        self._label = label
        self._buckets = tuple(buckets)
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}  # by label: cumulative per bucket, then the total
        self._sums: dict[str, float] = {}
        registry.register(self)

    def observe(self, label: str, values: Iterable[float]) -> None:
        """Count the values under this value of the label."""
        ordered = sorted(values)
        with self._lock:
            counts = self._counts.setdefault(label, [0] * (len(self._buckets) + 1))
            for number, upper_bound in enumerate(self._buckets):
                counts[number] += bisect_right(ordered, upper_bound)
            counts[-1] += len(ordered)
            self._sums[label] = self._sums.get(label, 0.0) + sum(ordered)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._help, labels=[self._label])
        upper_bounds = [*(str(float(bound)) for bound in self._buckets), "+Inf"]
        with self._lock:
            for label, counts in self._counts.items():
                family.add_metric([label], list(zip(upper_bounds, counts)), self._sums[label])
        yield family
