"""A topic that mirror_table.py makes is like one that Connect makes."""

import json
from pathlib import Path

from pipeline.mirroring.kafka_topic import TOPIC_SETTINGS

CONNECTOR = Path(__file__).resolve().parents[4] / "debezium" / "connector.json"
PREFIX = "topic.creation.default."
NUMBERS = ("partitions", "replication.factor")


def test_settings_are_those_of_the_connector() -> None:
    settings = json.loads(CONNECTOR.read_text(encoding="utf-8"))
    of_topics = {name.removeprefix(PREFIX): value for name, value in settings.items() if name.startswith(PREFIX)}
    assert {name: value for name, value in of_topics.items() if name not in NUMBERS} == TOPIC_SETTINGS
