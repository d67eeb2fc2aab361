"""End-to-end delays as a Prometheus histogram that takes thousands of values at once: the library's
own costs 2 µs a value, a tenth of what a row costs in all. Knows nothing of what is measured."""

import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry


class BulkHistogram(Collector):
    """One histogram with one label. Thread-safe: Prometheus reads while the loop writes."""

    def __init__(
        self, name: str, help_text: str, label: str, buckets: Sequence[float], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._name = name
        self._help = help_text
        self._label = label
        self._buckets = tuple(buckets)
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}  # cumulative, per bucket, then all
        self._sums: dict[str, float] = {}
        registry.register(self)

    def observe(self, label: str, values: Iterable[float]) -> None:
        ordered = sorted(values)
        with self._lock:
            counts = self._counts.setdefault(label, [0] * (len(self._buckets) + 1))
            for number, bucket in enumerate(self._buckets):
                counts[number] += bisect_right(ordered, bucket)
            counts[-1] += len(ordered)
            self._sums[label] = self._sums.get(label, 0.0) + sum(ordered)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._help, labels=[self._label])
        bounds = [*(str(float(bucket)) for bucket in self._buckets), "+Inf"]
        with self._lock:
            for label, counts in self._counts.items():
                family.add_metric([label], list(zip(bounds, counts)), self._sums[label])
        yield family
