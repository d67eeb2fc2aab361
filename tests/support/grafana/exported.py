"""Which metrics the programs export, according to what their modules register. Imports the
modules; connects to nothing."""

import prometheus_client

from debezium import guard
from pipeline.api import metrics as api_metrics
from pipeline.api.freshness_metrics import metric_families as freshness_families
from pipeline.consumer import gc_tuning
from pipeline.consumer import metrics as consumer_metrics
from pipeline.current import metrics as current_metrics
from pipeline.forecast import metrics as forecast_metrics
from pipeline.live import metrics as live_metrics
from pipeline.producer import metrics as producer_metrics
from pipeline.reconciliation import metrics as auditor_metrics
from pipeline.stream import lost_records
from tests.support.grafana.files import recording_rules
from tests.support.grafana.metric_names import PROMETHEUS_OWN, names_of

# Importing these modules registers their metrics.
REGISTERING_MODULES = (
    producer_metrics,
    consumer_metrics,
    gc_tuning,
    lost_records,
    guard,
    api_metrics,
    forecast_metrics,
    auditor_metrics,
    live_metrics,
    current_metrics,
)


def exported() -> set[str]:
    """Names of samples, including those of the recording rules."""
    families = [*prometheus_client.REGISTRY.collect(), *freshness_families()]
    return names_of(families) | PROMETHEUS_OWN | set(recording_rules())
