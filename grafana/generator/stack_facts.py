"""Numbers that panel descriptions mention and that are set elsewhere. What a file of the repository
states is read from it; tests/unit/grafana/test_described_numbers.py compares the others."""

import json
from pathlib import Path

CONNECTOR = Path(__file__).resolve().parents[2] / "debezium" / "connector.json"

HEARTBEAT_SECONDS = int(json.loads(CONNECTOR.read_text(encoding="utf-8"))["heartbeat.interval.ms"]) // 1000
