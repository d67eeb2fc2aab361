"""Which metrics the four programs export, by what their modules register. Imports them all; asks
nobody."""

import prometheus_client

from debezium import guard
from pipeline.api import metrics as of_api
from pipeline.api.freshness_metrics import metric_families as freshness_families
from pipeline.consumer import metrics as of_consumer
from pipeline.producer import metrics as of_producer
from tests.support.grafana.files import recording_rules
from tests.support.grafana.metric_names import OF_PROMETHEUS, names_of

# Importing them is what registers their metrics.
REGISTERING = (of_producer, of_consumer, guard, of_api)


def exported() -> set[str]:
    """Sample names, and what the recording rules make of them."""
    families = [*prometheus_client.REGISTRY.collect(), *freshness_families()]
    return names_of(families) | OF_PROMETHEUS | set(recording_rules())
